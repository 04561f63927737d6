"""The encodings of values in registers: one table, shared by the loader, the decoder and the encoder. Hides how many
registers each takes, where its bits lie and which raw values it can hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from attrs import frozen


class Form(Enum):
    """What the registers hold: a whole number; a floating point number; a bit or a few bits of one register; text;
    a number shown in hexadecimal."""

    INTEGER = "integer"
    FLOAT = "float"
    BITS = "bits"
    TEXT = "text"
    HEX = "hex"


@frozen
class Encoding:
    """`registers`: how many it takes; `code`: its struct code, high byte and high word first; `bits`: how many of
    the register's bits a BITS form takes."""

    name: str
    form: Form
    registers: int
    code: str
    bits: int = 0

    @property
    def is_signed(self) -> bool:
        """Whether raw values can be negative."""
        return self.form is not Form.FLOAT and self.code.islower()

    @property
    def width(self) -> int:
        """Bits of the raw value."""
        return self.bits or 16 * self.registers

    @property
    def bounds(self) -> tuple[int, int]:
        """Least and greatest raw value of a whole number."""
        if self.is_signed:
            return -(1 << self.width - 1), (1 << self.width - 1) - 1
        return 0, (1 << self.width) - 1

    def as_raw(self, pattern: int) -> int:
        """A bit pattern as the raw value it stands for (0x8000 in s16 is -32768); what is negative stays."""
        return pattern - (1 << self.width) if self.is_signed and pattern >> (self.width - 1) == 1 else pattern


ENCODINGS: Mapping[str, Encoding] = {
    encoding.name: encoding
    for encoding in (
        Encoding("u16", Form.INTEGER, 1, "H"),
        Encoding("s16", Form.INTEGER, 1, "h"),
        Encoding("u32", Form.INTEGER, 2, "I"),
        Encoding("s32", Form.INTEGER, 2, "i"),
        Encoding("u64", Form.INTEGER, 4, "Q"),
        Encoding("s64", Form.INTEGER, 4, "q"),
        Encoding("f32", Form.FLOAT, 2, "f"),
        Encoding("f64", Form.FLOAT, 4, "d"),
        Encoding("bool", Form.BITS, 1, "H", bits=1),
        Encoding("u4", Form.BITS, 1, "H", bits=4),
        Encoding("u8", Form.BITS, 1, "H", bits=8),
        Encoding("s8", Form.BITS, 1, "h", bits=8),
        Encoding("bitfield16", Form.INTEGER, 1, "H"),
        Encoding("bitfield32", Form.INTEGER, 2, "I"),
        Encoding("hex16", Form.HEX, 1, "H"),
        Encoding("hex32", Form.HEX, 2, "I"),
    )
}
"""The encodings by name; besides them there is text, `asciiN` with N characters."""

_TEXT = re.compile(r"ascii([1-9]\d{0,2})")
LONGEST_TEXT = 250  # what the longest read brings, Modbus Application Protocol V1.1b3, 6.3


def encoding_of(name: str) -> Encoding | None:
    """The encoding of that name, or None where there is none."""
    text = _TEXT.fullmatch(name)
    if text is None:
        return ENCODINGS.get(name)
    length = int(text[1])
    return Encoding(name, Form.TEXT, (length + 1) // 2, f"{length + length % 2}s") if length <= LONGEST_TEXT else None
