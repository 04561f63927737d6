"""What to read in place of a block that a device refused. Pure: it cuts blocks and knows no station. Hides where a
block may be cut so that everything in it that is wanted still comes whole.

Theory. A refusal does not say which of the registers it means. Those that are read over only because they lie between
are the first suspects: the block is cut at all its holes. What has none is halved, until what is refused stands alone;
it takes a logarithm of refusals to find, and everything else goes on being read. What keeps others together only
because it is made of them, a sum, is then read by itself. Cuts are never undone, so what was learnt stays learnt; and a
part of a block is never longer than the block nor on both sides of a barrier.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

import attrs

from concentrator.model.profile import Block, Point

_Stretch = tuple[int, int]
"""Addresses from the first up to the second (not in it) that must come in one read."""


def parts(block: Block, factors: Collection[int] = ()) -> tuple[Block, ...]:
    """The reads to try when a block was refused: every point is in exactly one of them. `factors`: addresses that are
    wanted though they belong to no point, scale factors say; reads of nothing else come first. The block itself, alone,
    where there is nothing smaller to try."""
    stretches = sorted(_stretches(block, factors))
    if not stretches:
        return (block,)
    runs = list(_runs(stretches))
    if len(runs) == 1:
        (run,) = runs
        if run[0][0] == block.address and run[-1][1] == block.address + block.count:
            if len(run) == 1 and (sums := [point for point in block.points if point.is_sum]) != list(block.points):
                return (*_without(block, sums, factors), *(_alone(block, point) for point in sums))
            runs = _halves(run)
    cut = [_part(block, run[0][0], run[-1][1]) for run in runs]
    return tuple(sorted(cut, key=lambda part: bool(part.points)))


def _without(block: Block, sums: Collection[Point], factors: Collection[int]) -> tuple[Block, ...]:
    """The block without sums, whose parts may lie on both sides of what was refused; only what is wanted of it."""
    if not sums:
        return (block,)
    rest = attrs.evolve(block, points=tuple(point for point in block.points if point not in sums))
    runs = _runs(sorted(_stretches(rest, factors)))
    return tuple(_part(rest, run[0][0], run[-1][1]) for run in runs)


def _alone(block: Block, point: Point) -> Block:
    start, end = min(point.addresses), max(point.addresses) + 1
    return attrs.evolve(block, address=start, count=end - start, points=(point,))


def _stretches(block: Block, factors: Collection[int]) -> Iterator[_Stretch]:
    for point in block.points:
        yield min(point.addresses), max(point.addresses) + 1
    for address in factors:
        if block.address <= address < block.address + block.count:
            yield address, address + 1


def _runs(stretches: Sequence[_Stretch]) -> Iterator[list[_Stretch]]:
    """Stretches that follow each other without a hole, those that overlap made one."""
    run = [stretches[0]]
    for start, end in stretches[1:]:
        last_start, last_end = run[-1]
        if start > last_end:
            yield run
            run = [(start, end)]
        elif start == last_end:
            run.append((start, end))
        else:
            run[-1] = last_start, max(last_end, end)
    yield run


def _halves(run: list[_Stretch]) -> list[list[_Stretch]]:
    """A run in two, cut between the stretches nearest to its middle; as it is where it is a single one."""
    if len(run) == 1:
        return [run]
    middle = (run[0][0] + run[-1][1]) / 2
    _, place = min((abs(after - middle), place) for place, ((_, after), _) in enumerate(pairwise(run), 1))
    return [run[:place], run[place:]]


def _part(block: Block, start: int, end: int) -> Block:
    points = tuple(point for point in block.points if start <= min(point.addresses) < end)
    return attrs.evolve(block, address=start, count=end - start, points=points)
