"""The journal's file: making it, opening it, upgrading it, and telling a damaged, a copied and a newer one from a good
one. Hides SQLite's settings and its ways of failing; what lies in the tables is said in `tables`."""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from attrs import define

from concentrator.journal.mark import Mark, Place
from concentrator.journal.room import LOG_BYTES, Ballast
from concentrator.model.errors import Corrupt, Full, JournalError, UnknownSchema

SCHEMA = files("concentrator.journal") / "schema"

CHECKED_BYTES = 8 * 2**20
"""A file up to this size is checked whole when it is opened. Of a larger one that would take too long: only what was
written last is read, which is what a power cut may have torn; the rest is found damaged when it is used."""

_NEWEST = (
    "SELECT sum(length(content)) FROM (SELECT content FROM record ORDER BY n DESC LIMIT 1000)",
    "SELECT count(*) FROM (SELECT stop FROM record ORDER BY period DESC, stop DESC LIMIT 1000)",
    "SELECT count(nullif(content, x'')) FROM (SELECT content FROM block ORDER BY id DESC LIMIT 20)",
    "SELECT sum(length(columns)) FROM layout",
    "SELECT count(DISTINCT uid) FROM device",
    "SELECT sum(length(numbers)) FROM intent WHERE numbers IS NOT NULL",
)

PAGE_BYTES = 2048
"""A commit of a few records touches few pages, and each is written whole, twice: half a block writes a quarter less."""

_COMPANIONS = ("", "-wal", "-shm")


@define
class Database:
    """An open journal file. `is_new`: it was made just now; `is_copy`: it is not where it was when it was last used,
    so its numbers may have been used since; `is_short`: it was not closed then and its log is gone, so that the newest
    it held is lost; `kept_as`: the name a damaged predecessor was kept under, `damage` what was wrong with it."""

    connection: sqlite3.Connection
    path: Path | None = None
    is_new: bool = False
    is_copy: bool = False
    is_short: bool = False
    kept_as: str = ""
    damage: str = ""
    mark: Mark | None = None

    def close(self) -> None:
        """Lets go of the file, which then is one file without companions."""
        with suppress(JournalError):
            self.note_place(None)
        self.abandon()

    def abandon(self) -> None:
        """Lets go of a file to which nothing more can be written."""
        with suppress(sqlite3.Error):
            self.connection.close()
        if self.mark is not None:
            self.mark.release()

    def lay_ballast(self) -> None:
        """Takes some room for worse times, where the disk has plenty."""
        if self.path is not None:
            Ballast.beside(self.path).lay()

    def throw_off_ballast(self) -> None:
        """Gives the room back: the disk is full."""
        if self.path is not None:
            Ballast.beside(self.path).throw_off()

    def note_place(self, first_n: int | None) -> None:
        """Notes in the file where it is, with each opening, when the next number to be given is `first_n`, and closing
        (None): a file that was put back from a copy has another place, or its mark was written since."""
        if self.path is None or self.mark is None:
            return
        token = secrets.token_hex(8)
        with translated():
            # A file that takes nothing is not to be told from its mark: the mark comes second.
            self._note({"token": token})
            self.mark.write(token, first_n)
            self._note(self.mark.place(self.path))

    def _note(self, facts: Place) -> None:
        with self.connection:
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", facts.items())


@contextmanager
def translated() -> Iterator[None]:
    """Turns SQLite's errors into the house's: Full, Corrupt or JournalError."""
    try:
        yield
    except sqlite3.Error as error:
        exactly = getattr(error, "sqlite_errorcode", 0)
        code = exactly & 0xFF
        if code == sqlite3.SQLITE_FULL or exactly == sqlite3.SQLITE_IOERR_SHMSIZE:
            raise Full(str(error)) from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise Corrupt(str(error)) from error
        raise JournalError(str(error)) from error
    except OSError as error:
        kind = Full if error.errno == errno.ENOSPC else JournalError
        raise kind(f"{error.filename or 'the file'}: {error.strerror}") from error


