import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.journal.feed import RecordFeed
from concentrator.model.record import EVENT_PERIOD, Receipt
from tests.support.journals import NOON, Bench, event, interval, numbers, pending, result


def taken(batch):
    """The receipt of a far side that took everything."""
    return Receipt(frozenset(record.n for record in batch.records))


class Desk:
    """A journal with a reader, and its feeds; intervals are fresh for twenty seconds."""

    def __init__(self, bench, limit=2, backlog=2, **settings):
        self.bench = bench
        self.journal = bench.journal()
        self.settings = {"limit": limit, "backlog_limit": lambda: backlog} | settings
        self.open()

    def open(self):
        self.journal.register("mqtt", {10, EVENT_PERIOD})
        self.bench.run(2)
        self.feed = RecordFeed(
            self.journal, "mqtt", lambda record: self.bench.wall.now() - record.draft.end <= 20, **self.settings
        )
        self.events, self.intervals, self.backlog = self.feed.events, self.feed.intervals, self.feed.backlog

    def restart(self):
        self.bench.close(self.journal)
        self.journal = self.bench.journal()
        self.open()

    def append(self, *drafts, **how):
        return [record.n for record in self.bench.append(self.journal, *drafts, **how)]

    def now(self):
        return int(self.bench.wall.now())

    def drain(self, feed):
        """The numbers of each batch that is taken from a feed until there is none."""
        seen = []
        while batch := result(feed.read()):
            seen.append(numbers(batch))
            assert result(feed.settle(batch, taken(batch))) is None
        return seen


@pytest.fixture
def desk(both):
    return Desk(both)


def test_fresh_intervals_come_at_once_oldest_first_until_all_are_settled(desk):
    desk.append(*[interval(end=desk.now()) for _ in range(3)])
    assert result(desk.backlog.read()) is None
    assert desk.drain(desk.intervals) == [[1, 2], [3]]
    assert desk.feed.intervals.waiting() == 0


def test_events_do_not_wait_for_intervals_that_came_before(desk):
    desk.append(interval(end=desk.now()))
    on_its_way = result(desk.intervals.read())
    desk.append(interval(end=desk.now()), event(end=desk.now()), interval(end=desk.now()))
    assert desk.drain(desk.events) == [[3]]
    desk.intervals.settle(on_its_way, taken(on_its_way))
    assert desk.drain(desk.intervals) == [[2], [4]]
    assert desk.intervals.waiting() == 0


def test_what_the_far_side_rejected_does_not_come_again_and_what_it_kept_does(desk):
    desk.append(interval(end=desk.now()), interval(end=desk.now()))
    batch = result(desk.intervals.read())
    desk.intervals.settle(batch, Receipt(frozenset(), {1: "too long"}))
    assert numbers(result(desk.intervals.read())) == [2]
    assert desk.intervals.waiting() == 1


def test_what_was_not_taken_while_it_was_fresh_is_backlog_and_what_is_fresh_goes_before_it(desk):
    desk.append(*[interval(end=desk.now()) for _ in range(3)])
    desk.bench.run(25)
    desk.append(interval(end=desk.now()))
    assert desk.drain(desk.intervals) == [[4]]
    assert desk.drain(desk.backlog) == [[1, 2], [3]]
    assert desk.backlog.waiting() == 0


def test_no_record_is_on_its_way_twice(desk):
    desk.append(*[interval(end=desk.now()) for _ in range(2)])
    fresh = result(desk.intervals.read())
    desk.bench.run(30)  # no longer fresh, and still on its way
    assert result(desk.backlog.read()) is None
    desk.append(interval(end=desk.now()))
    assert result(desk.backlog.read()) is None
    desk.intervals.settle(fresh, Receipt(frozenset()))
    assert numbers(result(desk.intervals.read())) == [3]
    assert numbers(result(desk.backlog.read())) == [1, 2]


def test_what_the_last_run_left_over_is_backlog_in_order(bench):
    desk = Desk(bench)
    desk.append(interval(end=desk.now()), event(), interval(end=desk.now()))
    desk.restart()
    desk.append(interval(end=desk.now()))
    assert desk.drain(desk.intervals) == [[4]]
    assert desk.drain(desk.backlog) == [[1, 2], [3]]


def test_a_late_event_does_not_queue_behind_the_backlog(desk):
    desk.append(interval(end=desk.now()), event(end=desk.now()), interval(end=desk.now()))
    desk.bench.run(60)
    assert desk.drain(desk.events) == [[2]]
    assert desk.drain(desk.intervals) == []
    assert desk.drain(desk.backlog) == [[1, 3]]


def test_records_of_others_are_passed_over_without_asking_the_disk(desk):
    for _ in range(3):
        desk.append(interval(period=300))
        desk.append(interval(end=desk.now()))
        assert len(desk.drain(desk.intervals)) == 1
    assert result(desk.backlog.read()) is None
    assert desk.journal.unsettled("mqtt") == ()


