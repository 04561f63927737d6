"""What of a client's bytes may go to the line where it may talk to certain meters only. Pure."""

from __future__ import annotations

from collections.abc import Collection

from attrs import define, field

from concentrator.mbusgate.frames import Splitter
from concentrator.model.errors import WireError
from concentrator.wire.mbus_frame import parsed


@define
class Sieve:
    """The way to the line of one client who may talk to these primary addresses only. What is no intact frame does
    not pass: a frame might be hidden in it."""

    addresses: Collection[int]
    _filtered: int = field(default=0, init=False)
    _stream: Splitter = field(factory=Splitter, init=False)

    def passed(self, data: bytes) -> bytes:
        """What of the stream passes, now that this has come; the beginning of a frame waits for its end."""
        through = []
        for piece, is_frame in self._stream.split(data):
            if is_frame and self._may_pass(piece):
                through.append(piece)
            else:
                self._filtered += 1
        return b"".join(through)

    def give_up(self) -> None:
        """The rest of the frame that has begun will not come."""
        self._filtered += bool(self._stream.give_up())

    def take_filtered(self) -> int:
        """How many frames, and pieces of what is none, did not pass since this was asked last."""
        filtered, self._filtered = self._filtered, 0
        return filtered

    def _may_pass(self, piece: bytes) -> bool:
        try:
            return parsed(piece).address in self.addresses
        except WireError:
            return False
