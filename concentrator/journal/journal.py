"""The journal: numbers records, has them written, and hands each reader what it has not settled. Hides the file and its
thread behind Deferreds; a damaged file is set aside as soon as it is noticed and a new one begun."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from attrs import define
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from concentrator.api import Report, Wall
from concentrator.journal import intent
from concentrator.journal.commit import Change, GroupCommit
from concentrator.journal.counts import Counts, Expired
from concentrator.journal.history import Series, series
from concentrator.journal.opening import Opening
from concentrator.journal.position import Position, Span, clipped, reopened, wanted
from concentrator.journal.tables import Row, Tables
from concentrator.journal.terms import Terms
from concentrator.journal.volume import State, Volume
from concentrator.journal.worker import Worker
from concentrator.model.record import Batch, Draft, Record

T = TypeVar("T")

_WINDOW = 5000
"""How many numbers one job looks through at most, so that a commit never waits long for a reader."""

_RANGES = 50
"""How finely is told what readers still want when something must go."""


@define(eq=False)
class _Reader:
    terms: Terms
    position: Position
    waiting: int = 0
    listener: Callable[[Sequence[Record]], None] = lambda _: None


class Journal:
    """The one durable store.

    `path`: its file, None for one in memory; `commit_s`: the least seconds between two writes; `urgent_per_s`: how
    many writes a second may come before that for an urgent record; `pending_max`: how many records may wait for a disk
    that takes none; `settle_s`: for how long what was settled may wait for other changes to be written with, and be
    given again after a power cut. `id` is the journal id that records have now, `synced` the highest number on the
    disk.
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
        urgent_per_s: int = 5,
        pending_max: int = 5000,
        settle_s: float = 0.0,
    ) -> None:
        self._worker = worker
        self._report = report
        self._volume = Volume(path, wall, worker, self._state, self._renewed)
        self._commits = GroupCommit(
            clock,
            self._write,
            report,
            self._tell,
            commit_s=commit_s,
            urgent_per_s=urgent_per_s,
            records_max=pending_max,
        )
        self._settle_s = settle_s
        self._readers: dict[str, _Reader] = {}
        self._listeners: list[Callable[[tuple[Record, ...]], None]] = []
        self._fresh: list[Record] = []
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
        """Makes a reader of the records of these periods known; one that never was begins at the present, one that
        took others takes those of them that it has not settled, and these from the present on. Fires when that is on
        the disk and its waiting records are counted; it may read at once."""
        known = self._readers.get(reader)
        position = known.position if known else self._opening.positions.get(reader)
        terms = (known.terms if known else self._opening.terms.get(reader)) or Terms.of(periods)
        place = position or Position(self._next)
        spans = place.oldest(self._next)
        terms = terms.changed(self._next, periods, unsettled_from=spans[0][0] if spans else self._next)
        state = self._readers[reader] = _Reader(terms, place)
        written = self._write_position(reader, partial(Tables.write_terms, reader=reader, terms=terms))
        return written if position is None else Deferred.fromCoroutine(self._count(reader, state))

    def withdraw(self, reader: str) -> None:
        """Knows a reader no more: nothing is kept for it, but it finds its place again when it is registered."""
        state = self._readers.pop(reader)
        self._opening.positions[reader], self._opening.terms[reader] = state.position, state.terms

    def read(self, reader: str, limit: int, newest: bool = False, below: int | None = None) -> Deferred[Batch | None]:
        """The reader's oldest (or `newest`) unsettled records that are on the disk, at most `limit` and oldest first,
        all with numbers smaller than `below`; None where there is none. What is not settled is given again."""
        return Deferred.fromCoroutine(self._read(reader, limit, newest, below))

    def follow(self, reader: str, listener: Callable[[Sequence[Record]], None]) -> None:
        """Calls the listener with what the reader takes of each commit, once it is on the disk, and no former one."""
        self._readers[reader].listener = listener

    def settle(self, batch: Batch, accepted: Collection[int], rejected: Collection[int] = ()) -> Deferred[None]:
        """Settles a batch but for the records in neither collection. The next read heeds it at once; fires when it is
        on the disk."""
        state = self._readers[batch.reader]
        kept = [record.n for record in batch.records if record.n not in accepted and record.n not in rejected]
        before, state.position = state.position, state.position.settle(batch.span, kept)
        state.waiting -= sum(record.n in before and record.n not in state.position for record in batch.records)
        if state.position == before:
            return succeed(None)
        return self._write_position(batch.reader, may_wait_s=self._settle_s)

    def unsettled(self, reader: str) -> tuple[Span, ...]:
        """The ranges of numbers on the disk that the reader has not settled, oldest first."""
        return self._readers[reader].position.oldest(self.synced)

    def taken(self, reader: str) -> tuple[tuple[Span, frozenset[int]], ...]:
        """The same ranges, cut where the reader began to take other periods, each with those it takes there."""
        return self._readers[reader].terms.split(self.unsettled(reader))

    def wanted(self, period: int) -> tuple[Span, ...]:
        """Few ranges of numbers that hold all the records of a period that some reader has not settled."""
        return wanted([state.position for state in self._readers.values() if state.terms.take(period)], _RANGES)

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

    def reopen(self, given: Mapping[str, Sequence[int]], owed: Mapping[str, int], change: Change) -> Deferred[None]:
        """Makes numbers unsettled again, whose records are on the disk, and counts so many records in files as owed:
        for each reader, in one commit with the change."""
        for reader in self.readers:
            state, numbers = self._readers[reader], given.get(reader, ())
            state.position = reopened(state.position, numbers)
            state.waiting += len(numbers) + owed.get(reader, 0)
            self._write_position(reader)
        return self.change(change)

    @property
    def readers(self) -> tuple[str, ...]:
        """The readers that are registered."""
        return tuple(self._readers)

    def takes(self, reader: str, n: int, period: int) -> bool:
        """Whether the reader takes the record with a number and a period."""
        return period in self._readers[reader].terms.at(n)

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

    def series(self, device: str, names: Sequence[str], period: int, start: int, stop: int) -> Deferred[Series]:
        """What those quantities of a device (short id or serial) did in the intervals of a period that end in (start,
        stop], column by column; of several records of one end one counts, as in `select`."""
        ask = partial(series, device=device, names=tuple(names), period=period, start=start, stop=stop)
        return self.query(ask)

    def devices(self) -> Deferred[list[tuple[str, str]]]:
        """Short id and serial of every device with records."""
        return self.query(Tables.devices)

    def query(self, ask: Callable[[Tables], T]) -> Deferred[T]:
        """Asks the tables something; fires with the answer."""
        return Deferred.fromCoroutine(self._volume.query(ask))

    def change(self, change: Callable[[Tables], T]) -> Deferred[T]:
        """Makes a change with the next commit, in one with everything else handed in within this turn; fires with
        what it returned once it is on the disk. It may be run again after a commit that failed."""
        return self._commits.submit(change)

    def expire(self, period: int, cutoff: int, limit: int, only_settled: bool = False) -> Deferred[Expired]:
        """Deletes up to `limit` of a period's records that ended at or before `cutoff` (UTC seconds), oldest first,
        except what an intent for a later file holds; with `only_settled` also nothing that some reader of the period
        still wants, in its position or in an intent. Fires with what was taken."""
        kept = self.wanted(period) if only_settled else None
        taken = self.change(partial(intent.delete_ended, period=period, cutoff=cutoff, limit=limit, kept=kept))
        return taken.addCallback(self._expired, period)

    @property
    def counts(self) -> Counts:
        """The figures people see."""
        commits = self._commits
        return Counts(self.id, self.synced, commits.pending, commits.lost, commits.commits, commits.failures)

    @property
    def size(self) -> int:
        """Bytes the file and its log take on the disk."""
        return self._volume.size

    @property
    def used(self) -> int:
        """Bytes of the file that hold something, and of its log. Deleting leaves room in a file, which does not become
        smaller, for what comes next."""
        return self._volume.used

    @property
    def _tables(self) -> Tables:
        return self._volume.tables

    @property
    def _opening(self) -> Opening:
        return self._volume.opening

    async def _open(self) -> None:
        await self._volume.open()
        self.id = self._opening.journal
        self._next, self.synced = self._opening.next_n, self._opening.last_n
        database = self._tables.database
        if database.kept_as:
            self._report("journal.set_aside", {"error": database.damage, "kept_as": database.kept_as, "lost": {}})
        elif database.is_copy:
            self._report("journal.copied", {"journal": self.id})
        elif database.is_short:
            self._report("journal.shortened", {"from": self.synced + 1})

    async def _close(self) -> None:
        await self._commits.flush()
        await self._volume.close()

    async def _count(self, reader: str, state: _Reader) -> None:
        spans = state.position.oldest(self.synced)
        found = await self.query(partial(intent.owed_records, reader=reader))
        for span, periods in state.terms.split(spans):
            found += await self.query(partial(Tables.count, spans=[span], periods=periods))
        state.waiting += found  # only now: it has gone on meanwhile

    async def _read(self, reader: str, limit: int, newest: bool, below: int | None) -> Batch | None:
        while True:
            state = self._readers[reader]
            top = self.synced if below is None else min(self.synced, below - 1)
            unsettled = state.position.newest(top) if newest else state.position.oldest(top)
            if not unsettled:
                state.waiting = state.waiting if below is not None else 0
                return None
            spans, periods = state.terms.leading(clipped(unsettled, _WINDOW, newest), newest)
            ask = partial(Tables.read, spans=spans, periods=periods, limit=limit, newest=newest)
            records, looked = await self.query(ask)
            if records:
                return Batch(reader, records, looked)
            # Nothing of its periods in there: no need to look again, and none to write that down by itself.
            state.position = state.position.settle(looked)

    def _write(self, changes: Sequence[Change]) -> Deferred[list[Any]]:
        return Deferred.fromCoroutine(self._volume.commit(changes))

    def _state(self) -> State:
        # What was settled since the last write is known here and nowhere else.
        return self.synced, {name: state.position for name, state in self._readers.items()}

    def _renewed(self) -> None:
        self.id = self._opening.journal
        lost = {name: self.waiting(name) for name in self._readers if self.waiting(name)}
        for name, state in self._readers.items():
            state.position, state.waiting, state.terms = Position(self.synced + 1), 0, Terms.of(state.terms.now)
            self._write_position(name, partial(Tables.write_terms, reader=name, terms=state.terms))
        database = self._tables.database
        self._report("journal.set_aside", {"error": database.damage, "kept_as": database.kept_as, "lost": lost})

    def _write_position(self, reader: str, change: Change | None = None, may_wait_s: float = 0.0) -> Deferred[None]:
        position = self._readers[reader].position
        write = partial(Tables.write_position, reader=reader, position=position)
        if change is None:
            return self._commits.submit(write, may_wait_s=may_wait_s)
        return self.change(lambda tables: (change(tables), write(tables))[1])

    def _stored(self, rows: Sequence[Row]) -> tuple[Record, ...]:
        records = tuple(Record(self.id, row.n, row.draft) for row in rows)
        self.synced = rows[-1].n
        for state in self._readers.values():
            state.waiting += sum(r.draft.period in state.terms.at(r.n) and r.n in state.position for r in records)
        self._fresh += records
        return records

    def _tell(self) -> None:
        fresh, self._fresh = tuple(self._fresh), []
        if fresh:
            for state in tuple(self._readers.values()):
                state.listener([r for r in fresh if r.draft.period in state.terms.at(r.n) and r.n in state.position])
            for listener in tuple(self._listeners):
                if listener in self._listeners:
                    listener(fresh)

    def _expired(self, taken: tuple[list[int], dict[str, int]], period: int) -> Expired:
        numbers, lost = taken
        for name, state in self._readers.items():
            unsettled = sum(n in state.position and period in state.terms.at(n) for n in numbers)
            if unsettled:
                lost[name] = lost.get(name, 0) + unsettled
            state.waiting -= lost.get(name, 0)
        return Expired(len(numbers), lost)
