"""Commands and secondaries against the simulated meter: the writer, the dialect and the profile together on a line."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase

from concentrator.app.clocks import SharpClock, SystemWall
from concentrator.dialect.modbus import dialects
from concentrator.hub.latest import Latest
from concentrator.line.endpoint import endpoint_from
from concentrator.line.line import Line
from concentrator.model.device import Device
from concentrator.model.errors import NotConfirmed, NotWritable, OutOfRange, Refused
from concentrator.model.reading import Quality
from concentrator.poll.poller import Poller
from concentrator.poll.writes import Writer
from concentrator.sim.field import Field
from concentrator.sim.meter import ccm_meters
from concentrator.wire.conversation import LineSettings
from concentrator.wire.modbus import rtu_silence_s
from tests.support.bus import simulated_bus
from tests.support.virtual_bus import CCM, NOON, VirtualBus

results = SynchronousTestCase()
SETTINGS = LineSettings(9600)
MAIN = Device("main", "native", "energycm/ccm", 1, allow_write=True)


class Scene:
    """Meters with two secondaries each, polled and written on one line in virtual time."""

    def __init__(self, devices=(MAIN,)):
        self.bus = VirtualBus(3)
        self.bus.field = Field(ccm_meters(CCM, 3, "commands", NOON, secondaries=2))
        self.line = self.bus.line()
        self.latest, self.readings, self.events = Latest(), [], []
        self.poller = Poller(self.line, self.bus.clock, self.bus, self.published, self.report, lambda uid, values: "")
        self.writer = Writer(self.line, self.bus.clock, self.bus, self.published, self.report)
        dialect = dialects()["modbus-rtu"]
        self.stations = {}
        for device in devices:
            parameters = {"settings": SETTINGS, "secondary": device.secondary}
            self.stations[device.uid] = dialect.station(CCM, device.address, parameters)
            self.poller.add(device, self.stations[device.uid])
        self.poller.start()

    def published(self, reading):
        self.readings.append(reading)
        self.latest.reading_received(reading)

    def report(self, name, facts):
        self.events.append((name, dict(facts)))

    def write(self, name, value):
        return self.writer.write(MAIN, self.stations["main"], name, value)

    def shown(self, uid, name):
        return self.latest.of(uid).values[name][0]

    def stop(self):
        stopped = self.poller.stop()
        self.bus.run(2)
        assert stopped.called
        self.bus.stop(self.line)


@pytest.fixture
def scene():
    scene = Scene()
    scene.bus.run(10)
    yield scene
    scene.stop()


@pytest.mark.parametrize(
    ("wanted", "number"), [("bidirectional", 1), ("bidirectional reverse", 2), ("unidirectional", 0), (2, 2)]
)
def test_the_measuring_direction_is_set_confirmed_and_shown_at_once(scene, wanted, number):
    assert scene.shown("main", "direction_mode") == 0
    written = scene.write("direction_mode", wanted)
    scene.bus.run(1.5)
    assert results.successResultOf(written) == number
    assert scene.shown("main", "direction_mode") == number
    facts = {"device": "main", "name": "direction_mode", "value": number}
    assert ("device.written", facts) in scene.events


def test_a_direction_that_does_not_exist_is_refused_in_the_box(scene):
    failure = results.failureResultOf(scene.write("direction_mode", "both ways"), OutOfRange)
    assert "expected one of 0 unidirectional, 1 bidirectional, 2 bidirectional reverse" in str(failure.value)


def test_polling_goes_on_while_a_write_settles(scene):
    before = len(scene.bus.heard)
    scene.write("direction_mode", 1)
    scene.bus.run(8)
    asked = [exchange.function for exchange in scene.bus.heard[before:]]
    assert asked.count(6) == 1
    assert asked.count(3) > 4


def test_a_meter_that_still_stores_a_setting_says_that_it_is_busy(scene):
    first = scene.write("identify", 5)
    mode = scene.write("direction_mode", 1)
    late = scene.write("identify", 5)
    scene.bus.run(5)
    assert [results.successResultOf(each) for each in (first, mode, late)] == [5, 1, 5]
    storing = scene.bus.field.slaves[0]
    storing.busy_until = scene.bus.now() + 60
    busy = scene.write("identify", 5)
    scene.bus.run(2)
    assert results.failureResultOf(busy, Refused).value.code == 6


@pytest.mark.parametrize(("name", "value"), [("identify", 30), ("unlock", 0x5AA5), ("clock_set", 1_795_000_000)])
def test_what_does_not_stay_is_written_too(scene, name, value):
    written = scene.write(name, value)
    scene.bus.run(1)
    assert results.successResultOf(written) == value


def test_what_the_profile_only_reads_is_never_written(scene):
    results.failureResultOf(scene.write("ct_range", 100), NotWritable)
    results.failureResultOf(scene.write("serial", "0420020099"), NotWritable)


def test_a_meter_without_power_confirms_nothing_and_is_asked_once(scene):
    scene.bus.field.slaves[0].power(False, scene.bus.now())
    before = len(scene.bus.heard)
    written = scene.write("direction_mode", 1)
    scene.bus.run(10)
    results.failureResultOf(written, NotConfirmed)
    asked = [exchange.function for exchange in scene.bus.heard[before:]]
    assert asked.count(6) == 1


def test_secondaries_are_read_through_their_principal_and_one_that_is_not_there_says_so():
    behind = [Device(f"s{n}", "native", "energycm/ccm", 3, secondary=n) for n in (1, 2, 3)]
    scene = Scene((MAIN, Device("third", "native", "energycm/ccm", 3), *behind))
    scene.bus.run(60)
    principal = scene.bus.field.slaves[2]
    for uid, secondary in zip(("s1", "s2"), principal.behind.secondaries, strict=True):
        newest = scene.latest.of(uid)
        assert newest.quality is Quality.GOOD
        assert newest.values["serial"][0] == secondary.serial
        assert {"p", "v1", "ea_imp", "model", "firmware"} <= newest.values.keys()
        value, at = newest.values["ea_imp"]
        assert value == pytest.approx(secondary.values(at)["ea_imp"], abs=0.01)
    assert scene.shown("third", "serial") == principal.serial
    polled = {each.device.uid: each for each in scene.poller.polled()}
    assert [polled[uid].health.label for uid in ("third", "s1", "s2", "s3")] == ["answering"] * 3 + ["silent"]
    assert polled["s3"].trouble == "The device did not answer in time: the principal with ID 3 lists no secondary 3"
    scene.stop()


@pytest_twisted.ensureDeferred
async def test_the_measuring_direction_is_set_over_a_serial_port(tmp_path):
    clock = SharpClock(reactor)
    clock.start()
    with simulated_bus(tmp_path, "--meters", "2") as bus:
        endpoint = endpoint_from(reactor, f"serial:{bus.port}:baudrate=9600")
        line = Line("native", endpoint, clock, SETTINGS.character_s, rtu_silence_s(SETTINGS))
        readings, events = [], []
        writer = Writer(line, clock, SystemWall(), readings.append, lambda name, facts: events.append(name))
        station = dialects()["modbus-rtu"].station(CCM, 1, {"settings": SETTINGS})
        line.start()
        try:
            assert await writer.read(MAIN, station, "direction_mode") == 0
            assert await writer.write(MAIN, station, "direction_mode", "bidirectional") == 1
            assert await writer.read(MAIN, station, "direction_mode") == 1
            assert [dict(reading.values) for reading in readings] == [{"direction_mode": n} for n in (0, 1, 1)]
            assert events == ["device.written"]
        finally:
            await line.stop()
            clock.stop()
