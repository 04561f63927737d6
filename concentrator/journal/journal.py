"""The journal: numbers records, has them written, and hands each reader what it has not settled. Hides the file and its
thread behind Deferreds; a damaged file is set aside as soon as it is noticed and a new one begun."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, frozen
from twisted.internet.defer import Deferred, DeferredLock, succeed
from twisted.internet.interfaces import IReactorTime

from concentrator.api import Report, Wall
from concentrator.journal import intent
from concentrator.journal.commit import Change, GroupCommit
from concentrator.journal.opening import Opening, begin, replace
from concentrator.journal.position import Position, Span, clipped
from concentrator.journal.tables import Row, Tables
from concentrator.journal.worker import Worker
from concentrator.model.errors import Corrupt, JournalError
from concentrator.model.record import Batch, Draft, Record

T = TypeVar("T")

_WINDOW = 5000
"""How many numbers one job looks through at most, so that a commit never waits long for a reader."""


@frozen
class Counts:
    """What people see of the journal: its id, the highest number on the disk, records waiting for the disk, records
    lost because it did not take them, writes done and writes failed since the start."""

    journal: str
    synced: int
    pending: int
    lost: int
    commits: int
    failures: int


@frozen
class Expired:
    """What an expiry took: records deleted, and for each reader how many of them it had not settled."""

    records: int
    lost: dict[str, int]


@define(eq=False)
class _Reader:
    periods: frozenset[int]
    position: Position
    waiting: int = 0


class Journal:
    """The one durable store.

    `path`: its file, None for one in memory; `commit_s`: the least seconds between two writes; `urgent_s`: the same
    while an urgent record waits; `pending_max`: how many records may wait for a disk that takes none. `id` is the
    journal id that records have now, `synced` the highest number on the disk.
    """

    def __init__(
        self,
        path: Path | None,
        clock: IReactorTime,
        wall: Wall,
        worker: Worker,
        report: Report,
        *,
        commit_s: float = 1.0,
        urgent_s: float = 0.2,
        pending_max: int = 5000,
    ) -> None:
        self._path = path
        self._wall = wall
        self._worker = worker
        self._report = report
        self._commits = GroupCommit(
            clock, self._write, report, self._tell, commit_s=commit_s, urgent_s=urgent_s, records_max=pending_max
        )
        self._readers: dict[str, _Reader] = {}
        self._listeners: list[Callable[[tuple[Record, ...]], None]] = []
        self._fresh: list[Record] = []
        self._renewing = DeferredLock()
        self._damage: Corrupt | None = None
        self._tables: Tables
        self._opening: Opening
        self._next = 1
        self.id = ""
        self.synced = 0

    def open(self) -> Deferred[None]:
        """Opens the file, making it where there is none; fires when records can be appended. Fails with UnknownSchema
        for the file of a newer version, with JournalError where the disk or another process is in the way."""
        return Deferred.fromCoroutine(self._open())

    def close(self) -> Deferred[None]:
        """Writes what is pending and closes the file; fires when nothing is left to do."""
        return Deferred.fromCoroutine(self._close())

    def append(self, drafts: Sequence[Draft], urgent: bool = False) -> Deferred[tuple[Record, ...]]:
        """Numbers the drafts in this order and writes them together; fires with the records once they are on the
        disk. Fails with Full where the disk takes nothing and too much waits. Raises ValueError or TypeError for a
        draft that cannot be written."""
        if not drafts:
            return succeed(())
        rows = [Row.of(n, draft) for n, draft in enumerate(drafts, self._next)]
        self._next += len(rows)
        appended: Deferred[tuple[Record, ...]] = Deferred()
        done = self._commits.submit(partial(Tables.insert, rows=rows), len(rows), urgent)
        # Two Deferreds, for a caller that cancels his must not keep readers from the records.
        done.addCallback(lambda _: self._stored(rows)).chainDeferred(appended)
        return appended

    def register(self, reader: str, periods: Iterable[int]) -> Deferred[None]:
        """Makes a reader of the records of these periods known; one that never was begins at the present. Fires when
        that is on the disk and its waiting records are counted; it may read at once."""
        wanted = frozenset(periods)
        position = self._readers[reader].position if reader in self._readers else self._opening.positions.get(reader)
        state = self._readers[reader] = _Reader(wanted, position or Position(self._next))
        if position is None:
            return self._write_position(reader)
        return Deferred.fromCoroutine(self._count(reader, state))

    def read(self, reader: str, limit: int, newest: bool = False) -> Deferred[Batch | None]:
        """The reader's oldest (or `newest`) unsettled records that are on the disk, at most `limit` and oldest first;
        None where there is none. What is not settled is given again."""
        return Deferred.fromCoroutine(self._read(reader, limit, newest))

    def settle(self, batch: Batch, accepted: Collection[int], rejected: Collection[int] = ()) -> Deferred[None]:
        """Settles a batch but for the records in neither collection. The next read heeds it at once; fires when it is
        on the disk."""
        state = self._readers[batch.reader]
        kept = [record.n for record in batch.records if record.n not in accepted and record.n not in rejected]
        before, state.position = state.position, state.position.settle(batch.span, kept)
        state.waiting -= sum(record.n in before and record.n not in state.position for record in batch.records)
        return succeed(None) if state.position == before else self._write_position(batch.reader)

    def unsettled(self, reader: str) -> tuple[Span, ...]:
        """The ranges of numbers on the disk that the reader has not settled, oldest first."""
        return self._readers[reader].position.oldest(self.synced)

    def entrust(self, reader: str, span: Span, kept: Iterable[int], change: Change) -> Deferred[None]:
        """Takes the span but the numbers `kept` out of the reader's position and, in the same commit, makes the change
        that keeps them elsewhere; they still count as waiting, until `discharge`."""
        state = self._readers[reader]
        state.position = state.position.settle(span, kept)
        return self._write_position(reader, change)

    def discharge(self, reader: str, records: int, change: Change) -> Deferred[Any]:
        """Makes the change that is done with so many entrusted records; fires when it is on the disk."""
        self._readers[reader].waiting -= records
        return self.change(change)

    def waiting(self, reader: str) -> int:
        """How many records on the disk the reader has not settled."""
        return max(0, self._readers[reader].waiting)

    def on_synced(self, listener: Callable[[tuple[Record, ...]], None]) -> Callable[[], None]:
        """Calls the listener with the records of each commit, once they are on the disk; gives what ends that."""
        self._listeners.append(listener)

        def leave() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return leave

    def select(self, device: str, period: int, start: int, stop: int) -> Deferred[list[Record]]:
        """The records of a period of a device (short id or serial) that end in (start, stop], by end; of several for
        one end the best, and of equally good ones the newest."""
        return self.query(partial(Tables.select, device=device, period=period, start=start, stop=stop))

    def devices(self) -> Deferred[list[tuple[str, str]]]:
        """Short id and serial of every device with records."""
        return self.query(Tables.devices)

    def query(self, ask: Callable[[Tables], T]) -> Deferred[T]:
        """Asks the tables something; fires with the answer."""
        return Deferred.fromCoroutine(self._query(ask))

    def change(self, change: Callable[[Tables], T]) -> Deferred[T]:
        """Makes a change with the next commit, in one with everything else handed in within this turn; fires with
        what it returned once it is on the disk. It may be run again after a commit that failed."""
        return self._commits.submit(change)

    def expire(self, period: int, cutoff: int, limit: int) -> Deferred[Expired]:
        """Deletes up to `limit` of a period's records that ended at or before `cutoff` (UTC seconds), except what an
        intent for a later file holds; fires with what was taken."""
        taken = self.change(partial(_expire, period=period, cutoff=cutoff, limit=limit))
        return taken.addCallback(self._expired, period)

    @property
    def counts(self) -> Counts:
        """The figures people see."""
        commits = self._commits
        return Counts(self.id, self.synced, commits.pending, commits.lost, commits.commits, commits.failures)

    @property
    def size(self) -> int:
        """Bytes the file and its log take on the disk."""
        files = [Path(f"{self._path}{end}") for end in ("", "-wal")] if self._path else []
        return sum(file.stat().st_size for file in files if file.exists())

    async def _open(self) -> None:
        self._worker.start()
        try:
            self._begin(await self._worker.run(begin, self._path, self._stamp(), int(self._wall.now())))
        except JournalError:
            self._worker.stop()
            raise
        self._next, self.synced = self._opening.next_n, self._opening.next_n - 1
        database = self._tables.database
        if database.kept_as:
            self._report("journal.set_aside", {"error": database.damage, "kept_as": database.kept_as, "lost": {}})
        elif database.is_copy:
            self._report("journal.copied", {"journal": self.id})

    async def _close(self) -> None:
        await self._commits.flush()
        await self._worker.run(self._tables.database.close)
        self._worker.stop()

    async def _count(self, reader: str, state: _Reader) -> None:
        spans = state.position.oldest(self.synced)
        state.waiting += await self.query(partial(Tables.count, spans=spans, periods=state.periods))
        state.waiting += await self.query(partial(intent.owed_records, reader=reader))

    async def _read(self, reader: str, limit: int, newest: bool) -> Batch | None:
        while True:
            state = self._readers[reader]
            unsettled = state.position.newest(self.synced) if newest else state.position.oldest(self.synced)
            if not unsettled:
                state.waiting = 0
                return None
            spans = clipped(unsettled, _WINDOW, newest)
            ask = partial(Tables.read, spans=spans, periods=state.periods, limit=limit, newest=newest)
            records, looked = await self.query(ask)
            if records:
                return Batch(reader, records, looked)
            # Nothing of its periods in there: no need to look again, and none to write that down by itself.
            state.position = state.position.settle(looked)

    async def _query(self, ask: Callable[[Tables], T]) -> T:
        await self._renew()
        try:
            return await self._worker.run(self._tables.query, ask)
        except Corrupt as error:
            await self._renew(error)
            raise

    def _write(self, changes: Sequence[Change]) -> Deferred[list[Any]]:
        return Deferred.fromCoroutine(self._written(changes))

    async def _written(self, changes: Sequence[Change]) -> list[Any]:
        await self._renew()
        try:
            return await self._worker.run(self._tables.commit, changes)
        except Corrupt as error:
            await self._renew(error)
            return await self._worker.run(self._tables.commit, changes)

    async def _renew(self, damage: Corrupt | None = None) -> None:
        """Begins a new file in place of one that was found damaged, now or before."""
        self._damage = self._damage or damage
        if self._damage is None:
            return
        await self._renewing.acquire()
        try:
            if self._damage is None:
                return
            stamp, begun = self._stamp(), int(self._wall.now())
            job = partial(replace, self._tables, self._damage, stamp, begun, first_n=self.synced + 1)
            self._begin(await self._worker.run(job))
            self._damage = None
        finally:
            self._renewing.release()
        lost = {name: self.waiting(name) for name in self._readers if self.waiting(name)}
        for name, state in self._readers.items():
            state.position, state.waiting = Position(self.synced + 1), 0
            self._write_position(name)
        database = self._tables.database
        self._report("journal.set_aside", {"error": database.damage, "kept_as": database.kept_as, "lost": lost})

    def _begin(self, opened: tuple[Tables, Opening]) -> None:
        self._tables, self._opening = opened
        self.id = self._opening.journal

    def _write_position(self, reader: str, change: Change | None = None) -> Deferred[None]:
        position = self._readers[reader].position
        write = partial(Tables.write_position, reader=reader, position=position)
        if change is None:
            return self.change(write)
        return self.change(lambda tables: (change(tables), write(tables))[1])

    def _stored(self, rows: Sequence[Row]) -> tuple[Record, ...]:
        records = tuple(Record(self.id, row.n, row.draft) for row in rows)
        self.synced = rows[-1].n
        for state in self._readers.values():
            state.waiting += sum(r.draft.period in state.periods and r.n in state.position for r in records)
        self._fresh += records
        return records

    def _tell(self) -> None:
        fresh, self._fresh = tuple(self._fresh), []
        if fresh:
            for listener in tuple(self._listeners):
                if listener in self._listeners:
                    listener(fresh)

    def _expired(self, taken: tuple[list[int], dict[str, int]], period: int) -> Expired:
        numbers, lost = taken
        for name, state in self._readers.items():
            unsettled = sum(n in state.position for n in numbers) if period in state.periods else 0
            if unsettled:
                lost[name] = lost.get(name, 0) + unsettled
            state.waiting -= lost.get(name, 0)
        return Expired(len(numbers), lost)

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self._wall.now(), UTC).strftime("%Y%m%dT%H%M%SZ")


def _expire(tables: Tables, period: int, cutoff: int, limit: int) -> tuple[list[int], dict[str, int]]:
    lost, deletable = intent.expire(tables, period, cutoff)
    return tables.delete_ended(period, deletable, limit), lost
