"""What goes into a block: rows turned into columns, or the columns of smaller blocks joined. Pure; hides how records of
which some lack a value are turned around."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, compress, repeat
from operator import ge

from attrs import define, field

from concentrator.journal.blocks import Block, Cells, Numbers, Sealed, Sealing
from concentrator.journal.packed import Form, Lists, open_row, shape_of
from concentrator.journal.runs import LARGEST
from concentrator.model.quantity import Quantity

Line = tuple[int, int, int, bytes]
"""Number, end, grade and content of a row."""

_Opened = tuple[Form, tuple[int, ...]]

_RUNS = ("rests", "below", "above", "over")


def seal(period: int, device: int, layout: int, columns: Sequence[Quantity], lines: Iterable[Line]) -> Sealed | None:
    """A loose block of the rows, whose numbers rise, of one period, device and layout; None where none of them can go
    into one. Those with absurdly large numbers stay rows. Raises Corrupt."""
    kept: list[Line] = []
    held: list[_Opened] = []
    for line in lines:
        opened = open_row(line[3], columns)
        if opened and not (opened[0].is_wide and _is_absurd(opened[1])):
            kept.append(line)
            held.append(opened)
    if not kept:
        return None
    ns, ends, grades, _ = zip(*kept, strict=True)
    arrangements = {form.arrangement for form, _ in held}
    alike = held[0][0] if len(arrangements) == 1 and held[0][0].bounds[0][1] == 1 else None
    if alike is not None:
        turned: list[Numbers] = list(zip(*(numbers for _, numbers in held), strict=True))
        shared: Numbers = turned[0]
        made = _alike(alike, turned, columns)
    else:
        lists = [form.lists(numbers) for form, numbers in held]
        shared = [max(each.counts, key=each.counts.count, default=1) for each in lists]
        made = _unlike(lists, columns, shared)
    sealing = Sealing(ns, ends, grades, shared, is_tight=False)
    for cells in made:
        sealing.put(cells)
    return sealing.done(period, device, layout)


def _is_absurd(numbers: Iterable[int]) -> bool:
    return any(not -LARGEST < number < LARGEST for number in numbers)


def _alike(form: Form, turned: Sequence[Numbers], columns: Sequence[Quantity]) -> Iterator[Cells]:
    """The columns of records whose numbers all lie at the same places: most are."""
    shape, count = shape_of(columns), len(turned[0])
    runs: list[Iterator[Numbers]] = [
        iter(turned[low:high]) if high > low else repeat((0,) * count if zeros else ())
        for low, high, zeros in form.bounds
    ]
    for i, is_averaged in enumerate(shape.averaged):
        if not form.present >> i & 1:
            yield Cells((), (), present=bytes(count))
        elif is_averaged:
            mean, *others = (next(run) for run in runs[1:6])
            yield Cells(turned[0], mean, *(run if any(run) else () for run in others))
        else:
            yield Cells(turned[0], next(runs[6]))


def _unlike(held: Sequence[Lists], columns: Sequence[Quantity], shared: Numbers) -> Iterator[Cells]:
    """The columns of any records."""
    shape = shape_of(columns)
    is_whole = all(lists.present == shape.full for lists in held)
    averaged = [_turned(held, name, shape.averaged, is_whole) for name in ("means", *_RUNS)]
    lasts = _turned(held, "lasts", shape.others, is_whole)
    own = None
    if any(len(lists.counts) > 1 for lists in held):
        alike = [lists._replace(counts=lists.counts * lists.present.bit_count()) for lists in held]
        alike = [each if len(lists.counts) == 1 else lists for each, lists in zip(alike, held, strict=True)]
        own = _turned(alike, "counts", (True,) * len(columns), is_whole)
    for i, is_averaged in enumerate(shape.averaged):
        present = b"" if is_whole else bytes(lists.present >> i & 1 for lists in held)
        runs: list[Numbers] = [next(turned) for turned in (averaged if is_averaged else (lasts,))]
        counts = shared if own is None else next(own)
        if present:
            counts, runs = tuple(compress(counts, present)), [tuple(compress(run, present)) for run in runs]
        first, *others = runs
        yield Cells(counts, first, *(run if any(run) else () for run in others), present=present)


def _turned(held: Sequence[Lists], name: str, flags: Sequence[bool], is_whole: bool) -> Iterator[Numbers]:
    """One of the lists of all records, column by column; zeros where a record has nothing."""
    width = sum(flags)
    rows: list[Numbers] = [getattr(lists, name) for lists in held]
    if not any(rows):
        return repeat((0,) * len(held), width)
    if not is_whole:
        rows = [_spread(row, lists.present, flags) for row, lists in zip(rows, held, strict=True)]
    zeros: Numbers = (0,) * width
    return zip(*(row or zeros for row in rows), strict=True)


def _spread(run: Numbers, present: int, flags: Sequence[bool]) -> Numbers:
    """The numbers of the columns that are present, with zeros for the others among those flagged."""
    numbers = iter(run)
    return run and tuple(next(numbers) if present >> i & 1 else 0 for i, flag in enumerate(flags) if flag)


@define(eq=False)
class Merging:
    """The work of making one tight block of smaller ones, of one period, device and layout, in small steps. `sealed`:
    what came of it, once there is no more to do."""

    _blocks: Sequence[Block]
    sealed: Sealed | None = field(default=None, init=False)
    _order: Sequence[int] | None = field(default=None, init=False)
    _counts: Numbers = field(init=False)
    _sealing: Sealing = field(init=False)
    _column: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        names = ("ns", "ends", "grades", "counts")
        head = [_chained([getattr(block, name) for block in self._blocks]) for name in names]
        ns = head[0]
        if any(map(ge, ns, ns[1:])):
            self._order = sorted(range(len(ns)), key=ns.__getitem__)
            head = [[run[i] for i in self._order] for run in head]
        self._counts = head[3]
        self._sealing = Sealing(head[0], head[1], head[2], head[3], is_tight=True)

    def step(self, columns: int) -> bool:
        """Does so many columns more; gives whether anything is left to do. Raises Corrupt."""
        last = len(self._blocks[0].columns)
        for column in range(self._column, min(last, self._column + columns)):
            self._sealing.put(self._joined([block.cells(column) for block in self._blocks]))
        self._column += columns
        if self._column < last:
            return True
        place = self._blocks[0].place
        self.sealed = self._sealing.done(place.period, place.device, place.layout)
        return False

    def _joined(self, parts: Sequence[Cells]) -> Cells:
        present = b""
        if any(cells.present for cells in parts):
            sizes = [block.place.count for block in self._blocks]
            present = b"".join(cells.present or b"\1" * size for cells, size in zip(parts, sizes, strict=True))
        runs = [_chained([cells.means for cells in parts])]
        for name in _RUNS:
            named = [getattr(cells, name) for cells in parts]
            filled = [run or (0,) * len(cells.means) for run, cells in zip(named, parts, strict=True)]
            runs.append(_chained(filled) if any(named) else [])
        is_shared = all(cells.counts is block.counts for cells, block in zip(parts, self._blocks, strict=True))
        if not is_shared:
            runs.append(_chained([cells.counts for cells in parts]))
        if self._order is not None:
            runs = [_ordered(run, present, self._order) if run else run for run in runs]
            present = bytes(present[i] for i in self._order) if present else b""
        return Cells(self._counts if is_shared else runs.pop(), *runs, present=present)


def _ordered(run: Sequence[int], present: bytes, order: Sequence[int]) -> list[int]:
    """The run of records that come in another order now."""
    if not present:
        return [run[i] for i in order]
    ranks = list(accumulate(present))
    return [run[ranks[i] - 1] for i in order if present[i]]


def _chained(runs: Iterable[Numbers]) -> list[int]:
    return list(chain.from_iterable(runs))
