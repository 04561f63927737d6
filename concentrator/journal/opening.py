"""How a journal begins: which number comes next, under which id, and what to do about a file that is new, was put back
from a copy, or turns out damaged. Every function runs in the worker's thread."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

from attrs import frozen

from concentrator.journal import codec
from concentrator.journal.database import open_database, set_aside
from concentrator.journal.position import Position
from concentrator.journal.tables import Tables
from concentrator.model.errors import Corrupt, Full, JournalError


@frozen
class Opening:
    """What a file holds that the journal must know before it begins: the number after the last one ever given, the id
    that records from now on have (empty in a file that has none yet), and the readers' positions."""

    next_n: int
    journal: str
    positions: dict[str, Position]


def begin(path: Path | None, stamp: str, begun: int, first_n: int = 1) -> tuple[Tables, Opening]:
    """Opens the file. One that is new or was put back from a copy gives its records a new id from here on, since its
    numbers may have been given out before. `stamp` and `begun`: the time, as text and in UTC seconds; `first_n`: the
    lowest number that may be given. Raises as `open_database` does."""
    tables = Tables(open_database(path, stamp))
    database = tables.database
    try:
        opening = tables.query(_opening)
        if database.is_new or database.is_copy or not opening.journal:
            next_n = max(first_n, opening.next_n)
            tables.commit([partial(Tables.begin_epoch, first_n=next_n, begun=begun)])
            opening = tables.query(_opening)
    except Corrupt as damage:
        if database.is_new:
            database.abandon()
            raise
        return replace(tables, damage, stamp, begun, first_n)
    except JournalError:
        database.abandon()
        raise
    # Only now: a file that forgets it is a copy before it has a new id would give numbers twice.
    with suppress(Full):
        database.note_place()
    return tables, opening


def replace(damaged: Tables, damage: Corrupt, stamp: str, begun: int, first_n: int) -> tuple[Tables, Opening]:
    """Sets a damaged file aside and begins a new one, whose numbers go on from `first_n`. It can be called again when
    it failed half-way."""
    database = damaged.database
    database.abandon()
    if database.path is None:
        raise damage
    if database.path.exists():
        database.kept_as = set_aside(database.path, stamp)
    tables, opening = begin(database.path, stamp, begun, first_n)
    tables.database.damage, tables.database.kept_as = damage.detail, database.kept_as
    return tables, opening


def _opening(tables: Tables) -> Opening:
    sql = tables.sql
    (known,) = sql.execute("SELECT ifnull((SELECT value FROM fact WHERE name = 'next'), 1)").fetchone()
    (used,) = sql.execute("SELECT ifnull(max(n), 0) FROM record").fetchone()
    epochs = sql.execute("SELECT first_n, j FROM epoch ORDER BY first_n").fetchall()
    positions = {name: codec.load_position(text) for name, text in sql.execute("SELECT name, position FROM reader")}
    starts = [first for first, _ in epochs] + [position.open_from for position in positions.values()]
    return Opening(max(known, used + 1, *starts, 1), epochs[-1][1] if epochs else "", positions)
