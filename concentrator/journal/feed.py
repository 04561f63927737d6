"""Where an uploader of records takes its batches from: `RecordFeed` gives what is fresh at once, events and intervals
apart, and beside them the backlog, oldest first; a settled batch is not given again, and its being settled is on the
disk with the next commit. It hides what is kept in memory, and that no record is ever with two of them.

What a commit brings is kept here while it is fresh and not settled, each record with the span of numbers it stands for:
the numbers between its predecessor and it, which are nobody's here. The backlog is what the reader has not settled
below the first of them, and comes from the disk. What is fresh no longer is dropped from here and thereby becomes part
of the backlog, as does what the last run left over. Events are kept until they are settled: one that is late does not
queue behind a day of intervals.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.journal.journal import Journal
from concentrator.journal.position import Span
from concentrator.model.record import EVENT_PERIOD, Batch, Receipt, Record

log = Logger()

MOST_FRESH = 2000
"""How many records are kept in memory; beyond that the oldest are left to the backlog, intervals before events."""


@frozen
class _Fresh:
    """A record in memory, and the first of the numbers it stands for."""

    record: Record
    low: int

    @property
    def is_event(self) -> bool:
        return self.record.draft.period == EVENT_PERIOD


class RecordFeed:
    """The records of a registered reader, as three feeds that are used beside each other: `events` and `intervals` as
    they come, and the `backlog`. `is_fresh` says whether an interval still tells of the present; `limit`: the most
    records of a fresh batch, `backlog_limit` gives that of the next batch of the backlog."""

    def __init__(
        self,
        journal: Journal,
        reader: str,
        is_fresh: Callable[[Record], bool],
        limit: int,
        backlog_limit: Callable[[], int],
        most: int = MOST_FRESH,
    ) -> None:
        self.journal = journal
        self.reader = reader
        self.limit = limit
        self._is_fresh = is_fresh
        self._most = most
        self._kept: OrderedDict[int, _Fresh] = OrderedDict()  # by number, rising
        self._next_low = journal.synced + 1
        self.events = FreshFeed(self, is_event=True)
        self.intervals = FreshFeed(self, is_event=False)
        self.backlog = BacklogFeed(self, backlog_limit)
        journal.follow(reader, self._arrived)

    @property
    def frontier(self) -> int:
        """What is below this number, and not settled, is backlog."""
        return next(iter(self._kept.values())).low if self._kept else self._next_low

    @property
    def has_backlog(self) -> bool:
        """Whether there may be anything unsettled on the disk but not here. The position says so, no count: one that
        is wrong would leave a record lying for ever."""
        frontier = self.frontier
        return any(first < frontier for first, _ in self.journal.unsettled(self.reader))

    def fresh(self, is_event: bool) -> list[_Fresh]:
        """The oldest fresh events, or intervals, that nobody has been given: a run without a gap, at most `limit`."""
        self._age()
        run: list[_Fresh] = []
        for each in self._free():
            if run and (each.low != run[-1].record.n + 1 or each.is_event != is_event or len(run) == self.limit):
                break
            if each.is_event == is_event:
                run.append(each)
        return run

    def has_fresh(self, is_event: bool) -> bool:
        """Whether there are any."""
        return any(each.is_event == is_event for each in self._free())

    def settle(self, batch: Batch, receipt: Receipt) -> None:
        """Settles what was accepted or rejected; the next read heeds it, the next commit writes it."""
        self.journal.settle(batch, receipt.accepted, receipt.rejected).addErrback(_log_unwritten)
        for n in (*receipt.accepted, *receipt.rejected):
            self._kept.pop(n, None)
        self._tell()

    def _arrived(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.n >= self._next_low:  # else it was on the disk before this feed was made
                self._kept[record.n] = _Fresh(record, self._next_low)
                self._next_low = record.n + 1
        self._age()
        self._tell()

    def _age(self) -> None:
        """Leaves to the backlog what is fresh no longer, or too much."""
        stale = [each for each in self._free() if not each.is_event and not self._is_fresh(each.record)]
        for each in stale:
            del self._kept[each.record.n]
        surplus = len(self._kept) - self._most
        if surplus > 0:
            stale = sorted(self._free(), key=lambda each: each.is_event)[:surplus]
            for each in stale:
                del self._kept[each.record.n]
        if stale:
            self.backlog.look()

    def _free(self) -> Iterator[_Fresh]:
        """What is kept and nobody has been given."""
        given = self.events.given | self.intervals.given
        return (each for n, each in self._kept.items() if n not in given)

    def _tell(self) -> None:
        for feed in (self.events, self.intervals, self.backlog):
            feed.look()


@define(eq=False)
class _Waiting:
    """Whoever waits for more, and when that is."""

    has_more: Callable[[], bool]
    _waiter: Deferred[None] | None = None

    def when(self) -> Deferred[None]:
        if self.has_more():
            return succeed(None)
        self._waiter = Deferred(self._given_up)
        return self._waiter

    def look(self) -> None:
        if self._waiter is not None and self.has_more():
            waiter, self._waiter = self._waiter, None
            waiter.callback(None)

    def _given_up(self, _: Deferred[None]) -> None:
        self._waiter = None


@define(eq=False)
class FreshFeed:
    """Fresh events, or fresh intervals. `given`: the numbers of the batch that is on its way."""

    _of: RecordFeed
    _is_event: bool = field(kw_only=True)
    given: frozenset[int] = field(default=frozenset(), init=False)
    _waiting: _Waiting = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._waiting = _Waiting(lambda: self._of.has_fresh(self._is_event))

    def read(self) -> Deferred[Batch | None]:
        """The next batch, or None when there is nothing now; what the one before left unsettled comes again."""
        self.given = frozenset()
        run = self._of.fresh(self._is_event)
        if not run:
            return succeed(None)
        self.given = frozenset(each.record.n for each in run)
        span: Span = (run[0].low, run[-1].record.n)
        return succeed(Batch(self._of.reader, [each.record for each in run], span))

    def settle(self, batch: Batch, receipt: Receipt) -> Deferred[None]:
        """Settles what was accepted or rejected."""
        self._of.settle(batch, receipt)
        return succeed(None)

    def when_more(self) -> Deferred[None]:
        """Fires when there are some."""
        return self._waiting.when()

    def waiting(self) -> int:
        """How many records of the reader are unsettled, in all three feeds."""
        return self._of.journal.waiting(self._of.reader)

    def look(self) -> None:
        """Something has changed."""
        self._waiting.look()


@define(eq=False)
class BacklogFeed:
    """What is not fresh, oldest first, from the disk."""

    _of: RecordFeed
    _limit: Callable[[], int]
    _waiting: _Waiting = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._waiting = _Waiting(lambda: self._of.has_backlog)

    def read(self) -> Deferred[Batch | None]:
        """The next batch, or None when there is nothing now."""
        return self._of.journal.read(self._of.reader, self._limit(), below=self._of.frontier)

    def settle(self, batch: Batch, receipt: Receipt) -> Deferred[None]:
        """Settles what was accepted or rejected."""
        self._of.settle(batch, receipt)
        return succeed(None)

    def when_more(self) -> Deferred[None]:
        """Fires when there is some."""
        return self._waiting.when()

    def waiting(self) -> int:
        """How many records of the reader are unsettled, in all three feeds."""
        return self._of.journal.waiting(self._of.reader)

    def look(self) -> None:
        """Something has changed."""
        self._waiting.look()


def _log_unwritten(failure: Failure) -> None:
    log.failure("a settled batch will be given again after a restart", failure)
