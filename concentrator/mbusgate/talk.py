"""What a client is in the middle of, told from the frames of both sides: between selecting a meter and reading it, or
inside an answer of several telegrams. Whoever spoke on the bus then would have the client read another meter, or
another telegram, than it means. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field

from concentrator.mbusgate.frames import Splitter
from concentrator.model.errors import WireError
from concentrator.wire.mbus_frame import FCB, REQ_UD2, SELECTED, SND_NKE, Frame, is_response, parsed
from concentrator.wire.mbus_record import decoded

_FROM_MASTER = 0x40
_SELECT = (0x52, 0x56)  # CI of a selection, least and most significant byte first


@define
class Talk:
    """A client's talk with the meters, so far."""

    _asked: Splitter = field(factory=Splitter, init=False)
    _heard: Splitter = field(factory=Splitter, init=False)
    _has_selected: bool = field(default=False, init=False)
    _is_reading_selected: bool = field(default=False, init=False)
    _has_more_to_read: bool = field(default=False, init=False)

    @property
    def is_in_the_middle(self) -> bool:
        """Whether nobody else may speak now."""
        return self._has_selected or self._has_more_to_read

    def asked(self, data: bytes) -> None:
        """The client said this."""
        for frame in _frames(self._asked, data):
            if not frame.control & _FROM_MASTER:
                continue
            self._heard.give_up()  # of an answer that was not complete no more comes
            self._is_reading_selected = frame.address == SELECTED and frame.control & ~FCB == REQ_UD2 & ~FCB
            if frame.control == SND_NKE:
                self._has_selected = self._has_more_to_read = False
            elif frame.ci in _SELECT and frame.address == SELECTED:
                self._has_selected, self._has_more_to_read = True, False

    def heard(self, data: bytes) -> None:
        """A meter said this."""
        for frame in _frames(self._heard, data):
            if is_response(frame):
                self._has_more_to_read = _has_more(frame)
                if self._is_reading_selected:
                    self._has_selected = False


def _frames(stream: Splitter, data: bytes) -> Iterator[Frame]:
    for piece, is_frame in stream.split(data):
        if is_frame and len(piece) > 1:
            try:
                yield parsed(piece)
            except WireError:
                continue


def _has_more(frame: Frame) -> bool:
    try:
        return decoded(frame).has_more
    except WireError:
        return False
