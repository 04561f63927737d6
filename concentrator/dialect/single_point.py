"""One point of a Modbus device by itself: the read that brings nothing else, and the one request that writes it. Hides
what must be known of a device before a point of it can be written or understood, and which function writes what.

Sources: Modbus Application Protocol V1.1b3, 6.5, 6.6 and 6.12.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from concentrator.model.errors import NotWritable, Unknown
from concentrator.model.profile import Block, DeviceProfile, Point
from concentrator.model.reading import Value
from concentrator.model.words import hint
from concentrator.profile.decode import Image, encoding_at
from concentrator.profile.encode import check_span, encode
from concentrator.profile.encodings import Form
from concentrator.profile.points import WRITABLE
from concentrator.wire.modbus import Request, write_coil, write_register, write_registers


@frozen
class SinglePoint:
    """A point, the read that brings it, the read of its scale factor where it has one, and whether a single register
    is written by function 16 too."""

    point: Point
    block: Block
    factor: Block | None
    writes_many: bool

    @property
    def before_writing(self) -> tuple[Block, ...]:
        """What must be read first, and fresh: the other bits in the register of a few, the scale factor."""
        encoding = encoding_at(self.point)
        is_shared = encoding.form is Form.BITS and (self.point.bit is not None or encoding.bits > 1)
        own = (self.block,) if is_shared and not self.point.function.is_bits else ()
        return own if self.factor is None else (*own, self.factor)

    def check(self, value: Value) -> None:
        """Raises NotWritable or OutOfRange where it is known beforehand that the value cannot be written."""
        if not self.point.writable or self.point.function not in WRITABLE:
            raise NotWritable(f"{self.point.name} is only read")
        check_span(self.point, value)
        if self.factor is None:
            encode(self.point, value, lambda _function, _address: 0)

    def request(self, value: Value, image: Image) -> Request:
        """What writes the value; `image` knows what `before_writing` has read."""
        registers = self._registers(value, image)
        first = min(registers)
        if self.point.function.is_bits:
            return write_coil(first, bool(registers[first]))
        if len(registers) == 1 and not self.writes_many:
            return write_register(first, registers[first])
        return write_registers(first, [registers[address] for address in sorted(registers)])

    def content(self, value: Value, image: Image) -> bytes:
        """What reading `block` gives once the value is there."""
        registers = self._registers(value, image)
        if self.point.function.is_bits:
            return bytes(registers.values())
        places = range(self.block.address, self.block.address + self.block.count)
        return b"".join(registers.get(address, 0).to_bytes(2, "big") for address in places)

    def _registers(self, value: Value, image: Image) -> Mapping[int, int]:
        return dict(zip(self.point.addresses, encode(self.point, value, image), strict=True))


def single_point(profile: DeviceProfile, name: str) -> SinglePoint:
    """The point of that name by itself; raises Unknown where there is none."""
    point = profile.point(name)
    if point is None:
        raise Unknown(f"variable {name}{hint(name, [point.name for point in profile.points])}")
    first, end = min(point.addresses), max(point.addresses) + 1
    block = Block(point.function, first, end - first, (point,), unit_id=point.unit_id)
    factor = None
    if point.sf_address is not None:
        factor = Block(point.function, point.sf_address, 1, unit_id=point.unit_id)
    return SinglePoint(point, block, factor, profile.traits.writes_many)
