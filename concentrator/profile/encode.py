"""Values as register contents: the inverse of decoding, for writes and for simulated devices. Hides encodings, word
orders and scales; what the registers cannot hold is refused in words."""

from __future__ import annotations

import struct
from decimal import Decimal
from fractions import Fraction
from math import isfinite

from concentrator.model.errors import NotWritable, OutOfRange
from concentrator.model.profile import Point
from concentrator.model.reading import Value
from concentrator.profile.decode import SF_LIMIT, Image, Ratio, encoding_at, nothing_known
from concentrator.profile.encodings import Encoding, Form


def encode(point: Point, value: Value, image: Image = nothing_known) -> tuple[int, ...]:
    """The registers that hold a value, one for each of `point.addresses` in their order; for a coil its 0 or 1. A
    number is rounded to the nearest step; an enum's text stands for its number. `image` is asked for what else is in
    the register of a few bits, and for the scale factor. Raises OutOfRange where the registers cannot hold the value,
    NotWritable where the image does not know what it is asked for."""
    encoding = encoding_at(point)
    if point.is_sum:
        raise NotWritable(f"{point.name}: a sum of several registers has none of its own")
    if encoding.form is Form.TEXT:
        return _words(point, _text(point, value, encoding))
    if encoding.form is Form.HEX and isinstance(value, str):
        raw: int | float = _hexadecimal(point, value)
    else:
        raw = _raw(point, _number(point, value), encoding, image)
    if encoding.form is Form.FLOAT:
        return _words(point, _packed_float(point, value, float(raw), encoding))
    if not isinstance(raw, int):
        raise OutOfRange(f"{point.name}: found {raw}, expected a whole number")
    _check_whole(point, value, raw, encoding)
    if point.function.is_bits:
        return (raw,)
    if encoding.form is Form.BITS:
        return (_in_register(point, raw, encoding, image),)
    return _words(point, (raw & (1 << encoding.width) - 1).to_bytes(2 * encoding.registers, "big"))


def _number(point: Point, value: Value) -> int | float:
    """The value as a number; the text of an enum as the number it stands for."""
    if point.enum:
        for number, text in point.enum.items():
            if value in (number, text):
                return number
        choices = ", ".join(f"{number} {text}" for number, text in point.enum.items())
        raise OutOfRange(f"{point.name}: found {value!r}, expected one of {choices}")
    if isinstance(value, str) or not isfinite(value):
        raise OutOfRange(f"{point.name}: found {value!r}, expected a number")
    return int(value) if isinstance(value, bool) else value


def check_span(point: Point, value: Value) -> None:
    """Raises OutOfRange where the device must not be told that, though its registers may hold it."""
    if point.span is None or isinstance(value, str):
        return
    if not point.span[0] <= value <= point.span[1]:
        unit = f" {point.quantity.unit}" if point.quantity.unit else ""
        raise OutOfRange(f"{point.name}: found {value!r}, expected {point.span[0]:g} to {point.span[1]:g}{unit}")


def _raw(point: Point, value: int | float, encoding: Encoding, image: Image) -> int | float:
    """The number nearest to the value in the point's steps; of a floating point number, the number itself."""
    ratio = Ratio.of(point)
    power = _power(point, image)
    exact = Fraction(Decimal(repr(value))) / Fraction(10) ** power
    raw = (exact * ratio.by - ratio.plus) / ratio.times
    return float(raw) if encoding.form is Form.FLOAT else round(raw)


def _power(point: Point, image: Image) -> int:
    if point.sf_address is None:
        return 0
    word = image(point.function, point.sf_address)
    power = None if word is None else word - 0x10000 if word > 0x7FFF else word
    if power is None or abs(power) > SF_LIMIT:
        raise NotWritable(f"{point.name}: its scale factor at {point.sf_address} is not known")
    return power


def _check_whole(point: Point, value: Value, raw: int, encoding: Encoding) -> None:
    least, most = encoding.bounds
    if not least <= raw <= most:
        ends = sorted(_scaled(point, end) for end in (least, most))
        unit = f" {point.quantity.unit}" if point.quantity.unit else ""
        span = f"{ends[0]:.12g} to {ends[1]:.12g}{unit}" if point.sf_address is None else f"{least} to {most} steps"
        raise OutOfRange(f"{point.name}: found {value!r}, expected {span}")
    _check_available(point, value, raw)


def _check_available(point: Point, value: Value, raw: int | float) -> None:
    if raw in point.sentinels:
        raise OutOfRange(f'{point.name}: found {value!r}, which is how the device says "not available"')


def _scaled(point: Point, raw: int) -> float:
    ratio = Ratio.of(point)
    return (raw * ratio.times + ratio.plus) / ratio.by


def _in_register(point: Point, raw: int, encoding: Encoding, image: Image) -> int:
    """The whole register around a few bits; a bool without a bit has it for itself."""
    if point.bit is None and encoding.bits == 1:
        return raw
    register = image(point.function, point.address)
    if register is None:
        raise NotWritable(f"{point.name}: the other bits of register {point.address} are not known")
    mask = (1 << encoding.bits) - 1
    shift = point.bit or 0
    return register & ~(mask << shift) & 0xFFFF | (raw & mask) << shift


def _packed_float(point: Point, value: Value, raw: float, encoding: Encoding) -> bytes:
    layout = struct.Struct(">" + encoding.code)
    try:
        packed = layout.pack(raw)
    except OverflowError:
        raise OutOfRange(f"{point.name}: found {value!r}, expected what fits into {encoding.name}") from None
    _check_available(point, value, layout.unpack(packed)[0])
    return packed


def _text(point: Point, value: Value, encoding: Encoding) -> bytes:
    room = 2 * encoding.registers
    raw = str(value).encode()
    if len(raw) > room or "\0" in str(value):
        raise OutOfRange(f"{point.name}: found {value!r}, expected a text of at most {room} bytes")
    return raw.ljust(room, b"\0")


def _hexadecimal(point: Point, value: str) -> int:
    try:
        return int(value, 16)
    except ValueError:
        raise OutOfRange(f"{point.name}: found {value!r}, expected a number such as 0X2C06") from None


def _words(point: Point, high_first: bytes) -> tuple[int, ...]:
    words = struct.unpack(f">{len(high_first) // 2}H", high_first)
    return words[::-1] if point.little_word else words
