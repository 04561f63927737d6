"""Coarser records: the base records of each longer period, merged when the period is over. They are made from what is
on the disk and nothing else, so a restart at any moment neither misses one nor makes one twice. Hides which periods
are done, how far being written in the same commit as the records, and that the base interval may change: which one a
record is made of is told by its number, for each reading went into the base records of one interval only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial

from attrs import define, evolve, field, frozen

from concentrator.journal.journal import Journal
from concentrator.journal.merge import Interval
from concentrator.journal.tables import LAST_N, Tables
from concentrator.model.latency import interval_end, last_boundary
from concentrator.model.reading import Quality
from concentrator.model.record import Draft

_Intervals = dict[tuple[str, str], Interval]
"""An open interval for each device, by short id and serial."""

_REIGNS_MAX = 8
"""So many base intervals are remembered: older records were merged long ago."""


@frozen
class _Reign:
    """Records from `first_n` to `last_n` are base records where their period is `base_s`."""

    first_n: int
    last_n: int
    base_s: int


@define(eq=False)
class Coarser:
    """Makes the records of `periods` (seconds, multiples of `base_s`) from those of `base_s`. `first_n`: no record
    with a smaller number is a base record of the present interval."""

    _journal: Journal
    _base_s: int
    _periods: tuple[int, ...]
    first_n: int = field(default=0, init=False)
    _reigns: tuple[_Reign, ...] = field(default=(), init=False)
    _until: dict[int, int] = field(factory=dict, init=False)
    _stale: dict[tuple[int, int], set[str]] = field(factory=dict, init=False)

    async def start(self, now: float, next_n: int) -> None:
        """Learns up to where each period is done; a period that was not made before begins at the present one. No base
        record of this interval has been given a number since the program began, nor one below `next_n`, if it was
        another before."""
        begin = partial(_begin, now=now, periods=self._periods, base_s=self._base_s, next_n=next_n)
        self._until, self._reigns = await self._journal.change(begin)
        self.first_n = self._reigns[-1].first_n

    async def catch_up(self, until: int) -> None:
        """Makes what can be made of the base records that end at or before `until` (UTC seconds), and makes again what
        was made before late ones came. Raises JournalError; what was not done then is done the next time."""
        for period in self._periods:
            while self._until[period] + period <= until:
                await self._next(period, until)
        while self._stale:
            (period, end), uids = next(iter(self._stale.items()))
            await self._journal.append(await self._merged(period, end, uids))
            self._stale.pop((period, end))

    async def wind_up(self, now: float) -> None:
        """Writes what the intervals that hold `now` have so far: for whoever takes these periods up to now only. It
        stands beside whoever else makes records of them, and needs no start."""
        self._reigns = await self._journal.query(_reigns)
        for period in self._periods:
            drafts = await self._merged(period, interval_end(now, period))
            whole = [evolve(each, quality=Quality.PARTIAL) for each in drafts if each.quality is Quality.GOOD]
            await self._journal.append(whole + [each for each in drafts if each.quality is not Quality.GOOD])

    def base_changed(self, uid: str, end: int) -> None:
        """A base record of an interval that is over was written or corrected."""
        for period in self._periods:
            whole = interval_end(end, period)
            if whole <= self._until[period]:
                self._stale.setdefault((period, whole), set()).add(uid)

    async def rewind(self, boundary: int) -> None:
        """The clock went back to that boundary: what ends after it is to be made again."""
        for period in self._periods:
            self._until[period] = min(self._until[period], last_boundary(boundary, period))

    async def _next(self, period: int, until: int) -> None:
        first = await self._journal.query(partial(_next_end, reigns=self._reigns, after=self._until[period]))
        end = last_boundary(until, period) if first is None else interval_end(first, period)
        if first is not None and end <= until:
            drafts = await self._merged(period, end)
            written = self._journal.append(drafts)
            await self._journal.change(partial(_note_until, period=period, until=end))
            await written
        self._until[period] = min(end, last_boundary(until, period))

    async def _merged(self, period: int, end: int, uids: Collection[str] | None = None) -> list[Draft]:
        """The records of (end - period, end], of all devices or of those."""
        intervals: _Intervals = {}
        for reign in self._reigns:
            done: int | None = end - period
            while done is not None:
                # One base interval at a time, so that a commit never waits long for this.
                done = await self._journal.query(
                    partial(_absorb_next, into=intervals, reign=reign, after=done, until=end)
                )
        return [interval.draft(end, period) for interval in intervals.values() if uids is None or interval.uid in uids]


def _begin(
    tables: Tables, now: float, periods: Iterable[int], base_s: int, next_n: int
) -> tuple[dict[int, int], tuple[_Reign, ...]]:
    sql = tables.sql
    known = dict(sql.execute("SELECT period, until FROM merged").fetchall())
    until = {}
    for period in periods:
        present = last_boundary(now, period)
        until[period] = min(known.get(period, present), present)
    sql.execute("DELETE FROM merged")
    sql.executemany("INSERT INTO merged VALUES (?, ?)", until.items())
    bases = sql.execute("SELECT first_n, period FROM base ORDER BY first_n").fetchall()
    if not bases or bases[-1][1] != base_s:
        bases = [each for each in bases if each[0] < next_n] + [(next_n if bases else 0, base_s)]
        bases = bases[-_REIGNS_MAX:]
        sql.execute("DELETE FROM base")
        sql.executemany("INSERT INTO base VALUES (?, ?)", bases)
    return until, _reigns(tables)


def _reigns(tables: Tables) -> tuple[_Reign, ...]:
    bases = tables.sql.execute("SELECT first_n, period FROM base ORDER BY first_n").fetchall()
    ends = [first_n - 1 for first_n, _ in bases[1:]] + [LAST_N]
    return tuple(_Reign(first_n, end, base) for (first_n, base), end in zip(bases, ends, strict=True))


def _note_until(tables: Tables, period: int, until: int) -> None:
    tables.sql.execute("INSERT OR REPLACE INTO merged VALUES (?, ?)", (period, until))


def _next_end(tables: Tables, reigns: Iterable[_Reign], after: int) -> int | None:
    """The earliest end after a moment among the base records."""
    ends = [tables.next_end(base_s, after) for base_s in {reign.base_s for reign in reigns}]
    return min((end for end in ends if end is not None), default=None)


def _absorb_next(tables: Tables, into: _Intervals, reign: _Reign, after: int, until: int) -> int | None:
    """Absorbs the base records of the next moment after `after` at which any of the reign end; gives that moment, None
    where there is none up to `until`."""
    end = tables.next_end(reign.base_s, after)
    if end is None or end > until:
        return None
    for record in tables.ended(reign.base_s, end, reign.first_n, reign.last_n):
        key = (record.draft.uid, record.draft.serial)
        if key not in into:
            into[key] = Interval(*key, record.draft.columns)
        into[key].absorb(record.draft)
    return end
