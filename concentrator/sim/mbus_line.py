"""An M-Bus line as a pure model: what the master sends, who answers, and what its receiver makes of several answers at
once. Hides bits: answers are laid over each other as currents are on the wire, and the receiver reads characters off
that, so that acknowledgements that begin together are one and telegrams of two are noise.

A meter answers by drawing more current for a 0: where several speak, a 0 is heard when any of them says one. The master
speaks by voltage, which an answer does not disturb (EN 13757-2, 4).

All times are seconds of one monotonic clock, given by the caller.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from attrs import define, field

from concentrator.sim.mbus_meter import MbusMeter, is_intact, length_of
from concentrator.wire.conversation import LineSettings

_BITS = 11  # start, eight, parity (even), stop
_USUAL = LineSettings(2400, _BITS)
SLOTS = 4
"""Parts of a bit in which voices are laid over each other."""
_FORGOTTEN_CHARACTERS = 3  # a silence after which a frame that was begun is none


def _zeros(byte: int) -> int:
    """The slots of a character in which it is 0."""
    bits = [0, *(byte >> place & 1 for place in range(8)), byte.bit_count() & 1, 1]
    return sum((1 << SLOTS) - 1 << SLOTS * place for place, bit in enumerate(bits) if not bit)


_ZEROS = tuple(map(_zeros, range(256)))


def heard(voices: Sequence[tuple[int, bytes]]) -> list[tuple[int, int]]:
    """What a receiver makes of voices that begin at these slots: each character and the slot at which it has it. Wrong
    parity does not keep a character back, as no driver does unless it is told to."""
    zeros = 0
    for began, said in voices:
        for place, byte in enumerate(said):
            zeros |= _ZEROS[byte] << began + SLOTS * _BITS * place
    characters = []
    at = 0
    while zeros >> at:
        rest = zeros >> at
        at += (rest & -rest).bit_length() - 1
        middles = (at + SLOTS * place + SLOTS // 2 for place in range(1, 9))
        byte = sum((not zeros >> middle & 1) << place for place, middle in enumerate(middles))
        at += SLOTS * (_BITS - 1) + SLOTS // 2  # in the middle of the stop bit it is ready for another start
        characters.append((at + SLOTS // 2, byte))
    return characters


@define(eq=False)
class MbusLine:
    """The line. The caller gives it what the master wrote (`take`), asks when it next wants to be called (`wake_at`),
    and hands the master what has come by (`give`). `damage`: the share of answers in which a bit is turned over, drawn
    from `seed`; `requests` counts intact ones, `collisions` those that several answered."""

    meters: Sequence[MbusMeter]
    settings: LineSettings = _USUAL
    damage: float = 0.0
    seed: int = 1
    requests: int = field(default=0, init=False)
    collisions: int = field(default=0, init=False)
    _draw: random.Random = field(init=False)
    _frame: bytearray = field(factory=bytearray, init=False)
    _free_at: float = field(default=0.0, init=False)
    _coming: list[tuple[float, int]] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self._draw = random.Random(self.seed)

    def take(self, data: bytes, at: float) -> None:
        """The master wrote bytes at a moment."""
        character_s = self.settings.character_s
        if at - self._free_at > _FORGOTTEN_CHARACTERS * character_s:
            self._frame.clear()
        for byte in data:
            self._free_at = max(at, self._free_at) + character_s
            self._frame.append(byte)
            if self._frame[0] not in (0x10, 0x68):
                self._frame.clear()
            elif len(self._frame) == length_of(bytes(self._frame[:2])):
                self._judge(bytes(self._frame), self._free_at)
                self._frame.clear()

    def wake_at(self) -> float | None:
        """When `give` wants to be called next, or None while nothing goes on."""
        return self._coming[0][0] if self._coming else None

    def give(self, at: float) -> bytes:
        """What has come out of the master's receiver by now and was not given before."""
        due = [byte for moment, byte in self._coming if moment <= at]
        del self._coming[: len(due)]
        return bytes(due)

    def _judge(self, frame: bytes, ended: float) -> None:
        if not is_intact(frame):
            return
        self.requests += 1
        slot_s = 1 / (self.settings.baudrate * SLOTS)
        voices = []
        for meter in self.meters:
            # A meter that hears another speed hears nothing; one that is told a speed acknowledges at the one before.
            said = meter.reply(frame) if meter.baudrate == self.settings.baudrate else None
            if said is not None:
                voices.append((round(meter.turnaround_s / slot_s), self._damaged(said)))
        self.collisions += len(voices) > 1
        # Nobody who answers at once has to hear what is still on its way from before.
        self._coming += [(ended + slot * slot_s, byte) for slot, byte in heard(voices)]
        self._coming.sort()

    def _damaged(self, said: bytes) -> bytes:
        if self._draw.random() >= self.damage:
            return said
        place = self._draw.randrange(len(said))
        return said[:place] + bytes((said[place] ^ 1 << self._draw.randrange(8),)) + said[place + 1 :]
