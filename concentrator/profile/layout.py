"""How a file's variables lie among each other and in its [[read]] sections: one name each, no register shared in part,
and every variable with the cadence of the read that brings it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
from attrs import frozen

from concentrator.model.profile import Block, Function, Point, Rate, Traits
from concentrator.profile.points import Table, cadence
from concentrator.profile.schema import Faults, shown
from concentrator.wire.modbus import MAX_READ_BITS

_RATES = (Rate.CONTROL, Rate.FAST, Rate.NORMAL, Rate.SLOW)


@frozen
class Variable:
    """A point with the section of the file it comes from, and whether that gives it a cadence of its own."""

    section: str
    point: Point
    has_cadence: bool = False


def check_places(variables: Sequence[Variable], traits: Traits, faults: Faults) -> None:
    """Notes variables of one name, and variables that share a part of their registers. They may share all of them:
    two readings of one thing, the bits of a word."""
    first: dict[str, str] = {}
    for variable in variables:
        name = variable.point.name
        if name in first:
            faults.note(variable.section, "name", shown(name), f"a name of its own: {first[name]} has this one")
        first.setdefault(name, variable.section)
    if not traits.alone:
        _check_overlaps(variables, faults)


def _check_overlaps(variables: Sequence[Variable], faults: Faults) -> None:
    def order(variable: Variable) -> tuple[str, int, int, int]:
        point = variable.point
        return point.function, -1 if point.unit_id is None else point.unit_id, point.address, -point.count

    before: Point | None = None
    for variable in sorted((one for one in variables if not (one.point.words or one.point.is_sum)), key=order):
        point = variable.point
        if (
            before is None
            or (before.function, before.unit_id) != (point.function, point.unit_id)
            or point.address >= before.address + before.count
        ):
            before = point
        elif (before.address, before.count) != (point.address, point.count):
            found = f"{point.address}, {point.count} registers of {point.function}"
            last = before.address + before.count - 1
            expected = f"all or none of the registers {before.address} to {last} of {before.name}"
            faults.note(variable.section, "address", found, expected)


def in_blocks(
    variables: Sequence[Variable], reads: Sequence[tuple[str, Table]], traits: Traits, faults: Faults
) -> tuple[tuple[Point, ...], tuple[Block, ...]]:
    """The points as the file's checked [[read]] sections leave them, and the blocks of these. Where there are any, what
    none of them covers is read on demand only; one that says no cadence has that of its most wanted point."""
    points = {variable.section: variable.point for variable in variables}
    left = {variable.section: variable for variable in variables}
    blocks = []
    for section, table in reads:
        function, start, count = Function(table["function"]), table["address"], table["count"]
        _check_length(section, function, start, count, traits, faults)
        place = Block(function, start, count, unit_id=table.get("unit_id"))
        inside = [left.pop(name) for name, one in list(left.items()) if all(_within(place, one.point))]
        usual = min((one.point.rate for one in inside), key=_RATES.index, default=Rate.SLOW)
        rate, every_s = cadence(table, usual, section, faults)
        for one in inside:
            if (one.point.rate, one.point.every_s) != (rate, every_s):
                points[one.section] = attrs.evolve(one.point, rate=rate, every_s=every_s)
            if one.has_cadence:
                faults.note(one.section, "rate", "a cadence of its own", f"the cadence in {section}, which brings it")
        brought = tuple(points[one.section] for one in inside)
        blocks.append(attrs.evolve(place, points=brought, rate=rate, every_s=every_s))
    if blocks:
        points.update({name: attrs.evolve(one.point, polled=False) for name, one in left.items()})
        _check_straddling(left, blocks, faults)
    return tuple(points.values()), tuple(blocks)


def _within(block: Block, point: Point) -> list[bool]:
    """For each address of a point, whether the block brings it."""
    is_same = (block.function, block.unit_id) == (point.function, point.unit_id)
    return [is_same and block.address <= address < block.address + block.count for address in point.addresses]


def _check_length(section: str, function: Function, start: int, count: int, traits: Traits, faults: Faults) -> None:
    longest = MAX_READ_BITS if function.is_bits else traits.longest_read
    if count > longest:
        faults.note(section, "count", str(count), f"{longest} at most, the device's longest read")
    if start + count > 0x10000:
        faults.note(section, "address", f"{start} with {count} registers", "the last register at 65535 at most")


def _check_straddling(left: Mapping[str, Variable], blocks: Sequence[Block], faults: Faults) -> None:
    for section, variable in left.items():
        for block in blocks:
            if any(_within(block, variable.point)):
                place = f"{block.address} to {block.address + block.count - 1}"
                expected = f"all of it in the [[read]] of {place}, or none"
                faults.note(section, "address", str(variable.point.address), expected)
