"""Records as files for people and programs: CSV and JSON text. Pure; hides how numbers, times and late intervals are
written, which is a contract with whoever reads the files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

from concentrator.model.quantity import Quantity
from concentrator.model.reading import Quality, Value
from concentrator.model.record import Record

VERSION = 1
LATE = "late"
"""What stands in the quality column of an interval that belongs to an earlier period."""

_RANK = {quality: rank for rank, quality in enumerate(Quality)}


def csv_text(records: Iterable[Record], columns: Sequence[Quantity], zone: ZoneInfo, start: int = 0) -> str:
    """A CSV file (RFC 4180) with one row an interval, in time order, and an empty cell where nothing was read.

    `time` is the interval's end with the offset of `zone`. Intervals that ended at or before `start` (UTC seconds)
    are late ones: they come first and their quality is `late`. Of several records of one interval the one of the best
    quality counts, then the newest.
    """
    text = StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(["time", *map(_heading, columns), "quality"])
    for record in _intervals(records):
        values = record.values
        late = record.draft.end <= start
        rows.writerow(
            [
                local_time(record.draft.end, zone),
                *(number_text(values[c.name]) if c.name in values else "" for c in columns),
                LATE if late else record.draft.quality.value,
            ]
        )
    return text.getvalue()


def json_text(
    records: Iterable[Record],
    columns: Sequence[Quantity],
    zone: ZoneInfo,
    *,
    box: str,
    serial: str,
    alias: str,
    start: int,
    stop: int,
) -> str:
    """A JSON file: one object with what the CSV file says, and who it is about. `start` and `stop` are the period's
    bounds in UTC seconds; `period` is the length of its newest interval in seconds, null where there is none; late
    intervals carry `"late": true` beside their quality."""
    intervals = _intervals(records)
    names = {column.name for column in columns}
    rows: list[dict[str, object]] = []
    for record in intervals:
        row: dict[str, object] = {
            "time": local_time(record.draft.end, zone),
            "n": record.n,
            "values": {name: value for name, value in record.values.items() if name in names},
            "quality": record.draft.quality.value,
        }
        if record.draft.end <= start:
            row["late"] = True
        rows.append(row)
    whole = {
        "v": VERSION,
        "box": box,
        "serial": serial,
        "alias": alias,
        "start": local_time(start, zone),
        "end": local_time(stop, zone),
        "period": intervals[-1].draft.period if intervals else None,
        "variables": [{"name": column.name, "unit": column.unit} for column in columns],
        "rows": rows,
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def local_time(at: float, zone: ZoneInfo) -> str:
    """UTC seconds as ISO 8601 with the offset the zone had then."""
    return datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")


def number_text(value: Value) -> str:
    """A number in its shortest exact decimal form, never with an exponent; text as it is."""
    if not isinstance(value, float):
        return str(value)
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def _heading(column: Quantity) -> str:
    return f"{column.name} [{column.unit}]" if column.unit else column.name


def _intervals(records: Iterable[Record]) -> list[Record]:
    best: dict[tuple[int, int], Record] = {}
    for record in records:
        key = (record.draft.end, record.draft.period)
        rival = best.get(key)
        if rival is None or _worth(record) > _worth(rival):
            best[key] = record
    return [best[key] for key in sorted(best)]


def _worth(record: Record) -> tuple[int, int]:
    return -_RANK[record.draft.quality], record.n
