from itertools import pairwise

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from concentrator.journal.commit import RETRY_MOST_S, GroupCommit
from concentrator.model.errors import Full, JournalError
from tests.support.journals import pending, result


class Disk:
    """A group commit on a disk that does what the test says. `writes` are the changes of each write with its moment."""

    def __init__(self, records_max=100):
        self.clock = Clock()
        self.writes = []
        self.reports = []
        self.committed = 0
        self.trouble = None
        self.held = None
        self.commit = GroupCommit(
            self.clock,
            self.write,
            lambda name, facts: self.reports.append((name, facts)),
            self.count,
            commit_s=1.0,
            urgent_per_s=5,
            records_max=records_max,
        )

    def count(self):
        self.committed += 1

    def write(self, changes):
        self.writes.append((round(self.clock.seconds(), 2), list(changes)))
        if self.held is not None:
            return self.held
        trouble = self.trouble(changes) if callable(self.trouble) else self.trouble
        return fail(trouble) if trouble else succeed(list(changes))

    def run(self, seconds):
        self.clock.pump([0.05] * round(seconds / 0.05))


@pytest.fixture
def disk():
    disk = Disk()
    yield disk
    disk.trouble = disk.held = None
    disk.commit.flush()
    assert disk.clock.getDelayedCalls() == []


def test_changes_of_one_turn_are_written_together(disk):
    done = [disk.commit.submit(name) for name in "abc"]
    assert disk.writes == []
    disk.run(0.05)
    assert disk.writes == [(0.05, ["a", "b", "c"])]
    assert [result(change) for change in done] == ["a", "b", "c"]


def test_there_is_at_most_one_write_a_second(disk):
    for i in range(60):
        disk.commit.submit(i)
        disk.run(0.05)
    assert len(disk.writes) in (3, 4)
    moments = [moment for moment, _ in disk.writes]
    assert all(round(later - earlier, 2) >= 1.0 for earlier, later in pairwise(moments))


def test_an_urgent_change_is_written_at_once_and_what_waits_with_it(disk):
    disk.commit.submit("a")
    disk.run(0.05)
    disk.commit.submit("b")
    disk.commit.submit("c", is_urgent=True)
    disk.clock.advance(0)
    assert disk.writes == [(0.05, ["a"]), (0.05, ["b", "c"])]


def test_in_no_second_are_there_more_than_five_urgent_writes(disk):
    for i in range(100):
        disk.commit.submit(i, is_urgent=True)
        disk.run(0.05)
    moments = [moment for moment, _ in disk.writes]
    within = [sum(begin <= moment < begin + 0.99 for moment in moments) for begin in moments]
    assert max(within) == 5
    assert disk.writes[-1][0] >= 4


def test_of_six_urgent_changes_in_a_row_the_last_waits_until_the_second_is_over(disk):
    for i in range(6):
        disk.commit.submit(i, is_urgent=True)
        disk.clock.advance(0.01)
    assert len(disk.writes) == 5
    disk.run(1)
    moment, changes = disk.writes[-1]
    assert changes == [5]
    assert 1.0 <= moment <= 1.05


def test_nothing_is_written_while_a_write_is_under_way(disk):
    disk.held = Deferred()
    first = disk.commit.submit("a")
    disk.run(0.05)
    second = disk.commit.submit("b")
    disk.run(5)
    assert [changes for _, changes in disk.writes] == [["a"]]
    held, disk.held = disk.held, None
    held.callback(["a"])
    disk.run(0.05)
    assert result(first) == "a"
    assert result(second) == "b"


