"""The journal's file and the one thread that touches it. A file that is found damaged is replaced before anything else
is done with it; hides that from those who ask and write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import DeferredLock

from concentrator.api import Wall
from concentrator.journal.opening import Opening, begin, replace
from concentrator.journal.position import Position
from concentrator.journal.tables import Tables
from concentrator.journal.worker import Worker
from concentrator.model.errors import Corrupt, JournalError

T = TypeVar("T")

State = tuple[int, Mapping[str, Position]]
"""The highest number on the disk, and what each reader has not settled."""


class Volume:
    """A file, or one in memory for None. `state` says how far the journal is when a damaged file is to be replaced,
    `renewed` hears of it when that is done."""

    tables: Tables
    opening: Opening

    def __init__(
        self, path: Path | None, wall: Wall, worker: Worker, state: Callable[[], State], renewed: Callable[[], None]
    ) -> None:
        self._path = path
        self._wall = wall
        self._worker = worker
        self._state = state
        self._renewed = renewed
        self._renewing = DeferredLock()
        self._damage: Corrupt | None = None

    async def open(self) -> None:
        """Opens the file, making it where there is none. Raises UnknownSchema or JournalError."""
        self._worker.start()
        try:
            opened = await self._worker.run(begin, self._path, self._stamp(), int(self._wall.now()))
        except JournalError:
            self._worker.stop()
            raise
        self.tables, self.opening = opened

    async def close(self) -> None:
        """Closes it."""
        await self._worker.run(self.tables.database.close)
        self._worker.stop()

    async def query(self, ask: Callable[[Tables], T]) -> T:
        """Asks the tables something. Raises Corrupt where that shows that the file is damaged."""
        await self._renew()
        try:
            return await self._worker.run(self.tables.query, ask)
        except Corrupt as error:
            await self._renew(error)
            raise

    async def commit(self, changes: Sequence[Callable[[Tables], Any]]) -> list[Any]:
        """Makes the changes in one transaction, in a new file where the old one shows to be damaged; gives what each
        returned."""
        await self._renew()
        try:
            return await self._worker.run(self.tables.commit, changes)
        except Corrupt as error:
            await self._renew(error)
            return await self._worker.run(self.tables.commit, changes)

    @property
    def size(self) -> int:
        """Bytes the file and its log take on the disk."""
        return self._bytes("") + self._bytes("-wal")

    @property
    def used(self) -> int:
        """Bytes of the file that hold something, and of its log."""
        return self.tables.used + self._bytes("-wal")

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
            synced, positions = self._state()
            job = partial(replace, self.tables, self._damage, stamp, begun, synced + 1, positions)
            self.tables, self.opening = await self._worker.run(job)
            self._damage = None
        finally:
            self._renewing.release()
        self._renewed()

    def _bytes(self, companion: str) -> int:
        file = Path(f"{self._path}{companion}") if self._path else None
        return file.stat().st_size if file and file.exists() else 0

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self._wall.now(), UTC).strftime("%Y%m%dT%H%M%SZ")
