"""Group commit: changes handed in by anybody are written together, at most one write in each interval, and whoever
handed one in hears when it is on the disk. Hides when the disk is written, and what becomes of changes while it cannot
be: they are kept in order, tried again with back-off, and dropped, counted, only beyond a bound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from concentrator.api import Report
from concentrator.journal.tables import Tables
from concentrator.model.errors import Full, JournalError

Change = Callable[[Tables], Any]
Write = Callable[[Sequence[Change]], Deferred[list[Any]]]
"""Makes the changes in one transaction; fires with what each returned, or fails and has made none."""

RETRY_FIRST_S = 1.0
RETRY_MOST_S = 30.0


@define(eq=False)
class _Entry:
    change: Change
    records: int
    is_urgent: bool
    may_wait_until: float
    done: Deferred[Any]


class GroupCommit:
    """Writes changes in the order they were submitted, those of one reactor turn always together.

    `commit_s`: the least seconds from one write to the next; `urgent_per_s`: how many writes a second may come before
    that for an urgent change; `records_max`: how many records may wait for a disk that does not take them; `committed`:
    called after each write, when those who handed in its changes have heard.
    """

    def __init__(
        self,
        clock: IReactorTime,
        write: Write,
        report: Report,
        committed: Callable[[], None],
        *,
        commit_s: float,
        urgent_per_s: int,
        records_max: int,
    ) -> None:
        self._clock = clock
        self._write = write
        self._report = report
        self._committed = committed
        self._commit_s = commit_s
        self._urgent: deque[float] = deque(maxlen=urgent_per_s)
        self._records_max = records_max
        self._waiting: list[_Entry] = []
        self._writing: list[_Entry] = []
        self._timer: IDelayedCall | None = None
        self._began = float("-inf")
        self._retry_s = 0.0
        self._singly = 0
        self._lost_before = 0
        self._idle: list[Deferred[None]] = []
        self._is_closing = False
        self.commits = 0
        self.failures = 0
        self.lost = 0

    @property
    def pending(self) -> int:
        """How many records wait for the disk."""
        return sum(entry.records for entry in (*self._writing, *self._waiting))

    def submit(
        self, change: Change, records: int = 0, is_urgent: bool = False, may_wait_s: float = 0.0
    ) -> Deferred[Any]:
        """Has a change written; fires with what it returned once it is on the disk. `records`: how many records are
        lost if it is dropped; one without any is never dropped. Fails with Full where it was. `may_wait_s`: for how
        long it may wait for another change to be written with."""
        if self._is_closing:
            return fail(JournalError("it is closed"))
        entry = _Entry(change, records, is_urgent, self._clock.seconds() + may_wait_s, Deferred())
        self._waiting.append(entry)
        self._drop_beyond_bound()
        self._schedule()
        return entry.done

    def flush(self) -> Deferred[None]:
        """Writes what waits now; fires when it is written, or could not be. Nothing can be submitted after."""
        self._is_closing = True
        idle: Deferred[None] = Deferred()
        self._idle.append(idle)
        self._schedule()
        return idle

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing:
            return
        if not self._waiting:
            idle, self._idle = self._idle, []
            for waiter in idle:
                waiter.callback(None)
        elif self._is_closing:
            self._begin()
        else:
            moment = self._began + (self._retry_s or self._commit_s)
            moment = max(moment, min(entry.may_wait_until for entry in self._waiting))
            if not self._retry_s and any(entry.is_urgent for entry in self._waiting):
                moment = min(moment, self._next_urgent())
            # Never in this turn, so that what the turn still hands in is written with it.
            self._timer = self._clock.callLater(max(0.0, moment - self._clock.seconds()), self._begin)

    def _next_urgent(self) -> float:
        """The earliest moment of a write for an urgent change."""
        return self._urgent[0] + 1.0 if len(self._urgent) == self._urgent.maxlen else self._clock.seconds()

    def _begin(self) -> None:
        self._timer = None
        size = 1 if self._singly else len(self._waiting)
        self._writing, self._waiting = self._waiting[:size], self._waiting[size:]
        self._singly = max(0, self._singly - 1)
        self._began = self._clock.seconds()
        if any(entry.is_urgent for entry in self._writing):
            self._urgent.append(self._began)
        self._write([entry.change for entry in self._writing]).addCallbacks(self._written, self._failed)

    def _written(self, results: list[Any]) -> None:
        written, self._writing = self._writing, []
        self.commits += 1
        if self._retry_s:
            self._retry_s = 0.0
            self._report("journal.recovered", {"lost": self.lost - self._lost_before})
        self._lost_before = self.lost
        for entry, result in zip(written, results, strict=True):
            entry.done.callback(result)
        try:
            self._committed()
        finally:
            self._schedule()

    def _failed(self, failure: Failure) -> None:
        self.failures += 1
        if not isinstance(failure.value, JournalError):
            self._isolate(failure)
        elif self._is_closing:
            given_up, self._writing, self._waiting = [*self._writing, *self._waiting], [], []
            self.lost += sum(entry.records for entry in given_up)
            for entry in given_up:
                entry.done.errback(failure)
        else:
            self._waiting = self._writing + self._waiting
            self._writing = []
            if not self._retry_s:
                self._report("journal.stuck", {"error": str(failure.value), "pending": self.pending})
            self._retry_s = min(RETRY_MOST_S, 2 * self._retry_s or RETRY_FIRST_S)
            self._drop_beyond_bound()
        self._schedule()

    def _isolate(self, failure: Failure) -> None:
        """A change is at fault, not the disk: each is tried alone, and the one at fault is told."""
        tried, self._writing = self._writing, []
        if len(tried) == 1:
            self.lost += tried[0].records
            tried[0].done.errback(failure)
        else:
            self._waiting = tried + self._waiting
            self._singly = len(tried)

    def _drop_beyond_bound(self) -> None:
        """Drops the oldest records that wait, events last, and never what was submitted last."""
        while self.pending > self._records_max:
            candidates = [entry for entry in self._waiting[:-1] if entry.records]
            if not candidates:
                return
            dropped = next((entry for entry in candidates if not entry.is_urgent), candidates[0])
            self._waiting.remove(dropped)
            if self.lost == self._lost_before:
                self._report("journal.losing", {"pending": self.pending})
            self.lost += dropped.records
            dropped.done.errback(Full(f"{self._records_max} records already wait for the disk"))
