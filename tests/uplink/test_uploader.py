from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from concentrator.api import Standing
from concentrator.model.errors import Full, TryLater
from concentrator.model.record import Receipt
from concentrator.uplink.lane import Course
from concentrator.uplink.uploader import Limits, Uploader
from tests.support.records import FixedWall, MemoryFeed, event, interval

EMPTY = Receipt(frozenset())


class ScriptedUplink:
    """Does what the test says: `outcomes` are played in turn, then everything is accepted. What it is asked is written
    down."""

    name, kind, address = "mqtt", "mqtt", "mqtt://broker:1883"

    def __init__(self, *outcomes):
        self.asked = []
        self.outcomes = list(outcomes)
        self.ready = True
        self.readiness = None
        self.held = None

    def start(self):
        self.asked.append("start")

    def stop(self):
        self.asked.append("stop")
        return succeed(None)

    def when_ready(self):
        if self.ready:
            return succeed(None)
        self.readiness = Deferred()
        return self.readiness

    def standing(self):
        return Standing(self.ready, 5.0)

    def send(self, batch):
        numbers = [record.n for record in batch.records]
        self.asked.append(numbers)
        outcome = self.outcomes.pop(0) if self.outcomes else Receipt(frozenset(numbers))
        if outcome == "hold":
            self.held = Deferred()
            return self.held
        return fail(outcome) if isinstance(outcome, Exception) else succeed(outcome)


class House:
    """An uploader among neighbours that write down what happens to them."""

    def __init__(self, *outcomes, records=(), limit=20, limits=None, uplink=None):
        self.clock = Clock()
        self.feed = MemoryFeed(list(records), limit)
        self.uplink = uplink or ScriptedUplink(*outcomes)
        self.reports = []
        self.uploader = Uploader(
            [Course(self.feed)],
            self.uplink,
            self.clock,
            FixedWall(),
            lambda name, facts: self.reports.append((name, facts)),
            lambda: 0.0,
            limits or Limits(),
        )

    def stop(self):
        stopped = []
        self.uploader.stop().addCallback(stopped.append)
        return stopped


def three():
    return [interval(n) for n in (1, 2, 3)]


def test_what_is_accepted_is_settled_and_the_rest_is_awaited():
    house = House(records=three(), limit=2)
    house.uploader.start()
    house.feed.add(interval(9))
    assert house.uplink.asked == ["start", [1, 2], [3], [9]]
    assert house.feed.accepted == [1, 2, 3, 9]
    assert house.uploader.state().delivered == 4
    assert house.stop() == [None]
    assert house.uplink.asked[-1] == "stop"
    assert not house.clock.getDelayedCalls()


def test_nothing_is_read_before_the_uplink_is_ready():
    house = House(records=three())
    house.uplink.ready = False
    house.uploader.start()
    assert house.uplink.asked == ["start"]
    house.uplink.readiness.callback(None)
    assert house.uplink.asked == ["start", [1, 2, 3]]
    house.stop()


def test_failures_keep_everything_and_wait_longer_each_time_until_it_works():
    house = House(*[TryLater("no route")] * 8, records=three())
    house.uploader.start()
    moments = []
    for _ in range(100):
        if len(moments) < len(house.uplink.asked) - 1:
            moments.append(house.clock.seconds())
        house.clock.advance(1)
    assert moments == [0, 1, 3, 7, 15, 31, 61, 91]
    assert house.feed.settled == []
    assert house.uploader.state().trouble == TryLater("no route").sentence
    house.clock.pump([1] * 60)
    assert house.feed.accepted == [1, 2, 3]
    assert house.uploader.state().trouble == ""
    house.stop()
    assert not house.clock.getDelayedCalls()


def test_after_success_the_next_pause_is_the_shortest_again():
    house = House(TryLater(), TryLater(), EMPTY, TryLater(), records=three())
    house.uploader.start()
    house.clock.pump([1, 2])
    assert len(house.uplink.asked) == 5
    house.clock.advance(1)
    assert house.feed.accepted == [1, 2, 3]
    house.stop()


def test_what_was_taken_before_a_connection_fell_is_settled_and_not_sent_again():
    fallen = TryLater("gone", Receipt(frozenset({1})), frozenset({2, 3}))
    house = House(fallen, records=three())
    house.uploader.start()
    house.clock.advance(1)
    assert house.uplink.asked == ["start", [1, 2, 3], [2, 3]]
    assert house.feed.accepted == [1, 2, 3]
    house.stop()


