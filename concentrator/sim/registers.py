"""A device's registers as its profile lays them out: values by name in, register contents out. Hides encodings and
which addresses there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from concentrator.model.profile import Block, Point
from concentrator.model.reading import Value
from concentrator.profile.encode import encode
from concentrator.sim.slave import ILLEGAL_ADDRESS, Refusal


class RegisterMap:
    """The registers that `points` and `blocks` name; what is read as part of a block and belongs to no point is 0."""

    def __init__(self, points: Iterable[Point], blocks: Iterable[Block] = ()) -> None:
        self._points = {point.address: point for point in points if not point.is_sum}
        spans = [(block.address, block.count) for block in blocks]
        spans += [(point.address, point.count) for point in self._points.values()]
        self._mapped = frozenset(address for start, count in spans for address in range(start, start + count))

    def point(self, address: int) -> Point | None:
        """The point that begins at an address."""
        return self._points.get(address)

    def contents(self, address: int, count: int, values: Mapping[str, Value]) -> Sequence[int]:
        """The contents of `count` registers from `address` on; a point whose name is not among `values` is 0. Raises
        Refusal where one of them is not there."""
        wanted = range(address, address + count)
        if not self._mapped.issuperset(wanted):
            raise Refusal(ILLEGAL_ADDRESS)
        registers = dict.fromkeys(wanted, 0)
        for point in self._points.values():
            if point.name in values and not registers.keys().isdisjoint(point.addresses):
                registers.update(zip(point.addresses, encode(point, values[point.name]), strict=True))
        return [registers[n] for n in wanted]
