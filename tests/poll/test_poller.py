"""concentrator.poll.poller: who first, then values; failures become health; another's values are refused."""

import pytest
from twisted.trial.unittest import SynchronousTestCase

from concentrator.api import Taken
from concentrator.model.device import Device
from concentrator.model.errors import Refused
from concentrator.model.profile import Block, Function, Point, Rate
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.poll.poller import REFUSED_S, Poller, period_s
from tests.support.lines import close_line, echo, open_line

results = SynchronousTestCase()
NOON = 1_795_000_000.0
POWER = Point(Quantity("p", "W", Kind.INSTANTANEOUS), Function.HOLDING, 256, 1, "u16")


class Station:
    """Reads by asking "r.", says who it is by asking "w."; `answers` tells what becomes of each."""

    blocks = (Block(Function.HOLDING, 256, 1, (POWER,)), Block(Function.HOLDING, 300, 1, (), Rate.SLOW))

    def __init__(self):
        self.serial = "0420020081"
        self.lost_count = 0

    def read(self, block):
        yield echo(b"r%d." % block.address)
        return Taken({"p": 230.0}) if block.points else Taken({}, ("ea_imp",))

    def identify(self):
        yield echo(b"w.")
        return Taken({"serial": self.serial})

    def lost(self):
        self.lost_count += 1


class Wall:
    def __init__(self, clock):
        self.clock = clock

    def now(self):
        return NOON + self.clock.seconds()

    def is_trusted(self):
        return True


class Scene:
    """A poller with one station; `far_end` answers requests as `answers` says: True, False or an exception code."""

    def __init__(self):
        self.line, self.wire, self.clock = open_line()
        self.readings, self.events, self.known = [], [], {}
        self.station = Station()
        self.answers = lambda request: True
        self.poller = Poller(
            self.line, self.clock, Wall(self.clock), self.readings.append, self.reported, self.identified
        )
        self.poller.add(Device("main", "native", "x/y", 1, interval_s=3.0), self.station)

    def reported(self, name, facts):
        self.events.append((name, facts["device"]))

    def identified(self, uid, values):
        known = self.known.setdefault(uid, values["serial"])
        return "" if known == values["serial"] else f"serial {values['serial']} answers where {known} is expected"

    def run(self, seconds):
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            seen = len(self.wire.sent)
            self.wire.run(0.01, step=0.005)
            for _, request in self.wire.sent[seen:]:
                if self.answers(request):
                    self.wire.deliver(request)

    def asked(self):
        return [request.decode() for _, request in self.wire.sent]


@pytest.fixture
def scene():
    scene = Scene()
    scene.poller.start()
    yield scene
    scene.poller.stop()
    close_line(scene.line, scene.clock)


def test_a_station_says_who_it_is_then_is_read(scene):
    scene.run(0.2)
    assert scene.asked() == ["w.", "r256.", "r300."]
    scene.run(9)
    assert scene.asked()[3:] == ["r256.", "r256.", "r256."]
    first = scene.readings[1]
    assert (first.uid, dict(first.values), first.quality) == ("main", {"p": 230.0}, Quality.GOOD)
    assert first.at == pytest.approx(NOON + scene.clock.seconds() - 9.2, abs=0.2)
    assert scene.readings[2].missing == ("ea_imp",)
    assert scene.readings[2].quality is Quality.PARTIAL


def test_a_silent_station_is_probed_and_told_once(scene):
    scene.run(0.2)
    scene.answers = lambda request: False
    scene.run(60)
    assert scene.events == [("device.lost", "main")]
    assert scene.poller.polled()[0].health.label == "silent"
    assert "did not answer" in scene.poller.polled()[0].trouble
    assert scene.readings[-1].quality is Quality.SILENT
    probes = [request for request in scene.asked() if request == "w."]
    assert 7 <= len(probes) <= 12
    scene.answers = lambda request: True
    scene.run(7)
    assert scene.events == [("device.lost", "main"), ("device.found", "main")]
    assert {"p": 230.0} in [reading.values for reading in scene.readings[-2:]]
    assert scene.poller.polled()[0].trouble == ""


def test_values_of_another_device_are_marked_and_told_once(scene):
    scene.run(0.2)
    scene.station.serial = "0420029999"
    scene.run(130)
    assert scene.events == [("device.conflict", "main")]
    assert scene.readings[-1].quality is Quality.CONFLICT
    scene.station.serial = "0420020081"
    scene.run(65)
    assert scene.readings[-1].quality is Quality.GOOD


def test_a_refused_block_is_left_alone_and_the_station_is_well(scene):
    read = scene.station.read

    def refusing(block):
        yield from read(block)
        raise Refused(2)

    scene.station.read = refusing
    scene.run(30)
    assert scene.asked() == ["w.", "r256.", "r300."]
    assert scene.poller.polled()[0].health.label == "answering"
    scene.run(REFUSED_S)
    assert scene.asked().count("r256.") == 2


def test_a_fault_of_the_dialect_costs_one_reading(scene):
    read = scene.station.read

    def broken(block):
        yield from read(block)
        raise KeyError("p")

    scene.run(0.2)
    scene.station.read = broken
    scene.run(3)
    scene.station.read = read
    scene.run(6)
    assert scene.readings[-1].values == {"p": 230.0}


def test_a_lost_line_is_no_fault_of_its_stations(scene):
    scene.run(0.2)
    scene.wire.lose()
    scene.run(2)
    assert scene.events == []
    assert scene.poller.polled()[0].health.label == "answering"
    assert scene.station.lost_count == 1
    before = len(scene.readings)
    scene.run(3)
    assert {"p": 230.0} in [reading.values for reading in scene.readings[before:]]


def test_stopping_waits_for_the_exchange_in_progress():
    scene = Scene()
    scene.poller.start()
    stopped = scene.poller.stop()
    results.assertNoResult(stopped)
    scene.run(0.1)
    assert scene.asked() == ["w."]
    results.successResultOf(stopped)
    assert results.successResultOf(scene.poller.stop()) is None
    close_line(scene.line, scene.clock)


def test_a_block_has_its_own_cadence_its_rate_or_its_devices():
    device = Device("main", "native", "x/y", 1, interval_s=2.5)
    block = Block(Function.HOLDING, 0, 1)
    assert period_s(block, device) == 2.5
    assert period_s(Block(Function.HOLDING, 0, 1, rate=Rate.NORMAL), device) == 60.0
    assert period_s(Block(Function.HOLDING, 0, 1, rate=Rate.SLOW, every_s=5.0), device) == 5.0


def test_nothing_is_asked_while_nothing_answers_but_probes():
    scene = Scene()
    scene.answers = lambda request: False
    scene.poller.start()
    scene.run(20)
    assert set(scene.asked()) == {"w."}
    scene.poller.stop()
    scene.run(2)
    close_line(scene.line, scene.clock)
