"""The slave port of a whole box before masters that are not ours: mbpoll (libmodbus), pymodbus and pysunspec2, over TCP
and on a pseudo-terminal that is joined to the box's line."""

import json
import shutil
import signal
import socket
import struct
import subprocess
from contextlib import ExitStack, contextmanager

import pytest
import pytest_twisted
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP
from twisted.internet.defer import Deferred

from tests.support.brokers import free_port
from tests.support.bus import simulated_bus
from tests.support.whole import BareBox, pause

CONFIGURATION = """
[box]
serial = "4426010001"
state_dir = "state"
plugin_dirs = []

[web]
listen = []

[line.native]
endpoint = "serial:{bus}:baudrate=9600"

[line.out]
endpoint = "serial:{wire}:baudrate={baudrate}"
role = "slave"

[line.gensets]
endpoint = "serial:{gensets}:baudrate=9600"
role = "external"

[device.m1]
line = "native"
profile = "energycm/ccm"
address = 1
alias = "Main meter"
interval = "1 s"

[device.m2]
line = "native"
profile = "energycm/ccm"
address = 2
interval = "1 s"

[device.genset]
line = "gensets"
profile = "smartgen/hgm6100n"
address = 5
interval = "1 s"
allow_raw = true

[modbus_slave.scada]
max_age = "2 s"
port = {port}
interface = "127.0.0.1"

[modbus_slave.meter]
max_age = "1 s"
port = {port}
interface = "127.0.0.1"
unit = 11
serve = "mirror"
device = "m1"

write = true

[modbus_slave.genset]
port = {port}
interface = "127.0.0.1"
unit = 12
serve = "mirror"
device = "genset"
write = true
ask = true

[modbus_slave.wire]
line = "out"
unit = 7

[modbus_slave.same]
line = "out"
unit = 8
serve = "mirror"
device = "m2"
ask = true
"""
BAUDRATE = 19200
FIRST = 40070
HEADER = 74
MAINS = ("mains_v1", "mains_v2", "mains_v3")


def program(name):
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"this test needs {name}: apt-get install {name}")
    return found


@contextmanager
def joined_ptys(folder):
    """Two pseudo-terminals joined by socat."""
    ends = [folder / "near", folder / "far"]
    command = [program("socat"), *(f"pty,raw,echo=0,link={end}" for end in ends)]
    with subprocess.Popen(command) as process:
        try:
            pytest_twisted.blockon(Deferred.fromCoroutine(until(lambda: all(end.exists() for end in ends))))
            yield [str(end) for end in ends]
        finally:
            process.terminate()


async def until(met):
    for _ in range(400):
        if met():
            return
        await pause(0.05)
    pytest.fail("it did not come to that")


class Home:
    """A running box, `port` and `wire` where its masters find it, its meters on `bus`."""

    def __init__(self, box, port, wire, bus):
        self.box, self.port, self.wire, self.bus = box, port, wire, bus

    def tcp(self):
        return ModbusTcpClient("127.0.0.1", port=self.port, timeout=5)

    def serial(self):
        return ModbusSerialClient(self.wire, baudrate=BAUDRATE, timeout=2)

    def mbpoll(self, *options):
        command = [program("mbpoll"), "-1", "-0", "-B", *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def place(self, name, window=0):
        """Where a value of a window lies, as the map says."""
        found = self.box.act("slave.map")["windows"][window]
        return next(each["address"] for each in found["values"] if each["name"] == name)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slave")
    with ExitStack() as stack:
        bus = stack.enter_context(simulated_bus(folder, "--meters", "2", "--instant"))
        gensets = stack.enter_context(
            simulated_bus(folder, "--profile", "smartgen/hgm6100n@5", "--instant", name="gensets")
        )
        near, far = stack.enter_context(joined_ptys(folder))
        port = free_port()
        text = CONFIGURATION.format(bus=bus.port, wire=near, gensets=gensets.port, baudrate=BAUDRATE, port=port)
        box = BareBox(folder, text)
        stack.callback(box.end)
        box.start()

        def is_well():
            status = box.status()
            return (
                status
                and all(box.devices()[uid]["health"] == "answering" for uid in ("m1", "m2", "genset"))
                and all(each["is_open"] for each in box.act("slave.states"))
                and {"v1", "ea_imp"} <= box.values("m1").keys() & box.values("m2").keys()
            )

        pytest_twisted.blockon(Deferred.fromCoroutine(box.until(is_well, 15, "well")))
        yield Home(box, port, far, bus)


def as_text(registers):
    return struct.pack(f">{len(registers)}H", *registers).rstrip(b"\0").decode()


def as_float(registers):
    return struct.unpack(">f" if len(registers) == 2 else ">d", struct.pack(f">{len(registers)}H", *registers))[0]


def test_pysunspec2_walks_the_map_from_its_mark_to_its_end(home):
    device = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=home.port, timeout=10)
    device.scan()
    try:
        (common,) = device.models[1]
        said = {name: common.points[name].value for name in ("Mn", "Md", "SN", "DA")}
        assert said == {"Mn": "CcMaster", "Md": "PRO", "SN": "4426010001", "DA": 1}
        assert device.base_addr == 40000
        windows = home.box.act("slave.map")["windows"]
        found = [(each.model_addr, each.model_len + 2) for each in device.models[64801]]
        assert found == [(each["address"], each["registers"]) for each in windows]
    finally:
        device.close()


