"""How a record's tallies, an intent's numbers and a list of columns lie in the file. Hides the byte formats: small
differences in integers no wider than they need, for there are many records and each is read more than once."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, repeat

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

_EQUAL_COUNTS, _OWN_COUNTS, _TEXT = 1, 2, 3
"""The forms a record has in the file, its first byte."""

_SIGNED, _UNSIGNED = "bhiq", "BHIQ"
_LISTS = 7

Tallies = Sequence[Tally | None]


def pack_tallies(tallies: Tallies, columns: Sequence[Quantity]) -> bytes:
    """The tallies as bytes: form, one bit a column that has a tally, the widths of seven lists, the lists. They are the
    counts (one, where all are equal); of the instantaneous quantities mean, remainder, mean - least, most - mean and
    last - least; of the others the last. Each is as wide as its widest number needs; where eight bytes are too narrow,
    the form is text.

    ValueError where the tallies do not fit the columns, or cannot be.
    """
    if len(tallies) != len(columns):
        raise ValueError(f"tallies: found {len(tallies)}, expected one for each of {len(columns)} columns")
    lists: list[list[int]] = [[] for _ in range(_LISTS)]
    counts, means, rests, below, above, over, lasts = lists
    for tally, column in zip(tallies, columns, strict=True):
        if tally is None:
            continue
        counts.append(tally.count)
        if column.kind is Kind.INSTANTANEOUS:
            mean, rest = divmod(tally.total, tally.count)
            means.append(mean)
            rests.append(rest)
            below.append(mean - tally.least)
            above.append(tally.most - mean)
            over.append(tally.last - tally.least)
        else:
            lasts.append(tally.last)
    form = _OWN_COUNTS
    if len(set(counts)) == 1:
        form = _EQUAL_COUNTS
        del counts[1:]
    widths = _widths(lists)
    if widths is None:
        rows = [tally and (tally.count, tally.total, tally.least, tally.most, tally.last) for tally in tallies]
        return bytes((_TEXT,)) + json.dumps(rows, separators=(",", ":")).encode()
    present = sum(1 << i for i, tally in enumerate(tallies) if tally is not None)
    head = bytes((form,)) + present.to_bytes((len(columns) + 7) // 8, "little") + widths.encode()
    return head + _packing(widths, tuple(map(len, lists))).pack(*chain.from_iterable(lists))


def unpack_tallies(packed: bytes, columns: Sequence[Quantity]) -> tuple[Tally | None, ...]:
    """The tallies that `pack_tallies` packed. Raises Corrupt where the bytes are none of its."""
    try:
        form = packed[0]
        if form == _TEXT:
            tallies = [row and Tally(*row) for row in json.loads(packed[1:])]
        elif form in (_EQUAL_COUNTS, _OWN_COUNTS):
            tallies = _tallies(packed, columns)
        else:
            raise Corrupt(f"a record in form {form}, expected 1 to {_TEXT}")
    except (IndexError, StopIteration, TypeError, ValueError, struct.error) as error:
        raise Corrupt("a record is damaged") from error
    if len(tallies) != len(columns):
        raise Corrupt(f"a record of {len(tallies)} values, expected {len(columns)}")
    return tuple(tallies)


def _tallies(packed: bytes, columns: Sequence[Quantity]) -> list[Tally | None]:
    width = (len(columns) + 7) // 8
    present = int.from_bytes(packed[1 : 1 + width], "little")
    widths = packed[1 + width : 1 + width + _LISTS].decode("ascii")
    averaged = [column.kind is Kind.INSTANTANEOUS for column in columns]
    means = sum(is_averaged and present >> i & 1 for i, is_averaged in enumerate(averaged))
    others = present.bit_count() - means
    has_one = packed[0] == _EQUAL_COUNTS
    lengths = (1 if has_one else means + others, *[means] * 5, others)
    numbers = _packing(widths, lengths).unpack_from(packed, 1 + width + _LISTS)
    counts = repeat(numbers[0]) if has_one else iter(numbers)
    first = lengths[0]
    parts = [numbers[first + means * i : first + means * (i + 1)] for i in range(5)]
    instantaneous, lasts = zip(*parts, strict=True), iter(numbers[first + 5 * means :])
    tallies: list[Tally | None] = []
    for i, is_averaged in enumerate(averaged):
        if not present >> i & 1:
            tallies.append(None)
            continue
        count = next(counts)
        if is_averaged:
            mean, rest, below, above, over = next(instantaneous)
            least = mean - below
            tallies.append(Tally(count, mean * count + rest, least, mean + above, least + over))
        else:
            last = next(lasts)
            tallies.append(Tally(count, last, last, last, last))
    return tallies


def _widths(lists: Sequence[Sequence[int]]) -> str | None:
    """A code of the struct module for each list: the second and the last may hold negative numbers. None where a
    number is too large for all of them; ValueError for a negative one in another list."""
    codes = ""
    for i, numbers in enumerate(lists):
        low, high = min(numbers, default=0), max(numbers, default=0)
        is_signed = i in (1, _LISTS - 1)
        if low < 0 and not is_signed:
            raise ValueError("tally: least, most, last and total do not go together")
        bits = max(high, ~low).bit_length() + 1 if is_signed else high.bit_length()
        size = next((size for size in range(4) if bits <= 8 << size), None)
        if size is None:
            return None
        codes += (_SIGNED if is_signed else _UNSIGNED)[size]
    return codes


@lru_cache(maxsize=256)
def _packing(widths: str, lengths: tuple[int, ...]) -> struct.Struct:
    if len(widths) != _LISTS:
        raise ValueError(widths)
    return struct.Struct("<" + "".join(f"{length}{code}" for length, code in zip(lengths, widths, strict=True)))


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
