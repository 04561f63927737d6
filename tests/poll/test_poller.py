"""concentrator.poll.poller: who first, then values; failures become health; another's values are refused."""

from itertools import pairwise

import pytest
from twisted.trial.unittest import SynchronousTestCase

from concentrator.api import Taken
from concentrator.model.device import Device
from concentrator.model.errors import Busy, NotOfProfile, Refused
from concentrator.model.profile import Block, DeviceProfile, Function, Point, Rate
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.model.trouble import kind_of
from concentrator.poll.poller import BUSY_S, CONFLICT_S, OPENING_S, REFUSED_S, Poller
from concentrator.poll.rightful import DAMAGED
from tests.support.lines import close_line, echo, open_line

results = SynchronousTestCase()
NOON = 1_795_000_000.0
POWER = Point(Quantity("p", "W", Kind.INSTANTANEOUS), Function.HOLDING, 256, 1, "u16")


class Station:
    """Reads a block by asking "r256.", says who it is by asking "w.", both behind its Modbus ID where that is not 1."""

    profile = DeviceProfile("x/y", "meter", "X", "c", "Y", ("Y1",), (POWER,))

    def __init__(self, address):
        self.blocks = (Block(Function.HOLDING, 256, 1, (POWER,)), Block(Function.HOLDING, 300, 2, (), Rate.SLOW))
        self.head = b"" if address == 1 else b"%d" % address
        self.serial = f"04200200{address:02}"
        self.lost_count = 0
        self.refusals = {}
        self.quiet_s = 0.0

    def read(self, block):
        yield echo(self.head + b"r%d." % block.address, shape=(self.head, block.count), quiet_s=self.quiet_s)
        if block in self.refusals:
            raise Refused(self.refusals[block])
        return Taken({"p": 230.0}) if block.points else Taken({}, ("ea_imp",))

    def refused(self, block, code):
        if block.count == 1 or code == 1:
            return (block,)
        parts = tuple(Block(Function.HOLDING, block.address + n, 1, (), Rate.SLOW) for n in range(block.count))
        self.refusals[parts[0]] = code
        return parts

    def identify(self):
        yield echo(self.head + b"w.")
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
    """A poller with stations; the far end does with a request what `answers` says: False nothing, True an answer, or
    other bytes than those."""

    def __init__(self, uids=("main",)):
        self.line, self.wire, self.clock = open_line()
        self.readings, self.events, self.texts, self.known, self.stations = [], [], [], {}, {}
        self.seen = 0
        self.answers = lambda request: True
        self.poller = Poller(
            self.line, self.clock, Wall(self.clock), self.readings.append, self.reported, self.identified
        )
        for uid in uids:
            self.add(uid)

    def add(self, uid, address=None):
        address = address or len(self.stations) + 1
        self.stations[uid] = Station(address)
        return self.poller.add(Device(uid, "native", "x/y", address, interval_s=3.0), self.stations[uid])

    def reported(self, name, facts):
        self.events.append((name, facts.get("device", facts.get("line"))))
        self.texts.append(facts.get("text", ""))

    def identified(self, uid, values):
        known = self.known.setdefault(uid, values["serial"])
        return "" if known == values["serial"] else f"serial {values['serial']} answers where {known} is expected"

    def run(self, seconds):
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            self.wire.run(0.01, step=0.005)
            fresh = self.wire.sent[self.seen :]
            self.seen += len(fresh)
            for _, request in fresh:
                reply = self.answers(request)
                if reply:
                    self.wire.deliver(request if reply is True else reply)

    def asked(self, since=0):
        return [request.decode() for _, request in self.wire.sent[since:]]

    @property
    def station(self):
        return self.stations["main"]

    @property
    def polled(self):
        return self.poller.polled()[0]

    def newest(self, uid):
        return next(reading for reading in reversed(self.readings) if reading.uid == uid)


def started(*uids):
    scene = Scene(*([uids] if uids else []))
    scene.poller.start()
    yield scene
    scene.poller.stop()
    close_line(scene.line, scene.clock)