def test_pymodbus_reads_what_the_box_shows_itself(home):
    client, shown = home.tcp(), home.box.values("m1")
    header = client.read_holding_registers(FIRST, count=HEADER, device_id=1).registers
    assert (header[0], header[2], header[4], header[5]) == (64801, 1, 2, 1)
    assert as_text(header[10:26]) == "m1" and as_text(header[26:42]) == "Main meter"
    energy = client.read_input_registers(home.place("ea_imp"), count=4, device_id=1).registers
    voltage = client.read_holding_registers(home.place("v1"), count=2, device_id=1).registers
    assert as_float(energy) == pytest.approx(shown["ea_imp"], abs=1)
    assert as_float(voltage) == pytest.approx(shown["v1"], rel=0.2)
    whole = client.read_holding_registers(40000, count=125, device_id=1)
    assert not whole.isError() and whole.registers[:2] == [0x5375, 0x6E53]
    client.close()


def test_a_port_with_several_units_is_none_of_them_itself(home):
    client = home.tcp()
    assert [client.read_holding_registers(40000, count=2, device_id=unit).exception_code for unit in (0, 255)] == [
        11
    ] * 2
    client.close()


def test_pymodbus_meets_the_right_exception(home):
    client = home.tcp()
    end = home.box.act("slave.map")["end"]
    refused = [
        client.read_holding_registers(39999, count=1, device_id=1),
        client.read_holding_registers(end, count=3, device_id=1),
        client.read_coils(40000, count=1, device_id=1),
        client.write_register(40000, 1, device_id=1),
    ]
    assert [answer.exception_code for answer in refused] == [2, 2, 1, 1]
    client.close()


def test_mbpoll_reads_over_tcp(home):
    said = home.mbpoll("-a", "1", "-t", "4:float", "-r", str(home.place("v1")), "-p", str(home.port), "127.0.0.1")
    assert said.returncode == 0, said.stdout + said.stderr
    value = float(said.stdout.split("]:")[1].split()[0])
    assert value == pytest.approx(home.box.values("m1")["v1"], rel=0.2)


def test_mbpoll_and_pymodbus_read_on_the_serial_line(home):
    options = ["-m", "rtu", "-b", str(BAUDRATE), "-P", "none", "-a", "7", "-t", "4:hex", "-r", "40000", "-c", "4"]
    said = home.mbpoll(*options, home.wire)
    assert said.returncode == 0, said.stdout + said.stderr
    assert [line.split()[-1] for line in said.stdout.splitlines() if line.startswith("[")] == [
        "0x5375",
        "0x6E53",
        "0x0001",
        "0x0042",
    ]
    client = home.serial()
    for _ in range(20):
        assert client.read_holding_registers(40000, count=125, device_id=7).registers[1] == 0x6E53
    assert client.read_holding_registers(39998, count=2, device_id=7).exception_code == 2
    client.close()


def test_a_mirror_is_the_device_itself(home):
    client = home.tcp()
    who = client.read_holding_registers(0, count=2, device_id=11)
    assert who.registers[0] == 0x434D, "the CcM's own mark"
    nothing = client.read_holding_registers(60000, count=1, device_id=11)
    assert nothing.exception_code == 2
    client.close()


def test_what_the_box_does_not_read_is_asked_of_the_device_where_it_may_be(home):
    client = home.serial()
    first = client.read_holding_registers(0, count=3, device_id=8)
    assert first.registers[0] == 0x434D
    beyond = client.read_holding_registers(60000, count=1, device_id=8)
    assert beyond.exception_code == 2, "the meter's own refusal"
    client.close()


