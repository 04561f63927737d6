"""Sealed blocks: many records of one device, column by column. A block is a directory and some streams, each deflated
and checked by itself: the numbers, ends and grades of the records first, then what the values are made of, last the
extremes within the intervals. Who asks for one column reads two streams. Pure; hides the byte format, and that records
of a single reading need no extremes."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, compress

from attrs import define, field, frozen

from concentrator.journal.runs import get_number, get_run, put_number, put_run
from concentrator.model.errors import Corrupt
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.record import Tally

Numbers = Sequence[int]

_SOME, _OWN_COUNTS, _RESTS = 1, 2, 4
_EXTREMES = ((1, "below"), (2, "above"), (4, "over"))
_CHECK_BYTES = 4
_NOISE = 0.3
"""What deflate does not shorten to this part is deflated without looking for repetitions too: in noise the few it
finds cost more than they save."""


@frozen
class Place:
    """What the file says of a block beside its content; the checks cover it. `first_end` and `last_end`: the bounds of
    its records' ends, UTC seconds; `first_n` and `last_n`: of their numbers."""

    period: int
    device: int
    layout: int
    first_n: int
    last_n: int
    first_end: int
    last_end: int
    count: int

    @property
    def seed(self) -> int:
        """What the checks of a block's streams begin with."""
        numbers = (self.period, self.device, self.layout, self.first_n, self.last_n)
        return zlib.crc32(repr((*numbers, self.first_end, self.last_end, self.count)).encode())


@frozen
class Sealed:
    """A block as it goes into the file, and the numbers of its records."""

    place: Place
    directory: bytes
    content: bytes
    ns: Numbers


@define(eq=False)
class Cells:
    """What a column holds in some records, one number for each record that has a value: `counts`, `means` rounded down
    and `rests` (total = mean · count + rest), and `below` = mean - least, `above` = most - mean, `over` = last - least.
    A run of `rests` or of what follows it that is empty stands for zeros. Kinds that keep only their last have it in
    `means`. `present`: a byte for each record, 1 where it has a value; empty where all have."""

    counts: Numbers
    means: Numbers
    rests: Numbers = ()
    below: Numbers = ()
    above: Numbers = ()
    over: Numbers = ()
    present: bytes = field(default=b"", kw_only=True)
    _ranks: Numbers = field(default=(), init=False)

    def __attrs_post_init__(self) -> None:
        if self.present:
            self._ranks = array("l", accumulate(self.present))

    def tally(self, i: int, kind: Kind) -> Tally | None:
        """What the record at place `i` holds."""
        if self.present:
            if not self.present[i]:
                return None
            i = self._ranks[i] - 1
        count, mean = self.counts[i], self.means[i]
        if kind is not Kind.INSTANTANEOUS:
            return Tally(count, mean, mean, mean, mean)
        least = mean - (self.below[i] if self.below else 0)
        total = mean * count + (self.rests[i] if self.rests else 0)
        most, last = mean + (self.above[i] if self.above else 0), least + (self.over[i] if self.over else 0)
        return Tally(count, total, least, most, last)


