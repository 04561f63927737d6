"""Intents: files that are owed. Once an intent is on the disk, what its file holds never changes, and no second file is
made of the same period; both outlive any restart. Every function runs in the worker's thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from concentrator.journal import codec
from concentrator.journal.position import Span
from concentrator.journal.tables import Tables


@frozen
class Intent:
    """One file of one reader: the records `numbers` (rising, of records of that `period`) of the device with that
    serial, for the file period (start, stop] in UTC seconds. `oldest`: the earliest end among the records; `id`: 0
    until it is on the disk."""

    reader: str
    serial: str
    period: int
    start: int
    stop: int
    oldest: int
    numbers: tuple[int, ...]
    id: int = 0


def add(tables: Tables, intents: Iterable[Intent]) -> None:
    """Writes intents; the first one given is the first one owed."""
    tables.sql.executemany(
        "INSERT INTO intent (reader, serial, period, start, stop, oldest, records, numbers)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (i.reader, i.serial, i.period, i.start, i.stop, i.oldest, len(i.numbers), codec.pack_rising(i.numbers))
            for i in intents
        ],
    )


def first_owed(tables: Tables, reader: str, besides: Sequence[int] = ()) -> Intent | None:
    """The reader's oldest intent that is not settled, besides those with the ids given."""
    row = tables.sql.execute(
        "SELECT reader, serial, period, start, stop, oldest, numbers, id FROM intent WHERE reader = ?"
        f" AND numbers IS NOT NULL AND id NOT IN ({','.join('?' * len(besides))}) ORDER BY id LIMIT 1",
        (reader, *besides),
    ).fetchone()
    if row is None:
        return None
    name, serial, period, start, stop, oldest, numbers, identity = row
    return Intent(name, serial, period, start, stop, oldest, tuple(codec.unpack_rising(numbers)), identity)


def settle(tables: Tables, identity: int) -> None:
    """Marks a file as done with, for good."""
    tables.sql.execute("UPDATE intent SET numbers = NULL WHERE id = ?", (identity,))


def owed_records(tables: Tables, reader: str) -> int:
    """How many records lie in the reader's unsettled intents."""
    where = "SELECT ifnull(sum(records), 0) FROM intent WHERE reader = ? AND numbers IS NOT NULL"
    found: int = tables.sql.execute(where, (reader,)).fetchone()[0]
    return found


def filed(tables: Tables, reader: str, files: Sequence[tuple[str, int, int]]) -> set[tuple[str, int, int]]:
    """Those of the files (serial, start, stop) that the reader has or had an intent for."""
    where = "SELECT 1 FROM intent WHERE reader = ? AND serial = ? AND start = ? AND stop = ?"
    return {file for file in files if tables.sql.execute(where, (reader, *file)).fetchone()}


def expire(tables: Tables, period: int, cutoff: int) -> tuple[dict[str, int], int]:
    """Forgets the intents of a record period that stopped at or before a moment. Gives, for each reader, how many
    records its unsettled ones held, and up to when records may be deleted without touching an intent that is left."""
    where = "FROM intent WHERE period = ? AND stop <= ?"
    lost = dict(
        tables.sql.execute(
            f"SELECT reader, sum(records) {where} AND numbers IS NOT NULL GROUP BY reader", (period, cutoff)
        ).fetchall()
    )
    tables.sql.execute(f"DELETE {where}", (period, cutoff))
    return lost, untouched(tables, period, cutoff)


def untouched(tables: Tables, period: int, cutoff: int) -> int:
    """The latest moment up to `cutoff` by which no record of an unsettled intent of that record period has ended."""
    (oldest,) = tables.sql.execute(
        "SELECT min(oldest) FROM intent WHERE period = ? AND numbers IS NOT NULL", (period,)
    ).fetchone()
    return cutoff if oldest is None else min(cutoff, oldest - 1)


def delete_ended(
    tables: Tables, period: int, cutoff: int, limit: int, kept: Sequence[Span] | None
) -> tuple[list[int], dict[str, int]]:
    """Deletes records of a period as `Tables.delete_ended` does, and forgets the intents that stopped by then; gives
    the numbers of the records and, for each reader, how many its unsettled intents held. With `kept` ranges nothing an
    unsettled intent may hold is deleted, and no intent forgotten."""
    if kept is not None:
        return tables.delete_ended(period, untouched(tables, period, cutoff), limit, kept), {}
    lost, deletable = expire(tables, period, cutoff)
    return tables.delete_ended(period, deletable, limit), lost