def test_mbpoll_reads_a_genset_as_if_it_were_the_controller(home):
    options = ["-a", "12", "-p", str(home.port)]
    voltages = home.mbpoll(*options, "-t", "4", "-r", "0", "-c", "6", "127.0.0.1")
    assert voltages.returncode == 0, voltages.stdout + voltages.stderr
    values = [int(line.split()[1]) for line in voltages.stdout.splitlines() if line.startswith("[")]
    assert values[:3] == [pytest.approx(home.box.values("genset")[name], abs=30) for name in MAINS]
    alarms = home.mbpoll(*options, "-t", "0", "-r", "0", "-c", "16", "127.0.0.1")
    assert alarms.returncode == 0, alarms.stdout + alarms.stderr


def test_a_command_is_passed_on_where_the_device_allows_it(home):
    client = home.tcp()
    done = client.write_coil(3, True, device_id=12)
    assert not done.isError(), done
    denied = client.write_register(0, 1, device_id=11)
    assert denied.exception_code == 1, "allow_raw of m1 is false"
    states = {each["name"]: each for each in home.box.act("slave.states")}
    assert (states["genset"]["writes"], states["meter"]["refused"]) == (1, {"1": 1, "2": 1})
    client.close()


def test_others_on_the_line_and_noise_are_not_answered(home):
    before = {each["name"]: each for each in home.box.act("slave.states")}
    client = ModbusSerialClient(home.wire, baudrate=BAUDRATE, timeout=0.3, retries=0)
    with pytest.raises(Exception, match="No response"):
        client.read_holding_registers(0, count=2, device_id=99)
    client.close()
    after = {each["name"]: each for each in home.box.act("slave.states")}
    assert after["wire"]["reads"] == before["wire"]["reads"]
    assert after["wire"]["figures"]["others"] == before["wire"]["figures"]["others"] + 1


def test_who_asks_and_does_not_listen_is_not_read_and_nobody_waits_for_him(home):
    request = bytes.fromhex("0001 0000 0006 01 03 9C40 007D")
    with socket.create_connection(("127.0.0.1", home.port), timeout=2) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sent, most = 0, 64 << 20
        client = home.tcp()
        with pytest.raises(TimeoutError):
            while sent < most:
                sent += deaf.send(request * 1000)
                assert not client.read_holding_registers(40000, count=2, device_id=1).isError()
        assert not client.read_holding_registers(40000, count=2, device_id=1).isError()
        client.close()


@pytest_twisted.ensureDeferred
async def test_what_is_not_read_any_more_is_shown_no_more_and_again_when_it_is(home):
    client, place = home.tcp(), home.place("v1")

    def of_mirror():
        answer = client.read_holding_registers(256, count=10, device_id=11)
        return answer.exception_code if answer.isError() else 0

    def has_value():
        return client.read_holding_registers(place, count=2, device_id=1).registers != [0x7FC0, 0]

    await until(lambda: of_mirror() == 0 and has_value())
    home.bus.process.send_signal(signal.SIGSTOP)
    try:
        await until(lambda: of_mirror() == 11 and not has_value())
        assert client.read_holding_registers(FIRST + 4, count=1, device_id=1).registers in ([3], [4])
        assert client.read_holding_registers(40000, count=2, device_id=1).registers == [0x5375, 0x6E53]
    finally:
        home.bus.process.send_signal(signal.SIGCONT)
    await until(lambda: of_mirror() == 0 and has_value())
    client.close()


@pytest_twisted.ensureDeferred
async def test_the_windows_are_where_they_were_after_a_restart(home):
    kept = json.loads((home.box.state / "slave_map.json").read_text())
    assert (kept[0]["uid"], kept[0]["start"]) == ("m1", FIRST)
    before = home.box.act("slave.map")
    text = home.box.config.read_text()
    head, tail = text.index("[device.m1]"), text.index("[device.m2]")
    other = text[:head] + text[tail : text.index("[modbus_slave.scada]")] + text[head:tail]
    home.box.stop()
    home.box.config.write_text(other + text[text.index("[modbus_slave.scada]") :])
    home.box.start()
    await home.box.until(home.box.status, 15, "there")
    after = home.box.act("slave.map")
    assert [each["uid"] for each in after["windows"]] == ["m1", "m2", "genset"]
    assert after["windows"] == before["windows"]
