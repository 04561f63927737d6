"""What comes at once from a damaged file into the one that is begun in its place: whose records they are, what was
sent, how far everything was; and, as a task, what is to follow. Every function runs in the worker's thread."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import asdict, evolve, field, frozen

from concentrator.journal import codec
from concentrator.journal.position import Position, wanted
from concentrator.journal.tables import Tables

if TYPE_CHECKING:
    from concentrator.journal.wreck import Wreck

_FACT = "salvage"
_RANGES = 10_000


@frozen
class Task:
    """A file to salvage, and how far that is.

    `file`: its name; `until`: the highest number it may have; `positions`: what each reader had not settled, as text,
    None where that is not known and then it is everything; `expected`: how many numbers that are. Done are the rows
    below `rows_from` (None: all), so many blocks, and the intents up to an id; `records` were found, `found` of the
    expected numbers among them, and each reader has so many of them `waiting` again.
    """

    file: str
    until: int
    positions: Mapping[str, str] | None
    expected: int
    rows_from: int | None = 0
    blocks_done: int = 0
    intents_done: int = 0
    records: int = 0
    found: int = 0
    waiting: Mapping[str, int] = field(factory=dict)

    def unsettled(self, readers: Iterable[str]) -> dict[str, Position]:
        """What each of the readers had not settled of the file; without those that had settled all."""
        if self.positions is None:
            return dict.fromkeys(readers, Position(0))
        return {name: codec.load_position(self.positions[name]) for name in readers if name in self.positions}

    def counted(self, numbers: Iterable[int], given: Mapping[str, Sequence[int]]) -> Task:
        """The task once the records with these numbers were found, and readers wait for some of them again."""
        numbers = tuple(numbers)
        known = self.unsettled(self.positions or ("",)).values()
        found = sum(any(n in position for position in known) for n in numbers)
        waiting = {name: self.waiting.get(name, 0) + len(given.get(name, ())) for name in {*self.waiting, *given}}
        return evolve(self, records=self.records + len(numbers), found=self.found + found, waiting=waiting)


def tasks(tables: Tables) -> list[Task]:
    """What is still to be salvaged."""
    row = tables.sql.execute("SELECT value FROM fact WHERE name = ?", (_FACT,)).fetchone()
    return [Task(**task) for task in json.loads(row[0])] if row else []


def note_tasks(tables: Tables, left: Sequence[Task]) -> None:
    """Writes down what is still to be salvaged."""
    text = json.dumps([asdict(task) for task in left])
    tables.sql.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (_FACT, text))


def note_task(tables: Tables, task: Task) -> None:
    """Writes down how far the salvage of one file is."""
    note_tasks(tables, [task if each.file == task.file else each for each in tasks(tables)])


def carry(tables: Tables, wreck: Wreck, file: str, until: int, positions: Mapping[str, Position] | None) -> None:
    """Carries over what comes at once. `file`: the wreck's name; `until`: the highest number it may have; `positions`:
    what readers had not settled, where that is known better than from the file. Nothing where the file does not say
    whose its records are."""
    epochs = wreck.epochs()
    if not epochs:
        return
    tables.sql.executemany("INSERT OR IGNORE INTO epoch VALUES (?, ?, ?)", epochs)
    for name, rows in wreck.others().items():
        width = len(tables.sql.execute(f"PRAGMA table_info({name})").fetchall())
        fitting = [row for row in rows if len(row) == width]
        tables.sql.executemany(f"INSERT OR IGNORE INTO {name} VALUES ({','.join('?' * width)})", fitting)
    # Owed again once its records are there: until then it is as if it was sent, so that no second file is made of it.
    intents = [(*row[:-1], None) for row in wreck.intents()]
    tables.sql.executemany("INSERT OR IGNORE INTO intent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", intents)
    known = wreck.positions() if positions is None else positions
    texts = None if known is None else {name: codec.dump_position(position) for name, position in known.items()}
    task = Task(file, until, texts, _expected(known, until))
    older = wreck.fact(_FACT)
    note_tasks(tables, [task, *[Task(**each) for each in json.loads(older)]] if isinstance(older, str) else [task])
    tables.names.forget()


def _expected(positions: Mapping[str, Position] | None, until: int) -> int:
    if positions is None:
        return until
    spans = wanted(positions.values(), _RANGES)
    return sum(max(0, min(last, until) - first + 1) for first, last in spans)
