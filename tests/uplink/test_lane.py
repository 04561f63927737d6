"""Lanes beside each other, and what they promise together: an event is at the socket at once, whatever else goes on."""

import json

import pytest
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock

from concentrator.api import Standing
from concentrator.journal.feed import RecordFeed
from concentrator.model.errors import TryLater
from concentrator.model.record import EVENT_PERIOD, Receipt
from concentrator.uplink.lane import Course, Passage
from concentrator.uplink.mqtt import MqttLimits, MqttUplink
from concentrator.uplink.pace import Pace
from concentrator.uplink.payload import Voice, is_live
from concentrator.uplink.uploader import Uploader
from tests.support.journals import Bench
from tests.support.journals import event as event_draft
from tests.support.journals import interval as interval_draft
from tests.support.played_broker import PlayedBroker
from tests.support.records import FixedWall, MemoryFeed, interval


class Gate:
    """Shut until it is opened."""

    def __init__(self):
        self.trouble = "Shut."
        self.waiting = []

    def when_open(self):
        if not self.trouble:
            return succeed(None)
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def open(self):
        self.trouble = ""
        for each in self.waiting:
            each.callback(None)


class Uplink:
    """Falls whenever it is sent one of `poison`, with everything that is on its way then; holds all else until the next
    clock turn."""

    name, kind, address = "mqtt", "mqtt", "mqtt://broker:1883"

    def __init__(self, clock, poison=()):
        self.clock = clock
        self.poison = set(poison)
        self.sent = []
        self.flying = {}

    def start(self):
        pass

    def stop(self):
        return succeed(None)

    def when_ready(self):
        return succeed(None)

    def standing(self):
        return Standing(True)

    def send(self, batch):
        numbers = tuple(record.n for record in batch.records)
        self.sent.append(numbers)
        self.flying[numbers] = result = Deferred()
        self.clock.callLater(0.1, self.land, numbers)
        return result

    def land(self, numbers):
        if numbers not in self.flying:
            return
        if self.poison & set(numbers):
            flying, self.flying = self.flying, {}
            for each, result in flying.items():
                result.errback(TryLater("gone", Receipt(frozenset()), frozenset(each)))
        else:
            self.flying.pop(numbers).callback(Receipt(frozenset(numbers)))


class House:
    def __init__(self, *courses, poison=()):
        self.clock = Clock()
        self.uplink = Uplink(self.clock, poison)
        self.reports = []
        self.uploader = Uploader(
            courses, self.uplink, self.clock, FixedWall(), lambda *told: self.reports.append(told), lambda: 0.0
        )
        self.uploader.start()

    def run(self, seconds):
        self.clock.pump([0.05] * round(seconds / 0.05))

    def stop(self):
        stopped = []
        self.uploader.stop().addCallback(stopped.append)
        self.run(6)
        assert stopped == [None]
        assert not self.clock.getDelayedCalls()


def feed(*numbers, limit=20):
    return MemoryFeed([interval(n) for n in numbers], limit)


def test_lanes_do_not_wait_for_each_other():
    house = House(Course(feed(1, 2)), Course(feed(11, 12)))
    assert house.uplink.sent == [(1, 2), (11, 12)]
    house.stop()


def test_a_lane_with_a_pace_keeps_it_and_the_others_do_not():
    paced, other = feed(*range(1, 21), limit=5), feed(*range(101, 121), limit=5)
    house = House(Course(other), Course(paced, Pace(10)))
    house.run(1)
    assert (other.waiting(), paced.waiting()) == (0, 10)
    house.run(2)
    assert paced.waiting() == 0
    house.stop()


def test_a_record_that_fells_the_connection_takes_no_other_lane_with_it():
    lanes = [feed(1, 2, 3), feed(11, 12, 13), feed(21)]
    house = House(*map(Course, lanes), poison={12})
    house.run(60)
    assert [numbers for lane in lanes for numbers in lane.accepted] == [1, 2, 3, 11, 13, 21]
    assert [facts["records"] for _, facts in house.reports] == [[12]]
    state = house.uploader.state()
    assert (state.delivered, state.rejected, state.trouble) == (6, 1, "")
    house.stop()


def test_nothing_is_read_at_a_gate_that_is_shut_and_people_see_why():
    gate, lane = Gate(), feed(1, 2)
    house = House(Course(feed()), Course(lane, gate=gate))
    house.run(1)
    assert (house.uplink.sent, house.uploader.state().trouble) == ([], "Shut.")
    gate.open()
    house.run(1)
    assert (lane.accepted, house.uploader.state().trouble) == ([1, 2], "")
    house.stop()


def test_a_stop_does_not_wait_for_a_gate():
    house = House(Course(feed(1), gate=Gate()))
    house.stop()
    assert house.uplink.sent == []


