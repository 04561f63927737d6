"""Coarser records: the base records of each longer period, merged when the period is over. They are made from what is
on the disk and nothing else, so a restart at any moment neither misses one nor makes one twice. Hides which periods
are done; how far is written in the same commit as the records."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial

from attrs import define, field

from concentrator.journal.journal import Journal
from concentrator.journal.merge import Interval
from concentrator.journal.tables import Tables
from concentrator.model.latency import interval_end, last_boundary
from concentrator.model.record import Draft

_Intervals = dict[tuple[str, str], Interval]
"""An open interval for each device, by short id and serial."""


@define(eq=False)
class Coarser:
    """Makes the records of `periods` (seconds, multiples of `base_s`) from those of `base_s`."""

    _journal: Journal
    _base_s: int
    _periods: tuple[int, ...]
    _until: dict[int, int] = field(factory=dict, init=False)
    _stale: dict[tuple[int, int], set[str]] = field(factory=dict, init=False)

    async def start(self, now: float) -> None:
        """Learns up to where each period is done; a period that was not made before begins at the present one."""
        begin = partial(_begin, now=now, periods=self._periods)
        self._until = await self._journal.change(begin)

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
        first = await self._journal.query(partial(Tables.next_end, period=self._base_s, after=self._until[period]))
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
        done: int | None = end - period
        while done is not None:
            # One base interval at a time, so that a commit never waits long for this.
            done = await self._journal.query(
                partial(_absorb_next, into=intervals, period=self._base_s, after=done, until=end)
            )
        return [interval.draft(end, period) for interval in intervals.values() if uids is None or interval.uid in uids]


def _begin(tables: Tables, now: float, periods: Iterable[int]) -> dict[int, int]:
    known = dict(tables.sql.execute("SELECT period, until FROM merged").fetchall())
    until = {}
    for period in periods:
        present = last_boundary(now, period)
        until[period] = min(known.get(period, present), present)
    tables.sql.execute("DELETE FROM merged")
    tables.sql.executemany("INSERT INTO merged VALUES (?, ?)", until.items())
    return until


def _note_until(tables: Tables, period: int, until: int) -> None:
    tables.sql.execute("INSERT OR REPLACE INTO merged VALUES (?, ?)", (period, until))


def _absorb_next(tables: Tables, into: _Intervals, period: int, after: int, until: int) -> int | None:
    """Absorbs the records of the next moment after `after` at which any of the period end; gives that moment, None
    where there is none up to `until`."""
    end = tables.next_end(period, after)
    if end is None or end > until:
        return None
    for record in tables.ended(period, end):
        key = (record.draft.uid, record.draft.serial)
        if key not in into:
            into[key] = Interval(*key, record.draft.columns)
        into[key].absorb(record.draft)
    return end
