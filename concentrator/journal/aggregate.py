"""The aggregator: readings become one base record for each device and interval, aligned to the wall clock, and those
become coarser ones. Hides when an interval is over and what to do when the clock is set, when a reading comes late,
when the time is not known, and when the program begins or ends in the middle of an interval: in all of them no reading
is lost and none counts twice.

Theory. While the time can be believed (`_closed` is set), an interval is open until a moment after its end; a reading
of one that is closed corrects its record. So does an interval that has been before, in another run or before the clock
was set back: its record is made again from what it said and what has come, and is as good as the better of the two.
While the time cannot be believed (`_closed` is None), intervals are those of the seconds since
the machine started, and go where untimed things are kept; they become records before anything else does once the time
is known. What is open at that moment goes on in the interval of that moment.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import Report, Wall
from concentrator.journal.coarser import Coarser
from concentrator.journal.intake import Describe, Intake
from concentrator.journal.journal import Journal
from concentrator.journal.merge import Interval, corrected
from concentrator.journal.tables import Tables
from concentrator.journal.untimed import Boot, Untimed
from concentrator.model.errors import Full, JournalError
from concentrator.model.latency import format_duration, interval_end, last_boundary
from concentrator.model.reading import Quality, Reading
from concentrator.model.record import Draft, Record

log = Logger()

GRACE_S = 0.1
"""How long after its end an interval is closed, for readings that are on their way from the line."""

LOOK_S = 1.0
"""How often is looked whether the time is known by now."""

STEP_S = 0.5
"""A clock that gained or lost so much on the other one was set; one that is slewed gains less in a minute."""

_STRANGE_S = 5.0
"""A reading whose time is further off than a reading may come late is a reason to look at the clocks."""

_BEGUN_SHARE = 0.1
"""An interval of which the program missed no more than this share has been seen whole."""

_Intervals = dict[tuple[int, str], Interval]
"""Intervals in the making, by end and short id."""

_Job = Callable[[], Coroutine[Deferred[Any], Any, None]]


class Aggregator:
    """Writes base records every `base_s` seconds and records of the `coarser` periods (multiples of it).

    `describe` says what a device's records look like; `boot` is this start of the machine. ValueError for a period that
    is no multiple.
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
        boot: Boot,
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
        self._untimed = Untimed(journal, boot, base_s)
        self._boot = boot
        self._intake = Intake(describe, base_s, clock, report)
        self._open: _Intervals = {}
        self._late: _Intervals = {}
        self._closed: int | None = None
        self._is_gathering = False
        self._begun_end = self._landed_end = 0
        # No record of an interval that ends after `_closed` and before this is on the disk; None while nobody asked.
        self._ahead: float | None = None
        self._past: _Job | None = None
        self._lead = self._boot_lead = self._slept = 0.0
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
        opened = _partial(_taken(self._open))
        if self._is_gathering:
            self._keep(opened)
        elif self._closed is not None:
            self._write(opened, _taken(self._late), urgent=True)
        self._closed, self._is_gathering = None, False
        return self._writing.run(lambda: None)

    def reading_received(self, reading: Reading) -> None:
        """Takes a reading into its interval."""
        if self._closed is not None and abs(reading.at - self._clock.seconds() - self._lead) > _STRANGE_S:
            self._look()
        if self._is_gathering:
            end, intervals = interval_end(self._boot.seconds(), self._base_s), self._open
        elif self._closed is None:
            return
        else:
            end = interval_end(reading.at, self._base_s)
            intervals = self._late if end <= self._closed else self._open
        interval = intervals.get((end, reading.uid))
        if interval is None:
            interval = intervals[end, reading.uid] = self._intake.interval(reading.uid)
        self._intake.put(reading, interval)

    def event_happened(self, draft: Draft, at: float) -> Deferred[Any]:
        """Keeps an event, at once; fires when it is on the disk. `at`: its moment in the seconds of the boot, by which
        it is dated, now or when that can be done."""
        ago = self._boot.seconds() - at
        if self._wall.is_trusted():
            return self._journal.append([evolve(draft, end=int(self._wall.now() - ago))], urgent=True)
        return self._untimed.keep([draft], at)

    # -- the turns of the clock

    def _turn(self) -> None:
        """Closes what is over; computed from the clock each time, so that it may be set at any moment."""
        if not self._wall.is_trusted():
            self._timer = self._clock.callLater(LOOK_S, self._turn)
            self._gather()
            return
        now = self._wall.now()
        boundary = last_boundary(now - GRACE_S, self._base_s)
        self._timer = self._clock.callLater(boundary + self._base_s + GRACE_S - now, self._turn)
        if self._closed is None:
            self._begin(now)
            return
        self._heed_step(now)
        if boundary < self._closed - self._base_s:
            self._go_back(boundary)
        elif boundary > self._closed:
            self._close(boundary)

    def _look(self) -> None:
        """Has a turn now if the clock was set."""
        if self._timer is not None and abs(self._wall.now() - self._clock.seconds() - self._lead) >= STEP_S:
            self._timer.cancel()
            self._turn()

    def _heed_step(self, now: float) -> None:
        """What is open when the clock is set was cut short, and where it lands an interval begins in its middle."""
        lead, boot_lead = now - self._clock.seconds(), now - self._boot.seconds()
        # Two leads, for the machine may have slept: then the one clock stood still, and nobody set the other.
        if abs(lead - self._lead) >= STEP_S:
            self._landed_end = interval_end(now, self._base_s)
            self._cut_all()
        step = boot_lead - self._boot_lead
        if abs(step) >= STEP_S:
            course = "forward" if step > 0 else "back"
            text = f"The clock was set {course} by {format_duration(round(abs(step), 1))}."
            self._report("clock.stepped", {"seconds": round(step, 1), "text": text})
        self._lead, self._boot_lead = lead, boot_lead

    def _begin(self, now: float) -> None:
        """The interval the program begins in may have a record already, of the run before: it is corrected then. What
        was gathered before the time was known goes on in it too."""
        self._closed = last_boundary(now, self._base_s)
        self._begun_end = self._closed + self._base_s
        self._lead, self._boot_lead = now - self._clock.seconds(), now - self._boot.seconds()
        was_gathering, self._is_gathering = self._is_gathering, False
        if was_gathering:
            since_boot = self._boot.seconds()
            self._keep(self._over(lambda end: end <= since_boot))
            self._open = {(self._begun_end, uid): interval for (_, uid), interval in _taken(self._open).items()}
        if was_gathering or now - self._closed > self._base_s * _BEGUN_SHARE:
            self._landed_end = self._begun_end
        self._past = partial(self._make_up, now, self._journal.synced + 1, self._begun_end, was_gathering)
        self._write({}, {})

    def _gather(self) -> None:
        """The time is not known: intervals of the seconds since the machine started are kept."""
        since_boot = self._boot.seconds()
        if self._is_gathering and abs(since_boot - self._clock.seconds() - self._slept) >= STEP_S:
            self._cut_all()
        self._slept = since_boot - self._clock.seconds()
        if not self._is_gathering:
            self._is_gathering = True
            if self._closed is not None:
                self._write(_partial(_taken(self._open)), _taken(self._late), urgent=True)
                self._closed = None
            self._landed_end = interval_end(since_boot, self._base_s)
            text = "The time is not known yet. What is read is kept, and gets its time when it is."
            self._report("clock.untrusted", {"text": text})
        boundary = last_boundary(since_boot - GRACE_S, self._base_s)
        self._keep(self._over(lambda end: end <= boundary))

    def _close(self, boundary: int) -> None:
        self._closed = boundary
        self._write(self._over(lambda end: end <= boundary), _taken(self._late))

    def _go_back(self, boundary: int) -> None:
        """The clock was set back over intervals that are closed. What has been gathered is written under the time it
        was gathered at; from here on intervals come again."""
        since = _taken(self._late, lambda end: end > boundary)
        self._in_turn(partial(self._rewind, boundary))
        self._closed = boundary
        self._landed_end = boundary + self._base_s
        self._write(_taken(self._open), _taken(self._late))
        self._open, self._ahead = since, None

    # -- intervals

    def _cut_all(self) -> None:
        for interval in (*self._open.values(), *self._late.values()):
            interval.cut()

    def _over(self, is_over: Callable[[int], bool]) -> _Intervals:
        """The intervals that are over, no longer open then."""
        over = _taken(self._open, is_over)
        for (end, _), interval in over.items():
            if end == self._landed_end:
                interval.cut()
        return over

    def _keep(self, intervals: _Intervals) -> None:
        """Keeps intervals whose time is not known."""
        if intervals:
            drafts = [self._draft(end, interval) for (end, _), interval in intervals.items()]
            self._in_turn(partial(_done, self._untimed.keep(drafts)))

    async def _rewind(self, boundary: int) -> None:
        await self._come_to_terms()
        await self._coarser.rewind(boundary)

    async def _come_to_terms(self) -> None:
        """Does what the past has left to do, once; tried again where it fails."""
        if self._past is not None:
            await self._past()
            self._past = None

    async def _make_up(self, now: float, next_n: int, open_end: int, was_gathering: bool) -> None:
        """Makes records of what was kept without a time, now that it is known."""
        undated = await self._untimed.give_up()
        if undated is not None:
            told, remove = undated
            # In one turn, so that it is told in the commit with which it goes.
            self._report("clock.undated", told.facts(before=now - self._boot.seconds()))
            await remove()
        since = await self._untimed.begin(now)
        await self._coarser.start(since, next_n)
        records, dropped = await self._untimed.date(open_end, self._coarser.first_n)
        if was_gathering or records:
            text = "The time is known. What was kept without one has its time now."
            self._report("clock.trusted", {"records": records, "lost": dropped, "text": text})

    def _write(self, intervals: _Intervals, late: _Intervals, urgent: bool = False) -> None:
        """Has intervals written, and those added to what was written of them that are late or have been before; then
        the coarser records."""
        assert self._closed is not None
        again = _taken(intervals, lambda end: end == self._begun_end or self._ahead is None or end >= self._ahead)
        if again:
            late, self._ahead = late | again, None
        drafts = [self._draft(end, interval) for (end, _), interval in intervals.items()]
        written = self._journal.append(drafts, urgent)
        self._in_turn(partial(self._finish, written, late, self._closed))

    async def _finish(self, written: Deferred[tuple[Record, ...]], late: _Intervals, boundary: int) -> None:
        try:
            await written
        except Full as error:
            # The journal has counted and reported them; what follows must be written all the same.
            log.warn("intervals up to {boundary} were lost: {error}", boundary=boundary, error=error)
        await self._come_to_terms()
        if self._ahead is None:
            after = boundary if self._closed is None else max(boundary, self._closed)
            ahead = await self._journal.query(partial(Tables.next_end, period=self._base_s, after=after))
            self._ahead = math.inf if ahead is None else ahead
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
            held = record.draft
            if record.n >= self._coarser.first_n and (held.uid, held.serial) == (later.uid, later.serial):
                return corrected(held, later)
        return later

    def _draft(self, end: int, interval: Interval) -> Draft:
        if not interval.serial:
            interval.serial = self._intake.serial(interval.uid)
        return interval.draft(end, self._base_s)

    def _in_turn(self, job: _Job) -> None:
        """Runs jobs one after another, since each builds on what the one before has written."""

        def failed(failure: Failure) -> None:
            log.failure("coarser records wait for the next turn", failure)

        self._writing.run(lambda: Deferred.fromCoroutine(job())).addErrback(failed)


async def _done(waiting: Deferred[None]) -> None:
    await waiting


def _partial(intervals: _Intervals) -> _Intervals:
    for interval in intervals.values():
        interval.note(Quality.PARTIAL)
    return intervals


def _taken(intervals: _Intervals, wanted: Callable[[int], bool] = lambda end: True) -> _Intervals:
    """The intervals whose ends are wanted, which are no longer in the mapping then."""
    return {key: intervals.pop(key) for key in tuple(intervals) if wanted(key[0])}
