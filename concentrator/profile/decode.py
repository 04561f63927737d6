"""The registers of a block as values, compiled once for each block. Hides encodings, word orders, scales and what
"not available" looks like: a value that is not there is simply absent. Numbers come out as the nearest float to the
exact decimal value (23010 in steps of 0.01 is 230.1), whole ones as int; NaN and infinities never come out."""

from __future__ import annotations

import struct
from collections.abc import Callable
from decimal import Decimal
from math import isfinite
from typing import Any, Protocol

import attrs
from attrs import frozen

from concentrator.model.errors import Garbled
from concentrator.model.profile import Block, Function, Point
from concentrator.model.reading import Value
from concentrator.profile.encodings import Encoding, Form, encoding_of

Image = Callable[[Function, int], int | None]
"""`image(function, address)`: what the register held when it was last read, or None where that is not known."""


class Decoder(Protocol):
    """What `compile_block` gives."""

    def __call__(self, data: bytes, image: Image = ...) -> dict[str, Value]:
        """The values in the block's bytes as they came on the wire (registers: high byte first; bits: the first in
        the lowest bit of the first byte), without those that are not available. `image` is asked for scale factors
        outside the block. Raises Garbled where the bytes are not as many as the block's."""


_Conversion = Callable[[bytes, Image], Value | None]

SF_LIMIT = 10  # SunSpec Information Model Specification: scale factors lie between -10 and 10


def nothing_known(_function: Function, _address: int) -> int | None:
    """An image that holds nothing."""
    return None


@frozen
class Ratio:
    """value = (raw * `times` + `plus`) / `by`, in whole numbers, so that nothing is lost before the one division."""

    times: int
    plus: int
    by: int

    @classmethod
    def of(cls, point: Point) -> Ratio:
        """The ratio of a point's scale and offset, without its scale factor. A scale that is as near to one divided by
        a whole number as a float can be is just that: a second is 1/3600 h."""
        (times, by), offset = Decimal(repr(point.scale)).as_integer_ratio(), Decimal(repr(point.offset))
        if abs(times) < by and 1 / (parts := round(by / times)) == point.scale:
            times, by = (1, parts) if parts > 0 else (-1, -parts)
        plus, over = offset.as_integer_ratio()
        return cls(times * over, plus * times, by * over)


_AS_IT_IS = Ratio(1, 0, 1)


def compile_block(block: Block) -> Decoder:
    """The decoder of a block's points."""
    return _compile_bits(block) if block.function.is_bits else _compile_registers(block)


def encoding_at(point: Point) -> Encoding:
    """The encoding of a point; a profile that was loaded has no other ones."""
    encoding = encoding_of(point.encoding)
    if encoding is None:
        raise ValueError(f"{point.name}: {point.encoding} is no encoding")
    return encoding


def _compile_bits(block: Block) -> Decoder:
    size = (block.count + 7) // 8
    places = [(point.name, point.address - block.address) for point in block.points]

    def decode(data: bytes, image: Image = nothing_known) -> dict[str, Value]:
        if len(data) != size:
            raise Garbled(f"{len(data)} bytes, expected {size} for {block.count} bits", data)
        bits = int.from_bytes(data, "little")
        return {name: bits >> place & 1 for name, place in places}

    return decode


def _compile_registers(block: Block) -> Decoder:
    """One struct for the block. A point that starts inside another or is spread reads its bytes by itself."""
    size = 2 * block.count
    fields: dict[tuple[int, str], int] = {}
    layout, end = ">", 0
    for point in sorted(block.points, key=lambda point: point.address):
        start, code = 2 * (point.address - block.address), encoding_at(point).code
        if not (point.words or point.little_word or point.is_sum) and start >= end:
            layout += f"{start - end}x{code}"
            fields[start, code] = len(fields)
            end = start + 2 * point.count
    unpack = struct.Struct(f"{layout}{size - end}x").unpack

    wholes: list[tuple[str, int, int, int, int, frozenset[int | float]]] = []
    floats: list[tuple[str, int, int, int, int, frozenset[int | float]]] = []
    flags: list[tuple[str, int, int, int, frozenset[int | float]]] = []
    others: list[tuple[str, _Conversion]] = []
    for point in block.points:
        encoding, ratio, sentinels = encoding_at(point), Ratio.of(point), frozenset(point.sentinels)
        place = fields.get((2 * (point.address - block.address), encoding.code), -1)
        is_plain = not (point.words or point.little_word or point.is_sum or point.is_folded or point.is_percentage)
        if place < 0 or not is_plain or point.sf_address is not None:
            others.append((point.name, _conversion(point, block)))
        elif encoding.form is Form.INTEGER:
            wholes.append((point.name, place, ratio.times, ratio.plus, ratio.by, sentinels))
        elif encoding.form is Form.FLOAT:
            floats.append((point.name, place, ratio.times, ratio.plus, ratio.by, sentinels))
        elif encoding.form is Form.BITS and point.bit is not None and not encoding.is_signed and ratio == _AS_IT_IS:
            flags.append((point.name, place, point.bit, (1 << encoding.bits) - 1, sentinels))
        else:
            others.append((point.name, _conversion(point, block)))

    def decode(data: bytes, image: Image = nothing_known) -> dict[str, Value]:
        if len(data) != size:
            raise Garbled(f"{len(data)} bytes, expected {size} for {block.count} registers", data)
        raws = unpack(data)
        values: dict[str, Value] = {}
        for name, place, times, plus, by, sentinels in wholes:
            raw = raws[place]
            if raw not in sentinels:
                raw = raw * times + plus
                values[name] = raw / by if by != 1 else raw
        for name, place, times, plus, by, sentinels in floats:
            raw = raws[place]
            number = (raw * times + plus) / by
            if raw not in sentinels and isfinite(number):
                values[name] = number
        for name, place, shift, mask, sentinels in flags:
            bits = raws[place] >> shift & mask
            if bits not in sentinels:
                values[name] = bits
        for name, convert in others:
            value = convert(data, image)
            if value is not None:
                values[name] = value
        return values

    return decode


