"""The ledger of commands: which were begun by a road, and what was answered, in the journal's file, so that a restart
in the middle of one does not carry it out again. Hides the table."""

from __future__ import annotations

from functools import partial

from attrs import define
from twisted.internet.defer import Deferred

from concentrator.api import Wall
from concentrator.journal.journal import Journal
from concentrator.journal.tables import Tables

Row = tuple[str, str, bytes | None]
"""Id, digest and answer."""


@define(eq=False)
class OrderBook:
    """The commands of one road, noted in a journal. Each Deferred fires when that is on the disk, or fails with
    JournalError."""

    _journal: Journal
    _road: str
    _wall: Wall

    def rows(self) -> Deferred[list[Row]]:
        """What was noted, oldest first."""
        return self._journal.query(partial(_rows, road=self._road))

    def begin(self, id: str, digest: str, keep: int) -> Deferred[None]:
        """Notes that a command is begun, and forgets all but the newest `keep`."""
        begun = int(self._wall.now())
        return self._journal.change(partial(_begin, road=self._road, id=id, digest=digest, begun=begun, keep=keep))

    def end(self, id: str, answer: bytes | None) -> Deferred[None]:
        """Notes what was answered."""
        return self._journal.change(partial(_end, road=self._road, id=id, answer=answer))


def _rows(tables: Tables, road: str) -> list[Row]:
    return tables.sql.execute("SELECT id, digest, answer FROM command WHERE road = ? ORDER BY n", (road,)).fetchall()


def _begin(tables: Tables, road: str, id: str, digest: str, begun: int, keep: int) -> None:
    tables.sql.execute("DELETE FROM command WHERE road = ? AND id = ?", (road, id))
    tables.sql.execute(
        "INSERT INTO command (road, id, digest, begun) VALUES (?, ?, ?, ?)",
        (road, id, digest, begun),
    )
    newest = "SELECT n FROM command WHERE road = ? ORDER BY n DESC LIMIT ?"
    tables.sql.execute(f"DELETE FROM command WHERE road = ? AND n NOT IN ({newest})", (road, road, keep))


def _end(tables: Tables, road: str, id: str, answer: bytes | None) -> None:
    tables.sql.execute("UPDATE command SET answer = ? WHERE road = ? AND id = ?", (answer, road, id))
