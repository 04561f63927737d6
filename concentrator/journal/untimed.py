"""What is kept while the time is not known: base intervals and events with the seconds since the machine started. Once
the time is known they become records. Hides the tables they lie in until then and that this happens once, however often
the program is killed meanwhile: rows go in the commit that brings their records.

Theory. The machine tells its starts apart by a boot id, and within one counts seconds that nobody sets. So a moment of
this start has its UTC as soon as the two clocks can be compared: `lead` is by how much the wall clock is ahead. It is
written down before the first record is made with it, for a later comparison would differ a little. A start that ended
before its lead was known can never be dated; what was gathered in it is counted and told, and goes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred

from concentrator.journal import codec, packed
from concentrator.journal.journal import Journal
from concentrator.journal.merge import Interval, corrected
from concentrator.journal.tables import Row, Tables
from concentrator.model.latency import interval_end
from concentrator.model.quantity import Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import EVENT_PERIOD, Draft

ROWS_MAX = 100_000
"""So many rows are kept at most; beyond them the oldest go, counted. A day of 33 devices at a minute is half."""

_CHUNK = 500


class Boot(Protocol):
    """This start of the machine, and its `id`."""

    id: str

    def seconds(self) -> float:
        """The seconds since then, those of a sleep among them; nobody sets them."""


@frozen
class Undated:
    """What was gathered in starts of the machine that ended before their time was known: so many records, of these
    devices (short ids), within so many seconds; `after` is a moment before all of them (UTC seconds), None where none
    is known; `dropped` records besides had gone before, for want of room."""

    records: int
    devices: tuple[str, ...]
    seconds: int
    after: int | None
    dropped: int

    def facts(self, before: float) -> dict[str, object]:
        """The same for an event, with a sentence; `before` is a moment after all of them (UTC seconds)."""
        devices = f"{len(self.devices)} device{'s' * (len(self.devices) != 1)}"
        after, until = None if self.after is None else _utc(self.after), _utc(before)
        when = f"before {until}" if after is None else f"between {after} and {until}"
        return {
            "records": self.records,
            "devices": list(self.devices),
            "seconds": self.seconds,
            "after": after,
            "before": until,
            "lost": self.dropped,
            "text": f"{self.records} records of {devices} were made while the time was not known, {when}. The machine "
            "was started again before it was, so that they have no place in time and are given up. What counters "
            "counted meanwhile is in their later values.",
        }


@frozen
class _Row:
    id: int
    stop: float
    draft: Draft


@define(eq=False)
class Untimed:
    """The untimed rows of a journal, and this `boot`. Intervals become base records of `base_s` seconds."""

    _journal: Journal
    boot: Boot
    _base_s: int
    _leads: dict[str, float] = field(factory=dict, init=False)

    def keep(self, drafts: Sequence[Draft], at: float | None = None) -> Deferred[None]:
        """Keeps drafts whose `end` counts the seconds of this boot, or that happened `at` that moment of it; fires
        when they are on the disk. Raises as `Journal.append` does."""
        rows = [(draft.end if at is None else at, Row.of(0, draft)) for draft in drafts]
        return self._journal.change(partial(_insert, boot=self.boot.id, rows=rows))

    async def begin(self, now: float) -> float:
        """The time is known, `now` being this moment in UTC: gives the moment from which on there are rows to be dated,
        and `now` where there are none. Raises JournalError, here and below."""
        if not await self._journal.query(_has_any):
            return now
        self._leads = await self._journal.change(partial(_fix_leads, boot=self.boot.id, lead=now - self.boot.seconds()))
        since = await self._journal.query(partial(_earliest, leads=self._leads))
        return now if since is None else min(now, since)

    async def date(self, open_end: int, first_n: int) -> tuple[int, int]:
        """Makes records of all rows whose time is known. Those of intervals that end at or after `open_end`, which are
        not over, are partial, for more will follow; those of intervals that have base records already, numbered
        `first_n` or higher, correct them. Gives how many records were made and how many rows had been dropped. What
        was not done when it fails is done the next time."""
        records = 0
        for boot, lead in self._leads.items():
            while rows := await self._journal.query(partial(_oldest, boot=boot)):
                drafts = _dated(rows, lead, self._base_s, open_end)
                drafts = await self._journal.query(partial(_corrected, drafts=drafts, first_n=first_n))
                written = self._journal.append(drafts)
                gone = self._journal.change(partial(_remove, ids=[row.id for row in rows]))
                await written
                await gone
                records += len(drafts)
        leads, self._leads = self._leads, {}
        return records, await self._journal.change(partial(_forget, boots=tuple(leads))) if leads else 0

    async def give_up(self) -> tuple[Undated, Callable[[], Deferred[int]]] | None:
        """What can never be dated, and what removes it with the next commit, to be called in the turn in which it is
        told; None where there is nothing. Raises JournalError."""
        undated = await self._journal.query(partial(_undated, boot=self.boot.id))
        if undated is None:
            return None
        boots, told = undated
        return told, lambda: self._journal.change(partial(_forget, boots=boots))


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _dated(rows: Iterable[_Row], lead: float, base_s: int, open_end: int) -> list[Draft]:
    """Rows as drafts with their time, in their order: each interval's tallies in the one its end falls into."""
    events: list[Draft] = []
    intervals: dict[tuple[str, str, int], Interval] = {}
    for row in rows:
        draft = row.draft
        if draft.period == EVENT_PERIOD:
            events.append(evolve(draft, end=int(row.stop + lead)))
            continue
        end = interval_end(row.stop + lead, base_s)
        key = (draft.uid, draft.serial, end)
        if key not in intervals:
            intervals[key] = Interval(draft.uid, draft.serial, draft.columns)
            if end >= open_end:
                intervals[key].note(Quality.PARTIAL)
        intervals[key].absorb(draft)
    return [interval.draft(end, base_s) for (_, _, end), interval in intervals.items()] + events


