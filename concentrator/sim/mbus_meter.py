"""An M-Bus meter as it behaves on its line: what it says to each frame, with its telegrams, its selection and its frame
count bit. Hides the frames; shares no code with the master it is there to judge.

Sources: EN 13757-2, 5; EN 13757-3, 5.6, 7 and 11.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from attrs import define, field

ACKNOWLEDGE = b"\xe5"
_SELECTED, _ANSWERED, _ALL = 0xFD, 0xFE, 0xFF
_SPEEDS = {0xB8: 300, 0xB9: 600, 0xBA: 1200, 0xBB: 2400, 0xBC: 4800, 0xBD: 9600, 0xBE: 19200, 0xBF: 38400}
_MEDIA = (0x02, 0x03, 0x04, 0x06, 0x07, 0x0C, 0x16)
_VERSIONS = 64


@define(eq=False)
class MbusMeter:
    """`address`: its eight bytes as they travel; `primary`: its primary address; `telegrams`: the records of each, as
    bytes; `turnaround_s`: how long it takes to begin an answer; `is_ignorant`: it does not heed the frame count bit and
    always says its first telegram; `status`: as its header has it; `baudrate`: at which it listens."""

    address: bytes
    primary: int
    telegrams: Sequence[bytes]
    turnaround_s: float = 0.02
    is_ignorant: bool = False
    status: int = 0
    baudrate: int = 2400
    is_selected: bool = field(default=False, init=False)
    access: int = field(default=0, init=False)
    _turn: int = field(default=0, init=False)
    _last_bit: int | None = field(default=None, init=False)

    def reply(self, frame: bytes) -> bytes | None:
        """Its reply to an intact frame; None where it says nothing."""
        if frame[0] == 0x10:
            return self._short(frame[1], frame[2])
        control, address, ci, data = frame[4], frame[5], frame[6], frame[7:-2]
        if control & 0xDF != 0x53:
            return None
        if ci == 0x52 and address == _SELECTED:
            self.is_selected = self._matches(data)
            self._begin_anew()
            return ACKNOWLEDGE if self.is_selected else None
        if not self._is_mine(address):
            return None
        if ci == 0x50:
            self._begin_anew()
        elif ci in _SPEEDS:
            self.baudrate = _SPEEDS[ci]
        elif ci == 0x51 and data[:2] == b"\x01\x7a" and len(data) == 3:
            self.primary = data[2]
        return None if address == _ALL else ACKNOWLEDGE

    def _short(self, control: int, address: int) -> bytes | None:
        if not self._is_mine(address):
            return None
        if control == 0x40:
            self._begin_anew()
            if address == _SELECTED:
                self.is_selected = False
            return None if address == _ALL else ACKNOWLEDGE
        if control & 0xDF == 0x5B and address != _ALL:
            return self._telegram(control & 0x20)
        return None

    def _telegram(self, bit: int) -> bytes:
        is_repetition = self._last_bit == bit
        if not self.is_ignorant and not is_repetition:
            if self._last_bit is not None:
                self._turn = (self._turn + 1) % len(self.telegrams)
            self._last_bit = bit
        if not is_repetition or self.is_ignorant:
            self.access = (self.access + 1) & 0xFF
        header = self.address + bytes((self.access, self.status, 0, 0))
        body = bytes((0x08, self.primary, 0x72)) + header + self.telegrams[self._turn]
        return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))

    def _is_mine(self, address: int) -> bool:
        return address in (self.primary, _ANSWERED, _ALL) or (address == _SELECTED and self.is_selected)

    def _matches(self, mask: bytes) -> bool:
        digits = zip(mask[:4].hex(), self.address[:4].hex(), strict=True)
        return all(wanted in ("f", mine) for wanted, mine in digits) and all(
            wanted in (0xFF, mine) for wanted, mine in zip(mask[4:8], self.address[4:], strict=True)
        )

    def _begin_anew(self) -> None:
        self._turn, self._last_bit = 0, None


def is_intact(frame: bytes) -> bool:
    """Whether bytes are one whole frame, its checksum right."""
    if len(frame) == 5 and frame[0] == 0x10:
        body = frame[1:3]
    elif len(frame) >= 9 and frame[0] == frame[3] == 0x68 and frame[1] == frame[2] == len(frame) - 6:
        body = frame[4:-2]
    else:
        return False
    return frame[-1] == 0x16 and frame[-2] == sum(body) & 0xFF


def length_of(frame: bytes) -> int:
    """How long the frame is that begins like this; 0 while that is not known."""
    if frame[:1] == b"\x10":
        return 5
    return frame[1] + 6 if len(frame) > 1 else 0


def bcd(number: int, count: int) -> bytes:
    """A number as so many bytes of BCD, low digits first."""
    return bytes.fromhex(f"{number:0{2 * count}}")[::-1]


def heat_telegram(energy_kwh: int, volume_l: int, power_w: int, flow_c: float, return_c: float) -> bytes:
    """Records of a heat meter: energy, volume, power, both temperatures."""
    return (
        b"\x0c\x06"
        + bcd(energy_kwh, 4)
        + b"\x0c\x13"
        + bcd(volume_l, 4)
        + b"\x0b\x2b"
        + bcd(power_w, 3)
        + b"\x0a\x5a"
        + bcd(round(flow_c * 10), 2)
        + b"\x0a\x5e"
        + bcd(round(return_c * 10), 2)
    )


def some_meters(count: int, seed: str, colliding: int = 0, *, baudrate: int = 2400) -> list[MbusMeter]:
    """Meters with identifications by chance, different from each other, at the primary addresses from 1 on. Of them
    `colliding` pairs differ in the last digit only. One in seven says two telegrams, one in nine is slow."""
    draw = random.Random(seed)
    numbers: dict[int, None] = {}
    for _ in range(colliding):
        ten = draw.randrange(10**7) * 10
        for digit in draw.sample(range(10), 2):
            numbers[ten + digit] = None
    while len(numbers) < count:
        numbers[draw.randrange(10**8)] = None
    longest_s = 330 / baudrate + 0.05
    meters = []
    for place, number in enumerate(list(numbers)[:count]):
        maker = sum(draw.randrange(1, 27) << shift for shift in (10, 5, 0))
        tail = bytes((draw.randrange(_VERSIONS), draw.choice(_MEDIA)))
        first = heat_telegram(draw.randrange(10**7), draw.randrange(10**7), draw.randrange(10**5), 81.5, 44.0)
        is_long = place % 7 == 3
        telegrams = (first + b"\x1f", b"\x4c\x06" + bcd(place, 4) + b"\x0f") if is_long else (first,)
        slow_s = longest_s * 0.8 if place % 9 == 4 else draw.uniform(11 / baudrate, 0.04)
        address = bcd(number, 4) + maker.to_bytes(2, "little") + tail
        meters.append(MbusMeter(address, 1 + place % 250, telegrams, slow_s, baudrate=baudrate))
    return meters