def open_database(path: Path | None, stamp: str, schema: Traversable = SCHEMA) -> Database:
    """Opens the file, or one in memory for None. A missing one is made; a damaged one is set aside under a name with
    `stamp` in it and a new one made. Call `note_place` once what follows from `is_copy` is on the disk.

    Raises UnknownSchema for a file of a newer version, JournalError where another process uses it or the disk
    refuses.
    """
    scripts = _scripts(schema)
    if path is None:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _upgrade(connection, scripts)
        return Database(connection, is_new=True)
    with translated():
        mark = Mark.locked(path)
    try:
        with translated():
            return _opened(path, stamp, scripts, mark)
    except JournalError:
        mark.release()
        raise


def set_aside(path: Path, stamp: str) -> str:
    """Renames a damaged file and its companions, never deleting any; gives the name it is kept under."""
    name = f"{path.name}.corrupt-{stamp}"
    if path.with_name(name).exists():
        name += f"-{secrets.token_hex(2)}"
    for companion in _COMPANIONS:
        with suppress(FileNotFoundError):
            os.rename(f"{path}{companion}", path.with_name(name + companion))
    _sync_folder(path.parent)
    return name


def _opened(path: Path, stamp: str, scripts: dict[int, str], mark: Mark) -> Database:
    connection, damage, kept_as = None, "", ""
    # Whoever closes a file removes this one before the log.
    is_short = Path(f"{path}-shm").exists() and not Path(f"{path}-wal").exists()
    if path.exists():
        try:
            connection = _examined(path, scripts)
        except Corrupt as error:
            damage, kept_as = error.detail, set_aside(path, stamp)
    if connection is None:
        _make(path, stamp, scripts)
        database = Database(_examined(path, scripts), path, is_new=True, kept_as=kept_as, damage=damage, mark=mark)
    else:
        noted = dict(connection.execute("SELECT name, value FROM fact"))
        is_copy = any(noted.get(name) != fact for name, fact in mark.place(path).items())
        database = Database(connection, path, is_copy=is_copy, is_short=is_short and not is_copy, mark=mark)
    return database


def _examined(path: Path, scripts: dict[int, str]) -> sqlite3.Connection:
    """A connection to an existing file, once it is known to be good and of this version."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        with translated():
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > max(scripts):
                raise UnknownSchema(f"{path}: found version {version}, expected at most {max(scripts)}")
            if version == 0:
                raise Corrupt("it is no journal")
            _check(connection, is_whole=os.stat(path).st_size <= CHECKED_BYTES)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            # Some builds of SQLite write zeros over whatever is deleted, which would wear the flash out for nothing.
            connection.execute("PRAGMA secure_delete = OFF")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_BYTES // PAGE_BYTES}")
            _upgrade(connection, scripts)
    except JournalError:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, is_whole: bool) -> None:
    """Raises Corrupt for a damaged file, as far as it looks."""
    if is_whole:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise Corrupt(found)
        return
    for newest in _NEWEST:
        connection.execute(newest).fetchone()


def _make(path: Path, stamp: str, scripts: dict[int, str]) -> None:
    """Makes a new file under another name and renames it when it is whole."""
    new = path.with_name(path.name + ".new")
    for companion in (*_COMPANIONS, "-journal"):
        Path(f"{new}{companion}").unlink(missing_ok=True)
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        _upgrade(connection, scripts)
    if Path(f"{path}-wal").exists():
        # SQLite would play the log of a file that is gone into the new one.
        set_aside(path, stamp)
    os.rename(new, path)
    _sync_folder(path.parent)


def _upgrade(connection: sqlite3.Connection, scripts: dict[int, str]) -> None:
    """Runs the scripts newer than the file, each whole or not at all."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number in sorted(scripts):
        if number > version:
            try:
                connection.executescript(f"BEGIN IMMEDIATE; {scripts[number]}; PRAGMA user_version = {number}; COMMIT")
            finally:
                if connection.in_transaction:
                    connection.rollback()


def _scripts(schema: Traversable) -> dict[int, str]:
    """Version → the script that leads to it from the version before: `001-….sql`, `002-….sql`, …"""
    found = (entry for entry in schema.iterdir() if entry.name.endswith(".sql"))
    return {int(entry.name.split("-")[0]): entry.read_text("utf-8") for entry in found}


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