def _corrected(tables: Tables, drafts: Sequence[Draft], first_n: int) -> list[Draft]:
    """The drafts, together with the records there are of the same intervals."""
    ends = {(draft.period, draft.end) for draft in drafts if draft.period != EVENT_PERIOD}
    found = [record.draft for period, end in ends for record in tables.ended(period, end, first_n)]
    held = {(draft.uid, draft.serial, draft.period, draft.end): draft for draft in found}
    keys = [(draft.uid, draft.serial, draft.period, draft.end) for draft in drafts]
    return [corrected(held[key], draft) if key in held else draft for key, draft in zip(keys, drafts, strict=True)]


def _insert(tables: Tables, boot: str, rows: Sequence[tuple[float, Row]]) -> None:
    dumped: dict[tuple[Quantity, ...], str] = {}
    values = []
    for stop, row in rows:
        draft = row.draft
        if draft.columns not in dumped:
            dumped[draft.columns] = codec.dump_columns(draft.columns)
        columns = None if draft.event else dumped[draft.columns]
        grade = codec.pack_grade(draft.quality, draft.covered)
        values.append((boot, stop, draft.period, draft.uid, draft.serial, grade, columns, row.content))
    into = "INSERT INTO untimed (boot, stop, period, uid, serial, grade, columns, content)"
    tables.sql.executemany(f"{into} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    (newest,) = tables.sql.execute("SELECT max(id) FROM untimed").fetchone()
    old = "FROM untimed WHERE id <= ?"
    for dropped_of, count in tables.sql.execute(
        f"SELECT boot, count(*) {old} GROUP BY boot", (newest - ROWS_MAX,)
    ).fetchall():
        tables.sql.execute("INSERT OR IGNORE INTO boot (boot) VALUES (?)", (dropped_of,))
        tables.sql.execute("UPDATE boot SET dropped = dropped + ? WHERE boot = ?", (count, dropped_of))
    tables.sql.execute(f"DELETE {old}", (newest - ROWS_MAX,))


def _has_any(tables: Tables) -> bool:
    return tables.sql.execute("SELECT 1 FROM untimed UNION ALL SELECT 1 FROM boot LIMIT 1").fetchone() is not None


def _fix_leads(tables: Tables, boot: str, lead: float) -> dict[str, float]:
    """The leads of the starts that have one; this one's is fixed now, where it has not been before."""
    tables.sql.execute("INSERT OR IGNORE INTO boot (boot) VALUES (?)", (boot,))
    tables.sql.execute("UPDATE boot SET lead = ? WHERE boot = ? AND lead IS NULL", (lead, boot))
    return dict(tables.sql.execute("SELECT boot, lead FROM boot WHERE lead IS NOT NULL").fetchall())


def _earliest(tables: Tables, leads: Mapping[str, float]) -> float | None:
    select = "SELECT min(stop - period) FROM untimed WHERE boot = ?"
    firsts = {boot: tables.sql.execute(select, (boot,)).fetchone()[0] for boot in leads}
    return min((first + leads[boot] for boot, first in firsts.items() if first is not None), default=None)


def _oldest(tables: Tables, boot: str) -> list[_Row]:
    """Some of the oldest rows of a start, always all those of one moment."""
    select = "SELECT id, stop, period, uid, serial, grade, columns, content FROM untimed WHERE boot = ?"
    found = tables.sql.execute(f"{select} ORDER BY stop, id LIMIT ?", (boot, _CHUNK)).fetchall()
    if len(found) == _CHUNK:
        last = found[-1][1]
        found = [row for row in found if row[1] < last]
        found += tables.sql.execute(f"{select} AND stop = ? ORDER BY id", (boot, last)).fetchall()
    known: dict[str, tuple[Quantity, ...]] = {}
    rows = []
    for identity, stop, period, uid, serial, grade, dumped, content in found:
        quality, covered = codec.unpack_grade(grade)
        if dumped is None:
            draft = Draft(uid, serial, 0, period, quality=quality, event=json.loads(content))
        else:
            columns = known.setdefault(dumped, codec.load_columns(dumped))
            tallies = packed.unpack_tallies(content, columns)
            draft = Draft(uid, serial, 0, period, columns, tallies, quality, covered=covered)
        rows.append(_Row(identity, stop, draft))
    return rows


def _remove(tables: Tables, ids: Sequence[int]) -> None:
    tables.sql.executemany("DELETE FROM untimed WHERE id = ?", [(identity,) for identity in ids])


def _forget(tables: Tables, boots: Sequence[str]) -> int:
    """Nothing of these starts is kept any more; gives how many rows of them had been dropped."""
    dropped = 0
    for boot in boots:
        found = tables.sql.execute("SELECT dropped FROM boot WHERE boot = ?", (boot,)).fetchone()
        dropped += found[0] if found else 0
        tables.sql.execute("DELETE FROM untimed WHERE boot = ?", (boot,))
        tables.sql.execute("DELETE FROM boot WHERE boot = ?", (boot,))
    return dropped


def _undated(tables: Tables, boot: str) -> tuple[tuple[str, ...], Undated] | None:
    sql = tables.sql
    known = {each for (each,) in sql.execute("SELECT boot FROM boot WHERE lead IS NOT NULL")} | {boot}
    found = {each for (each,) in sql.execute("SELECT boot FROM untimed UNION SELECT boot FROM boot")}
    boots = tuple(sorted(found - known))
    if not boots:
        return None
    those = f"boot IN ({','.join('?' * len(boots))})"
    spans = sql.execute(
        f"SELECT count(*), max(stop) - min(stop - period) FROM untimed WHERE {those} GROUP BY boot", boots
    ).fetchall()
    devices = sql.execute(
        f"SELECT DISTINCT uid FROM untimed WHERE {those} AND uid <> '' ORDER BY uid", boots
    ).fetchall()
    (dropped,) = sql.execute(f"SELECT ifnull(sum(dropped), 0) FROM boot WHERE {those}", boots).fetchone()
    (after,) = sql.execute("SELECT max(until) FROM merged").fetchone()
    seconds = round(sum(span for _, span in spans))
    told = Undated(sum(count for count, _ in spans), tuple(uid for (uid,) in devices), seconds, after, dropped)
    return boots, told
