"""A stream of bytes on its way to M-Bus frames: where one begins and ends (EN 13757-2, 5.5). Unlike `wire.mbus_frame`,
which looks for the reply to a request, it loses nothing: what is no frame is passed on too. Pure."""

from __future__ import annotations

import re

from attrs import define, field

_ACKNOWLEDGE, _SHORT, _LONG = 0xE5, 0x10, 0x68
_SHORT_LENGTH, _HEAD = 5, 4  # 10 C A CS 16; 68 L L 68
_STARTS = re.compile(b"[\x10\x68\xe5]")
_AROUND = 6  # what a long frame has besides the L bytes


def length_of(buffer: bytes) -> int:
    """How long the frame is that begins a buffer that is not empty; of one that has not said so yet, how many bytes it
    takes to know; 0 where no frame begins."""
    start = buffer[0]
    if start == _ACKNOWLEDGE:
        return 1
    if start == _SHORT:
        return _SHORT_LENGTH
    if start != _LONG or len(set(buffer[1:3])) > 1 or buffer[3:_HEAD] not in (b"", b"\x68"):
        return 0
    return _HEAD if len(buffer) < _HEAD else buffer[1] + _AROUND


@define
class Splitter:
    """A stream on its way to frames."""

    _held: bytes = field(default=b"", init=False)

    def split(self, data: bytes) -> list[tuple[bytes, bool]]:
        """More of the stream: the pieces that are complete now, each with whether it may be a frame; if not, none
        begins in it."""
        held, self._held = self._held + data, b""
        pieces: list[tuple[bytes, bool]] = []
        while held:
            length = length_of(held)
            if length > len(held):
                self._held = held
                break
            if not length:
                starts = (found.start() for found in _STARTS.finditer(held, 1))
                end = next((at for at in starts if length_of(held[at : at + _HEAD])), len(held))
                pieces.append((held[:end], False))
            else:
                end = length
                pieces.append((held[:end], True))
            held = held[end:]
        return pieces

    @property
    def held(self) -> int:
        """How many bytes have come of the frame that has begun."""
        return len(self._held)

    @property
    def missing(self) -> int:
        """How many bytes at least are still to come of the frame that has begun; 0 where none has."""
        return length_of(self._held) - len(self._held) if self._held else 0

    def give_up(self) -> bytes:
        """What has come of a frame that will not be complete."""
        held, self._held = self._held, b""
        return held
