"""The tables of a device as its profile lays them out: values by name in, the content of every register and bit out.
Hides encodings, sums, scale factors, bits that share a register, and which addresses there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from struct import pack

import attrs
from attrs import define, field, frozen

from concentrator.model.profile import Block, DeviceProfile, Function, Point
from concentrator.model.reading import Value
from concentrator.profile.decode import Image, compile_block
from concentrator.profile.encode import encode
from concentrator.sim.fitting import fitted, power_of_ten

Table = tuple[int | None, Function]
"""One table of the device itself (None) or of the Modbus ID it also answers at."""
Place = tuple[int | None, Function, int]
"""An address in one."""
Values = Mapping[str, Value]

_RESULT = 2
"""The registers of a command's result."""


@define
class Content:
    """What a device holds at a moment: what it says by name, and the words of its tables; `alone` is what a read of
    just these registers gives, where a read of more gives something else."""

    says: dict[str, Value] = field(factory=dict)
    words: dict[Place, int] = field(factory=dict)
    alone: dict[tuple[Place, int], Sequence[int]] = field(factory=dict)

    def image(self, unit_id: int | None) -> Image:
        """The words as an encoder or a decoder asks for them."""
        return lambda function, address: self.words.get((unit_id, function, address), 0)


@frozen
class _Factors:
    """The scale factors of a profile: for each place the power of ten it holds."""

    powers: Mapping[Place, int]

    @classmethod
    def of(cls, points: Iterable[Point]) -> _Factors:
        scaled: dict[Place, list[Point]] = {}
        for point in points:
            if point.sf_address is not None:
                scaled.setdefault((point.unit_id, point.function, point.sf_address), []).append(point)
        return cls({place: power_of_ten(those) for place, those in scaled.items()})

    def power(self, point: Point) -> int:
        """That of a point, 0 where it has none."""
        if point.sf_address is None:
            return 0
        return self.powers[point.unit_id, point.function, point.sf_address]


