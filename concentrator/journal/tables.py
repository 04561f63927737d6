"""What is said to the journal's file about records and readers. Every method runs in the worker's thread. Hides the
tables, the ids that stand for devices and layouts in them, and how rows become records."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, TypeVar

from attrs import frozen

from concentrator.journal import codec, packed
from concentrator.journal.database import Database, translated
from concentrator.journal.late import LateTallies
from concentrator.journal.names import Columns, Names
from concentrator.journal.position import Position, Span
from concentrator.journal.shelf import Found, Shelf
from concentrator.journal.terms import Terms
from concentrator.model.errors import Full
from concentrator.model.record import EVENT_PERIOD, Draft, Record

T = TypeVar("T")

_SELECT = "SELECT n, period, stop, device, quality, layout, content FROM record"
_COUNTED_BY_INDEX = 50_000

LAST_N = 2**62
"""More than any number ever given."""


@frozen
class Row:
    """A numbered draft in the form the file takes."""

    n: int
    draft: Draft
    content: bytes | str

    @classmethod
    def of(cls, n: int, draft: Draft) -> Row:
        """The row of a draft. Raises ValueError where tallies and columns do not fit each other, TypeError where an
        event is not JSON-able."""
        if draft.event:
            return cls(n, draft, json.dumps(draft.event, ensure_ascii=False, separators=(",", ":")))
        return cls(n, draft, packed.pack_tallies(draft.tallies, draft.columns))


class Tables:
    """The tables of one open file."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sql = database.connection
        self.names = Names(self.sql)
        self.shelf = Shelf(self.sql, self.names.columns)
        self.used = 0
        """Bytes of the file's pages that hold something, as of the last commit."""

    def commit(self, changes: Sequence[Callable[[Tables], Any]]) -> list[Any]:
        """Makes the changes in one transaction and gives what each returned; all are on the disk then, or none is.
        Raises Full, Corrupt or JournalError, and whatever a change raises."""
        try:
            with translated(), ExitStack() as undo:
                undo.callback(self._forget)
                with self.sql:
                    self.sql.execute("BEGIN IMMEDIATE")
                    results = [change(self) for change in changes]
                undo.pop_all()
                self.measure()
        except Full:
            self.database.throw_off_ballast()
            raise
        return results

    def measure(self) -> None:
        """Brings `used` up to date."""
        pages, free, size = (
            self.sql.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        self.used = (pages - free) * size

    def query(self, ask: Callable[[Tables], T]) -> T:
        """Asks without changing anything. Raises Corrupt or JournalError."""
        with translated():
            return ask(self)

    def insert(self, rows: Sequence[Row]) -> None:
        """Appends records."""
        self.sql.executemany(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    row.n,
                    row.draft.period,
                    row.draft.end,
                    self.names.device_id(row.draft.uid, row.draft.serial),
                    codec.pack_grade(row.draft.quality, row.draft.covered),
                    None if row.draft.event else self.names.layout_id(row.draft.columns),
                    row.content,
                )
                for row in rows
            ],
        )

    def write_position(self, reader: str, position: Position) -> None:
        """Notes what a reader has not settled."""
        self.sql.execute("INSERT OR REPLACE INTO reader VALUES (?, ?)", (reader, codec.dump_position(position)))

    def write_terms(self, reader: str, terms: Terms) -> None:
        """Notes which periods a reader takes, from which number on."""
        self.sql.execute("DELETE FROM term WHERE reader = ?", (reader,))
        taken = zip(terms.firsts, terms.periods, strict=True)
        rows = [(reader, first, json.dumps(sorted(periods))) for first, periods in taken]
        self.sql.executemany("INSERT INTO term VALUES (?, ?, ?)", rows)

    def terms(self) -> dict[str, Terms]:
        """The terms of each reader that has any."""
        found: dict[str, list[tuple[int, str]]] = {}
        for reader, first, periods in self.sql.execute("SELECT reader, first_n, periods FROM term ORDER BY first_n"):
            found.setdefault(reader, []).append((first, periods))
        return {
            reader: Terms(tuple(n for n, _ in terms), tuple(frozenset(json.loads(text)) for _, text in terms))
            for reader, terms in found.items()
        }

    def read(
        self, spans: Sequence[Span], periods: Collection[int], limit: int, newest: bool
    ) -> tuple[list[Record], Span]:
        """Up to `limit` records of those periods in the spans, which come oldest first or, for `newest`, newest
        first; the records rising, and the first and last number that were looked at."""
        order = "DESC" if newest else "ASC"
        where = f"WHERE n BETWEEN ? AND ? AND period IN ({_marks(periods)}) ORDER BY n {order} LIMIT ?"
        found: list[Record] = []
        for first, last in spans:
            left = limit - len(found)
            if not left:
                break
            rows = self._records(where, first, last, *periods, left)
            sealed = self.shelf.find((first, last), periods, left, newest)
            if sealed:
                bounds = [row.n for row in rows] if len(rows) == left else []
                low, high = (min(bounds, default=first), last) if newest else (first, max(bounds, default=last))
                rows += [self._sealed(each) for each in sealed if low <= each.n <= high]
                rows.sort(key=_number, reverse=newest)
            found += rows[:left]
        low, high = min(spans)[0], max(spans)[1]
        if newest:
            found.reverse()
        if len(found) == limit:
            low, high = (found[0].n, high) if newest else (low, found[-1].n)
        return found, (low, high)

    def rows(self, span: Span, limit: int) -> list[Record]:
        """Up to `limit` records with numbers in the span, rising; of those that are not in blocks."""
        return self._records("WHERE n BETWEEN ? AND ? ORDER BY n LIMIT ?", *span, limit)

    def block(self, identity: int) -> list[Record]:
        """The records of the block with an id, rising. Raises Corrupt where it is damaged."""
        block = self.shelf.open(identity)
        return [self._sealed(Found(n, block, i)) for i, n in enumerate(block.ns)] if block else []

    def outline(self, span: Span, period: int) -> list[tuple[int, str, int]]:
        """Number, serial and end of the records of a period in the span, rising."""
        where = "SELECT n, device, stop FROM record WHERE n BETWEEN ? AND ? AND period = ? ORDER BY n"
        rows = self.sql.execute(where, (*span, period))
        found = [(n, self.names.device(device)[1], stop) for n, device, stop in rows]
        for block in self.shelf.between(*span, (period,)):
            serial = self.names.device(block.place.device)[1]
            places = range(bisect_left(block.ns, span[0]), bisect_right(block.ns, span[1]))
            found += [(block.ns[i], serial, block.ends[i]) for i in places]
        return sorted(found)

    def count(self, spans: Sequence[Span], periods: Collection[int]) -> int:
        """How many records of those periods there are in the spans."""
        found = 0
        for first, last in spans:
            # The plus keeps SQLite from reading every row of a long span, where the index has all that is asked.
            n = "n" if last - first < _COUNTED_BY_INDEX else "+n"
            where = f"SELECT count(*) FROM record WHERE {n} BETWEEN ? AND ? AND period IN ({_marks(periods)})"
            found += self.sql.execute(where, (first, last, *periods)).fetchone()[0]
            found += self.shelf.count((first, last), periods)
        return found

    def numbered(self, numbers: Sequence[int]) -> list[Record]:
        """The records with these numbers that are still there, rising."""
        found: list[Record] = []
        for i in range(0, len(numbers), 500):
            part = numbers[i : i + 500]
            rows = self._records(f"WHERE n IN ({_marks(part)}) ORDER BY n", *part)
            if len(rows) < len(part):
                rows += map(self._sealed, self.shelf.numbered({*part}.difference(map(_number, rows))))
            found += rows
        return sorted(found, key=_number)

    def select(self, device: str, period: int, start: int, stop: int) -> list[Record]:
        """A device's records (by short id or serial) of a period that end in (start, stop], by end, one for each:
        the best, and of equally good ones the newest."""
        ids = self.names.device_ids(device)
        where = f"WHERE period = ? AND stop > ? AND stop <= ? AND device IN ({_marks(ids)}) ORDER BY stop, n"
        found = self._records(where, period, start, stop, *ids)
        if period == EVENT_PERIOD:
            return found
        for block in self.shelf.in_time(period, start, stop, ids):
            places = [i for i, end in enumerate(block.ends) if start < end <= stop]
            found += [self._sealed(Found(block.ns[i], block, i)) for i in places]
        return best(sorted(found, key=_moment))

    def layouts(self, device: str, period: int, start: int, stop: int) -> list[Columns]:
        """The lists of columns that a device's records (by short id or serial) of a period have that end in (start,
        stop], or near it; each once, the newest first."""
        ids = self.names.device_ids(device)
        among = f"layout IS NOT NULL AND device IN ({_marks(ids)}) GROUP BY layout"
        rows = f"SELECT max(stop), layout FROM record WHERE period = ? AND stop > ? AND stop <= ? AND {among}"
        newest = {layout: end for end, layout in self.sql.execute(rows, (period, start, stop, *ids))}
        for layout, end in self.shelf.layouts(period, start, stop, ids):
            newest[layout] = max(end, newest.get(layout, end))
        return [self.names.columns(layout) for layout in sorted(newest, key=lambda each: newest[each], reverse=True)]

    def ended(self, period: int, end: int, first_n: int = 0, last_n: int = LAST_N) -> list[Record]:
        """The records of a period that end at a moment, one for each device, as `select` chooses them; only of those
        with numbers in that range."""
        found = self._records("WHERE period = ? AND stop = ? AND +n BETWEEN ? AND ?", period, end, first_n, last_n)
        found += [self._sealed(each) for each in self.shelf.ended(period, end) if first_n <= each.n <= last_n]
        return best(sorted(found, key=_number))

    def next_end(self, period: int, after: int) -> int | None:
        """The earliest end after a moment among the records of a period."""
        where = "SELECT min(stop) FROM record WHERE period = ? AND stop > ?"
        ends = (self.sql.execute(where, (period, after)).fetchone()[0], self.shelf.next_end(period, after))
        return min((end for end in ends if end is not None), default=None)

    def devices(self) -> list[tuple[str, str]]:
        """Short id and serial of every device that has had a record."""
        return self.names.devices()

    def periods(self) -> list[int]:
        """The periods there are records of, rising."""
        found: set[int] = set()
        for table in ("record", "block"):
            period = -1
            while period is not None:
                (period,) = self.sql.execute(f"SELECT min(period) FROM {table} WHERE period > ?", (period,)).fetchone()
                found |= set() if period is None else {period}
        return sorted(found)

    def delete_ended(self, period: int, cutoff: int, limit: int, kept: Sequence[Span] = ()) -> list[int]:
        """Deletes up to `limit` of a period's records that ended at or before a moment, oldest first, but none whose
        number is in a range of `kept`; gives their numbers, which are never given again. A block goes as a whole, when
        all of it may, and may exceed the limit."""
        free = " AND n NOT BETWEEN ? AND ?" * len(kept)
        where = f"SELECT n FROM record WHERE period = ? AND stop <= ?{free} ORDER BY stop LIMIT ?"
        bounds = [bound for span in kept for bound in span]
        numbers: list[int] = []
        while len(numbers) < limit:
            oldest = self.shelf.oldest(period, cutoff, kept)
            until = oldest[1].place.last_end if oldest else cutoff
            rows = [n for (n,) in self.sql.execute(where, (period, until, *bounds, limit - len(numbers)))]
            self.delete(rows)
            numbers += rows
            if oldest is None:
                break
            if len(numbers) < limit:
                numbers += oldest[1].ns
                self.shelf.remove([oldest[0]])
        if numbers:
            self.sql.execute(
                "INSERT INTO fact VALUES ('next', ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
                (max(numbers) + 1,),
            )
        return numbers

    def held(self, numbers: Sequence[int]) -> int:
        """How many of these numbers are rows."""
        held = 0
        for i in range(0, len(numbers), 500):
            part = numbers[i : i + 500]
            held += self.sql.execute(f"SELECT count(*) FROM record WHERE n IN ({_marks(part)})", part).fetchone()[0]
        return held

    def delete(self, numbers: Sequence[int]) -> None:
        """Deletes rows, which have gone into a block or for good."""
        self.sql.executemany("DELETE FROM record WHERE n = ?", [(n,) for n in numbers])

    def _records(self, where: str, *arguments: object) -> list[Record]:
        return [self._record(*row) for row in self.sql.execute(f"{_SELECT} {where}", arguments).fetchall()]

    def _record(
        self, n: int, period: int, stop: int, device: int, quality: int, layout: int | None, content: Any
    ) -> Record:
        uid, serial = self.names.device(device)
        grade, covered = codec.unpack_grade(quality)
        if layout is None:
            draft = Draft(uid, serial, stop, period, quality=grade, event=json.loads(content))
        else:
            columns = self.names.columns(layout)
            packed.check(content, columns)
            tallies = LateTallies(len(columns), partial(packed.unpack_tallies, content, columns))
            draft = Draft(uid, serial, stop, period, columns, tallies, grade, covered=covered)
        return Record(self.names.journal(n), n, draft)

    def _sealed(self, found: Found) -> Record:
        block, i = found.block, found.i
        block.load()
        uid, serial = self.names.device(block.place.device)
        grade, covered = codec.unpack_grade(block.grades[i])
        tallies = LateTallies(len(block.columns), partial(block.tallies, i))
        period, columns = block.place.period, self.names.columns(block.place.layout)
        draft = Draft(uid, serial, block.ends[i], period, columns, tallies, grade, covered=covered)
        return Record(self.names.journal(found.n), found.n, draft)

    def _forget(self) -> None:
        """What was learnt in a transaction that failed is not in the file."""
        self.names.forget()
        self.shelf.forget()


def best(records: Sequence[Record]) -> list[Record]:
    """One record for each device and end, where a correction followed: the best, and of equally good ones the one
    with the highest number. They keep their order."""
    chosen: dict[tuple[str, str, int], Record] = {}
    for record in records:
        key = (record.draft.uid, record.draft.serial, record.draft.end)
        held = chosen.get(key)
        if held is None or _rank(record) > _rank(held):
            chosen[key] = record
    return list(chosen.values())


def _rank(record: Record) -> tuple[int, int]:
    return -codec.QUALITY_CODES[record.draft.quality], record.n


def _number(record: Record) -> int:
    return record.n


def _moment(record: Record) -> tuple[int, int]:
    return record.draft.end, record.n


def _marks(values: Collection[object]) -> str:
    return ",".join("?" * len(values))