def test_more_is_known_once_a_record_of_the_reader_is_on_the_disk(desk):
    assert result(desk.intervals.read()) is None
    more = desk.intervals.when_more()
    desk.append(interval(period=300), event())
    assert pending(more)
    desk.journal.append([interval(end=desk.now())])
    assert pending(more)
    desk.bench.run(2)
    assert result(more) is None
    assert result(desk.intervals.when_more()) is None


def test_the_backlog_is_told_of_when_something_is_fresh_no_longer(desk):
    more = desk.backlog.when_more()
    desk.append(interval(end=desk.now()))
    desk.bench.run(25)
    assert pending(more)
    assert result(desk.intervals.read()) is None
    assert result(more) is None


def test_waiting_for_more_can_be_given_up(desk):
    for feed in (desk.events, desk.intervals, desk.backlog):
        more = feed.when_more()
        more.addErrback(lambda failure: None)
        more.cancel()
    desk.append(interval(end=desk.now()), event())
    assert numbers(result(desk.intervals.read())) == [1]


def test_a_backlog_whose_records_all_went_with_age_is_not_looked_for_again_and_again(desk):
    desk.append(interval(end=desk.now() - 60))
    desk.journal._readers["mqtt"].waiting = 5
    assert result(desk.intervals.read()) is None
    desk.bench.done(desk.journal.expire(10, NOON + 99, 10))
    assert result(desk.backlog.read()) is None
    assert pending(desk.backlog.when_more())


def test_no_more_is_kept_in_memory_than_allowed_and_events_longest(both):
    desk = Desk(both, most=3)
    desk.append(event(), *[interval(end=desk.now()) for _ in range(5)], event())
    assert list(desk.feed._kept) == [1, 6, 7]
    assert desk.drain(desk.events) == [[1], [7]]
    assert desk.drain(desk.intervals) == [[6]]
    assert desk.drain(desk.backlog) == [[2, 3], [4, 5]]


def test_of_two_feeds_of_a_reader_only_the_newer_hears_of_records(desk):
    former = desk.feed
    desk.open()
    desk.append(interval(end=desk.now()))
    assert not former._kept
    assert desk.drain(desk.intervals) == [[1]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.lists(st.sampled_from(["fresh", "old", "event", "other"]), max_size=5)),
            st.tuples(st.sampled_from(["read", "settle", "keep", "drop"]), st.sampled_from([0, 1, 2])),
            st.tuples(st.just("wait"), st.sampled_from([1, 5, 30])),
            st.tuples(st.just("restart"), st.just(0)),
        ),
        max_size=40,
    )
)
def test_whatever_happens_every_record_is_settled_in_the_end_and_none_is_on_its_way_twice(tmp_path_factory, steps):
    desk = Desk(Bench(tmp_path_factory.mktemp("feed") / "journal.db"), most=6)
    wanted, settled = set(), set()
    on_their_way = {}

    def feeds():
        return (desk.events, desk.intervals, desk.backlog)

    def read(which):
        if which not in on_their_way and (batch := result(feeds()[which].read())):
            flying = {n for batch in on_their_way.values() for n in numbers(batch)}
            assert not flying & set(numbers(batch))
            assert not settled & set(numbers(batch))
            on_their_way[which] = batch

    def settle(which, receipt_of):
        if which in on_their_way:
            batch = on_their_way.pop(which)
            receipt = receipt_of(batch)
            settled.update(receipt.accepted)
            feeds()[which].settle(batch, receipt)

    for kind, what in steps:
        if kind == "append" and what:
            ends = {"fresh": desk.now(), "old": desk.now() - 100, "other": desk.now()}
            drafts = [
                event(end=desk.now())
                if each == "event"
                else interval(end=ends[each], period=300 if each == "other" else 10)
                for each in what
            ]
            for each, n in zip(what, desk.append(*drafts), strict=True):
                wanted |= set() if each == "other" else {n}
        elif kind == "read":
            read(what)
        elif kind == "settle":
            settle(what, taken)
        elif kind == "keep":
            settle(what, lambda batch: Receipt(frozenset(numbers(batch)[1:])))
        elif kind == "drop":
            on_their_way.pop(what, None)
        elif kind == "wait":
            desk.bench.run(what, 0.5)
        elif kind == "restart":
            on_their_way.clear()
            desk.restart()
    on_their_way.clear()
    for _ in range(3):
        for which in range(3):
            while True:
                read(which)
                if which not in on_their_way:
                    break
                settle(which, taken)
        desk.bench.run(30, 1.0)
    assert settled == wanted
    assert desk.intervals.waiting() == 0
    assert desk.journal.unsettled("mqtt") == () or result(desk.journal.read("mqtt", 10)) is None
    desk.bench.end()
