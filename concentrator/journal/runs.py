"""How a run of integers lies in a block: evenly spaced ones as their first and their step, others as small differences
whose bytes are sorted by weight, for the high ones are nearly all equal then, and deflate sees that. Pure; hides the
byte format."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate
from operator import sub

from concentrator.model.errors import Corrupt

_EVEN, _PLAIN, _DIFFERENCES = 0, 1, 2
_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
LARGEST = 2**60
"""Numbers in a run are smaller than this, either side of zero: so are eight bytes enough for any difference."""


def put_number(out: bytearray, number: int) -> None:
    """Appends a number: seven bits a byte, the low ones first, the high bit set on all but the last, the sign in the
    lowest bit of all."""
    rest = number << 1 if number >= 0 else ~(number << 1)
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)


def get_number(packed: bytes, at: int) -> tuple[int, int]:
    """The number that lies at a place, and the place after it. IndexError where there is none."""
    rest = shift = 0
    while (byte := packed[at]) & 128:
        rest |= (byte & 127) << shift
        shift += 7
        at += 1
    rest |= byte << shift
    return (~(rest >> 1) if rest & 1 else rest >> 1), at + 1


def put_run(out: bytearray, numbers: Sequence[int]) -> None:
    """Appends a run of numbers, none of which is `LARGEST` or larger; how many they are must be known when they are
    taken out again."""
    if not numbers:
        return
    differences = tuple(map(sub, numbers[1:], numbers)) or (0,)
    low, high = min(differences), max(differences)
    if low == high:
        out.append(_EVEN)
        put_number(out, numbers[0])
        put_number(out, low)
        return
    least, most = min(numbers), max(numbers)
    plain, differing = _width(least, most), _width(low, high)
    # Noise about a level only becomes more by being subtracted from itself.
    if plain < differing or (plain == differing and most - least <= high - low):
        out.append(_PLAIN << 4 | plain)
        _put_planes(out, numbers, plain)
    else:
        out.append(_DIFFERENCES << 4 | differing)
        put_number(out, numbers[0])
        _put_planes(out, differences, differing)


def get_run(packed: bytes, at: int, count: int) -> tuple[Sequence[int], int]:
    """The run of `count` numbers that lies at a place, and the place after it. IndexError, ValueError or Corrupt where
    there is none."""
    if not count:
        return (), at
    form, width = packed[at] >> 4, packed[at] & 15
    at += 1
    if form == _EVEN:
        first, at = get_number(packed, at)
        step, at = get_number(packed, at)
        return (range(first, first + count * step, step) if step else [first] * count), at
    if form == _PLAIN:
        return _planes(packed, at, count, width)
    if form == _DIFFERENCES:
        first, at = get_number(packed, at)
        differences, at = _planes(packed, at, count - 1, width)
        return array("q", accumulate(differences, initial=first)), at
    raise Corrupt(f"a run in form {form}")


def _width(low: int, high: int) -> int:
    """How many bytes numbers between these need. ValueError where they are too large."""
    bits = max(high, ~low).bit_length() + 1
    if bits > LARGEST.bit_length() + 1:
        raise ValueError(f"{max(high, ~low)} is too large for a run")
    return next(width for width in _CODES if bits <= 8 * width)


def _put_planes(out: bytearray, numbers: Sequence[int], width: int) -> None:
    cells = array(_CODES[width], numbers)
    if width == 1:
        out += cells.tobytes()
        return
    if sys.byteorder == "big":
        cells.byteswap()
    whole = cells.tobytes()
    for weight in range(width):
        out += whole[weight::width]


def _planes(packed: bytes, at: int, count: int, width: int) -> tuple[array[int], int]:
    end = at + count * width
    if width not in _CODES or end > len(packed):
        raise Corrupt("a run is cut short")
    whole = bytearray(count * width)
    for weight in range(width):
        whole[weight::width] = packed[at + weight * count : at + (weight + 1) * count]
    cells = array(_CODES[width])
    cells.frombytes(whole)
    if sys.byteorder == "big":
        cells.byteswap()
    return cells, end
