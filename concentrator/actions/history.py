"""The past as an action: the records of a device over any range of time. Hides in how many small questions the journal
is asked, so that a range of years takes no more memory than an hour."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred

from concentrator.actions.present import stamp
from concentrator.actions.schema import Argument, Kind, quoted
from concentrator.actions.table import Action, Permission
from concentrator.api import Wall
from concentrator.model.errors import OutOfRange, Unknown, WrongArguments
from concentrator.model.quantity import Kind as Of
from concentrator.model.record import Record, in_unit
from concentrator.model.words import hint

DAY_S = 86_400
AT_ONCE = 500
"""About how many records are in memory at a time."""
PART_BYTES = 48_000
"""About how long a part is as JSON: with its columns and what is told beside it, it stays below 64 KiB."""
NAMES_MOST = 100
ROWS_MOST = 100_000

Select = Callable[[str, int, int, int], Deferred[list[Record]]]
"""`select(device, period, start, stop)`: the records of a device that end in (start, stop], by end."""


@frozen
class PastView:
    """What can be seen of the past: short id and serial of every device with records; their records; the earliest end
    after a moment among the records of a period (None where there is none); the names that the records of a device have
    now (none where that is not known); the period of history in seconds."""

    devices: Callable[[], Deferred[list[tuple[str, str]]]]
    select: Select
    next_end: Callable[[int, int], Deferred[int | None]]
    names: Callable[[str], Collection[str]]
    period_s: Callable[[], int]


def history_actions(past: PastView, wall: Wall) -> tuple[Action, ...]:
    """`history.get`, whose result comes in parts."""

    async def get(
        device: str, start: object, stop: object, period: int | None, names: list[str], extremes: bool, rows: int
    ) -> _Range:
        first, last = moment_of("start", start), wall.now() if stop is None else moment_of("stop", stop)
        if last <= first:
            raise OutOfRange(f"stop: found {quoted(stop)}, expected a moment after start")
        known = await past.devices()
        uid, serial = next((each for each in known if device in each), ("", ""))
        if not uid:
            raise Unknown(f"records of device {device}{hint(device, {name for each in known for name in each})}")
        stranger(names, past.names(uid), device)
        asked = _Asked(uid, serial, past.period_s() if period is None else period, tuple(names), extremes)
        return _Range(asked, past, int(first), int(last), rows)

    return (
        Action(
            "history.get",
            "The records of a device that end in (start, stop], oldest first, in parts of at most 64 KiB; each part "
            "has its columns, and rows of time, quality and the columns' values.",
            Permission.READ,
            (
                Argument("device", Kind.TEXT, "its short id or serial", least=1),
                Argument("start", Kind.VALUE, "ISO 8601 with offset, or UTC seconds; not included"),
                Argument("stop", Kind.VALUE, "likewise; included; now where it is left out", False),
                Argument("period", Kind.INTEGER, "seconds of a record; that of history", False, least=1, most=DAY_S),
                Argument("names", Kind.TEXTS, "only these variables; all", False, [], most=NAMES_MOST),
                Argument("extremes", Kind.FLAG, "least and most of each mean besides: v1.min, v1.max", False, False),
                Argument("rows", Kind.INTEGER, "at most so many", False, 10_000, least=1, most=ROWS_MOST),
            ),
            lambda **arguments: Deferred.fromCoroutine(get(**arguments)),
        ),
    )


def stranger(names: Collection[str], there: Collection[str], device: str) -> None:
    """Raises Unknown for a variable that is not among those a device has, where these are known."""
    for name in names:
        if there and name not in there:
            raise Unknown(f"variable {name} of device {device}{hint(name, there)}")


def moment_of(name: str, given: object) -> float:
    """UTC seconds of what an argument says. Raises WrongArguments, OutOfRange."""
    rule = "ISO 8601 with offset, such as 2026-11-21T10:00:00Z, or UTC seconds from 0 on"
    try:
        at = float(given) if isinstance(given, int | float) else _iso(str(given))
        datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        raise WrongArguments(f"{name}: found {quoted(given)}, expected {rule}") from None
    if at < 0:
        raise OutOfRange(f"{name}: found {quoted(given)}, expected {rule}")
    return at


def _iso(text: str) -> float:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("without an offset it may be any time")
    return found.timestamp()


@frozen
class _Asked:
    """Which records, and what of them."""

    uid: str
    serial: str
    period: int
    names: tuple[str, ...]
    extremes: bool

    def columns(self, record: Record) -> tuple[tuple[str, str], ...]:
        """Name and unit of each column that a record's row has."""
        found: list[tuple[str, str]] = []
        for column in record.draft.columns:
            if not self.names or column.name in self.names:
                found.append((column.name, column.unit))
                if self.extremes and column.kind is Of.INSTANTANEOUS:
                    found += [(f"{column.name}.min", column.unit), (f"{column.name}.max", column.unit)]
        return tuple(found)

    def row(self, record: Record) -> list[object]:
        """A record as a row: time, quality, values."""
        found: list[object] = [stamp(record.draft.end), record.draft.quality.value]
        for column, tally in zip(record.draft.columns, record.draft.tallies, strict=True):
            if self.names and column.name not in self.names:
                continue
            found.append(None if tally is None else tally.value(column))
            if self.extremes and column.kind is Of.INSTANTANEOUS:
                ends = (None, None) if tally is None else (in_unit(tally.least, column), in_unit(tally.most, column))
                found += ends
        return found

    def part(self, columns: Iterable[tuple[str, str]], rows: list[list[object]]) -> dict[str, Any]:
        """Rows of the same columns, as they are told."""
        told = [{"name": name, "unit": unit} for name, unit in columns]
        return {"device": self.uid, "serial": self.serial, "period": self.period, "columns": told, "rows": rows}


@define(eq=False)
class _Range:
    """The parts of one answer. There is always one, if an empty one."""

    _asked: _Asked
    _past: PastView
    _at: int
    _stop: int
    _left: int
    _found: deque[Record] = field(factory=deque, init=False)
    _parts: int = field(default=0, init=False)

    def next_part(self) -> Deferred[object | None]:
        """See Parts."""
        return Deferred.fromCoroutine(self._next())

    async def _next(self) -> object | None:
        rows: list[list[object]] = []
        columns: tuple[tuple[str, str], ...] = ()
        size = 0
        while self._left > 0 and size < PART_BYTES and await self._look():
            record = self._found[0]
            of_record = self._asked.columns(record)
            if rows and of_record != columns:
                break
            row, columns = self._asked.row(record), of_record
            rows.append(row)
            size += len(json.dumps(row))
            self._left -= 1
            self._found.popleft()
        if not rows and self._parts:
            return None
        self._parts += 1
        return self._asked.part(columns, rows)

    async def _look(self) -> bool:
        """Whether there is a record; asks for more of them where none is left."""
        asked = self._asked
        width = min(DAY_S, AT_ONCE * asked.period)
        while not self._found and self._at < self._stop:
            stop = min(self._at + width, self._stop)
            self._found.extend(await self._past.select(asked.uid, asked.period, self._at, stop))
            self._at = stop
            if not self._found:
                following = await self._past.next_end(asked.period, stop)
                self._at = self._stop if following is None else max(stop, following - 1)
        return bool(self._found)
