"""Records as files for people and programs: CSV and JSON text, in pieces. Pure; hides how numbers, times and late
intervals are written, which is a contract with whoever reads the files.

A file is a head, rows as often as there are some, and a tail. Whoever gives the records gives them in time order, one
for each interval.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from io import StringIO
from typing import Protocol

from attrs import define, field, frozen

from concentrator.model.quantity import Quantity
from concentrator.model.reading import Quality, Value
from concentrator.model.record import Record

VERSION = 1
LATE = "late"
"""What stands in the quality column of an interval that belongs to an earlier period."""


class Form(Protocol):
    """A way to write one file."""

    def head(self) -> str:
        """What it begins with."""

    def rows(self, records: Iterable[Record]) -> str:
        """The rows of records, which follow those before."""

    def tail(self) -> str:
        """What it ends with."""


@frozen
class CsvForm:
    """CSV (RFC 4180), one row an interval, with an empty cell where nothing was read.

    `time` is the interval's end with the offset of `zone`. Intervals that ended at or before `start` (UTC seconds) are
    late ones; their quality is `late`. `has_device`: the device's short id follows the time.
    """

    columns: Sequence[Quantity]
    zone: tzinfo
    start: int = 0
    has_device: bool = False

    def head(self) -> str:
        """The line of headings, with units."""
        return _csv([["time", *(["device"] if self.has_device else []), *map(_heading, self.columns), "quality"]])

    def rows(self, records: Iterable[Record]) -> str:
        """A line for each record."""
        return _csv(map(self._row, records))

    def tail(self) -> str:
        """Nothing."""
        return ""

    def _row(self, record: Record) -> list[str]:
        values = record.values
        draft = record.draft
        return [
            local_time(draft.end, self.zone),
            *([draft.uid] if self.has_device else []),
            *(number_text(values[c.name]) if c.name in values else "" for c in self.columns),
            LATE if draft.end <= self.start else draft.quality.value,
        ]


@define
class JsonForm:
    """JSON: one object with what the CSV file says, and who it is about (`facts`, which come first). `variables` and
    `rows` follow; late intervals carry `"late": true` beside their quality, and partial ones as `coverage` the share of
    them in which the device was heard, 0 to 1, where that is known."""

    facts: dict[str, object]
    columns: Sequence[Quantity]
    zone: tzinfo
    start: int = 0
    _names: frozenset[str] = field(init=False)
    _is_first: bool = field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        self._names = frozenset(column.name for column in self.columns)

    def head(self) -> str:
        """Everything up to the rows."""
        self._is_first = True
        variables = [{"name": column.name, "unit": column.unit} for column in self.columns]
        return json_text(self.facts | {"variables": variables}).removesuffix("}") + ',"rows":['

    def rows(self, records: Iterable[Record]) -> str:
        """An object for each record."""
        text = ",".join(json_text(self._row(record)) for record in records)
        if text and not self._is_first:
            text = "," + text
        self._is_first = self._is_first and not text
        return text

    def tail(self) -> str:
        """The end of rows and object."""
        return "]}\n"

    def _row(self, record: Record) -> dict[str, object]:
        draft = record.draft
        row: dict[str, object] = {
            "time": local_time(draft.end, self.zone),
            "n": record.n,
            "values": {name: value for name, value in record.values.items() if name in self._names},
            "quality": draft.quality.value,
        }
        if draft.quality is Quality.PARTIAL and draft.coverage is not None:
            row["coverage"] = draft.coverage
        if draft.end <= self.start:
            row["late"] = True
        return row


def json_file(
    columns: Sequence[Quantity],
    zone: tzinfo,
    *,
    box: str,
    serial: str,
    alias: str,
    start: int,
    stop: int,
    period: int | None,
) -> JsonForm:
    """The form of a file about one device. `start` and `stop` are its period's bounds in UTC seconds; `period` is the
    length of its newest interval in seconds, None where there is none."""
    facts: dict[str, object] = {
        "v": VERSION,
        "box": box,
        "serial": serial,
        "alias": alias,
        "start": local_time(start, zone),
        "end": local_time(stop, zone),
        "period": period,
    }
    return JsonForm(facts, columns, zone, start)


def json_text(found: object) -> str:
    """JSON as short as it can be."""
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def local_time(at: float, zone: tzinfo) -> str:
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


def _csv(rows: Iterable[Sequence[str]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