@pytest.fixture
def scene():
    yield from started()


@pytest.fixture
def three():
    yield from started("main", "shed", "barn")


def test_others_are_read_while_a_station_wants_to_be_left_alone(three):
    three.station.quiet_s = 1.0
    three.run(0.5)
    assert three.asked()[:8] == ["w.", "2w.", "3w.", "r256.", "2r256.", "3r256.", "2r300.", "3r300."]
    three.run(0.8)
    (first,) = [at for at, request in three.wire.sent if request == b"r256."]
    (second,) = [at for at, request in three.wire.sent if request == b"r300."]
    assert 1.0 <= second - first < 1.1


def test_a_station_says_who_it_is_then_is_read(scene):
    scene.run(0.2)
    assert scene.asked() == ["w.", "r256.", "r300."]
    scene.run(12)
    assert scene.asked()[3:] in (["r256."] * 4, ["r256."] * 5)
    first = scene.readings[1]
    assert (first.uid, dict(first.values), first.quality) == ("main", {"p": 230.0}, Quality.GOOD)
    assert first.at == pytest.approx(NOON + scene.clock.seconds() - 12.2, abs=0.2)
    assert scene.readings[2].missing == ("ea_imp",)
    assert scene.readings[2].quality is Quality.PARTIAL
    assert scene.polled.quality is Quality.GOOD
    assert scene.polled.round_s == pytest.approx(3.0, abs=0.02)


def test_a_silent_station_is_probed_and_told_once(scene):
    scene.run(0.2)
    scene.answers = lambda request: False
    scene.run(60)
    assert scene.events == [("device.lost", "main")]
    assert scene.polled.health.label == "silent"
    assert "did not answer" in scene.polled.trouble and kind_of(scene.polled.trouble) == "no_reply"
    assert list(scene.polled.tries) == ["no_reply"] * 3
    assert scene.readings[-1].quality is Quality.SILENT
    probes = [request for request in scene.asked() if request == "w."]
    assert 7 <= len(probes) <= 12
    scene.answers = lambda request: True
    scene.run(7)
    assert scene.events == [("device.lost", "main"), ("device.found", "main")]
    assert {"p": 230.0} in [reading.values for reading in scene.readings[-2:]]
    assert scene.polled.trouble == "" and scene.polled.tries[-1] == ""


def test_a_read_that_failed_once_is_tried_again_before_its_next_turn(scene):
    scene.run(0.2)
    scene.answers = lambda request: False
    while len(scene.asked()) < 4:
        scene.run(0.05)
    scene.answers = lambda request: True
    failed_at = scene.wire.sent[3][0]
    scene.run(2)
    assert scene.asked()[3:] == ["r256.", "r256."]
    assert 0.5 < scene.wire.sent[4][0] - failed_at < 1.5
    assert scene.polled.health.label == "answering"


def test_the_others_are_asked_while_a_station_may_still_answer_late(three):
    """A request of the same shape must not go to a station that owes an answer; nobody waits for that meanwhile."""
    three.run(0.3)
    three.run(10)
    before = len(three.wire.sent)
    three.answers = lambda request: b"2r" not in request
    for uid in ("main", "barn"):  # due while the answer is owed
        three.poller.remove(uid)
    while not three.asked(before):
        three.run(0.01)
    three.add("main", 1)
    three.add("barn", 3)
    three.run(2)
    requests = three.wire.sent[before:]
    failed_at = next(at for at, request in requests if request == b"2r256.")
    others = [at for at, request in requests if failed_at < at < failed_at + 1.0 and request != b"2r256."]
    again_at = [at for at, request in requests if request == b"2r256."][1]
    assert again_at >= failed_at + 1.0
    assert len(others) >= 2


