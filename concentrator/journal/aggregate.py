"""The aggregator: readings become one base record for each device and interval, aligned to the wall clock, and those
become coarser ones. Hides when an interval is over and what to do when the clock is set, when a reading comes late, and
when the program begins or ends in the middle of an interval: in all of them no reading is lost and none counts twice.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import Report, Wall
from concentrator.journal.coarser import Coarser
from concentrator.journal.journal import Journal
from concentrator.journal.merge import Interval
from concentrator.model.errors import Full, JournalError
from concentrator.model.latency import interval_end, last_boundary
from concentrator.model.quantity import Quantity
from concentrator.model.reading import Quality, Reading
from concentrator.model.record import Draft, Record

log = Logger()

GRACE_S = 0.1
"""How long after its end an interval is closed, for readings that are on their way from the line."""

Describe = Callable[[str], tuple[str, tuple[Quantity, ...]]]
"""A device's serial (empty while it is not known) and the columns of its records."""

_Intervals = dict[tuple[int, str], Interval]
"""Intervals in the making, by end and short id."""


class Aggregator:
    """Writes base records every `base_s` seconds and records of the `coarser` periods (multiples of it).

    `describe` says what a device's records look like. ValueError for a period that is no multiple.
    """

    def __init__(
        self,
        journal: Journal,
        wall: Wall,
        clock: IReactorTime,
        report: Report,
        *,
        base_s: int,
        coarser: Iterable[int],
        describe: Describe,
    ) -> None:
        periods = tuple(sorted(set(coarser) - {base_s}))
        for period in periods:
            if period % base_s:
                raise ValueError(f"period: found {period} s, expected a multiple of {base_s} s")
        self._journal = journal
        self._wall = wall
        self._clock = clock
        self._report = report
        self._base_s = base_s
        self._coarser = Coarser(journal, base_s, periods)
        self._describe = describe
        self._open: _Intervals = {}
        self._late: _Intervals = {}
        self._closed: int | None = None
        self._begun_end = self._landed_end = 0
        self._is_distrusted = False
        self._writing = DeferredLock()
        self._timer: IDelayedCall | None = None
        self.closed_until = 0
        """All intervals, of all periods, that end at or before this moment (UTC seconds) are on the disk."""

    def start(self) -> None:
        """Begins: readings are taken at once; the coarser records that a former run could not write any more follow."""
        self._turn()

    def stop(self) -> Deferred[None]:
        """Writes what the open intervals hold so far; fires when it is on the disk."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._closed is not None:
            self._write(_partial(_taken(self._open)), _taken(self._late), urgent=True)
            self._closed = None
        return self._writing.run(lambda: None)

    def reading_received(self, reading: Reading) -> None:
        """Takes a reading into its interval."""
        if self._closed is None or not self._is_trusted():
            return
        end = interval_end(reading.at, self._base_s)
        intervals = self._late if end <= self._closed else self._open
        if (end, reading.uid) not in intervals:
            intervals[end, reading.uid] = Interval(reading.uid, *self._describe(reading.uid))
        intervals[end, reading.uid].add(reading.values, reading.missing, reading.quality)

    def _turn(self) -> None:
        """Closes what is over; computed from the clock each time, so that it may be set at any moment."""
        now = self._wall.now()
        boundary = last_boundary(now - GRACE_S, self._base_s)
        self._timer = self._clock.callLater(boundary + self._base_s + GRACE_S - now, self._turn)
        if not self._is_trusted():
            return
        if self._closed is None:
            self._begin(now)
        elif boundary < self._closed - self._base_s:
            self._go_back(boundary)
        elif boundary > self._closed:
            self._close(boundary)

    def _begin(self, now: float) -> None:
        """The interval the program begins in may have a record already, of the run before: it is corrected then."""
        self._closed = last_boundary(now, self._base_s)
        self._begun_end = self._closed + self._base_s
        self._in_turn(self._coarser.start(now))
        self._write({}, {})

    def _close(self, boundary: int) -> None:
        self._closed = boundary
        over = _taken(self._open, lambda end: end <= boundary)
        for (end, _), interval in over.items():
            if end == self._landed_end:
                interval.note(Quality.PARTIAL)
        begun = _taken(over, lambda end: end == self._begun_end)
        self._write(over, _taken(self._late) | begun)

    def _go_back(self, boundary: int) -> None:
        """The clock was set back over intervals that are closed. What has been gathered is written under the time it
        was gathered at; from here on intervals are made again, and of two records of one interval the better counts,
        then the newer."""
        self._closed = boundary
        self._landed_end = boundary + self._base_s
        since = _taken(self._late, lambda end: end > boundary)
        self._in_turn(self._coarser.rewind(boundary))
        self._write(_partial(_taken(self._open) | _taken(self._late)), {})
        self._open = since

    def _write(self, intervals: _Intervals, late: _Intervals, urgent: bool = False) -> None:
        """Has intervals written, and late ones added to what was written of them; then the coarser records."""
        assert self._closed is not None
        drafts = [self._draft(end, interval) for (end, _), interval in intervals.items()]
        written = self._journal.append(drafts, urgent)
        self._in_turn(self._finish(written, late, self._closed))

    async def _finish(self, written: Deferred[tuple[Record, ...]], late: _Intervals, boundary: int) -> None:
        try:
            await written
        except Full as error:
            # The journal has counted and reported them; what follows must be written all the same.
            log.warn("intervals up to {boundary} were lost: {error}", boundary=boundary, error=error)
        if late:
            await self._journal.append([await self._corrected(end, interval) for (end, _), interval in late.items()])
            for end, uid in late:
                self._coarser.base_changed(uid, end)
        await self._coarser.catch_up(boundary)
        self.closed_until = boundary

    async def _corrected(self, end: int, interval: Interval) -> Draft:
        """What the interval's record says already, if there is one, and what came after."""
        later = self._draft(end, interval)
        try:
            records = await self._journal.select(interval.uid, self._base_s, end - 1, end)
        except JournalError as error:
            log.warn("the record to correct cannot be read: {error}", error=error)
            return later
        for record in records:
            if (record.draft.uid, record.draft.serial) == (later.uid, later.serial):
                whole = Interval.of(record.draft)
                whole.absorb(later)
                return whole.draft(end, self._base_s)
        return later

    def _draft(self, end: int, interval: Interval) -> Draft:
        if not interval.serial:
            interval.serial = self._describe(interval.uid)[0] or interval.uid
        return interval.draft(end, self._base_s)

    def _in_turn(self, job: Coroutine[Deferred[Any], Any, None]) -> None:
        """Runs jobs one after another, since each builds on what the one before has written."""

        def failed(failure: Failure) -> None:
            log.failure("coarser records wait for the next turn", failure)

        self._writing.run(Deferred.fromCoroutine, job).addErrback(failed)

    def _is_trusted(self) -> bool:
        is_trusted = self._wall.is_trusted()
        if not is_trusted and not self._is_distrusted:
            self._report("clock.untrusted", {})
        self._is_distrusted = not is_trusted
        return is_trusted


def _partial(intervals: _Intervals) -> _Intervals:
    for interval in intervals.values():
        interval.note(Quality.PARTIAL)
    return intervals


def _taken(intervals: _Intervals, wanted: Callable[[int], bool] = lambda end: True) -> _Intervals:
    """The intervals whose ends are wanted, which are no longer in the mapping then."""
    return {key: intervals.pop(key) for key in tuple(intervals) if wanted(key[0])}
