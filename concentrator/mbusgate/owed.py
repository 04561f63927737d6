"""Whether what a client asked last has been answered, told from the frames: a meter may still answer somebody who has
gone, and whoever has the wire then would take that for the answer to his own question. Pure."""

from __future__ import annotations

from attrs import define, field

from concentrator.mbusgate.client import MOST
from concentrator.mbusgate.frames import Splitter
from concentrator.wire.mbus_frame import ACKNOWLEDGE, BROADCAST, REQ_UD1, REQ_UD2

_SHORT_LENGTH = 5  # 10 C A CS 16
_FROM_MASTER, _FUNCTION = 0x40, 0x0F  # of a C field
_FOR_DATA = {REQ_UD1 & _FUNCTION, REQ_UD2 & _FUNCTION}


@define
class Owed:
    """The last question of a client, all that was said since something was heard, and what was heard since."""

    _asked: bytes = field(default=b"", init=False)
    _heard: bytearray = field(factory=bytearray, init=False)

    def asked(self, data: bytes) -> None:
        """The client said this."""
        if self._heard:
            self._asked, self._heard = b"", bytearray()
        self._asked = (self._asked + data)[-MOST:]

    def heard(self, data: bytes) -> None:
        """The line said this."""
        if len(self._heard) < MOST:
            self._heard += data

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was asked, or nothing more can be an answer to it. Of what is no frame nobody knows."""
        if not self._asked:
            return True
        asked, heard = _frames(self._asked), _frames(bytes(self._heard))
        if not asked or (self._heard and not heard):
            return False
        question = asked[-1]
        if not heard:
            return len(asked) == 1 and _place(question, 1) == BROADCAST  # which nobody answers
        if heard[-1] == ACKNOWLEDGE:
            return not (len(question) == _SHORT_LENGTH and question[1] & _FUNCTION in _FOR_DATA)
        return not _place(heard[-1], 0) & _FROM_MASTER  # else it is an echo


def _frames(data: bytes) -> list[bytes]:
    """The frames that these bytes are; none where they are not all whole frames."""
    stream = Splitter()
    pieces = stream.split(data)
    is_all = not stream.held and all(is_frame for _, is_frame in pieces)
    return [piece for piece, _ in pieces] if is_all else []


def _place(frame: bytes, place: int) -> int:
    """The C field (0) or the address (1) of a frame; 0 where it has none."""
    if frame == ACKNOWLEDGE:
        return 0
    return frame[place + (1 if len(frame) == _SHORT_LENGTH else 4)]
