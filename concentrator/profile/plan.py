"""Which reads bring a profile's points, each at its cadence, none beyond what the device bears. Hides how neighbours
are joined: what a file asks for in [[read]] sections is taken as it is; everything else is joined over holes, and what
lies inside a read that is made more often comes with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import attrs
from attrs import frozen

from concentrator.model.profile import Block, DeviceProfile, Function, Point, Rate, Traits
from concentrator.wire.conversation import LineSettings
from concentrator.wire.modbus import MAX_READ_BITS, rtu_silence_s

RATE_S = {Rate.CONTROL: 1.0, Rate.FAST: 3.0, Rate.NORMAL: 60.0, Rate.SLOW: 600.0}
"""The period of each rate in seconds; fast is the device's own interval, three seconds where it says nothing."""

_REQUEST_CHARACTERS = 8 + 5  # a request, and a reply but for its registers: Modbus over Serial Line V1.02, 2.5.1
_BITS_OF_A_REGISTER = 16


@frozen
class _Lane:
    """What may share a request: one table of one device at one cadence."""

    function: Function
    unit_id: int | None
    rate: Rate
    every_s: float | None

    @classmethod
    def of(cls, one: Point | Block) -> _Lane:
        return cls(one.function, one.unit_id, one.rate, one.every_s)

    @property
    def order(self) -> tuple[float, str, int, str, bool]:
        """The most frequent first; no two lanes are equal in it."""
        period_s = RATE_S[self.rate] if self.every_s is None else self.every_s
        return period_s, self.function, -1 if self.unit_id is None else self.unit_id, self.rate, self.every_s is None


@frozen
class _Stretch:
    """Addresses from `start` up to `end` (not in it) that one read must bring whole: a point's registers, or, without
    a point, a scale factor's."""

    lane: _Lane
    start: int
    end: int
    point: Point | None = None


def plan_blocks(profile: DeviceProfile, hole: int | None = None) -> tuple[Block, ...]:
    """The reads of everything the cycle reads, the most frequent first. Every polled point is in exactly one of them.
    `hole`: the widest hole worth reading over on this line, in registers; the device's traits may allow less."""
    asked = {point.name for block in profile.blocks for point in block.points}
    left = [point for point in profile.points if point.polled and point.name not in asked]
    wanted = [*_factors(point for block in profile.blocks for point in block.points), *_stretches(left)]
    return _planned(profile.traits, profile.blocks, wanted, hole)


def plan_identity(profile: DeviceProfile, hole: int | None = None) -> tuple[Block, ...]:
    """The reads that tell who the device is, as far as its profile knows: all identifying points. What the cycle reads
    at leisure anyway is taken from there, block and all, so that whoever makes these reads regularly can leave those
    blocks out of the cycle; the rest are reads of their own. `hole`: as in `plan_blocks`."""
    at_leisure = [
        block
        for block in plan_blocks(profile, hole)
        if (block.every_s or RATE_S[block.rate]) >= RATE_S[Rate.NORMAL] and any(p.identifies for p in block.points)
    ]
    there = {point.name for block in at_leisure for point in block.points}
    left = [point for point in profile.points if point.identifies and point.name not in there]
    return _planned(profile.traits, at_leisure, _stretches(left), hole)


def together(blocks: Iterable[Block], in_flight: int) -> tuple[Block, ...]:
    """The same reads, up to `in_flight` of one cadence made one that asks for them at once."""
    joined: list[Block] = []
    for (rate, every_s, unit_id), lane in groupby(blocks, key=lambda one: (one.rate, one.every_s, one.unit_id)):
        alike = tuple(lane)
        for start in range(0, len(alike), in_flight):
            parts = alike[start : start + in_flight]
            if len(parts) == 1:
                joined += parts
                continue
            first, points = parts[0], tuple(point for part in parts for point in part.points)
            registers = sum(part.count for part in parts)
            joined.append(Block(first.function, first.address, registers, points, rate, every_s, unit_id, parts))
    return tuple(joined)


def worthwhile_hole(settings: LineSettings, turnaround_s: float = 0.0075) -> int:
    """The widest hole, in registers, that a serial line reads over in less time than one request more takes.
    `turnaround_s`: how long the device lets its answer wait."""
    frames_s = _REQUEST_CHARACTERS * settings.character_s + 2 * rtu_silence_s(settings)
    return int((frames_s + turnaround_s) / (2 * settings.character_s))


def _stretches(points: Iterable[Point]) -> Iterator[_Stretch]:
    points = tuple(points)
    for point in points:
        addresses = point.addresses
        yield _Stretch(_Lane.of(point), min(addresses), max(addresses) + 1, point)
    yield from _factors(points)


def _factors(points: Iterable[Point]) -> Iterator[_Stretch]:
    """The registers of the scale factors, wanted as often as what they scale."""
    places = {(_Lane.of(point), point.sf_address): None for point in points if point.sf_address is not None}
    for lane, address in places:
        yield _Stretch(lane, address, address + 1)


def _planned(traits: Traits, given: Sequence[Block], wanted: Iterable[_Stretch], hole: int | None) -> tuple[Block, ...]:
    hole = traits.widest_hole if hole is None else min(hole, traits.widest_hole)
    blocks = list(given)
    ordered = sorted(wanted, key=lambda one: (one.lane.order, one.start, one.end))
    for _lane, stretches in groupby(ordered, key=lambda one: one.lane):
        run: list[_Stretch] = []
        for stretch in stretches:
            if _comes_along(stretch, blocks, traits):
                continue
            if run and not _may_join(run, stretch, traits, hole):
                blocks.append(_block(run))
                run = []
            run.append(stretch)
        if run:
            blocks.append(_block(run))
    return tuple(sorted(blocks, key=lambda block: _Lane.of(block).order))


def _comes_along(stretch: _Stretch, blocks: list[Block], traits: Traits) -> bool:
    """Lets a stretch be read with a block that has all of it already; whether there is one."""
    for place, block in enumerate(blocks):
        end = block.address + block.count
        is_same = (block.address, end) == (stretch.start, stretch.end)
        if (
            (block.function, block.unit_id) == (stretch.lane.function, stretch.lane.unit_id)
            and block.address <= stretch.start
            and stretch.end <= end
            and (is_same or not traits.alone)
        ):
            if stretch.point is not None:
                blocks[place] = attrs.evolve(block, points=(*block.points, stretch.point))
            return True
    return False


def _may_join(run: Sequence[_Stretch], stretch: _Stretch, traits: Traits, hole: int) -> bool:
    start, end = run[0].start, max(one.end for one in run)
    if traits.alone:
        return (start, end) == (stretch.start, stretch.end)
    longest, widest = traits.longest_read, hole
    if stretch.lane.function.is_bits:
        longest, widest = MAX_READ_BITS, hole * _BITS_OF_A_REGISTER
    is_near = stretch.start - end <= widest
    end = max(end, stretch.end)
    return is_near and end - start <= longest and not any(start < barrier < end for barrier in traits.barriers)


def _block(run: Sequence[_Stretch]) -> Block:
    lane, start, end = run[0].lane, run[0].start, max(one.end for one in run)
    points = tuple(one.point for one in run if one.point is not None)
    return Block(lane.function, start, end - start, points, lane.rate, lane.every_s, lane.unit_id)