def test_a_record_in_flight_at_three_disconnects_is_sent_alone_then_given_up_and_told():
    class Broker(ScriptedUplink):
        """Falls whenever it is sent 2."""

        def send(self, batch):
            numbers = frozenset(record.n for record in batch.records)
            self.outcomes = [TryLater("gone", EMPTY, numbers)] if 2 in numbers else []
            return super().send(batch)

    house = House(records=three(), uplink=Broker())
    house.uploader.start()
    house.clock.pump([1] * 40)
    together = [1, 2, 3]
    assert house.uplink.asked == ["start", together, together, together, [1], [2], [3]]
    assert house.feed.accepted == [1, 3]
    assert house.uploader.state().rejected == 1
    assert house.reports == [
        (
            "uplink.records_rejected",
            {
                "uplink": "mqtt",
                "device": "main",
                "records": [2],
                "reason": "the connection fell 4 times while it was on its way",
            },
        )
    ]
    house.stop()


def test_an_innocent_record_is_cleared_by_being_sent_alone_and_then_travels_in_company():
    in_flight = frozenset({1, 2, 3})
    house = House(*[TryLater("gone", EMPTY, in_flight)] * 3, records=three())
    house.uploader.start()
    house.clock.pump([1] * 10)
    house.feed.add(*three())
    assert house.uplink.asked[-4:] == [[1], [2], [3], [1, 2, 3]]
    assert house.uploader.state().rejected == 0
    house.stop()


def test_a_refused_record_is_settled_counted_and_told_once_a_batch():
    house = House(Receipt(frozenset({2}), {1: "Not authorized", 3: "Not authorized"}), records=three())
    house.uploader.start()
    assert house.feed.waiting() == 0
    assert house.uploader.state().rejected == 2
    assert [facts["records"] for _, facts in house.reports] == [[1, 3]]
    house.stop()


def test_a_refused_event_makes_no_event_about_itself():
    house = House(Receipt(frozenset(), {1: "Not authorized"}), records=[event(1)])
    house.uploader.start()
    assert house.uploader.state().rejected == 1
    assert house.reports == []
    house.stop()


def test_an_uplink_that_breaks_is_tried_again():
    house = House(ZeroDivisionError("oh"), records=three())
    house.uploader.start()
    assert house.uploader.state().trouble == "Delivering failed: ZeroDivisionError: oh"
    house.clock.advance(1)
    assert house.feed.accepted == [1, 2, 3]
    house.stop()


def test_a_journal_in_trouble_is_waited_for():
    house = House(records=three())
    read, house.feed.read = house.feed.read, lambda: fail(Full("0 bytes free"))
    house.uploader.start()
    assert house.uploader.state().trouble == Full("0 bytes free").sentence
    house.feed.read = read
    house.clock.advance(1)
    assert house.feed.accepted == [1, 2, 3]
    house.stop()


def test_a_stop_waits_for_what_is_in_flight():
    house = House("hold", records=three())
    house.uploader.start()
    stopped = house.stop()
    assert stopped == []
    house.uplink.held.callback(Receipt(frozenset({1, 2, 3})))
    assert stopped == [None]
    assert house.feed.accepted == [1, 2, 3]
    assert house.uplink.asked == ["start", [1, 2, 3], "stop"]
    assert not house.clock.getDelayedCalls()


def test_a_stop_waits_no_longer_than_its_patience():
    house = House("hold", records=three())
    house.uploader.start()
    stopped = house.stop()
    house.clock.advance(4.9)
    assert stopped == []
    house.clock.advance(0.2)
    assert stopped == [None]
    assert house.feed.settled == []
    assert not house.clock.getDelayedCalls()


def test_a_stop_does_not_wait_for_a_pause_or_for_an_uplink_that_is_away():
    for outcomes, ready in ([TryLater()], True), ([], False):
        house = House(*outcomes, records=three())
        house.uplink.ready = ready
        house.uploader.start()
        assert house.stop() == [None]
        assert not house.clock.getDelayedCalls()


def test_it_can_be_started_again():
    house = House(records=three())
    house.uploader.start()
    house.stop()
    house.feed.records = [interval(4)]
    house.uploader.start()
    assert house.feed.accepted == [1, 2, 3, 4]
    house.stop()


def test_its_state_says_what_people_want_to_see():
    house = House(records=three())
    house.uploader.start()
    state = house.uploader.state()
    assert (state.name, state.kind, state.address) == ("mqtt", "mqtt", "mqtt://broker:1883")
    assert (state.is_up, state.since, state.last_success, state.waiting) == (True, 5.0, FixedWall().now(), 0)
    house.stop()
