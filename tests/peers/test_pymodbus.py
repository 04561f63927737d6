"""The whole field side against a Modbus server we did not write: pymodbus on a serial port and on the network."""

import json
import struct
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from concentrator.app.clocks import SharpClock, SystemWall
from concentrator.app.config import load
from concentrator.app.field import build_field
from concentrator.profile.catalogue import Catalogue
from concentrator.system.identity import DeviceBook
from tests.support.brokers import free_port
from tests.support.ptys import JoinedPtys

SERVER = Path(__file__).with_name("serve_pymodbus.py")

ANALYSER = """
[profile]
type = "analyser"
brand = "Test"
class = "three-phase"
series = "T1"
models = ["T1"]
sources = ["this test"]

[[variable]]
name = "v1"
unit = "V"
function = "input"
address = 0
type = "f32"
order = "big"
scale = 1

[[variable]]
name = "p"
unit = "kW"
function = "input"
address = 12
type = "s32"
order = "little-word"
scale = 0.001

[[variable]]
name = "ea_imp"
unit = "kWh"
function = "holding"
address = 100
type = "u32"
scale = 0.01

[[variable]]
name = "alarm"
unit = ""
function = "coil"
address = 3
type = "bool"
scale = 1
"""


def registers(form, *values):
    data = struct.pack(form, *values)
    return list(struct.unpack(f">{len(data) // 2}H", data))


def ccm_registers():
    """A CcM of the proposed map, written down by hand."""
    who = [0x434D, 0x0100, *registers(">10s", b"0420020081"), 4, 0x2C06, 0x0102, 3, 0, 0, 4, *registers(">I", 3600)]
    phase = (1234, 23010, 985, 2797, -480, 2839)
    fast = registers(">26i", *phase, *phase, *phase, 8391, -1440, 8517, 985, 5002, 12, 1_795_000_000, 0)
    energies = registers(">16Q", *range(10**9, 10**9 + 16))
    return {"holding": {"0": who, "256": fast, "320": energies, "768": [1, 1, 100, 0, 0, 0, 0, 0]}}


class FieldUnderTest:
    """A configured field on one wire, and what it publishes."""

    def __init__(self, folder, endpoint, devices, protocol="modbus-rtu"):
        (folder / "plugins" / "test").mkdir(parents=True)
        (folder / "plugins" / "test" / "t1.toml").write_text(ANALYSER)
        file = folder / "ccmaster.toml"
        file.write_text(
            f'[box]\nstate_dir = "{folder}"\nplugin_dirs = ["{folder}/plugins"]\n'
            f'[line.bus]\nendpoint = "{endpoint}"\nrole = "external"\nprotocol = "{protocol}"\n'
            + "".join(
                f'[device.{uid}]\nline = "bus"\nprofile = "{profile}"\naddress = {address}\ninterval = "1 s"\n'
                for uid, (profile, address) in devices.items()
            )
        )
        config = load(file)
        self.clock = SharpClock(reactor)
        self.readings, self.events = [], []
        self.waiting = []
        self.field = build_field(
            config,
            Catalogue(config.box.plugin_dirs).get,
            reactor=reactor,
            sharp=self.clock,
            wall=SystemWall(),
            report=self.told,
            book=DeviceBook(folder),
        )
        self.field.hub.subscribe(self.heard)

    def heard(self, reading):
        self.readings.append(reading)
        self.look()

    def look(self):
        for entry in list(self.waiting):
            if entry[0]():
                self.waiting.remove(entry)
                entry[1].callback(None)

    def told(self, name, facts):
        self.events.append((name, facts.get("device", "")))
        self.look()

    def until_told(self, name):
        """Fires when an event of that name was told."""
        return self.until(lambda: name in [event for event, _ in self.events])

    def until(self, met):
        fired = Deferred()
        self.waiting.append((met, fired))
        self.look()
        return fired.addTimeout(20, reactor)

    def values(self, uid):
        return {name: value for name, (value, _) in self.field.latest.of(uid).values.items()}