def test_trouble_that_is_over_is_not_shown_while_there_is_nothing_to_send():
    class Emptied(MemoryFeed):
        def read(self):
            batch, self.records = super().read(), []
            return batch

    house = House(Course(Emptied([interval(1)])), poison={1})
    house.run(0.5)
    assert "gone" in house.uploader.state().trouble
    house.run(5)
    assert house.uploader.state().trouble == ""
    house.stop()


# -- the passage


def entered(passage, alone=False):
    seen = []
    turn = passage.enter(alone)
    turn.addCallbacks(lambda _: seen.append("in"), lambda failure: seen.append(failure.type))
    return seen, turn


def test_many_are_in_the_passage_beside_each_other_or_one_alone_in_turn():
    passage = Passage()
    first, second = entered(passage)[0], entered(passage)[0]
    alone, third = entered(passage, alone=True)[0], entered(passage)[0]
    assert (first, second, alone, third) == (["in"], ["in"], [], [])
    passage.leave()
    assert alone == []
    passage.leave()
    assert (alone, third) == (["in"], [])
    passage.leave()
    assert third == ["in"]


def test_who_gives_up_waiting_keeps_nobody_waiting():
    passage = Passage()
    entered(passage)
    alone, turn = entered(passage, alone=True)
    third, _ = entered(passage)
    turn.cancel()
    assert (alone, third) == ([CancelledError], ["in"])


# -- events at once


class Works:
    """A journal, its three feeds, and an MQTT uplink to a broker that the test plays."""

    def __init__(self, bench, **terms):
        self.bench, self.clock = bench, bench.clock
        self.journal = bench.journal()
        self.journal.register("mqtt", {10, EVENT_PERIOD})
        bench.run(2)
        self.broker = PlayedBroker(self.clock, **terms)
        self.uplink = MqttUplink(
            endpoint=self.broker,
            address="mqtt://broker:1883",
            voice=Voice("/srv", "42"),
            alias=lambda uid: uid,
            clock=self.clock,
            wall=bench.wall,
            jitter=lambda: 0.0,
            limits=MqttLimits(window=6),
        )
        pace = Pace(100)
        records = RecordFeed(self.journal, "mqtt", lambda each: is_live(each, bench.wall.now()), 200, pace.limit)
        courses = [Course(records.events), Course(records.intervals), Course(records.backlog, pace)]
        self.uploader = Uploader(courses, self.uplink, self.clock, bench.wall, bench.report, lambda: 0.0)

    def end(self):
        stopped = []
        self.uploader.stop().addCallback(stopped.append)
        self.bench.run(10)
        assert stopped == [None]
        self.bench.end()


@pytest.mark.parametrize("moment_s", [0.0, 0.001, 0.1, 0.5, 0.999])
def test_an_event_is_at_the_socket_within_200_ms_while_backlog_and_intervals_wait_for_a_slow_broker(moment_s):
    works = Works(Bench())
    works.bench.append(works.journal, *[interval_draft(end=int(works.bench.wall.now()) - 100) for _ in range(500)])
    works.uploader.start()
    works.broker.welcome()
    works.bench.run(1)
    now = int(works.bench.wall.now())
    works.bench.append(works.journal, *[interval_draft(end=now) for _ in range(33)])
    assert len(works.broker.unconfirmed()) == 4  # a share of the window each, and nobody confirms
    works.journal.append([interval_draft(end=now)])  # a commit begins with the next turn
    works.clock.advance(0)
    works.clock.advance(moment_s)
    works.journal.append([event_draft("input.closed", end=now)], urgent=True)
    waited_ms = 0
    while not any(topic.endswith("/event") for topic, _ in works.broker.unconfirmed()):
        works.clock.advance(0.01)
        waited_ms += 10
        assert waited_ms <= 200
    works.broker.confirm_for_ever()
    works.end()


def test_live_goes_first_and_the_backlog_in_order_beside_it_marked():
    works = Works(Bench())
    start = int(works.bench.wall.now())
    works.bench.append(works.journal, *[interval_draft(end=start - 10_000 + n) for n in range(500)])
    works.uploader.start()
    works.broker.confirm_for_ever()
    works.broker.welcome()
    for _ in range(12):
        works.bench.append(works.journal, interval_draft(end=int(works.bench.wall.now())))
    messages = [json.loads(payload) for topic, payload in works.broker.published if topic.endswith("/data")]
    late = [message["n"] for message in messages if message.get("backfill")]
    live = [message["n"] for message in messages if not message.get("backfill")]
    assert late == list(range(1, 501))
    assert live == list(range(501, 513))
    first_live = next(at for at, message in enumerate(messages) if not message.get("backfill"))
    assert first_live < 250
    works.end()


def test_a_journal_that_is_in_trouble_does_not_end_the_lanes():
    class Broken(MemoryFeed):
        def read(self):
            return fail(TryLater("later")) if self.limit == 1 else super().read()

    lane = Broken([interval(1)], limit=1)
    house = House(Course(lane))
    house.run(0.5)
    assert lane.accepted == []
    lane.limit = 2
    house.run(3)
    assert lane.accepted == [1]
    house.stop()
