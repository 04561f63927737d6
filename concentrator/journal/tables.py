"""What is said to the journal's file about records and readers. Every method runs in the worker's thread. Hides the
tables, the ids that stand for devices and layouts in them, and how rows become records."""

from __future__ import annotations

import json
import secrets
import string
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

from attrs import frozen

from concentrator.journal import codec
from concentrator.journal.database import Database, translated
from concentrator.journal.position import Position, Span
from concentrator.model.quantity import Quantity
from concentrator.model.record import Draft, Record

T = TypeVar("T")

_SELECT = "SELECT n, period, stop, device, quality, layout, content FROM record"
_ALPHABET = string.ascii_lowercase + string.digits
_COUNTED_BY_INDEX = 50_000


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
        return cls(n, draft, codec.pack_tallies(draft.tallies, draft.columns))


class Tables:
    """The tables of one open file."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sql = database.connection
        self._devices: dict[tuple[str, str], int] = {}
        self._names: dict[int, tuple[str, str]] = {}
        self._layouts: dict[tuple[Quantity, ...], int] = {}
        self._columns: dict[int, tuple[Quantity, ...]] = {}
        self._epochs: list[tuple[int, str]] = []

    def commit(self, changes: Sequence[Callable[[Tables], Any]]) -> list[Any]:
        """Makes the changes in one transaction and gives what each returned; all are on the disk then, or none is.
        Raises Full, Corrupt or JournalError, and whatever a change raises."""
        with translated(), ExitStack() as undo:
            undo.callback(self._forget)
            with self.sql:
                self.sql.execute("BEGIN IMMEDIATE")
                results = [change(self) for change in changes]
            undo.pop_all()
        return results

    def query(self, ask: Callable[[Tables], T]) -> T:
        """Asks without changing anything. Raises Corrupt or JournalError."""
        with translated():
            return ask(self)

    def begin_epoch(self, first_n: int, begun: int) -> str:
        """Gives the records from `first_n` on a new journal id, which it returns."""
        self.sql.execute("DELETE FROM epoch WHERE first_n >= ?", (first_n,))
        used = {journal for (journal,) in self.sql.execute("SELECT j FROM epoch")}
        while (journal := "".join(map(secrets.choice, [_ALPHABET] * 4))) in used:
            pass
        self.sql.execute("INSERT INTO epoch VALUES (?, ?, ?)", (first_n, journal, begun))
        self._epochs = []
        return journal

    def insert(self, rows: Sequence[Row]) -> None:
        """Appends records."""
        self.sql.executemany(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    row.n,
                    row.draft.period,
                    row.draft.end,
                    self._device_id(row.draft),
                    codec.QUALITY_CODES[row.draft.quality],
                    None if row.draft.event else self._layout_id(row.draft.columns),
                    row.content,
                )
                for row in rows
            ],
        )

    def write_position(self, reader: str, position: Position) -> None:
        """Notes what a reader has not settled."""
        self.sql.execute("INSERT OR REPLACE INTO reader VALUES (?, ?)", (reader, codec.dump_position(position)))

    def read(
        self, spans: Sequence[Span], periods: Collection[int], limit: int, newest: bool
    ) -> tuple[list[Record], Span]:
        """Up to `limit` records of those periods in the spans, which come oldest first or, for `newest`, newest
        first; the records rising, and the first and last number that were looked at."""
        order = "DESC" if newest else "ASC"
        where = f"WHERE n BETWEEN ? AND ? AND period IN ({_marks(periods)}) ORDER BY n {order} LIMIT ?"
        found: list[Record] = []
        for first, last in spans:
            found += self._records(where, first, last, *periods, limit - len(found))
        low, high = min(spans)[0], max(spans)[1]
        if newest:
            found.reverse()
        if len(found) == limit:
            low, high = (found[0].n, high) if newest else (low, found[-1].n)
        return found, (low, high)

    def outline(self, span: Span, period: int) -> list[tuple[int, str, int]]:
        """Number, serial and end of the records of a period in the span, rising."""
        where = "SELECT n, device, stop FROM record WHERE n BETWEEN ? AND ? AND period = ? ORDER BY n"
        return [(n, self._name(device)[1], stop) for n, device, stop in self.sql.execute(where, (*span, period))]

    def count(self, spans: Sequence[Span], periods: Collection[int]) -> int:
        """How many records of those periods there are in the spans."""
        found = 0
        for first, last in spans:
            # The plus keeps SQLite from reading every row of a long span, where the index has all that is asked.
            n = "n" if last - first < _COUNTED_BY_INDEX else "+n"
            where = f"SELECT count(*) FROM record WHERE {n} BETWEEN ? AND ? AND period IN ({_marks(periods)})"
            found += self.sql.execute(where, (first, last, *periods)).fetchone()[0]
        return found

    def numbered(self, numbers: Sequence[int]) -> list[Record]:
        """The records with these numbers that are still there, rising."""
        found: list[Record] = []
        for i in range(0, len(numbers), 500):
            part = numbers[i : i + 500]
            found += self._records(f"WHERE n IN ({_marks(part)}) ORDER BY n", *part)
        return found

    def select(self, device: str, period: int, start: int, stop: int) -> list[Record]:
        """A device's records (by short id or serial) of a period that end in (start, stop], by end, one for each:
        the best, and of equally good ones the newest."""
        named = self.sql.execute("SELECT id FROM device WHERE uid = ? OR serial = ?", (device, device)).fetchall()
        where = f"WHERE period = ? AND stop > ? AND stop <= ? AND device IN ({_marks(named)}) ORDER BY stop, n"
        found = self._records(where, period, start, stop, *(identity for (identity,) in named))
        return found if period == 0 else best(found)

    def ended(self, period: int, end: int) -> list[Record]:
        """The records of a period that end at a moment, one for each device, as `select` chooses them."""
        return best(self._records("WHERE period = ? AND stop = ? ORDER BY device, n", period, end))

    def next_end(self, period: int, after: int) -> int | None:
        """The earliest end after a moment among the records of a period."""
        where = "SELECT min(stop) FROM record WHERE period = ? AND stop > ?"
        found: int | None = self.sql.execute(where, (period, after)).fetchone()[0]
        return found

    def devices(self) -> list[tuple[str, str]]:
        """Short id and serial of every device that has had a record."""
        return self.sql.execute("SELECT uid, serial FROM device ORDER BY uid, serial").fetchall()

    def periods(self) -> list[int]:
        """The periods there are records of, rising."""
        found: list[int] = []
        period = -1
        while period is not None:
            (period,) = self.sql.execute("SELECT min(period) FROM record WHERE period > ?", (period,)).fetchone()
            found += [] if period is None else [period]
        return found

    def delete_ended(self, period: int, cutoff: int, limit: int) -> list[int]:
        """Deletes up to `limit` of a period's records that ended at or before a moment; gives their numbers, which
        are never given again."""
        where = "SELECT n FROM record WHERE period = ? AND stop <= ? ORDER BY stop LIMIT ?"
        numbers = [n for (n,) in self.sql.execute(where, (period, cutoff, limit))]
        if numbers:
            self.sql.executemany("DELETE FROM record WHERE n = ?", [(n,) for n in numbers])
            self.sql.execute(
                "INSERT INTO fact VALUES ('next', ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
                (max(numbers) + 1,),
            )
        return numbers

    def _records(self, where: str, *arguments: object) -> list[Record]:
        return [self._record(*row) for row in self.sql.execute(f"{_SELECT} {where}", arguments).fetchall()]

    def _record(
        self, n: int, period: int, stop: int, device: int, quality: int, layout: int | None, content: Any
    ) -> Record:
        epochs = self._known_epochs()
        journal = epochs[bisect_right(epochs, (n, "~")) - 1][1]
        uid, serial = self._name(device)
        grade = codec.QUALITIES[quality]
        if layout is None:
            return Record(journal, n, Draft(uid, serial, stop, period, quality=grade, event=json.loads(content)))
        columns = self._layout(layout)
        tallies = codec.unpack_tallies(content, columns)
        return Record(journal, n, Draft(uid, serial, stop, period, columns, tallies, grade))

    def _known_epochs(self) -> list[tuple[int, str]]:
        if not self._epochs:
            self._epochs = self.sql.execute("SELECT first_n, j FROM epoch ORDER BY first_n").fetchall()
        return self._epochs

    def _device_id(self, draft: Draft) -> int:
        key = (draft.uid, draft.serial)
        if key not in self._devices:
            self.sql.execute("INSERT OR IGNORE INTO device (uid, serial) VALUES (?, ?)", key)
            found = self.sql.execute("SELECT id FROM device WHERE uid = ? AND serial = ?", key).fetchone()
            self._devices[key] = found[0]
        return self._devices[key]

    def _name(self, device: int) -> tuple[str, str]:
        if device not in self._names:
            found = self.sql.execute("SELECT uid, serial FROM device WHERE id = ?", (device,)).fetchone()
            self._names[device] = found
        return self._names[device]

    def _layout_id(self, columns: tuple[Quantity, ...]) -> int:
        if columns not in self._layouts:
            text = codec.dump_columns(columns)
            self.sql.execute("INSERT OR IGNORE INTO layout (columns) VALUES (?)", (text,))
            found = self.sql.execute("SELECT id FROM layout WHERE columns = ?", (text,)).fetchone()
            self._layouts[columns] = found[0]
        return self._layouts[columns]

    def _layout(self, layout: int) -> tuple[Quantity, ...]:
        if layout not in self._columns:
            (text,) = self.sql.execute("SELECT columns FROM layout WHERE id = ?", (layout,)).fetchone()
            self._columns[layout] = codec.load_columns(text)
        return self._columns[layout]

    def _forget(self) -> None:
        """What was learnt in a transaction that failed is not in the file."""
        for known in (self._devices, self._names, self._layouts, self._columns):
            known.clear()
        self._epochs = []


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


def _marks(values: Collection[object]) -> str:
    return ",".join("?" * len(values))