class ProfileMap:
    """The layout of the devices of a profile. `fixed` is what lies where no variable is."""

    def __init__(self, profile: DeviceProfile, fixed: Mapping[Place, int] | None = None) -> None:
        self.profile = profile
        self._fixed = fixed or {}
        self._factors = _Factors.of(profile.points)
        self._supported = [one for one in profile.commands if one.support_register is not None]
        self._results = {one.result_address for one in profile.commands if one.result_address is not None}
        self._sums = [point for point in profile.points if point.is_sum]
        own = [point for point in profile.points if not point.is_sum]
        self._alone, self._plain, self._again = (own, [], []) if profile.traits.alone else _sorted_out(own)
        self._mapped = self._places()

    def content(self, values: Values) -> Content:
        """What there is when the device's variables have these values; one without a value is 0."""
        made = Content(words=dict(self._fixed))
        for place, power in self._factors.powers.items():
            made.words[place] = power & 0xFFFF
        for command in self._supported:
            place = (None, Function.HOLDING, command.support_register or 0)
            made.words[place] = made.words.get(place, 0) | 1 << (command.support_bit or 0)
        for point in self._plain:
            made.says[point.name] = said = fitted(point, values.get(point.name, 0), self._factors.power(point))
            made.words.update(zip(_places(point), encode(point, said, made.image(point.unit_id)), strict=True))
        for point in self._again:
            made.says |= decoded(point, made)
        for point in self._alone:
            made.says[point.name] = said = fitted(point, values.get(point.name, 0), self._factors.power(point))
            made.alone[_places(point)[0], point.count] = encode(point, said, made.image(point.unit_id))
        for point in self._sums:
            made.says[point.name] = self._summed(point, values.get(point.name, 0), made)
        return made

    def has(self, table: Table, address: int, count: int) -> bool:
        """Whether all of these can be read by one request."""
        if self.profile.traits.alone:
            objects = {(_places(point)[0], point.count) for point in self.profile.points}
            results = {((None, Function.HOLDING, each), _RESULT) for each in self._results}
            return ((*table, address), count) in objects | results | {(place, 1) for place in self._factors.powers}
        crossed = any(address < barrier < address + count for barrier in self.profile.traits.barriers)
        return not crossed and all((*table, each) in self._mapped for each in range(address, address + count))

    def _places(self) -> frozenset[Place]:
        places = {place for point in self.profile.points for place in _places(point)}
        places |= self._factors.powers.keys() | self._fixed.keys()
        for point in self._sums:  # one read brings all of it
            span = range(min(point.addresses), max(point.addresses) + 1)
            places |= {(point.unit_id, point.function, address) for address in span}
        for block in self.profile.blocks:
            places |= {(block.unit_id, block.function, block.address + n) for n in range(block.count)}
        registers = {command.support_register for command in self.profile.commands}
        registers |= {first + n for first in self._results for n in range(_RESULT)}
        places |= {(None, Function.HOLDING, address) for address in registers if address is not None}
        return frozenset(places)

    def _summed(self, point: Point, value: Value, made: Content) -> Value:
        """Lays a sum out over those of its parts that are no variables themselves, and gives what it comes to."""
        power = self._factors.power(point)
        parts = [(_part(point, address), 1) for address in (point.address, *point.plus)]
        parts += [(_part(point, address), -1) for address in point.less]
        free = [(part, sign) for part, sign in parts if _places(part)[0] not in made.words]
        rest = float(value) - sum(sign * _number(part, made) for part, sign in parts if (part, sign) not in free)
        wanted = -1 if rest < 0 and any(sign < 0 for _, sign in free) else 1
        bearing = sum(sign == wanted for _, sign in free)
        for part, sign in free:
            said = fitted(part, wanted * rest / bearing if sign == wanted else 0, power)
            made.words.update(zip(_places(part), encode(part, said, made.image(part.unit_id)), strict=True))
        return sum(sign * _number(part, made) for part, sign in parts)


def _sorted_out(points: Sequence[Point]) -> tuple[list[Point], list[Point], list[Point]]:
    """The points that have their registers to themselves only in a read of their own; those that are laid out; and
    those that are another reading of what is."""
    measured = {place for point in points if not _is_by_itself(point) for place in _places(point)}
    alone, plain, again = [], [], []
    taken: set[Place] = set()
    for point in points:
        places = set(_places(point))
        if _is_by_itself(point) and places & measured:
            alone.append(point)
        elif point.bit is None and places <= taken:
            again.append(point)
        else:
            taken |= places
            plain.append(point)
    return alone, plain, again


def _is_by_itself(point: Point) -> bool:
    return point.identifies and not point.polled


def _places(point: Point) -> Sequence[Place]:
    return [(point.unit_id, point.function, address) for address in point.addresses]


def _part(point: Point, address: int) -> Point:
    return attrs.evolve(point, address=address, plus=(), less=())


def _number(point: Point, made: Content) -> float:
    value = decoded(point, made).get(point.name, 0)
    assert not isinstance(value, str)
    return value


def decoded(point: Point, content: Content) -> dict[str, Value]:
    """What the words of a point mean: its value by its name, nothing where it is not available."""
    first, end = min(point.addresses), max(point.addresses) + 1
    words = [content.words.get((point.unit_id, point.function, address), 0) for address in range(first, end)]
    data = bytes(words) if point.function.is_bits else pack(f">{len(words)}H", *words)
    block = Block(point.function, first, end - first, (point,), unit_id=point.unit_id)
    return compile_block(block)(data, content.image(point.unit_id))


def tables_of(profile: DeviceProfile) -> Iterator[int]:
    """The Modbus IDs, besides its own, at which a device of the profile answers."""
    yield from dict.fromkeys(point.unit_id for point in profile.points if point.unit_id is not None)
