"""How an intent's numbers, a list of columns and a position lie in the file. Hides the formats."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from concentrator.journal.position import Position
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality

QUALITY_CODES = {
    Quality.GOOD: 0,
    Quality.PARTIAL: 1,
    Quality.CONFLICT: 2,
    Quality.SUSPENDED: 3,
    Quality.SILENT: 4,
}
"""Quality as it lies in the file: the lower, the better."""

QUALITIES = {code: quality for quality, code in QUALITY_CODES.items()}
_QUALITY_BITS = 3


def pack_grade(quality: Quality, covered: int | None) -> int:
    """Quality and coverage in one number, which is 0 for most records: the quality's code in the low bits and, above
    them, how many seconds are covered plus one, 0 where that is not said."""
    return QUALITY_CODES[quality] | (0 if covered is None else covered + 1) << _QUALITY_BITS


def unpack_grade(grade: int) -> tuple[Quality, int | None]:
    """The quality and coverage that `pack_grade` packed. KeyError where it packed none."""
    covered = grade >> _QUALITY_BITS
    return QUALITIES[grade & (1 << _QUALITY_BITS) - 1], covered - 1 if covered else None


def worth(grade: int, n: int) -> tuple[int, int]:
    """Of two records of one interval the one that is worth more counts: the better one, and of equally good ones the
    newer."""
    return -(grade & (1 << _QUALITY_BITS) - 1), n


_RISING = 1


def pack_rising(numbers: Sequence[int]) -> bytes:
    """A rising list of numbers as bytes: runs of equal steps, since a device's numbers are evenly spread."""
    out = bytearray((_RISING,))
    before, step, run = 0, 0, 0
    for number in numbers:
        if run and number - before == step:
            run += 1
        else:
            if run:
                _put(out, step)
                _put(out, run)
            step, run = number - before, 1
        before = number
    if run:
        _put(out, step)
        _put(out, run)
    return bytes(out)


def unpack_rising(packed: bytes) -> list[int]:
    """The numbers that `pack_rising` packed."""
    numbers: list[int] = []
    pairs = _numbers(packed, 1)
    number = 0
    for step in pairs:
        for _ in range(next(pairs)):
            number += step
            numbers.append(number)
    return numbers


def dump_columns(columns: Sequence[Quantity]) -> str:
    """A list of columns as text, equal for equal lists."""
    rows = [[column.name, column.unit, column.kind, column.label, column.digits] for column in columns]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def load_columns(text: str) -> tuple[Quantity, ...]:
    """The columns that `dump_columns` wrote."""
    rows = json.loads(text)
    return tuple(Quantity(name, unit, Kind(kind), label, digits) for name, unit, kind, label, digits in rows)


def dump_position(position: Position) -> str:
    """A position as text."""
    return json.dumps([*position.closed, [position.open_from]], separators=(",", ":"))


def load_position(text: str) -> Position:
    """The position that `dump_position` wrote."""
    *closed, (open_from,) = json.loads(text)
    return Position(open_from, tuple((first, last) for first, last in closed))


def _put(out: bytearray, number: int) -> None:
    """Seven bits a byte, the low ones first, the high bit set on all but the last. ValueError on a negative one."""
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def _numbers(packed: bytes, start: int) -> Iterator[int]:
    number = shift = 0
    for byte in packed[start:]:
        number |= (byte & 127) << shift
        if byte & 128:
            shift += 7
        else:
            yield number
            number = shift = 0
