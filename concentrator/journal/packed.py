"""How a record's tallies lie in the file, as long as it is young: lists of small differences no wider than they need,
for records are written every few seconds and each is read more than once. Hides the byte format."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, compress, repeat
from operator import sub
from typing import Any, NamedTuple, cast

from attrs import field, frozen

from concentrator.model.errors import Corrupt
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.record import Tally

_EQUAL_COUNTS, _OWN_COUNTS, _TEXT = 1, 2, 3
"""The forms a record has in the file, its first byte."""

_SIGNED, _UNSIGNED, _ZEROS = "bhiq", "BHIQ", "0"
_LISTS, _WITH_SIGN = 7, (1, 6)
_WIDEST = frozenset("qQ")
_FORMS = 1024
_NO_LISTS = ((),) * _LISTS

Tallies = Sequence[Tally | None]


class Lists(NamedTuple):
    """A record's tallies, list by list: bit i of `present` says whether column i has one. `counts` holds one number
    where all are equal. Of the instantaneous quantities there are mean, remainder, mean - least, most - mean and last -
    least; of the others the last. Those that are all zero are empty."""

    present: int
    counts: tuple[int, ...]
    means: tuple[int, ...]
    rests: tuple[int, ...]
    below: tuple[int, ...]
    above: tuple[int, ...]
    over: tuple[int, ...]
    lasts: tuple[int, ...]


@frozen
class Form:
    """How the numbers of a packed record lie: which columns are `present`, where the numbers `start`, how they are
    unpacked, and of each of the seven lists where it begins and ends among them and how many zeros stand for it.
    `is_wide`: some of them take eight bytes. `arrangement` is the same for records whose numbers lie at the same
    places, however wide they are."""

    present: int
    start: int
    packing: struct.Struct
    bounds: tuple[tuple[int, int, int], ...]
    is_wide: bool
    arrangement: tuple[object, ...]

    def lists(self, numbers: tuple[int, ...]) -> Lists:
        """The lists of a record with these numbers."""
        runs = (numbers[low:high] if high > low else (0,) * zeros for low, high, zeros in self.bounds)
        return Lists(self.present, *runs)


@frozen
class Shape:
    """What is to be known of a list of columns to pack its tallies: which are `averaged`, which are not, and the bits
    of those and of all of them."""

    averaged: tuple[bool, ...]
    others: tuple[bool, ...]
    averaged_bits: int
    full: int
    _forms: dict[bytes, Form] = field(factory=dict, init=False, eq=False)
    _singles: dict[tuple[str | None, str | None], tuple[bytes, struct.Struct]] = field(
        factory=dict, init=False, eq=False
    )

    @property
    def width(self) -> int:
        """How many bytes the bits take."""
        return (len(self.averaged) + 7) // 8

    def form(self, packed: bytes) -> Form:
        """The form of a packed record that is not text. ValueError where it has none."""
        head = packed[: 1 + self.width + _LISTS]
        form = self._forms.get(head)
        if form is None:
            if len(self._forms) > _FORMS:
                self._forms.clear()
            form = self._forms[head] = _form(head, self)
        if form.start + form.packing.size != len(packed):
            raise ValueError(len(packed))
        return form

    def single(self, lasts: tuple[int, ...]) -> bytes | None:
        """The packed record of one reading that gave every column these numbers; None where they are too large."""
        means, others = tuple(compress(lasts, self.averaged)), tuple(compress(lasts, self.others))
        widths = _width(means, True), _width(others, True)
        if widths not in self._singles:
            if None in widths:
                return None
            codes = f"B{widths[0]}{_ZEROS * 4}{widths[1]}"
            head = bytes((_EQUAL_COUNTS,)) + self.full.to_bytes(self.width, "little") + codes.encode() + b"\x01"
            lists = zip((means, others), widths, strict=True)
            text = "".join(f"{len(run)}{width}" for run, width in lists if width != _ZEROS)
            self._singles[widths] = head, struct.Struct(f"<{text}")
        head, packing = self._singles[widths]
        return head + packing.pack(*(() if widths[0] == _ZEROS else means), *(() if widths[1] == _ZEROS else others))


_shapes: dict[int, tuple[Sequence[Quantity], Shape]] = {}


def shape_of(columns: Sequence[Quantity]) -> Shape:
    """The shape of a list of columns. The same object's is known from the last time, for its hash would cost more than
    all the rest."""
    known = _shapes.get(id(columns))
    if known is not None and known[0] is columns:
        return known[1]
    if len(_shapes) > 256:
        _shapes.clear()
    averaged = tuple(column.kind is Kind.INSTANTANEOUS for column in columns)
    bits = sum(1 << i for i, is_averaged in enumerate(averaged) if is_averaged)
    shape = Shape(averaged, tuple(not each for each in averaged), bits, (1 << len(columns)) - 1)
    _shapes[id(columns)] = columns, shape
    return shape


def pack_tallies(tallies: Tallies, columns: Sequence[Quantity]) -> bytes:
    """The tallies as bytes: form, one bit a column that has a tally, the widths of the seven lists, the lists; each is
    as wide as its widest number needs. Where eight bytes are too narrow, the form is text.

    ValueError where the tallies do not fit the columns, or cannot be.
    """
    if len(tallies) != len(columns):
        raise ValueError(f"tallies: found {len(tallies)}, expected one for each of {len(columns)} columns")
    shape = shape_of(columns)
    if tallies and None not in tallies:
        counts, totals, leasts, mosts, lasts = zip(*cast("Sequence[Tally]", tallies), strict=True)
        if totals == lasts == leasts == mosts and counts.count(1) == len(counts):
            single = shape.single(lasts)
            if single is not None:
                return single
    present, *lists = _lists(tallies, shape)
    widths = _widths(lists)
    if widths is None:
        return bytes((_TEXT,)) + json.dumps(list(tallies), separators=(",", ":")).encode()
    form = _EQUAL_COUNTS if len(lists[0]) == 1 else _OWN_COUNTS
    head = bytes((form,)) + present.to_bytes(shape.width, "little") + widths.encode()
    filled = (numbers for numbers, width in zip(lists, widths, strict=True) if width != _ZEROS)
    return head + _packing(widths, tuple(map(len, lists))).pack(*chain.from_iterable(filled))


def _lists(tallies: Tallies, shape: Shape) -> Lists:
    present, averaged, others = shape.full, shape.averaged, shape.others
    given: Sequence[Any] = tallies
    if None in tallies:
        given = [tally for tally in tallies if tally is not None]
        has_tally = [tally is not None for tally in tallies]
        present = sum(1 << i for i, has_one in enumerate(has_tally) if has_one)
        averaged, others = tuple(compress(averaged, has_tally)), tuple(compress(others, has_tally))
    if not given:
        return Lists(present, *_NO_LISTS)
    counts, totals, leasts, mosts, lasts = zip(*given, strict=True)
    shown = counts if len(set(counts)) > 1 else counts[:1]
    totals, leasts, mosts, counts = (tuple(compress(each, averaged)) for each in (totals, leasts, mosts, counts))
    means, rests = zip(*map(divmod, totals, counts), strict=True) if totals else ((), ())
    below, above = tuple(map(sub, means, leasts)), tuple(map(sub, mosts, means))
    over = tuple(map(sub, compress(lasts, averaged), leasts))
    return Lists(present, shown, means, rests, below, above, over, tuple(compress(lasts, others)))


def unpack_lists(packed: bytes, columns: Sequence[Quantity]) -> Lists | None:
    """The lists that `pack_tallies` packed; None for a record in text. Raises Corrupt."""
    opened = open_row(packed, columns)
    return opened and opened[0].lists(opened[1])


def check(packed: bytes, columns: Sequence[Quantity]) -> None:
    """Raises Corrupt where `unpack_tallies` would."""
    if packed[:1] == bytes((_TEXT,)):
        unpack_tallies(packed, columns)
        return
    try:
        shape_of(columns).form(packed)
    except (IndexError, ValueError, struct.error) as error:
        raise Corrupt("a record is damaged") from error


def unpack_tallies(packed: bytes, columns: Sequence[Quantity]) -> tuple[Tally | None, ...]:
    """The tallies that `pack_tallies` packed. Raises Corrupt where the bytes are none of its."""
    lists = unpack_lists(packed, columns)
    tallies = _from_text(packed, len(columns)) if lists is None else _tallies(lists, shape_of(columns))
    return tuple(tallies)


def unpack_mean(content: bytes, columns: Sequence[Quantity], place: int) -> tuple[int, int, int] | None:
    """Count, mean rounded down and remainder of the column at a place, without the others; the last as the mean, for
    kinds that keep only that; None where the record has no value for it. Raises Corrupt."""
    opened = open_row(content, columns)
    if opened is None:
        tally = unpack_tallies(content, columns)[place]
        if tally is None:
            return None
        is_averaged = columns[place].kind is Kind.INSTANTANEOUS
        return (tally.count, *divmod(tally.total, tally.count)) if is_averaged else (tally.count, tally.last, 0)
    form, numbers = opened
    counts, means, rests, _, _, _, lasts = form.bounds
    shape = shape_of(columns)
    if not form.present >> place & 1:
        return None
    before = form.present & (1 << place) - 1
    count = numbers[0 if counts[1] == 1 else before.bit_count()]
    is_averaged = shape.averaged[place]
    run = means if is_averaged else lasts
    rank = (before & (shape.averaged_bits if is_averaged else ~shape.averaged_bits)).bit_count()
    mean = 0 if run[2] else numbers[run[0] + rank]
    return count, mean, numbers[rests[0] + rank] if is_averaged and rests[1] > rests[0] else 0


def _from_text(packed: bytes, columns: int) -> list[Tally | None]:
    try:
        tallies = [row and Tally(*row) for row in json.loads(packed[1:])]
    except (TypeError, ValueError) as error:
        raise Corrupt("a record is damaged") from error
    if len(tallies) != columns:
        raise Corrupt(f"a record of {len(tallies)} values, expected {columns}")
    return tallies


def _form(head: bytes, shape: Shape) -> Form:
    kind = head[0]
    if kind not in (_EQUAL_COUNTS, _OWN_COUNTS):
        raise Corrupt(f"a record in form {kind}, expected 1 to {_TEXT}")
    present = int.from_bytes(head[1:-_LISTS], "little")
    widths = head[-_LISTS:].decode("ascii")
    if present > shape.full or len(head) != 1 + shape.width + _LISTS:
        raise ValueError(present)
    means = (present & shape.averaged_bits).bit_count()
    others = present.bit_count() - means
    counts = min(1, means + others) if kind == _EQUAL_COUNTS else means + others
    lengths = (counts, means, means, means, means, means, others)
    bounds, at = [], 0
    for i, (width, length) in enumerate(zip(widths, lengths, strict=True)):
        is_zero = width == _ZEROS
        end = at if is_zero else at + length
        bounds.append((at, end, length if is_zero and i in _WITH_SIGN else 0))
        at = end
    is_wide = not _WIDEST.isdisjoint(widths)
    return Form(present, len(head), _packing(widths, lengths), tuple(bounds), is_wide, (present, *bounds))


def open_row(packed: bytes, columns: Sequence[Quantity]) -> tuple[Form, tuple[int, ...]] | None:
    """A packed record's form and its numbers; None for one in text, whose numbers are too large for lists. Raises
    Corrupt where the bytes are none that `pack_tallies` gave."""
    try:
        if packed[0] == _TEXT:
            return None
        form = shape_of(columns).form(packed)
        return form, form.packing.unpack_from(packed, form.start)
    except (IndexError, ValueError, struct.error) as error:
        raise Corrupt("a record is damaged") from error


def _tallies(lists: Lists, shape: Shape) -> list[Tally | None]:
    present, counts, means, rests, below, above, over, lasts = lists
    zeros = repeat(0)
    instantaneous = zip(means, rests or zeros, below or zeros, above or zeros, over or zeros, strict=False)
    others, each_count = iter(lasts), repeat(counts[0]) if len(counts) == 1 else iter(counts)
    tallies: list[Tally | None] = []
    for i, is_averaged in enumerate(shape.averaged):
        if not present >> i & 1:
            tallies.append(None)
            continue
        count = next(each_count)
        if is_averaged:
            mean, rest, down, up, end = next(instantaneous)
            least = mean - down
            tallies.append(Tally(count, mean * count + rest, least, mean + up, least + end))
        else:
            last = next(others)
            tallies.append(Tally(count, last, last, last, last))
    return tallies


def _widths(lists: Sequence[Sequence[int]]) -> str | None:
    """A code for each list: `0` where all are zero, else one of the struct module; the second and the last may hold
    negative numbers. None where a number is too large for all of them; ValueError for a negative one in another
    list."""
    codes = ""
    for i, numbers in enumerate(lists):
        code = _width(numbers, i in _WITH_SIGN)
        if code is None:
            return None
        codes += code
    return codes


def _width(numbers: Sequence[int], is_signed: bool) -> str | None:
    low, high = (min(numbers), max(numbers)) if numbers else (0, 0)
    if low == high == 0:
        return _ZEROS
    if low < 0 and not is_signed:
        raise ValueError("tally: least, most, last and total do not go together")
    bits = max(high, ~low).bit_length() + 1 if is_signed else high.bit_length()
    if bits > 64:
        return None
    return (_SIGNED if is_signed else _UNSIGNED)[0 if bits <= 8 else 1 if bits <= 16 else 2 if bits <= 32 else 3]


@lru_cache(maxsize=256)
def _packing(widths: str, lengths: tuple[int, ...]) -> struct.Struct:
    if len(widths) != _LISTS:
        raise ValueError(widths)
    pairs = zip(lengths, widths, strict=True)
    return struct.Struct("<" + "".join(f"{length}{code}" for length, code in pairs if code != _ZEROS))