def test_values_of_another_device_are_kept_back_and_told_once(scene):
    scene.run(0.2)
    scene.station.serial = "0420029999"
    scene.run(130)
    assert scene.events == [("device.conflict", "main")]
    assert "0420029999 answers where 0420020001 is expected" in scene.polled.conflict
    assert (scene.readings[-1].quality, dict(scene.readings[-1].values)) == (Quality.CONFLICT, {})
    before = len(scene.asked())
    scene.run(60)
    assert set(scene.asked(before)) == {"w."}
    scene.station.serial = "0420020001"
    scene.run(1.5 * CONFLICT_S)
    assert scene.readings[-1].quality is Quality.CONFLICT
    scene.run(2 * CONFLICT_S)
    assert scene.readings[-1].quality is Quality.GOOD
    assert scene.events == [("device.conflict", "main"), ("device.conflict_over", "main")]


def test_a_conflict_lasts_while_both_devices_answer_in_turn(scene):
    scene.run(0.2)
    serials = ["0420029999", "0420020001", "0420020001"] * 20

    def identify():
        yield echo(b"w.")
        return Taken({"serial": serials.pop()})

    scene.station.identify = identify
    scene.run(400)
    assert scene.events == [("device.conflict", "main")]


def test_answers_that_damage_each_other_are_a_conflict(three):
    three.run(0.3)
    three.answers = lambda request: b"2######" if request.startswith(b"2") else True
    three.run(60)
    assert three.events == [("device.lost", "shed"), ("device.conflict", "shed")]
    assert three.newest("shed").quality is Quality.CONFLICT
    assert sum(request.startswith("2") for request in three.asked()) >= DAMAGED
    three.answers = lambda request: True
    three.run(60)
    assert three.events[2:] == [("device.found", "shed"), ("device.conflict_over", "shed")]
    assert three.newest("shed").quality is Quality.GOOD


def test_after_three_errors_a_device_says_who_it_is_before_its_values_are_used(three):
    three.run(0.3)
    three.answers = lambda request: b"2######" if request.startswith(b"2") else True
    while three.poller.polled()[1].health.label != "silent":
        three.run(0.1)
    three.stations["shed"].serial = "0420029999"
    three.answers = lambda request: True
    seen = len(three.asked()), len(three.readings)
    three.run(8)
    assert {request for request in three.asked(seen[0]) if request[0] == "2"} == {"2w."}
    said = [reading for reading in three.readings[seen[1] :] if reading.uid == "shed"]
    assert said and all(reading.quality is Quality.CONFLICT and not reading.values for reading in said)


def test_a_refused_block_is_read_in_parts_and_what_stays_refused_is_left_alone(scene):
    slow = scene.station.blocks[1]
    scene.station.refusals[slow] = 2
    scene.run(0.3)
    assert scene.asked() == ["w.", "r256.", "r300.", "r300.", "r301."]
    assert scene.polled.health.label == "answering"
    scene.run(30)
    assert "r300." not in scene.asked(5)
    scene.run(REFUSED_S)
    assert scene.asked(5).count("r300.") == 1
    assert scene.asked(5).count("r301.") == 1


@pytest.mark.parametrize("code", [1, 2, 3])
def test_a_block_that_is_refused_alone_is_asked_for_rarely(scene, code):
    scene.station.refusals[scene.station.blocks[0]] = code
    scene.run(30)
    assert scene.asked().count("r256.") == 1
    assert scene.readings[1].missing == ("p",)
    assert scene.polled.health.label == "answering"
    scene.station.refusals.clear()
    scene.run(REFUSED_S - 29)
    assert scene.asked().count("r256.") == 2
    scene.run(10)
    assert scene.asked().count("r256.") >= 4


def test_a_busy_device_is_asked_again_soon(scene):
    slow = scene.station.blocks[1]
    scene.station.refusals[slow] = 6
    scene.run(0.3)
    del scene.station.refusals[slow]
    scene.run(BUSY_S + 0.1)
    assert scene.asked().count("r300.") == 2
    scene.run(60)
    assert scene.asked().count("r300.") == 2


def test_a_gateway_that_refuses_for_its_device_is_no_answer_of_the_device(scene):
    scene.run(0.2)
    scene.station.refusals = dict.fromkeys(scene.station.blocks, 11)
    scene.run(5)
    assert scene.events == [("device.lost", "main")]


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


