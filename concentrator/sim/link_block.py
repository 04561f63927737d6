"""The link block of a meter's registers: what a master reads and writes to find a meter in link mode and to give it its
ID. Hides addresses; the rules are `sim.link`'s.

Two meters in link mode must never answer a request that is meant for one of them, so whatever is not for this meter is
refused here, and the meter turns every refusal at 247 and of a broadcast into silence (specification A.3.3).
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from concentrator.sim.link import MeterLink
from concentrator.sim.slave import ILLEGAL_ADDRESS, ILLEGAL_VALUE, Refusal

_BLOCK, _LENGTH = 0x0F00, 9
_ASSIGN, _COMMIT, _REROLL, _ABORT = 0x0F10, 0x0F17, 0x0F18, 0x0F19
_SLOTS, _STRIDE, _SLOT_COUNT = 0x0E00, 0x10, 16
_DIGITS = 10


@frozen
class LinkBlock:
    """What a meter shows and obeys of link mode while it waits at 247."""

    link: MeterLink

    def read(self, address: int, count: int, at: float) -> Sequence[int]:
        """Registers of the block, or of the slot that the nonce has drawn."""
        slot = self.link.nonce % _SLOT_COUNT
        for start in (_BLOCK, _SLOTS + _STRIDE * slot):
            if start <= address and address + count <= start + _LENGTH:
                return block(self.link, at)[address - start : address - start + count]
        raise Refusal(ILLEGAL_ADDRESS)

    def write(self, address: int, values: Sequence[int], at: float) -> None:
        """An ID for the meter of this serial and nonce, or the end of link mode."""
        if address == _ASSIGN and len(values) == _DIGITS // 2 + 2:
            *serial, new_id, nonce = values
            if self.link.assign(_text(serial), new_id, nonce, at):
                return
        elif address == _ABORT and list(values) == [1]:
            self.link.abort(at)
            return
        raise Refusal(ILLEGAL_VALUE)


@frozen
class LinkBroadcast:
    """What every meter obeys of link mode when it is told to all."""

    link: MeterLink

    def read(self, address: int, count: int, at: float) -> Sequence[int]:
        """Nobody reads by broadcast."""
        raise Refusal(ILLEGAL_ADDRESS)

    def write(self, address: int, values: Sequence[int], at: float) -> None:
        """New nonces, or the end of link mode."""
        if list(values) != [1] or address not in (_REROLL, _ABORT):
            raise Refusal(ILLEGAL_VALUE)
        (self.link.reroll if address == _REROLL else self.link.abort)(at)


def is_commit(address: int, values: Sequence[int]) -> bool:
    """Whether a write to a meter's own ID is the one that makes an ID the meter's."""
    return address == _COMMIT and len(values) == 1


def block(link: MeterLink, at: float) -> Sequence[int]:
    """The nine registers of the block."""
    digits = link.serial.encode().ljust(_DIGITS, b"\0")
    serial = [int.from_bytes(digits[n : n + 2], "big") for n in range(0, _DIGITS, 2)]
    return [link.stage(at), link.seconds_left(at), *serial, link.stored_id, link.nonce]


def _text(registers: Sequence[int]) -> str:
    return b"".join(word.to_bytes(2, "big") for word in registers).rstrip(b"\0").decode("ascii", "replace")