def test_a_write_that_failed_is_tried_again_with_back_off_and_reported_once(disk):
    disk.trouble = Full("no space")
    first = disk.commit.submit("a", records=1)
    disk.run(40)
    second = disk.commit.submit("b", records=1)
    disk.run(60)
    moments = [moment for moment, _ in disk.writes]
    gaps = [round(later - earlier) for earlier, later in pairwise(moments)]
    assert gaps[:4] == [1, 2, 4, 8]
    assert max(gaps) == RETRY_MOST_S
    assert pending(first)
    assert pending(second)
    assert [name for name, _ in disk.reports] == ["journal.stuck"]
    assert disk.commit.pending == 2
    disk.trouble = None
    disk.run(RETRY_MOST_S)
    assert (result(first), result(second)) == ("a", "b")
    assert disk.reports[-1] == ("journal.recovered", {"lost": 0})
    assert disk.commit.pending == 0


def test_changes_keep_their_order_over_a_failure(disk):
    disk.trouble = Full()
    disk.commit.submit("a")
    disk.run(0.05)
    disk.commit.submit("b")
    disk.trouble = None
    disk.run(2)
    assert disk.writes[-1][1] == ["a", "b"]


def test_beyond_the_bound_the_oldest_records_are_dropped_counted_and_reported_once(disk):
    disk.trouble = Full()
    done = [disk.commit.submit(i, records=40) for i in range(4)]
    for dropped in done[:2]:
        with pytest.raises(Full, match="100 records"):
            result(dropped)
    assert pending(done[2])
    assert disk.commit.lost == 80
    assert [name for name, _ in disk.reports] == ["journal.losing"]
    disk.run(1)
    disk.trouble = None
    disk.run(2)
    assert disk.reports[-1] == ("journal.recovered", {"lost": 80})
    assert disk.writes[-1][1] == [2, 3]


def test_events_and_changes_without_records_are_dropped_last(disk):
    disk.trouble = Full()
    position = disk.commit.submit("position")
    alarm = disk.commit.submit("event", records=1, is_urgent=True)
    interval = disk.commit.submit("interval", records=60)
    disk.commit.submit("more", records=60)
    with pytest.raises(Full):
        result(interval)
    assert pending(position)
    assert pending(alarm)


def test_what_was_submitted_last_is_not_dropped_however_big(disk):
    big = disk.commit.submit("big", records=1000)
    disk.run(0.05)
    assert result(big) == "big"


def test_a_change_at_fault_does_not_take_others_with_it(disk):
    disk.trouble = lambda changes: ZeroDivisionError("bad") if "bad" in changes else None
    done = {name: disk.commit.submit(name, records=1) for name in ("a", "bad", "b")}
    disk.run(5)
    assert (result(done["a"]), result(done["b"])) == ("a", "b")
    with pytest.raises(ZeroDivisionError):
        result(done["bad"])
    assert disk.commit.lost == 1
    later = disk.commit.submit("c")
    disk.run(1)
    assert result(later) == "c"


def test_a_flush_writes_at_once_and_ends_it(disk):
    disk.commit.submit("a")
    disk.run(0.05)
    change = disk.commit.submit("b")
    flushed = disk.commit.flush()
    assert result(change) == "b"
    assert result(flushed) is None
    with pytest.raises(JournalError, match="closed"):
        result(disk.commit.submit("c"))


def test_a_flush_waits_for_the_write_under_way(disk):
    disk.held = held = Deferred()
    disk.commit.submit("a")
    disk.run(0.05)
    flushed = disk.commit.flush()
    assert pending(flushed)
    disk.held = None
    held.callback(["a"])
    assert result(flushed) is None


def test_a_flush_on_a_disk_that_takes_nothing_gives_up_and_says_so(disk):
    disk.trouble = Full("no space")
    change = disk.commit.submit("a", records=3)
    flushed = disk.commit.flush()
    with pytest.raises(Full):
        result(change)
    assert result(flushed) is None
    assert disk.commit.lost == 3


def test_others_hear_of_a_write_after_those_who_asked_for_it(disk):
    heard = []
    disk.commit.submit("a").addCallback(lambda _: heard.append(disk.committed))
    disk.run(0.05)
    assert heard == [0]
    assert disk.committed == 1
