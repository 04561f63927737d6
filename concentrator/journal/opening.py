"""How a journal begins: which number comes next, under which id, and what to do about a file that is new, was put back
from a copy, or turns out damaged. Every function runs in the worker's thread."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from attrs import evolve, frozen

from concentrator.journal import codec
from concentrator.journal.carry import carry
from concentrator.journal.database import open_database, set_aside
from concentrator.journal.position import Position
from concentrator.journal.room import Ballast
from concentrator.journal.tables import Tables
from concentrator.journal.terms import Terms
from concentrator.model.errors import Corrupt, Full, JournalError

SKIPPED = 100_000
"""How many numbers are left out after a file was not closed. A disk that loses what it had synced takes the journal
back by a part of its log, which holds fewer records than this: what was given out then had other numbers."""


@frozen
class Opening:
    """What a file holds that the journal must know before it begins: the last number it ever gave, the next one to be
    given, the id that records from now on have (empty in a file that has none yet), and the readers'
    positions and terms."""

    last_n: int
    next_n: int
    journal: str
    positions: dict[str, Position]
    terms: dict[str, Terms]


def begin(
    path: Path | None,
    stamp: str,
    begun: int,
    first_n: int = 1,
    damaged: str = "",
    positions: Mapping[str, Position] | None = None,
) -> tuple[Tables, Opening]:
    """Opens the file. One that is new or was put back from a copy gives its records a new id from here on, since its
    numbers may have been given out before. `stamp` and `begun`: the time, as text and in UTC seconds; `first_n`: the
    lowest number that may be given; `damaged`: what a file was set aside as in whose place this one comes, and
    `positions`: what its readers had not settled, where that is known. Raises as `open_database` does."""
    beginning = partial(_begun, path, stamp, begun, first_n, damaged, positions)
    try:
        return beginning()
    except Full:
        if path is None:
            raise
        Ballast.beside(path).throw_off()
        return beginning()


def _begun(
    path: Path | None,
    stamp: str,
    begun: int,
    first_n: int,
    damaged: str,
    positions: Mapping[str, Position] | None,
) -> tuple[Tables, Opening]:
    tables = Tables(open_database(path, stamp))
    database = tables.database
    database.kept_as = database.kept_as or damaged
    try:
        opening = tables.query(_opening)
        if database.is_new or database.is_copy or not opening.journal:
            if database.is_new and database.kept_as:
                first_n = _carried(tables, first_n, positions)
            next_n = max(first_n, opening.next_n)
            tables.commit([lambda changed: changed.names.begin_epoch(next_n, begun)])
            opening = tables.query(_opening)
        if database.mark is not None and database.mark.was_open and not database.is_new:
            opening = _skipping(opening, max(opening.next_n, database.mark.first_n) + SKIPPED)
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
        database.note_place(opening.next_n)
        database.lay_ballast()
    return tables, opening


def replace(
    damaged: Tables,
    damage: Corrupt,
    stamp: str,
    begun: int,
    first_n: int,
    positions: Mapping[str, Position] | None = None,
) -> tuple[Tables, Opening]:
    """Sets a damaged file aside and begins a new one, whose numbers go on from `first_n`, with what can be carried
    over. It can be called again when it failed half-way."""
    database = damaged.database
    database.abandon()
    if database.path is None:
        raise damage
    if database.path.exists():
        database.kept_as = set_aside(database.path, stamp)
    tables, opening = begin(database.path, stamp, begun, first_n, database.kept_as, positions)
    tables.database.damage = damage.detail
    return tables, opening


def _carried(tables: Tables, first_n: int, positions: Mapping[str, Position] | None) -> int:
    """Carries over what comes at once from the file that was set aside; gives the number to go on from. Where that is
    not known from elsewhere, some are left out, for the highest ones may be those that cannot be read."""
    from concentrator.journal.wreck import Wreck

    database = tables.database
    assert database.path is not None
    try:
        wreck = Wreck.at(database.path.with_name(database.kept_as))
    except JournalError:
        return first_n
    try:
        last_n = wreck.last_n()
        if last_n and positions is None:
            first_n = max(first_n, last_n + 1 + SKIPPED)
        until = min(last_n, first_n - 1)
        tables.commit([partial(carry, wreck=wreck, file=database.kept_as, until=until, positions=positions)])
        return first_n
    finally:
        wreck.close()


def _skipping(opening: Opening, next_n: int) -> Opening:
    """The same file when the next number is that one; no reader has anything to look for below it."""
    between = (opening.next_n, next_n - 1)
    positions = {name: position.settle(between) for name, position in opening.positions.items()}
    return evolve(opening, next_n=next_n, positions=positions)


def _opening(tables: Tables) -> Opening:
    sql = tables.sql
    tables.measure()
    (known,) = sql.execute("SELECT ifnull((SELECT value FROM fact WHERE name = 'next'), 1)").fetchone()
    (used,) = sql.execute("SELECT ifnull(max(n), 0) FROM record").fetchone()
    epochs = sql.execute("SELECT first_n, j FROM epoch ORDER BY first_n").fetchall()
    positions = {name: codec.load_position(text) for name, text in sql.execute("SELECT name, position FROM reader")}
    starts = [first for first, _ in epochs] + [position.open_from for position in positions.values()]
    next_n = max(known, used + 1, tables.shelf.last_n() + 1, *starts, 1)
    return Opening(next_n - 1, next_n, epochs[-1][1] if epochs else "", positions, tables.terms())
