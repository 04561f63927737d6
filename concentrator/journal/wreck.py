"""A damaged journal file that was set aside: what can still be read of it. Hides how damage is stepped over; nothing in
the file is changed. Every method runs in the worker's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, frozen

from concentrator.journal import codec
from concentrator.journal.blocks import Sealed
from concentrator.journal.database import Database, translated
from concentrator.journal.names import Columns
from concentrator.journal.position import Position
from concentrator.journal.tables import LAST_N, Tables
from concentrator.model.errors import Corrupt, JournalError
from concentrator.model.record import Record

T = TypeVar("T")

SLICE = 300
_SIZES = (SLICE, 20, 1)

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_READ_FOR_ITSELF = ("record", "block", "reader", "epoch", "fact", "intent")


@frozen
class Slice:
    """Some rows, and the number from which to go on; None at the end."""

    records: Sequence[Record]
    go_on: int | None


@frozen
class Found:
    """A block that is sound, short id and serial of the device it is of, and its columns."""

    sealed: Sealed
    is_tight: bool
    device: tuple[str, str]
    columns: Columns


@define
class Wreck:
    """A file that was set aside, open for reading."""

    _tables: Tables

    @classmethod
    def at(cls, path: Path) -> Wreck:
        """Opens one. Raises JournalError where it cannot be opened; what is wrong inside shows later."""
        with translated():
            uri = f"{path.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return cls(Tables(Database(connection, path)))

    def close(self) -> None:
        """Lets go of it."""
        self._tables.database.abandon()

    def epochs(self) -> list[tuple[int, str, int]]:
        """First number, id and beginning of each of its journal ids; empty where they are not known, for then nothing
        in it can be told from other records."""
        return self._all("epoch") or []

    def positions(self) -> dict[str, Position] | None:
        """What each reader had not settled; None where that is not known."""
        rows = self._all("reader")
        try:
            return None if rows is None else {name: codec.load_position(text) for name, text in rows}
        except (ValueError, TypeError):
            return None

    def intents(self) -> list[tuple[Any, ...]]:
        """The rows of the files that are owed or were sent."""
        return self._all("intent") or []

    def fact(self, name: str) -> object:
        """A fact; None where it is not known."""
        return dict(self._all("fact") or []).get(name)

    def others(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of every table that is copied as it is, by the table's name."""
        listed = self._tried(lambda: self._tables.sql.execute(_TABLES).fetchall()) or []
        wanted = [name for (name,) in listed if name not in _READ_FOR_ITSELF and not name.startswith("sqlite_")]
        return {name: self._all(name) or [] for name in wanted}

    def last_n(self) -> int:
        """The highest number that can be found in it."""
        found = [
            self._tried(lambda: self._tables.sql.execute("SELECT max(n) FROM record").fetchone()[0]),
            self._tried(self._tables.shelf.last_n),
            *[first for first, *_ in self.epochs()],
            *[position.open_from - 1 for position in (self.positions() or {}).values()],
        ]
        known = self.fact("next")
        return max([n for n in found if n] + ([known - 1] if isinstance(known, int) else []), default=0)

    def rows(self, first_n: int) -> Slice:
        """Some records that are rows, from a number on; what cannot be read is stepped over."""
        for size in _SIZES:
            records = self._rows(first_n, size)
            if records is not None:
                return Slice(records, records[-1].n + 1 if records else None)
        return Slice((), self._beyond(first_n))

    def blocks(self) -> list[int]:
        """The ids of its blocks."""
        return self._tried(self._tables.shelf.ids) or []

    def block(self, identity: int) -> Found | None:
        """A block; None where it is damaged."""
        return self._tried(lambda: self._sound(identity))

    def _sound(self, identity: int) -> Found:
        block = self._tables.shelf.open(identity)
        if block is None:
            raise Corrupt("a block is not there")
        for column in range(len(block.columns)):
            block.cells(column)
        select = "SELECT directory, content, is_tight FROM block WHERE id = ?"
        directory, content, is_tight = self._tables.sql.execute(select, (identity,)).fetchone()
        self._tables.shelf.forget()
        device = self._tables.names.device(block.place.device)
        return Found(Sealed(block.place, directory, content, block.ns), bool(is_tight), device, tuple(block.columns))

    def _rows(self, first_n: int, size: int) -> list[Record] | None:
        return self._tried(lambda: [_whole(record) for record in self._tables.rows((first_n, LAST_N), size)])

    def _beyond(self, first_n: int) -> int | None:
        """The lowest readable number beyond damage that begins at one; numbers are tried in doubling steps, for damage
        is of whole pages or of whole trees of them."""
        step = 1
        while self._rows(first_n + step, 1) is None:
            step *= 2
            if first_n + step > LAST_N:
                return None
        low, high = first_n + step // 2, first_n + step
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._rows(middle, 1) is None else (low, middle)
        return high

    def _all(self, table: str) -> list[tuple[Any, ...]] | None:
        return self._tried(lambda: self._tables.sql.execute(f"SELECT * FROM {table}").fetchall())

    def _tried(self, ask: Callable[[], T]) -> T | None:
        try:
            return self._tables.query(lambda _: ask())
        except (JournalError, LookupError, TypeError, ValueError):
            return None


def _whole(record: Record) -> Record:
    """The record, once all of it was read."""
    tuple(record.draft.tallies)
    return record
