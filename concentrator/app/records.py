"""A journal's records as text for people and programs, read from the file beside whoever is writing it."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from pathlib import Path

from concentrator.app import JOURNAL
from concentrator.journal.database import Database, translated
from concentrator.journal.export import number_text
from concentrator.journal.position import Span
from concentrator.journal.tables import Tables
from concentrator.model.errors import JournalError
from concentrator.model.record import Record

_LAST_N = 2**62
_CHUNK = 1000


@contextmanager
def read_only(path: Path) -> Iterator[Tables]:
    """The tables of a journal file, or of the one in a state folder, which may be in use. Raises JournalError."""
    file = path / JOURNAL if path.is_dir() else path
    if not file.is_file():
        raise JournalError(f"{file}: there is no such file")
    # At rest SQLite wants to put a file beside it even to read; where it may not, nobody writes either.
    is_still = not file.with_name(f"{file.name}-wal").exists() and not os.access(file.parent, os.W_OK)
    how = "mode=ro&immutable=1" if is_still else "mode=ro"
    with translated(), closing(sqlite3.connect(f"{file.absolute().as_uri()}?{how}", uri=True)) as connection:
        yield Tables(Database(connection, file))


def records(path: Path, period_s: int | None = None, device: str = "") -> Iterator[Record]:
    """The records of a journal file, or of the one in a state folder, rising by number: those of one period (seconds;
    0 for events; None for all) and one device (its short id or serial; empty for all). Raises JournalError."""
    with read_only(path) as tables:
        periods = tables.periods() if period_s is None else [period_s]
        first = 1
        while found := _at_one_moment(tables, partial(Tables.read, spans=[(first, _LAST_N)], periods=periods)):
            first = found[-1].n + 1
            yield from (record for record in found if not device or device in (record.draft.uid, record.draft.serial))


def _at_one_moment(tables: Tables, read: Callable[..., tuple[list[Record], Span]]) -> list[Record]:
    """What is read while nobody moves records from rows into blocks in between."""
    tables.sql.execute("BEGIN")
    try:
        return read(tables, limit=_CHUNK, newest=False)[0]
    finally:
        tables.sql.execute("COMMIT")


def as_text(found: Iterable[Record]) -> Iterator[str]:
    """One line a record."""
    for record in found:
        draft = record.draft
        content = draft.event or record.values
        shown = " ".join(f"{name}={value}" for name, value in content.items())
        span = f"{draft.period} s" if draft.period else "event"
        name = draft.uid or draft.serial
        yield f"{record.journal}/{record.n}  {_time(draft.end)}  {span:>6}  {name}  {draft.quality.value}  {shown}"


def as_json(found: Iterable[Record]) -> Iterator[str]:
    """One JSON object a record, each on a line of its own."""
    for record in found:
        yield json.dumps(_fields(record), ensure_ascii=False, separators=(",", ":"))


def as_csv(found: Iterable[Record]) -> Iterator[str]:
    """One line a value; events have their facts as JSON in `value`."""
    yield _row("journal", "n", "time", "period", "device", "serial", "quality", "variable", "unit", "value")
    for record in found:
        draft = record.draft
        where = (record.journal, record.n, _time(draft.end), draft.period, draft.uid, draft.serial, draft.quality.value)
        units = {column.name: column.unit for column in draft.columns}
        for name, value in record.values.items():
            yield _row(*where, name, units[name], number_text(value))
        if draft.event:
            yield _row(*where, "event", "", json.dumps(draft.event, ensure_ascii=False))


FORMS: Mapping[str, Callable[[Iterable[Record]], Iterator[str]]] = {"text": as_text, "json": as_json, "csv": as_csv}
"""The forms, by name; each gives lines without their ends."""


def _fields(record: Record) -> dict[str, object]:
    draft = record.draft
    return {
        "j": record.journal,
        "n": record.n,
        "device": draft.uid,
        "serial": draft.serial,
        "ts": _time(draft.end),
        "period": draft.period,
        **({"event": dict(draft.event)} if draft.event else {"values": record.values}),
        "quality": draft.quality.value,
    }


def _time(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _row(*cells: object) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