def _conversion(point: Point, block: Block) -> _Conversion:
    """How a point becomes its value from the block's bytes, for those that are no plain field of its struct."""
    encoding, sentinels, bit = encoding_at(point), frozenset(point.sentinels), point.bit
    take, scaled = _taker(point, block, encoding), _scaler(point, block)
    if point.is_sum:
        return _sum(point, block, encoding)
    if point.is_folded:
        return _folded(attrs.evolve(point, is_folded=False), block)
    if point.is_percentage:
        return _percentage(attrs.evolve(point, is_percentage=False), block)

    def number(data: bytes, image: Image) -> Value | None:
        raw = take(data)
        return None if raw in sentinels else scaled(raw, data, image)

    def some_bits(data: bytes, image: Image) -> Value | None:
        word = take(data) & 0xFFFF
        is_whole = bit is None and encoding.bits == 1
        raw = int(word != 0) if is_whole else encoding.as_raw(word >> (bit or 0) & (1 << encoding.bits) - 1)
        return None if raw in sentinels else scaled(raw, data, image)

    def text(data: bytes, _image: Image) -> Value | None:
        return decoded_text(take(data))

    def hexadecimal(data: bytes, _image: Image) -> Value | None:
        raw = take(data)
        return None if raw in sentinels else f"0X{raw:0{4 * encoding.registers}X}"

    return {
        Form.INTEGER: number,
        Form.FLOAT: number,
        Form.BITS: some_bits,
        Form.TEXT: text,
        Form.HEX: hexadecimal,
    }[encoding.form]


def _sum(point: Point, block: Block, encoding: Encoding) -> _Conversion:
    """How a sum becomes its value: not at all where one of its parts is not available."""

    def taker(address: int) -> Callable[[bytes], Any]:
        return _taker(attrs.evolve(point, address=address, plus=(), less=()), block, encoding)

    parts = [(taker(address), 1) for address in (point.address, *point.plus)]
    parts += [(taker(address), -1) for address in point.less]
    scaled, sentinels = _scaler(point, block), frozenset(point.sentinels)

    def convert(data: bytes, image: Image) -> Value | None:
        total = 0
        for take, sign in parts:
            raw = take(data)
            if raw in sentinels:
                return None
            total += sign * raw
        return scaled(total, data, image)

    return convert


def _folded(point: Point, block: Block) -> _Conversion:
    """How a power factor that also tells the quadrant becomes one between -1 and 1: 1.02 and 0.98 are one, leading and
    lagging (Schneider Electric, PowerLogic PM5000: four-quadrant power factor)."""
    convert = _conversion(point, block)

    def unfolded(data: bytes, image: Image) -> Value | None:
        value = convert(data, image)
        if not isinstance(value, (int, float)):
            return value
        return 2 - value if value > 1 else -2 - value if value < -1 else value

    return unfolded


def _percentage(point: Point, block: Block) -> _Conversion:
    """How a power factor in percent becomes one between -1 and 1, which is what some makers give in its place."""
    plain, scaled = _conversion(attrs.evolve(point, scale=1.0), block), _conversion(point, block)

    def convert(data: bytes, image: Image) -> Value | None:
        value = plain(data, image)
        return value if isinstance(value, (int, float)) and -1 <= value <= 1 else scaled(data, image)

    return convert


def _taker(point: Point, block: Block, encoding: Encoding) -> Callable[[bytes], Any]:
    """How the raw value is taken from the block's bytes, its words put in order."""
    layout = struct.Struct(">" + encoding.code)
    starts = [2 * (address - block.address) for address in point.addresses]
    if point.little_word:
        starts.reverse()
    if starts == list(range(starts[0], starts[0] + 2 * len(starts), 2)):
        return lambda data: layout.unpack_from(data, starts[0])[0]
    return lambda data: layout.unpack(b"".join([data[start : start + 2] for start in starts]))[0]


def _scaler(point: Point, block: Block) -> Callable[[Any, bytes, Image], Value | None]:
    """How a raw number becomes the value, its scale factor included."""
    ratio = Ratio.of(point)
    times, plus, by = ratio.times, ratio.plus, ratio.by
    address, function = point.sf_address, point.function
    if address is None:

        def fixed(raw: Any, _data: bytes, _image: Image) -> Value | None:
            value = raw * times + plus if by == 1 else (raw * times + plus) / by
            return value if isfinite(value) else None

        return fixed

    start = 2 * (address - block.address)
    is_inside = 0 <= start < 2 * block.count
    powers = {power: (10 ** max(power, 0), 10 ** max(-power, 0)) for power in range(-SF_LIMIT, SF_LIMIT + 1)}

    def factored(raw: Any, data: bytes, image: Image) -> Value | None:
        word = data[start] << 8 | data[start + 1] if is_inside else image(function, address)
        if word is None:
            return None
        power = powers.get(word - 0x10000 if word > 0x7FFF else word)
        if power is None:  # 0x8000: not implemented
            return None
        up, down = power
        value = (raw * times + plus) * up
        value = value / (by * down) if by * down != 1 else value
        return value if isfinite(value) else None

    return factored


def decoded_text(raw: bytes) -> str | None:
    """The text in registers: up to its first NUL, without the blanks around it; None where nothing was stored."""
    text = raw.split(b"\0", 1)[0].strip(b" \t\r\n\xff").decode("utf-8", "replace")
    return text or None
