"""The data of an M-Bus record: whole numbers, BCD, floating point, dates and texts, read from the bytes of a telegram.
A number is kept exactly, as a whole number of steps. Hides signs, digits that are none, dates that are none, and that
bytes may come high first.

Sources: EN 13757-3, annex A (types A to I) and table 4.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from concentrator.model.errors import Garbled
from concentrator.model.reading import Value

if TYPE_CHECKING:
    from concentrator.wire.mbus_units import Meaning
    from concentrator.wire.mbus_value import ValueBlock

_WHOLE_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 7: 8}
_BCD_BYTES = {0x9: 1, 0xA: 2, 0xB: 3, 0xC: 4, 0xE: 6}
_NOTHING, _FLOAT, _SELECTION, _VARIABLE = 0x0, 0x5, 0x8, 0xD
_BITS = ("error flags", "error mask", "digital output", "digital input", "access number", "control signal")
_SHOWN = "0123456789ABCDEF"


@define
class Bytes:
    """The bytes of a telegram and how far they are read; Garbled where they end too soon."""

    all: bytes
    is_high_first: bool = False
    place: int = field(default=0, init=False)

    @property
    def left(self) -> int:
        """How many are not read yet."""
        return len(self.all) - self.place

    def take(self, count: int, is_number: bool = True) -> bytes:
        """The next so many; of a number the low one first, in whichever order they came."""
        if self.left < count:
            raise Garbled(f"it ends {count - self.left} bytes too soon, in byte {len(self.all)}", self.all)
        taken = self.all[self.place : self.place + count]
        self.place += count
        return taken[::-1] if self.is_high_first and is_number else taken

    def take_rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left, is_number=False)

    def whole(self, count: int) -> int:
        """A number without a sign."""
        return int.from_bytes(self.take(count), "little")


@frozen
class Scale:
    """How a number becomes one in its unit: times 10^`exponent`, times `factor`, and plus 10^`constant` before that
    factor where there is such a constant."""

    exponent: int = 0
    factor: int = 1
    constant: int | None = None

    def times_ten(self, power: int) -> Scale:
        """The same, 10^power times as much."""
        return evolve(self, exponent=self.exponent + power)

    def plus(self, power: int) -> Scale:
        """The same and 10^power more."""
        return evolve(self, constant=power)

    def of(self, steps: int) -> tuple[int, int]:
        """A number of steps as a whole number and the power of ten that it is multiplied by."""
        if self.constant is None:
            return steps * self.factor, self.exponent
        exponent = min(self.exponent, self.constant)
        total = steps * 10 ** (self.exponent - exponent) + 10 ** (self.constant - exponent)
        return total * self.factor, exponent


@frozen
class Number:
    """What the data are: `value` in the unit of the meaning, None where there is none and `trouble` says why. Of whole
    numbers and BCD it is exactly `steps` times 10^`exponent`; `digits` are those of BCD as a display has them."""

    value: Value | None
    trouble: str = ""
    steps: int | None = None
    exponent: int = 0
    digits: str = ""

    @property
    def exact(self) -> Fraction | None:
        """The value without any rounding; None where it is no whole number of steps."""
        return None if self.steps is None else self.steps * Fraction(10) ** self.exponent


def read_number(kind: int, block: ValueBlock, given: Bytes) -> Number:
    """The data that come next, of a kind (the data field of a DIF), for a value information block."""
    number = _read(kind, block, given)
    return Number(None, block.error) if block.error else number


def _read(kind: int, block: ValueBlock, given: Bytes) -> Number:
    if kind in (_NOTHING, _SELECTION):
        return Number(None, "no data")
    if kind == _FLOAT:
        return _float(given.take(4), block.scale)
    if kind == _VARIABLE:
        return _variable(given, block.scale)
    if kind in _BCD_BYTES:
        return _bcd(given.take(_BCD_BYTES[kind]), block.scale)
    data = given.take(_WHOLE_BYTES[kind])
    if block.meaning.form == "date":
        return _date(data)
    return _whole(int.from_bytes(data, "little", signed=block.meaning.word not in _BITS), block.scale)


def fixed_counter(given: Bytes, is_binary: bool, meaning: Meaning) -> Number:
    """A counter of the fixed structure."""
    scale = Scale(meaning.exponent, meaning.factor)
    data = given.take(4)
    return _whole(int.from_bytes(data, "little"), scale) if is_binary else _bcd(data, scale)


def _whole(raw: int, scale: Scale, digits: str = "") -> Number:
    steps, exponent = scale.of(raw)
    value = steps * 10**exponent if exponent >= 0 else steps / 10**-exponent
    return Number(value, "", steps, exponent, digits)


def _bcd(data: bytes, scale: Scale, is_negative: bool = False) -> Number:
    digits = "".join(_SHOWN[nibble] for byte in reversed(data) for nibble in (byte >> 4, byte & 0x0F))
    rest = digits[1:] if digits[:1] == "F" else digits
    if not rest.isdecimal():
        return Number(None, f"it shows {digits or 'no digit'}", digits=digits)
    return _whole(-int(rest) if is_negative or rest is not digits else int(rest), scale, digits)


def _float(data: bytes, scale: Scale) -> Number:
    (raw,) = struct.unpack("<f", data)
    if not isfinite(raw):
        return Number(None, "no number")
    exponent = scale.exponent
    value = (raw * 10**exponent if exponent >= 0 else raw / 10**-exponent) * scale.factor
    return Number(value + (10.0**scale.constant * scale.factor if scale.constant is not None else 0.0))


def _variable(given: Bytes, scale: Scale) -> Number:
    """Data that tell their own length."""
    length = given.whole(1)
    if length < 0xC0:
        text = given.take(length).decode("latin-1")
        return Number("".join(each if each.isprintable() else "?" for each in reversed(text)))
    if length < 0xE0:
        return _bcd(given.take(length & 0x0F), scale, is_negative=length >= 0xD0)
    if length < 0xF0:
        data = given.take(length - 0xE0)
        return _whole(int.from_bytes(data, "little", signed=True), scale)
    if length <= 0xF6:
        count = {0xF5: 48, 0xF6: 64}.get(length, 4 * (length - 0xEC))
        return Number(given.take(count)[::-1].hex().upper())
    raise Garbled(f"LVAR {length:02X}, which is reserved", given.all)


def _date(data: bytes) -> Number:
    """Types G (date), J (time of day), F and I (both), as ISO 8601 has them, local to the meter."""
    if all(byte == 0xFF for byte in data):
        return Number(None, "no date")
    if len(data) == 2:
        return _dated(_day(data[0], data[1]), "")
    if len(data) == 3:
        return _dated("", _clock(data[2] & 0x1F, data[1] & 0x3F, data[0] & 0x3F))
    if len(data) == 4:
        minute, hour = data[0], data[1]
        if minute & 0x80:
            return Number(None, "a date that is not valid")
        day = _day(data[2], data[3], century=hour >> 5 & 3)
        return _dated(day, _clock(hour & 0x1F, minute & 0x3F, None))
    if len(data) == 6:
        if data[1] & 0x80:
            return Number(None, "a date that is not valid")
        return _dated(_day(data[3], data[4]), _clock(data[2] & 0x1F, data[1] & 0x3F, data[0] & 0x3F))
    return Number(None, f"a date of {len(data)} bytes")


def _dated(day: str | None, clock: str | None) -> Number:
    if day is None or clock is None:
        return Number(None, "a date that there is not")
    return Number("T".join(filter(None, (day, clock))))


def _day(low: int, high: int, century: int = 0) -> str | None:
    day, month, year = low & 0x1F, high & 0x0F, low >> 5 | (high & 0xF0) >> 1
    if not (1 <= day <= 31 and 1 <= month <= 12 and year <= 99):
        return None
    # EN 13757-3, annex A, type F: without a century, years up to 80 are of this one.
    return f"{1900 + 100 * century + year if century or year > 80 else 2000 + year:04}-{month:02}-{day:02}"


def _clock(hour: int, minute: int, second: int | None) -> str | None:
    if hour > 23 or minute > 59 or (second or 0) > 59:
        return None
    return f"{hour:02}:{minute:02}" + ("" if second is None else f":{second:02}")