def test_a_lost_line_is_told_and_is_no_fault_of_its_stations(scene):
    scene.run(0.2)
    scene.wire.lose()
    scene.run(2)
    assert scene.events == [("line.lost", "native"), ("line.found", "native")]
    assert "unplugged" in scene.texts[0]
    assert scene.polled.health.label == "answering"
    assert scene.station.lost_count == 1
    before = len(scene.readings)
    scene.run(3)
    assert {"p": 230.0} in [reading.values for reading in scene.readings[before:]]


def test_a_line_that_stays_away_is_told_once(scene):
    scene.run(0.2)
    scene.wire.refusal = OSError("no such port")
    scene.wire.lose()
    scene.run(30)
    assert scene.events == [("line.lost", "native")]
    scene.wire.refusal = None
    scene.run(5)
    assert scene.events == [("line.lost", "native"), ("line.found", "native")]


def test_a_line_that_was_never_there_is_told_too():
    scene = Scene()
    scene.wire.refusal = OSError("no such port")
    scene.wire.lose()
    scene.poller.start()
    scene.run(OPENING_S - 1)
    assert scene.events == []
    scene.run(2)
    assert scene.events == [("line.lost", "native")]
    assert "no such port" in scene.texts[0]
    scene.poller.stop()
    close_line(scene.line, scene.clock)


def test_a_silent_line_is_told_instead_of_each_of_its_devices(three):
    three.run(0.3)
    three.answers = lambda request: False
    three.run(60)
    assert three.events == [("line.silent", "native")]
    assert {polled.health.label for polled in three.poller.polled()} == {"silent"}
    assert three.newest("barn").quality is Quality.SILENT
    three.answers = lambda request: not request.startswith(b"3")
    three.run(11)
    assert three.events[1:] == [("line.answering", "native"), ("device.lost", "barn")]
    three.answers = lambda request: True
    three.run(10)
    assert three.events[3:] == [("device.found", "barn")]


def test_the_recovery_of_a_silent_line_is_seen_by_whoever_is_back(three):
    three.run(0.3)
    three.answers = lambda request: False
    three.run(60)
    probes = [at for at, _ in three.wire.sent if at > 1030]
    assert max(after - before for before, after in pairwise(probes)) < 5.5
    three.answers = lambda request: request.startswith(b"3")
    three.run(3 * 5.5)
    assert three.events[1] == ("line.answering", "native")


def test_a_suspended_line_is_not_asked_and_its_health_stands_still(three):
    three.run(0.3)
    waiting = three.poller.suspend("link mode")
    assert three.poller.suspended == "link mode"
    three.run(0.1)
    assert results.successResultOf(waiting) is None
    before = len(three.asked())
    three.answers = lambda request: False
    three.run(100)
    assert len(three.asked()) == before
    assert {polled.health.label for polled in three.poller.polled()} == {"answering"}
    assert [polled.quality for polled in three.poller.polled()] == [Quality.SUSPENDED] * 3
    told = [reading for reading in three.readings if reading.quality is Quality.SUSPENDED]
    assert sorted((reading.uid, dict(reading.values)) for reading in told) == [("barn", {}), ("main", {}), ("shed", {})]
    three.answers = lambda request: True
    three.poller.go_on()
    three.run(1)
    assert three.poller.suspended == ""
    assert {reading.uid for reading in three.readings[-6:]} == {"main", "shed", "barn"}
    assert three.events == []
    three.poller.go_on()


def test_suspending_waits_for_the_exchange_in_progress(scene):
    waiting = scene.poller.suspend("link mode")
    results.assertNoResult(waiting)
    scene.run(0.1)
    assert scene.asked() == ["w."]
    results.successResultOf(waiting)


def test_a_suspended_line_cannot_be_suspended_again(scene):
    scene.poller.suspend("link mode")
    refusal = results.failureResultOf(scene.poller.suspend("a scan"), Busy)
    assert "link mode" in refusal.getErrorMessage()
    scene.run(0.1)
    assert scene.poller.suspended == "link mode"