DEVICES = {
    1: ccm_registers(),
    7: {
        "input": {"0": registers(">f", 230.5) + [0] * 10 + registers(">HH", 0x8300, 0xFFFF)},
        "holding": {"100": registers(">I", 123456)},
        "coil": {"0": [0b0000_0000_0000_1000]},
    },
}
WANTED = {"main": ("energycm/ccm", 1), "shed": ("test/t1", 7)}


@contextmanager
def served(kind, port):
    """The devices on a serial or TCP port, until it is left; the process."""
    with subprocess.Popen(
        [sys.executable, SERVER, kind, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            server.stdin.write(json.dumps(DEVICES))
            server.stdin.close()
            assert server.stdout.readline() == "ready\n"
            yield server
        finally:
            server.kill()


def has_all(under_test):
    """Whether everything was read of both devices."""
    return {"p", "ea_imp3", "direction_mode"} <= set(under_test.values("main")) and {
        "v1", "p", "ea_imp", "alarm",
    } <= set(under_test.values("shed"))  # fmt: skip


def assert_is_as_served(under_test):
    """What was read is what the server has, to the last digit, and nothing went wrong on the way."""
    main = under_test.values("main")
    assert (main["serial"], main["firmware"]) == ("0420020081", "0X2C06")
    assert (main["i1"], main["v1"], main["pf1"], main["p1"], main["q1"]) == (1.234, 230.1, 0.985, 279.7, -48.0)
    assert (main["p"], main["q"], main["f"], main["in"]) == (839.1, -144.0, 50.02, 0.012)
    assert [main[name] for name in ("ea_imp", "ea_exp", "er_imp", "er_exp")] == [
        1e6, 1000000.001, 1000000.002, 1000000.003,
    ]  # fmt: skip
    assert main["er_exp3"] == 1000000.015
    assert under_test.values("shed") == {"v1": 230.5, "p": -32000.0, "ea_imp": 1234.56, "alarm": 1}
    assert under_test.field.book.serial("main") == "0420020081"
    assert under_test.field.book.serial("shed") == "ANA_000001"
    counters = under_test.field.line_states()[0].counters
    assert (counters["garbled"], counters["refusals"]) == (0, 0)


@pytest_twisted.ensureDeferred
async def test_a_pymodbus_server_on_a_serial_port_is_read_correctly(tmp_path):
    ptys = JoinedPtys(reactor)
    ptys.start()
    with served("serial", ptys.ports[1]) as server:
        under_test = FieldUnderTest(tmp_path, f"serial:{ptys.ports[0]}:baudrate=9600", WANTED)
        under_test.clock.start()
        under_test.field.start()
        try:
            await under_test.until(lambda: has_all(under_test))
            assert_is_as_served(under_test)
            server.terminate()
            await under_test.until(lambda: {state.health for state in under_test.field.device_states()} == {"silent"})
            assert under_test.events == [("line.silent", "")]
        finally:
            await under_test.field.stop()
            under_test.clock.stop()
            ptys.stop()


@pytest.mark.parametrize(("kind", "protocol"), [("tcp", "modbus-tcp"), ("rtu-over-tcp", "modbus-rtu")])
@pytest_twisted.ensureDeferred
async def test_a_pymodbus_server_on_the_network_is_read_correctly_also_after_it_was_away(tmp_path, kind, protocol):
    port = free_port()
    under_test = FieldUnderTest(tmp_path, f"tcp:127.0.0.1:{port}", WANTED, protocol)
    under_test.clock.start()
    try:
        with served(kind, port):
            under_test.field.start()
            await under_test.until(lambda: has_all(under_test))
            assert_is_as_served(under_test)
        await under_test.until_told("line.lost")
        with served(kind, port):
            await under_test.until_told("line.found")
            seen = len(under_test.readings)
            await under_test.until(
                lambda: {each.uid for each in under_test.readings[seen:] if each.values} == {*WANTED}
            )
            assert_is_as_served(under_test)
            assert [event for event, _ in under_test.events] == ["line.lost", "line.found"]
    finally:
        await under_test.field.stop()
        under_test.clock.stop()
