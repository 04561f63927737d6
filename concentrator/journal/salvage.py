"""Salvage: what can be read of a damaged file that was set aside comes into the one that was begun in its place, under
the numbers and ids it had, so that nothing is missing and nothing is there twice. The records follow in the background,
a few with each commit, across restarts, and become their readers' again when they are on the disk; then the files that
were owed. Hides where it stands; what is to be salvaged is said in `carry`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import Report
from concentrator.journal import codec
from concentrator.journal.carry import Task, note_task, note_tasks, tasks
from concentrator.journal.journal import Journal
from concentrator.journal.room import Room
from concentrator.journal.tables import Row, Tables
from concentrator.model.errors import JournalError
from concentrator.model.record import Record

if TYPE_CHECKING:
    from concentrator.journal.wreck import Found, Wreck

log = Logger()

LOOK_S = 10.0
"""How often it looks whether there is something to salvage."""

_INTENTS = 20


class Salvage:
    """Salvages what there is to be salvaged for a journal."""

    def __init__(self, journal: Journal, clock: IReactorTime, report: Report, room: Room) -> None:
        self._journal = journal
        self._clock = clock
        self._report = report
        self._room = room
        self._timer: IDelayedCall | None = None
        self._running: Deferred[None] | None = None
        self._is_stopping = False

    def start(self) -> None:
        """Begins to look, once the journal's readers are registered."""
        self._is_stopping = False
        self._turn()

    def stop(self) -> Deferred[None]:
        """Ends it; fires when nothing of it is under way."""
        self._is_stopping = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self._running or succeed(None)

    def _turn(self) -> None:
        self._timer = self._clock.callLater(LOOK_S, self._turn)
        if self._running is None:
            self._running = Deferred.fromCoroutine(self._run())
            self._running.addErrback(_log_failure).addCallback(self._ran)

    def _ran(self, _: None) -> None:
        self._running = None

    async def _run(self) -> None:
        while left := await self._journal.query(tasks):
            task = left[0]
            wreck = await self._journal.query(partial(_opened, file=task.file))
            if wreck is not None:
                try:
                    task = await self._salvage(wreck, task)
                finally:
                    await self._journal.query(partial(_closed, wreck))
            if not await self._may():
                return
            await self._journal.change(partial(_finish, file=task.file))
            self._tell(task)

    async def _salvage(self, wreck: Wreck, task: Task) -> Task:
        while task.rows_from is not None and await self._may():
            task = await self._rows(wreck, task)
        blocks = await self._journal.query(lambda _: wreck.blocks())
        while task.blocks_done < len(blocks) and await self._may():
            task = await self._block(wreck, task, blocks[task.blocks_done])
        owed = await self._journal.query(lambda _: [row for row in wreck.intents() if row[-1] is not None])
        while (some := [row for row in owed if row[0] > task.intents_done][:_INTENTS]) and await self._may():
            task = await self._intents(task, some)
        return task

    async def _may(self) -> bool:
        """Whether to go on: not where the room is needed for what comes new."""
        used = await self._journal.query(lambda tables: tables.used)
        has_room = self._room.excess(used, self._journal.size - self._journal.used) <= 0
        return has_room and not self._is_stopping

    async def _rows(self, wreck: Wreck, task: Task) -> Task:
        first_n = task.rows_from or 0
        found = await self._journal.query(lambda _: wreck.rows(first_n))
        records = [record for record in found.records if record.n <= task.until]
        periods = {record.n: record.draft.period for record in records}
        given = self._unsettled(task, periods)
        task = evolve(task, rows_from=found.go_on).counted(periods, given)
        await self._put(lambda tables: _put_rows(tables, records), given, task)
        return task

    async def _block(self, wreck: Wreck, task: Task, identity: int) -> Task:
        found = await self._journal.query(lambda _: wreck.block(identity))
        task = evolve(task, blocks_done=task.blocks_done + 1)
        if found is None:
            return task
        sealed = found.sealed
        given = self._unsettled(task, dict.fromkeys(sealed.ns, sealed.place.period))
        task = task.counted(sealed.ns, given)
        await self._put(lambda tables: _put_block(tables, found), given, task)
        return task

    async def _put(self, put: Callable[[Tables], None], given: dict[str, list[int]], task: Task) -> None:
        """Puts records into the file, and then gives them back to their readers: who looked for them before they are
        there would take them for gone."""
        if any(given.values()):
            await self._journal.change(put)
            await self._journal.reopen(given, {}, partial(note_task, task=task))
            return
        written = self._journal.change(put)
        await self._journal.change(partial(note_task, task=task))
        await written

    async def _intents(self, task: Task, rows: Sequence[tuple[Any, ...]]) -> Task:
        """Files are owed again with those of their records that were found."""
        present = await self._journal.query(partial(_present, rows=rows))
        owed: dict[str, int] = {}
        for row in rows:
            reader = str(row[1])
            owed[reader] = owed.get(reader, 0) + len(present[row[0]])
        waiting = {name: task.waiting.get(name, 0) + owed.get(name, 0) for name in {*task.waiting, *owed}}
        task = evolve(task, intents_done=rows[-1][0], waiting=waiting)

        def change(tables: Tables) -> None:
            update = "UPDATE intent SET numbers = ?, records = ? WHERE id = ?"
            tables.sql.executemany(update, [(codec.pack_rising(ns), len(ns), n) for n, ns in present.items() if ns])
            note_task(tables, task)

        await self._journal.reopen({}, owed, change)
        return task

    def _unsettled(self, task: Task, periods: dict[int, int]) -> dict[str, list[int]]:
        """For each reader the numbers it had not settled, of those given with the periods of their records."""
        takes = self._journal.takes
        return {
            reader: [n for n, period in periods.items() if n in position and takes(reader, n, period)]
            for reader, position in task.unsettled(self._journal.readers).items()
        }

    def _tell(self, task: Task) -> None:
        missing = max(0, task.expected - task.found)
        facts = {"kept_as": task.file, "records": task.records, "waiting": dict(task.waiting), "missing": missing}
        self._report("journal.salvaged", facts)


def _closed(wreck: Wreck, _: Tables) -> None:
    wreck.close()


def _opened(tables: Tables, file: str) -> Wreck | None:
    """The file, if it can be opened."""
    from concentrator.journal.wreck import Wreck

    path = tables.database.path
    assert path is not None
    try:
        return Wreck.at(Path(path).with_name(file))
    except JournalError as error:
        log.warn("nothing to salvage from {file}: {error}", file=file, error=error)
        return None


def _put_rows(tables: Tables, records: Sequence[Record]) -> None:
    there = {record.n for record in tables.numbered([record.n for record in records])}
    tables.insert([Row.of(record.n, record.draft) for record in records if record.n not in there])


def _put_block(tables: Tables, found: Found) -> None:
    place = found.sealed.place
    known = tables.names.device_id(*found.device), tables.names.layout_id(found.columns)
    # Its checks cover its ids: they were carried over, unless the damage was there.
    if known == (place.device, place.layout) and not tables.numbered([place.first_n]):
        tables.shelf.put(found.sealed, found.is_tight)


def _present(tables: Tables, rows: Sequence[tuple[Any, ...]]) -> dict[int, list[int]]:
    return {row[0]: [record.n for record in tables.numbered(codec.unpack_rising(row[-1]))] for row in rows}


def _finish(tables: Tables, file: str) -> None:
    note_tasks(tables, [each for each in tasks(tables) if each.file != file])


def _log_failure(failure: Failure) -> None:
    log.failure("salvage waits for the next turn", failure)