def test_a_device_can_be_added_while_the_others_are_read(scene):
    scene.run(10)
    polled = scene.add("shed")
    scene.run(0.3)
    assert [request for request in scene.asked() if request.startswith("2")][:3] == ["2w.", "2r256.", "2r300."]
    assert polled.health.label == "answering"


def test_a_removed_device_is_asked_and_heard_no_more(three):
    three.run(0.3)
    three.poller.remove("shed")
    before = len(three.asked())
    three.run(10)
    assert not [request for request in three.asked(before) if request.startswith("2")]
    assert [polled.device.uid for polled in three.poller.polled()] == ["main", "barn"]


def test_a_device_removed_while_it_answers_is_not_heard(scene):
    scene.poller.remove("main")
    scene.run(10)
    assert (scene.readings, scene.asked()) == ([], ["w."])
    scene.add("main", address=1)
    scene.run(0.2)
    assert scene.newest("main").uid == "main"
    assert len(scene.asked()) == 4


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


def test_nothing_is_asked_while_nothing_answers_but_probes():
    scene = Scene()
    scene.answers = lambda request: False
    scene.poller.start()
    scene.run(20)
    assert set(scene.asked()) == {"w."}
    scene.poller.stop()
    scene.run(2)
    close_line(scene.line, scene.clock)


class Finder(Station):
    """Knows of no block before it has said who it is, and finds what `there` has: addresses, or what is wrong."""

    def __init__(self, address):
        super().__init__(address)
        self.blocks, self.there = (), [500]

    def look(self):
        if isinstance(self.there, Exception):
            raise self.there
        if [block.address for block in self.blocks] != self.there:
            self.blocks = tuple(Block(Function.HOLDING, address, 1, (POWER,)) for address in self.there)

    def identify(self):
        self.look()
        return (yield from super().identify())

    def read(self, block):
        self.look()
        taken = yield from super().read(block)
        return taken if block in self.blocks else Taken({}, ("p",))


@pytest.fixture
def finding(monkeypatch, scene):
    scene.poller.remove("main")
    scene.stations.clear()
    monkeypatch.setitem(globals(), "Station", Finder)
    scene.add("main")
    return scene


def test_what_a_station_finds_out_to_have_is_read_from_then_on(finding):
    finding.run(0.2)
    assert finding.asked()[-2:] == ["w.", "r500."]
    before = len(finding.wire.sent)
    finding.run(12)
    assert set(finding.asked(before)) == {"r500."}
    assert finding.polled.round_s == pytest.approx(3.0, abs=0.02)


def test_what_a_station_finds_elsewhere_is_read_there_and_nothing_at_the_old_place(finding):
    finding.run(5)
    finding.station.there = [600, 700]
    finding.run(4)
    before = len(finding.wire.sent)
    finding.run(30)
    assert set(finding.asked(before)) == {"r600.", "r700.", *(["w."] if "w." in finding.asked(before) else [])}
    assert 18 <= len(finding.asked(before)) <= 23
    assert finding.polled.round_s == pytest.approx(3.0, abs=0.02)


def test_a_station_that_finds_something_else_and_then_falls_silent_is_tried_and_comes_back(finding):
    finding.run(5)
    finding.station.there = [600]
    finding.answers = lambda request: False
    finding.run(4)
    finding.answers = lambda request: True
    before = len(finding.wire.sent)
    finding.run(10)
    assert "r600." in finding.asked(before)
    assert "r500." not in finding.asked(before)
    assert finding.events == []


def test_a_device_that_is_not_of_its_profile_answers_all_the_same_and_is_asked_again(finding):
    finding.station.there = NotOfProfile("no SunSpec")
    finding.run(200)
    assert finding.polled.health.label == "answering"
    assert finding.polled.conflict == ""
    assert "not what its profile says: no SunSpec" in finding.polled.trouble
    assert finding.newest("main").quality is Quality.PARTIAL
    assert finding.events == []
    finding.station.there = [500]
    finding.run(61)
    assert "r500." in finding.asked()
    assert finding.polled.trouble == ""
