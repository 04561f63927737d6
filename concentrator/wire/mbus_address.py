"""The secondary address of an M-Bus meter: identification, manufacturer, version and medium, eight bytes that no other
meter has. Written `12345678-KAM-08-04`, version and medium in hexadecimal; with wildcards it is a mask, `1234FFFF` or
`12345678-*-*-04`. Hides the order of its bytes and how three letters lie in two of them.

Sources: EN 13757-3, 5.6 and 11.3 to 11.5.
"""

from __future__ import annotations

import re

from attrs import evolve, frozen

DIGITS = 8
MANUFACTURER_LOW, MANUFACTURER_HIGH, VERSION, MEDIUM = 4, 5, 6, 7
"""Places of the bytes behind the identification."""
_ANY = 0xFF
_TEXT = re.compile(r"([0-9A-Fa-f]{8})(?:-([A-Za-z]{3}|[0-9A-Fa-f]{4}|\*)-([0-9A-Fa-f]{2}|\*)-([0-9A-Fa-f]{2}|\*))?")


@frozen(order=True)
class SecondaryAddress:
    """`raw`: the eight bytes as they travel, identification and manufacturer low byte first. A digit F and a byte FF
    stand for any."""

    raw: bytes

    @property
    def identification(self) -> str:
        """The eight digits people read off the meter."""
        return self.raw[3::-1].hex().upper()

    @property
    def manufacturer(self) -> str:
        """The maker's three letters; its code in hexadecimal where that is none of letters, `*` for any."""
        if self.raw[4:6] == b"\xff\xff":
            return "*"
        code = int.from_bytes(self.raw[4:6], "little")
        letters = [code >> shift & 0x1F for shift in (10, 5, 0)]
        is_written = code < 1 << 15 and all(1 <= each <= 26 for each in letters)
        return "".join(chr(64 + each) for each in letters) if is_written else f"{code:04X}"

    @property
    def medium(self) -> int:
        """The code of what is measured."""
        return self.raw[MEDIUM]

    @property
    def is_whole(self) -> bool:
        """Whether it has no wildcard."""
        return "F" not in self.identification and _ANY not in self.raw[4:]

    def __str__(self) -> str:
        parts = ("*" if byte == _ANY else f"{byte:02X}" for byte in self.raw[VERSION:])
        return "-".join((self.identification, self.manufacturer, *parts))

    @property
    def as_serial(self) -> str:
        """The same where only letters, digits and hyphens may stand."""
        return str(self).replace("*", "any")

    def with_digit(self, place: int, digit: int) -> SecondaryAddress:
        """The same with another digit, 0 being the first as people write it."""
        digits = self.identification
        found = f"{digits[:place]}{digit:X}{digits[place + 1 :]}"
        return evolve(self, raw=bytes.fromhex(found)[::-1] + self.raw[4:])

    def with_byte(self, place: int, byte: int) -> SecondaryAddress:
        """The same with another byte behind the identification."""
        return evolve(self, raw=self.raw[:place] + bytes((byte,)) + self.raw[place + 1 :])

    def matches(self, other: SecondaryAddress) -> bool:
        """Whether another address is one of those that this mask stands for; a byte that the other does not tell, as in
        the fixed structure, may be any."""
        digits = zip(self.identification, other.identification, strict=True)
        return all(mine in ("F", its) for mine, its in digits) and all(
            _ANY in (mine, its) or mine == its for mine, its in zip(self.raw[4:], other.raw[4:], strict=True)
        )


ANYBODY = SecondaryAddress(b"\xff" * 8)
"""The mask that every meter matches."""


def parse_address(text: str) -> SecondaryAddress:
    """The address that a text is, an identification alone standing for all that have it. ValueError, with a sentence,
    where it is none."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"found {text!r}, expected eight digits, or all of it as in 12345678-KAM-08-04")
    digits, maker, version, medium = found.groups("*")
    if maker == "*":
        code = b"\xff\xff"
    elif len(maker) == 3:
        first, second, third = (ord(letter) - 64 for letter in maker.upper())
        code = (first << 10 | second << 5 | third).to_bytes(2, "little")
    else:
        code = bytes.fromhex(maker)[::-1]
    rest = bytes(_ANY if part == "*" else int(part, 16) for part in (version, medium))
    return SecondaryAddress(bytes.fromhex(digits)[::-1] + code + rest)