@define(eq=False)
class Block:
    """An open block. `take` gives bytes of its content, by offset and size; what was taken is kept. Whatever is asked
    of it raises Corrupt where the block is damaged."""

    place: Place
    columns: Sequence[Quantity]
    _directory: bytes
    _take: Callable[[int, int], bytes]
    _sizes: Sequence[int] = field(init=False)
    _parts: dict[int, list[bytes]] = field(factory=dict, init=False)
    _cells: dict[tuple[int, bool], Cells] = field(factory=dict, init=False)
    _per_stream: int = field(init=False)
    ns: Numbers = field(default=(), init=False)
    ends: Numbers = field(default=(), init=False)
    grades: Numbers = field(default=(), init=False)
    counts: Numbers = field(default=(), init=False)
    _is_loaded: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        with damage_told():
            sizes, at = [], 0
            while at < len(self._directory):
                size, at = get_number(self._directory, at)
                sizes.append(size)
            self._per_stream, *self._sizes = sizes
            if min(sizes) < 0:
                raise Corrupt("a block of streams without end")
            groups = -(-len(self.columns) // self._per_stream)
            if len(self._sizes) != 1 + 2 * groups:
                raise Corrupt(f"a block of {len(self._sizes)} streams, expected {1 + 2 * groups}")
            self._open_head()

    def _open_head(self) -> None:
        head, count = self._stream(0), self.place.count
        self.ns, at = get_run(head, 0, count)
        self.ends, at = get_run(head, at, count)
        self.grades, at = get_run(head, at, count)
        self.counts, at = get_run(head, at, count)

    def cells(self, column: int, whole: bool = True) -> Cells:
        """A column's cells; where not `whole`, counts, means and rests only."""
        key = (column, whole)
        if key not in self._cells:
            with damage_told():
                self._cells[key] = self._unpacked(column, whole)
        return self._cells[key]

    @property
    def held(self) -> int:
        """About how many numbers it keeps in memory."""
        return self.place.count * (3 + 2 * len(self._cells))

    def load(self) -> None:
        """Opens everything, so that nothing is found damaged later and nothing more is taken."""
        if self._is_loaded:
            return
        whole, take = self._take(0, sum(self._sizes)), self._take
        self._take = lambda at, size: whole[at : at + size]
        try:
            for column in range(len(self.columns)):
                self.cells(column)
        finally:
            self._take = take
        self._parts.clear()
        self._is_loaded = True

    def tallies(self, i: int) -> tuple[Tally | None, ...]:
        """The tallies of the record at place `i`."""
        return tuple(self.cells(c).tally(i, column.kind) for c, column in enumerate(self.columns))

    def _unpacked(self, column: int, whole: bool) -> Cells:
        group, place = divmod(column, self._per_stream)
        groups = len(self._sizes) // 2
        cells, present = self._values(self._part(1 + group, place))
        if whole:
            extremes = self._part(1 + groups + group, place)
            if extremes:
                marks, at = extremes[0], 1
                for mark, name in _EXTREMES:
                    if marks & mark:
                        run, at = get_run(extremes, at, present)
                        setattr(cells, name, run)
        return cells

    def _values(self, packed: bytes) -> tuple[Cells, int]:
        marks, at, count = packed[0], 1, self.place.count
        present = b""
        if marks & _SOME:
            bits = int.from_bytes(packed[at : at + (count + 7) // 8], "little")
            present, at = bytes(bits >> i & 1 for i in range(count)), at + (count + 7) // 8
            count = sum(present)
        counts = tuple(compress(self.counts, present)) if present else self.counts
        if marks & _OWN_COUNTS:
            counts, at = get_run(packed, at, count)
        means, at = get_run(packed, at, count)
        rests, at = get_run(packed, at, count) if marks & _RESTS else ((), at)
        return Cells(counts, means, rests, present=present), count

    def _part(self, number: int, place: int) -> bytes:
        """One of the parts of a stream; all those of an empty one are empty."""
        if not self._sizes[number]:
            return b""
        if number not in self._parts:
            stream, at = self._stream(number), 0
            parts = self._parts[number] = []
            while at < len(stream):
                size, at = get_number(stream, at)
                parts.append(stream[at : at + size])
                at += size
        return self._parts[number][place]

    def _stream(self, number: int) -> bytes:
        size = self._sizes[number]
        packed = self._take(sum(self._sizes[:number]), size)
        check = int.from_bytes(packed[:_CHECK_BYTES], "little")
        if len(packed) != size or check != _check(self.place, self._directory, number, packed[_CHECK_BYTES:]):
            raise Corrupt("a block is damaged")
        return zlib.decompress(packed[_CHECK_BYTES:], wbits=-15)


class Sealing:
    """A block in the making: the records' numbers (rising), ends, quality codes and counts first, then `put` with each
    column's cells in turn. `is_tight`: each column is a stream of its own, which is small for many records; else all
    are one, which is small for few."""

    def __init__(self, ns: Numbers, ends: Numbers, grades: Numbers, counts: Numbers, is_tight: bool) -> None:
        self._ns, self._ends, self._counts, self._is_tight = ns, ends, counts, is_tight
        self._columns = 0
        self._values, self._extremes = bytearray(), bytearray()
        self._has_extremes = False
        head = bytearray()
        for run in (ns, ends, grades, counts):
            put_run(head, run)
        self._head = _deflated(head, is_tight)
        self._value_streams: list[bytes] = []
        self._extreme_streams: list[bytes] = []

    def put(self, cells: Cells) -> None:
        """Adds the next column."""
        self._columns += 1
        _put_part(self._values, self._value_part(cells))
        extremes = _extreme_part(cells)
        self._has_extremes |= bool(extremes)
        _put_part(self._extremes, extremes)
        if self._is_tight:
            self._end_streams()

    def done(self, period: int, device: int, layout: int) -> Sealed:
        """The block of these columns, of records of that period, device and layout."""
        if self._values:
            self._end_streams()
        ns, ends = self._ns, self._ends
        place = Place(period, device, layout, ns[0], ns[-1], min(ends), max(ends), len(ns))
        streams = [self._head, *self._value_streams, *self._extreme_streams]
        directory = bytearray()
        put_number(directory, 1 if self._is_tight else max(1, self._columns))
        for stream in streams:
            put_number(directory, len(stream) and len(stream) + _CHECK_BYTES)
        content = bytearray()
        for number, stream in enumerate(streams):
            if stream:
                content += _check(place, directory, number, stream).to_bytes(_CHECK_BYTES, "little") + stream
        return Sealed(place, bytes(directory), bytes(content), ns)

    def _end_streams(self) -> None:
        self._value_streams.append(_deflated(self._values, self._is_tight))
        self._extreme_streams.append(_deflated(self._extremes, self._is_tight) if self._has_extremes else b"")
        self._values, self._extremes, self._has_extremes = bytearray(), bytearray(), False

    def _value_part(self, cells: Cells) -> bytearray:
        shared = tuple(compress(self._counts, cells.present)) if cells.present else self._counts
        has_own = cells.counts is not shared and tuple(cells.counts) != tuple(shared)
        part = bytearray((_SOME * bool(cells.present) | _OWN_COUNTS * has_own | _RESTS * bool(cells.rests),))
        if cells.present:
            bits = sum(1 << i for i, is_present in enumerate(cells.present) if is_present)
            part += bits.to_bytes((len(cells.present) + 7) // 8, "little")
        for run in (cells.counts if has_own else (), cells.means, cells.rests):
            put_run(part, run)
        return part


def _extreme_part(cells: Cells) -> bytearray:
    runs = [(mark, getattr(cells, name)) for mark, name in _EXTREMES if getattr(cells, name)]
    part = bytearray((sum(mark for mark, _ in runs),) if runs else ())
    for _, run in runs:
        put_run(part, run)
    return part


def _put_part(out: bytearray, part: bytes | bytearray) -> None:
    put_number(out, len(part))
    out += part


def _deflated(stream: bytes | bytearray, is_tight: bool) -> bytes:
    level = 9 if is_tight else 6
    shortest = _deflated_by(stream, level, zlib.Z_DEFAULT_STRATEGY)
    if is_tight and len(shortest) > _NOISE * len(stream):
        shortest = min(shortest, _deflated_by(stream, level, zlib.Z_HUFFMAN_ONLY), key=len)
    return shortest


def _deflated_by(stream: bytes | bytearray, level: int, strategy: int) -> bytes:
    how = zlib.compressobj(level, wbits=-15, strategy=strategy)
    return how.compress(stream) + how.flush()


def _check(place: Place, directory: bytes | bytearray, number: int, stream: bytes) -> int:
    # Seeded with all that leads to a stream, so that one found at the wrong place is not taken for another.
    return zlib.crc32(stream, zlib.crc32(directory, place.seed ^ number))


@contextmanager
def damage_told() -> Iterator[None]:
    """Turns what bytes that no block is made of lead to into Corrupt."""
    try:
        yield
    except (IndexError, ValueError, ArithmeticError, zlib.error) as error:
        raise Corrupt("a block is damaged") from error
