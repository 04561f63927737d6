"""The ids that stand in the file for devices, lists of columns and journals. Hides the tables they are kept in and what
of them is remembered; every method runs in the worker's thread."""

from __future__ import annotations

import secrets
import sqlite3
import string
from bisect import bisect_right

from concentrator.journal import codec
from concentrator.model.errors import Corrupt
from concentrator.model.quantity import Quantity

_ALPHABET = string.ascii_lowercase + string.digits
_REMEMBERED = 256

Columns = tuple[Quantity, ...]


class Names:
    """The names in one open file."""

    def __init__(self, sql: sqlite3.Connection) -> None:
        self._sql = sql
        self._ids: dict[tuple[str, str], int] = {}
        self._devices: dict[int, tuple[str, str]] = {}
        self._layouts: dict[str, int] = {}
        # By the columns themselves it would cost more than all the rest of writing a record: forty hashes each time.
        self._same: dict[int, tuple[Columns, int]] = {}
        self._columns: dict[int, Columns] = {}
        self._epochs: list[tuple[int, str]] = []

    def forget(self) -> None:
        """What was learnt in a transaction that failed is not in the file."""
        for known in (self._ids, self._devices, self._layouts, self._same, self._columns):
            known.clear()
        self._epochs = []

    def begin_epoch(self, first_n: int, begun: int) -> str:
        """Gives the records from `first_n` on a new journal id, which it returns."""
        self._sql.execute("DELETE FROM epoch WHERE first_n >= ?", (first_n,))
        used = {journal for (journal,) in self._sql.execute("SELECT j FROM epoch")}
        while (journal := "".join(map(secrets.choice, [_ALPHABET] * 4))) in used:
            pass
        self._sql.execute("INSERT INTO epoch VALUES (?, ?, ?)", (first_n, journal, begun))
        self._epochs = []
        return journal

    def journal(self, n: int) -> str:
        """The journal id of the record with a number."""
        if not self._epochs:
            self._epochs = self._sql.execute("SELECT first_n, j FROM epoch ORDER BY first_n").fetchall()
        return self._epochs[bisect_right(self._epochs, (n, "~")) - 1][1]

    def device_id(self, uid: str, serial: str) -> int:
        """The id of a device, which has one from now on."""
        key = (uid, serial)
        if key not in self._ids:
            self._sql.execute("INSERT OR IGNORE INTO device (uid, serial) VALUES (?, ?)", key)
            found = self._sql.execute("SELECT id FROM device WHERE uid = ? AND serial = ?", key).fetchone()
            self._ids[key] = found[0]
        return self._ids[key]

    def device(self, identity: int) -> tuple[str, str]:
        """Short id and serial of the device with an id."""
        if identity not in self._devices:
            found = self._sql.execute("SELECT uid, serial FROM device WHERE id = ?", (identity,)).fetchone()
            self._devices[identity] = found
        return self._devices[identity]

    def device_ids(self, device: str) -> list[int]:
        """The ids of the devices with that short id or serial."""
        found = self._sql.execute("SELECT id FROM device WHERE uid = ? OR serial = ?", (device, device))
        return [identity for (identity,) in found]

    def devices(self) -> list[tuple[str, str]]:
        """Short id and serial of every device that has had a record."""
        return self._sql.execute("SELECT uid, serial FROM device ORDER BY uid, serial").fetchall()

    def layout_id(self, columns: Columns) -> int:
        """The id of a list of columns, which has one from now on."""
        known = self._same.get(id(columns))
        if known is not None and known[0] is columns:
            return known[1]
        text = codec.dump_columns(columns)
        if text not in self._layouts:
            self._sql.execute("INSERT OR IGNORE INTO layout (columns) VALUES (?)", (text,))
            found = self._sql.execute("SELECT id FROM layout WHERE columns = ?", (text,)).fetchone()
            self._layouts[text] = found[0]
        if len(self._same) >= _REMEMBERED:
            self._same.clear()
        self._same[id(columns)] = columns, self._layouts[text]
        return self._layouts[text]

    def columns(self, layout: int) -> Columns:
        """The list of columns with an id."""
        if layout not in self._columns:
            found = self._sql.execute("SELECT columns FROM layout WHERE id = ?", (layout,)).fetchone()
            try:
                self._columns[layout] = codec.load_columns(found[0])
            except (ValueError, TypeError, KeyError, IndexError) as error:
                # So long a text lies on pages that SQLite's own check does not look into.
                raise Corrupt(f"layout {layout} cannot be read: {error}") from error
        return self._columns[layout]
