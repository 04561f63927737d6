"""Orders against simulated controllers: orders, the dialect, the profile and its status together on a line that is
polled meanwhile."""

import pytest
from twisted.trial.unittest import SynchronousTestCase

from concentrator.dialect.modbus import dialects
from concentrator.hub.latest import Latest
from concentrator.model.device import Device
from concentrator.model.errors import NotConfirmed, Refused
from concentrator.model.genset import Alarm, Mode
from concentrator.poll.controller import Road
from concentrator.poll.orders import ACCEPTED, CONFIRMED, Orders
from concentrator.poll.poller import Poller
from concentrator.profile.catalogue import Catalogue
from concentrator.sim.field import Field
from concentrator.sim.profile_device import profile_device
from concentrator.sim.profile_map import ProfileMap
from concentrator.wire.checksum import crc16
from concentrator.wire.conversation import LineSettings
from tests.support.virtual_bus import VirtualBus

results = SynchronousTestCase()
CATALOGUE = Catalogue()
WITH_STOP_MODE = [
    *(f"smartgen/{each}" for each in ("hgm6100n", "hgm4000n", "hgm9500", "hsc940")),
    *(f"deepsea/{each}" for each in ("dse71xx-mkii", "dse7xxx", "dse7xxx-mkii", "dse8xxx")),
]
COMAP = [f"comap/{each}" for each in ("intelilite4", "intelilite-nt", "igs-nt")]
UNIT = 3


class Scene:
    """One controller that is polled, and commanded."""

    def __init__(self, key):
        self.bus = VirtualBus(1)
        profile = CATALOGUE.get(key)
        self.controller = profile_device(ProfileMap(profile), UNIT, "orders")
        self.genset = self.controller.control.genset
        self.bus.field = Field([self.controller])
        self.line = self.bus.line()
        self.latest, self.events = Latest(), []
        self.poller = Poller(self.line, self.bus.clock, self.bus, self.published, self.report, lambda uid, values: "")
        self.device = Device(
            "g1", "native", key, UNIT, allow_commands=True, allow_unverified=True, allow_raw=True, interval_s=1.0
        )
        station = dialects()["modbus-rtu"].station(profile, UNIT, {"settings": LineSettings(9600)})
        self.poller.add(self.device, station)
        self.orders = Orders(self.bus, self.published, self.report)
        self.road = Road(self.device, station, self.line, lambda: self.poller.suspended)
        self.poller.start()
        self.bus.run(10)

    def published(self, reading):
        self.latest.reading_received(reading)

    def report(self, name, facts):
        self.events.append((name, dict(facts)))

    def command(self, name, seconds=30.0):
        asked = self.orders.command(self.road, name, "a test")
        self.bus.run(seconds)
        return asked

    def raw(self, text, seconds=30.0):
        body = bytes.fromhex(text)
        asked = self.orders.raw(self.road, body + crc16(body).to_bytes(2, "little"), "a server")
        self.bus.run(seconds)
        return asked

    def stop(self):
        self.poller.stop()
        self.bus.run(2)
        self.bus.stop(self.line)


@pytest.fixture
def play():
    """`play(key)` gives a scene with a controller of that profile."""
    scenes = []

    def made(key):
        scenes.append(Scene(key))
        return scenes[-1]

    yield made
    for scene in scenes:
        scene.stop()


@pytest.mark.parametrize("key", WITH_STOP_MODE)
def test_a_controller_goes_through_its_modes_starts_and_stops_as_it_is_told(play, key):
    scene = play(key)
    for name, mode in (("stop", Mode.STOP), ("manual", Mode.MANUAL), ("start", Mode.MANUAL), ("auto", Mode.AUTO)):
        carried = results.successResultOf(scene.command(name))
        assert (carried.outcome, carried.status.mode) == (CONFIRMED, mode)
        assert scene.genset.mode is mode
    assert [facts["outcome"] for name, facts in scene.events if name == "genset.command"] == [CONFIRMED] * 4


@pytest.mark.parametrize("key", COMAP)
def test_a_transaction_is_confirmed_by_its_result_and_the_engine(play, key):
    scene = play(key)
    assert results.failureResultOf(scene.command("start"), Refused).value.detail == (
        "start: result 2, the command was refused"
    )
    scene.genset.order("manual", scene.bus.now())
    scene.bus.run(3)
    assert results.successResultOf(scene.command("start")).outcome == CONFIRMED
    assert scene.genset.is_running
    assert results.successResultOf(scene.command("stop")).outcome in (CONFIRMED, ACCEPTED)
    assert not scene.genset.is_running


def test_an_hsc940_that_wants_the_other_word_gets_it_after_the_first_did_nothing(play):
    scene = play("smartgen/hsc940")
    scene.controller.control.wants_other_word = True
    carried = results.successResultOf(scene.command("manual"))
    assert (carried.outcome, carried.status.mode) == (CONFIRMED, Mode.MANUAL)


def test_a_shutdown_is_reset_and_one_that_stays_is_said_to(play):
    scene = play("smartgen/hgm9500")
    scene.genset.raise_alarm(Alarm.SHUTDOWN, scene.bus.now())
    scene.bus.run(3)
    assert results.successResultOf(scene.command("reset")).status.alarm is Alarm.NONE
    scene.genset.raise_alarm(Alarm.SHUTDOWN, scene.bus.now())
    scene.controller.control.wants_other_word = True  # it acknowledges, and does nothing
    scene.bus.run(3)
    assert "alarm shutdown" in results.failureResultOf(scene.command("reset"), NotConfirmed).value.detail


def test_a_servers_frame_starts_the_genset_and_what_it_does_is_read_as_before(play):
    scene = play("smartgen/hgm6100n")
    assert results.successResultOf(scene.raw("00 05 00 04 FF 00")).outcome == CONFIRMED
    carried = results.successResultOf(scene.raw("01 05 00 00 FF 00"))
    assert carried.reply == bytes.fromhex("05 00 00 FF 00")
    assert scene.genset.is_running
    assert scene.latest.of("g1").values["engine_state"][0] == 9
    assert [facts["command"] for name, facts in scene.events if name == "genset.command"] == ["manual", "start"]
    reading = results.successResultOf(scene.raw("03 03 00 22 00 01"))
    assert reading.reply == bytes.fromhex("03 02 00 09")


def test_what_an_order_reads_is_published_so_that_everybody_sees_it_at_once(play):
    scene = play("smartgen/hgm6100n")
    asked = scene.command("manual", seconds=1.5)
    assert results.successResultOf(asked).outcome == CONFIRMED
    values = scene.latest.of("g1").values
    assert (values["mode_manual"][0], values["mode_auto"][0]) == (1, 0)
