"""How a record's tallies, an intent's numbers and a list of columns lie in the file. Hides the byte format: variable
length integers of small differences, which no value is too large for, behind a version byte."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from concentrator.journal.position import Position
from concentrator.model.errors import Corrupt
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import Tally

QUALITY_CODES = {
    Quality.GOOD: 0,
    Quality.PARTIAL: 1,
    Quality.CONFLICT: 2,
    Quality.SUSPENDED: 3,
    Quality.SILENT: 4,
}
"""Quality as it lies in the file: the lower, the better."""

QUALITIES = {code: quality for quality, code in QUALITY_CODES.items()}

_VERSION = 1

Tallies = Sequence[Tally | None]


def pack_tallies(tallies: Tallies, columns: Sequence[Quantity]) -> bytes:
    """The tallies as bytes. Layout of version 1: version, one bit a column that has a tally, one bit a column whose
    count differs from the common one, the common count, the differing counts; then for each tally its last, or for an
    instantaneous quantity mean, remainder, mean - least, most - mean and last - least.

    ValueError where they do not fit the columns.
    """
    if len(tallies) != len(columns):
        raise ValueError(f"tallies: found {len(tallies)}, expected one for each of {len(columns)} columns")
    counts = [tally.count if tally else 0 for tally in tallies]
    common = Counter(filter(None, counts)).most_common(1)[0][0] if any(counts) else 0
    differing = [count not in (0, common) for count in counts]
    out = bytearray((_VERSION,))
    out += _bits(map(bool, counts), len(counts)) + _bits(differing, len(counts))
    _put(out, common)
    for count, differs in zip(counts, differing, strict=True):
        if differs:
            _put(out, count)
    for tally, column in zip(tallies, columns, strict=True):
        if tally is None:
            continue
        if column.kind is Kind.INSTANTANEOUS:
            mean, rest = divmod(tally.total, tally.count)
            _put_signed(out, mean)
            for difference in (rest, mean - tally.least, tally.most - mean, tally.last - tally.least):
                _put(out, difference)
        else:
            _put_signed(out, tally.last)
    return bytes(out)


def unpack_tallies(packed: bytes, columns: Sequence[Quantity]) -> tuple[Tally | None, ...]:
    """The tallies that `pack_tallies` packed. Raises Corrupt where the bytes are none of its."""
    try:
        return tuple(_tallies(packed, columns))
    except (IndexError, StopIteration, RuntimeError) as error:
        raise Corrupt("a record ends in the middle") from error


def _tallies(packed: bytes, columns: Sequence[Quantity]) -> list[Tally | None]:
    if packed[0] != _VERSION:
        raise Corrupt(f"a record in format {packed[0]}, expected {_VERSION}")
    width = (len(columns) + 7) // 8
    present = int.from_bytes(packed[1 : 1 + width], "little")
    differing = int.from_bytes(packed[1 + width : 1 + 2 * width], "little")
    numbers = _numbers(packed, 1 + 2 * width)
    common = next(numbers)
    counts = [next(numbers) if differing >> i & 1 else common for i in range(len(columns))]
    tallies: list[Tally | None] = []
    for i, column in enumerate(columns):
        if not present >> i & 1:
            tallies.append(None)
        elif column.kind is Kind.INSTANTANEOUS:
            mean = _signed(next(numbers))
            total = mean * counts[i] + next(numbers)
            least = mean - next(numbers)
            most = mean + next(numbers)
            tallies.append(Tally(counts[i], total, least, most, least + next(numbers)))
        else:
            last = _signed(next(numbers))
            tallies.append(Tally(counts[i], last, last, last, last))
    return tallies


def pack_rising(numbers: Sequence[int]) -> bytes:
    """A rising list of numbers as bytes: runs of equal steps, since a device's numbers are evenly spread."""
    out = bytearray((_VERSION,))
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


def _bits(flags: Iterator[bool] | Sequence[bool], length: int) -> bytes:
    return sum(flag << i for i, flag in enumerate(flags)).to_bytes((length + 7) // 8, "little")


def _put(out: bytearray, number: int) -> None:
    """Seven bits a byte, the low ones first, the high bit set on all but the last. ValueError on a negative one."""
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def _put_signed(out: bytearray, number: int) -> None:
    _put(out, number << 1 if number >= 0 else (-number << 1) - 1)


def _signed(number: int) -> int:
    return -(number + 1 >> 1) if number & 1 else number >> 1


def _numbers(packed: bytes, start: int) -> Iterator[int]:
    number = shift = 0
    for byte in packed[start:]:
        number |= (byte & 127) << shift
        if byte & 128:
            shift += 7
        else:
            yield number
            number = shift = 0
