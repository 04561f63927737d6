"""M-Bus from the command line and in a running box: searched and read on a pseudo-terminal at its true speed."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater

from concentrator.actions.tasks import Tasks
from concentrator.app.bus_actions import prober
from concentrator.app.clocks import SharpClock, SystemWall
from concentrator.app.config import load_checked
from concentrator.app.devices import DeviceList
from concentrator.app.field import build_field
from concentrator.app.mbus import mbus_actions_of, port_of
from concentrator.model.errors import Busy, Denied, NotConfirmed, OutOfRange, Unknown, WrongArguments
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.mbus import KEY
from concentrator.system.identity import DeviceBook
from tests.support.mbus import simulated_mbus

SPEED = 38400
"""Without parity, which a pseudo-terminal takes only once."""


@pytest.fixture
def meters():
    """A line with four meters in a process of its own: its port and their addresses."""
    with simulated_mbus("--meters", "4", "--baudrate", str(SPEED), "--seed", "four") as simulated:
        yield simulated


def text_of(meters, *devices):
    line = f'[line.heat]\nendpoint = "serial:{meters["port"]}:baudrate={SPEED}:parity=N"\nrole = "mbus"\n'
    parts = ['[box]\nstate_dir = "state"\nplugin_dirs = []\n', line]
    for uid, address in devices:
        said = address if isinstance(address, int) else f'"{address}"'
        parts.append(f'[device.{uid}]\nline = "heat"\nprofile = "mbus/generic"\naddress = {said}\ninterval = "1 s"\n')
    return "\n".join(parts)


class Box:
    """The field of a configuration, running; `events` are those it told."""

    def __init__(self, folder, text):
        file = folder / "ccmaster.toml"
        file.write_text(text)
        config, catalogue = load_checked(file)
        config.box.state_dir.mkdir(exist_ok=True)
        self.clock, self.events, self.changes = SharpClock(reactor), [], []
        self.field = build_field(
            config,
            catalogue.get,
            reactor=reactor,
            sharp=self.clock,
            wall=SystemWall(),
            report=lambda name, facts: self.events.append(name),
            book=DeviceBook(config.box.state_dir),
        )
        self.tasks = Tasks(SystemWall())
        self.devices = DeviceList(file, self.field, lambda name, facts: self.events.append(name))
        actions = mbus_actions_of(self.field, self.tasks, self.devices, self)
        self.actions = {each.name: each for each in actions}
        self.clock.start()
        self.field.start()

    def change(self, changes, caller, *, is_trial):
        """As the settings of a box do it."""
        self.changes.append((changes, caller, is_trial))

    async def until(self, is_so):
        """Waits until something is so, at most 30 seconds."""
        for _ in range(3000):
            if is_so():
                return
            await deferLater(reactor, 0.01)
        pytest.fail("it never was so")

    async def stop(self):
        await self.tasks.stop()
        await self.field.stop()
        self.clock.stop()


@pytest_twisted.ensureDeferred
async def test_meters_of_the_configuration_are_read_by_the_ordinary_poller(meters, tmp_path):
    (first, primary), (second, _), *_ = meters["addresses"].items()
    box = Box(tmp_path, text_of(meters, ("one", primary), ("two", second[:8])))
    try:
        await box.until(lambda: all("serial" in box.field.latest.of(uid).values for uid in ("one", "two")))
        one, two = box.field.device_states()
        assert (one.serial, one.address, one.selected, one.protocol) == (first, primary, "", "MBUS")
        assert (two.serial, two.selected, two.health) == (second, second[:8], "answering")
        names = {column.name for column in box.field.describe("one")[1]}
        assert {"mbus_status", "temp_flow", "temp_return"} <= names
        assert names <= one.values.keys()
        assert set(box.field.line_states()[0].stations) == {str(primary), second[:8]}
        await box.until(lambda: box.field.device_states()[0].round_s is not None)
    finally:
        await box.stop()


@pytest_twisted.ensureDeferred
async def test_a_running_box_searches_and_reads_beside_polling(meters, tmp_path):
    addresses = list(meters["addresses"])
    box = Box(tmp_path, text_of(meters, ("one", addresses[0])))
    try:
        await box.until(lambda: box.field.line("heat").is_open)
        id = box.actions["mbus.search"].call("heat", "secondary", "")["task"]
        await box.until(lambda: box.tasks.get(id).state != "running")
        task = box.tasks.get(id)
        assert task.state == "done"
        assert [each["address"] for each in task.result] == sorted(addresses)
        assert [each["known"] for each in task.result if each["address"] == addresses[0]] == ["one"]
        said = await box.actions["mbus.read"].call("heat", addresses[1])
        assert said[0]["address"] == addresses[1]
        assert bytes.fromhex(said[0]["hex"])[:1] == b"\x68"
        assert {"temp_flow", "temp_return"} <= {record["name"] for record in said[0]["records"]}
    finally:
        await box.stop()


@pytest_twisted.ensureDeferred
async def test_a_meter_gets_another_primary_address_only_where_it_may_be_written_to(meters, tmp_path):
    (first, _), (second, _), (_, taken), (fourth, _) = meters["addresses"].items()
    free = next(each for each in range(1, 251) if each not in meters["addresses"].values())
    text = text_of(meters, ("three", taken), ("two", second[:8]), ("one", first[:8])) + "allow_write = true\n"
    box = Box(tmp_path, text)
    give = box.actions["mbus.set_address"].call
    try:
        await box.until(lambda: box.field.line("heat").is_open)
        for address, reason in ((second, "allow_write of two"), (fourth, "no device"), (str(free), "no device")):
            with pytest.raises(Denied, match=reason):
                give("heat", address, free)
        with pytest.raises(OutOfRange, match="that of three"):
            give("heat", first, taken)
        with pytest.raises(WrongArguments, match="digits of one meter"):
            give("heat", f"{first[:7]}F", free)
        assert await give("heat", first, free) == {"uid": "one", "address": first, "primary": free}
        said = await box.actions["mbus.read"].call("heat", str(free))
        assert said[0]["address"] == first
        assert "device.changed" not in box.events  # it is selected by what it is, not by where
    finally:
        await box.stop()


@pytest_twisted.ensureDeferred
async def test_a_device_that_is_configured_by_its_primary_address_is_configured_by_the_new_one(meters, tmp_path):
    (first, primary), *_ = meters["addresses"].items()
    free = next(each for each in range(1, 251) if each not in meters["addresses"].values())
    box = Box(tmp_path, text_of(meters, ("one", primary)) + "allow_write = true   # ours\n")
    give = box.actions["mbus.set_address"].call
    try:
        await box.until(lambda: "serial" in box.field.latest.of("one").values)
        assert await give("heat", str(primary), free) == {"uid": "one", "address": first, "primary": free}
        text = (tmp_path / "ccmaster.toml").read_text()
        assert f"address = {free}\n" in text and "# ours" in text
        assert load_checked(tmp_path / "ccmaster.toml")[0].devices["one"].address == free
        assert "device.changed" in box.events
        good = box.field.known()["one"].polled.device
        assert (good.address, good.uid) == (free, "one")
        await box.until(lambda: box.field.device_states()[0].health == "answering")
        assert box.field.device_states()[0].serial == first
    finally:
        await box.stop()


@pytest_twisted.ensureDeferred
async def test_a_configuration_that_does_not_take_the_new_address_is_told(meters, tmp_path):
    (_, primary), *_ = meters["addresses"].items()
    free = next(each for each in range(1, 251) if each not in meters["addresses"].values())
    box = Box(tmp_path, text_of(meters, ("one", primary)) + "allow_write = true\n")
    try:
        await box.until(lambda: box.field.line("heat").is_open)
        (tmp_path / "ccmaster.toml").write_text("[somebody is at it")
        with pytest.raises(NotConfirmed, match=f"one answers at primary address {free}, which the configuration"):
            await box.actions["mbus.set_address"].call("heat", str(primary), free)
    finally:
        await box.stop()


@pytest_twisted.ensureDeferred
async def test_a_meter_begins_anew_only_where_it_may_be_written_to(meters, tmp_path):
    (first, _), (second, at), *_ = meters["addresses"].items()
    text = text_of(meters, ("two", at), ("one", first[:8])) + "allow_write = true\n"
    box = Box(tmp_path, text)
    reset = box.actions["mbus.reset"].call
    try:
        await box.until(lambda: box.field.line("heat").is_open)
        for address in (second, str(at)):
            with pytest.raises(Denied):
                reset("heat", address)
        assert await reset("heat", first) == {"uid": "one"}
        said = [each.request for each in box.field.traced("heat")]
        assert bytes.fromhex("68 03 03 68 73 FD 50 C0 16") in said
    finally:
        await box.stop()


@pytest_twisted.ensureDeferred
async def test_a_line_and_its_meters_get_another_speed(meters, tmp_path):
    (first, primary), (second, _), *_ = meters["addresses"].items()
    text = text_of(meters, ("one", primary), ("two", second[:8])).replace("interval", "allow_write = true\ninterval")
    box = Box(tmp_path, text)
    try:
        await box.until(lambda: box.field.line("heat").is_open)
        task = box.tasks.get(box.actions["mbus.set_speed"].call("the portal", "heat", 19200)["task"])
        with pytest.raises(Busy, match="another speed"):
            box.actions["mbus.set_speed"].call("the portal", "heat", 9600)
        await box.until(lambda: task.state != "running")
        assert (task.state, task.result) == ("done", {"line": "heat", "baudrate": 19200, "meters": ["one", "two"]})
        assert box.field.line("heat").character_s == 10 / 19200
        endpoint = f"serial:{meters['port']}:parity=N:baudrate=19200"
        assert box.changes == [({"line.heat": {"endpoint": endpoint}}, "the portal", False)]
        said = await box.actions["mbus.read"].call("heat", first)
        assert said[0]["address"] == first
    finally:
        await box.stop()


@pytest_twisted.ensureDeferred
async def test_only_an_mbus_that_is_there_is_searched_or_read(meters, tmp_path):
    other = '[line.native]\nendpoint = "serial:/dev/null"\n'
    box = Box(tmp_path, text_of(meters) + other)
    try:
        for line, error in (("heet", Unknown), ("native", WrongArguments)):
            with pytest.raises(error):
                box.actions["mbus.search"].call(line, "secondary", "")
            with pytest.raises(error):
                box.actions["mbus.read"].call(line, "5")
        for address in ("251", "1234567"):
            with pytest.raises(WrongArguments, match="address: found"):
                box.actions["mbus.read"].call("heat", address)
        for by, mask in (("secondary", "12"), ("secondary", "1234567G"), ("primary", "12FFFFFF")):
            with pytest.raises(WrongArguments, match="mask of addresses: "):
                box.actions["mbus.search"].call("heat", by, mask)
        assert not box.tasks.all()
    finally:
        await box.stop()


@pytest_twisted.ensureDeferred
async def test_a_meter_is_probed_at_an_address_that_the_configuration_would_take_and_at_no_other(meters, tmp_path):
    (address, primary), *_ = meters["addresses"].items()
    box = Box(tmp_path, text_of(meters))
    asked = []
    probe = prober(box.field, Catalogue(), lambda line, address, secondary: asked.append(address) or "")
    try:
        await box.until(lambda: box.field.line("heat").is_open)
        assert (await probe("heat", KEY, primary, None))["serial"] == address
        assert (await probe("heat", KEY, address[:8], None))["serial"] == address
        assert asked == [primary, address[:8]]
        for wrong in (-1, 251, 1.5, "xyz", "5", "12345678-KAM"):
            with pytest.raises(WrongArguments, match="address: found"):
                await probe("heat", KEY, wrong, None)
    finally:
        await box.stop()


def test_a_port_is_that_of_a_line_or_an_endpoint(tmp_path):
    file = tmp_path / "ccmaster.toml"
    file.write_text('[line.heat]\nendpoint = "serial:/dev/ttyUSB3"\nrole = "mbus"\n[line.b]\nendpoint = "tcp:x:502"\n')
    assert port_of("heat", file).serial.framing == "2400 8E1"
    assert port_of("heat", file, 300).serial.framing == "300 8E1"
    assert port_of("serial:/dev/ttyUSB0", file).serial.framing == "2400 8E1"
    assert port_of("tcp:10.0.0.7:10001", file).serial is None
    for name, error in (("b", WrongArguments), ("heet", Unknown), ("serial:/dev/x:speed=1", WrongArguments)):
        with pytest.raises(error):
            port_of(name, file)
    for name, expected in (("smoke:signals", "a wire such as"), ("tcp:10.0.0.7", "tcp:HOST:PORT")):
        with pytest.raises(WrongArguments, match=f"{name}: expected {expected}"):
            port_of(name, file)
