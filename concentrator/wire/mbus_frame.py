"""The frames of the M-Bus: single character, short, control and long frames as bytes, and how a reply is found in
whatever arrives. Hides checks, noise and echoes before a frame, and that the first telegram after a reset carries a set
frame count bit.

Sources: EN 13757-2, 5 (link layer); the bits of the C field as libmbus uses them.
"""

from __future__ import annotations

from typing import Any

from attrs import define, frozen

from concentrator.model.errors import Garbled, Unexpected
from concentrator.wire.conversation import Expect, LineSettings, Need

ACKNOWLEDGE = b"\xe5"
SND_NKE, SND_UD, REQ_UD1, REQ_UD2, RSP_UD = 0x40, 0x53, 0x5A, 0x5B, 0x08
FCB = 0x20
UNCONFIGURED, HIGHEST_PRIMARY = 0, 250
SELECTED, BROADCAST_ANSWERED, BROADCAST = 0xFD, 0xFE, 0xFF
LONGEST = 252
"""The most data bytes of a long frame: its length field counts C, A and CI too."""

_SHORT, _LONG, _STOP = 0x10, 0x68, 0x16
_OF_RESPONSE = 0xCF  # all of a C field but ACD and DFC, EN 13757-2, 5.5


@frozen
class Frame:
    """A short frame (`ci` is None), a control frame (without `data`) or a long one."""

    control: int
    address: int
    ci: int | None = None
    data: bytes = b""

    def __bytes__(self) -> bytes:
        """The frame as it travels."""
        if self.ci is None:
            body = bytes((self.control, self.address))
            return bytes((_SHORT, *body, sum(body) & 0xFF, _STOP))
        body = bytes((self.control, self.address, self.ci)) + self.data
        return bytes((_LONG, len(body), len(body), _LONG, *body, sum(body) & 0xFF, _STOP))


def parsed(frame: bytes) -> Frame:
    """The frame that these bytes are, no more and no less; raises Garbled with the first thing that is wrong."""
    found = _frame_at(frame, 0)
    if isinstance(found, Need):
        raise Garbled(f"{len(frame)} bytes, expected {found.length}", frame)
    if isinstance(found, str):
        raise Garbled(found, frame)
    parts, end = found
    if end != len(frame):
        raise Garbled(f"{len(frame) - end} bytes behind the frame", frame)
    return parts


def _frame_at(buffer: bytes, start: int) -> tuple[Frame, int] | Need | str:
    """The frame at `start` and where it ends; Need where it may still become one; else what is wrong."""
    if len(buffer) <= start:
        return Need(start + 5)
    if buffer[start] == _SHORT:
        if len(buffer) < start + 5:
            return Need(start + 5)
        control, address, checksum, stop = buffer[start + 1 : start + 5]
        wrong = _wrong(control + address, checksum, stop)
        return wrong or (Frame(control, address), start + 5)
    if buffer[start] != _LONG:
        return f"start {buffer[start]:02X}, expected 68 or 10"
    head = buffer[start : start + 4]
    if len(head) > 2 and head[1] != head[2]:
        return f"lengths {head[1]} and {head[2]} differ"
    if len(head) > 3 and head[3] != _LONG:
        return f"second start {head[3]:02X}, expected 68"
    if len(head) > 1 and head[1] < 3:
        return f"length {head[1]}, expected 3 or more"
    if len(head) < 4:
        return Need(start + 9)
    end = start + 6 + head[1]
    if len(buffer) < end:
        return Need(end)
    body = buffer[start + 4 : end - 2]
    wrong = _wrong(sum(body), buffer[end - 2], buffer[end - 1])
    return wrong or (Frame(body[0], body[1], body[2], body[3:]), end)


def _wrong(total: int, checksum: int, stop: int) -> str:
    if total & 0xFF != checksum:
        return f"checksum {checksum:02X}, expected {total & 0xFF:02X}"
    return "" if stop == _STOP else f"stop {stop:02X}, expected 16"


def acknowledged(buffer: bytes, ended: bool) -> Any:
    """An Expect: the single character, whatever noise is heard before it."""
    if ACKNOWLEDGE in buffer:
        return ACKNOWLEDGE
    return _wait_or(buffer, ended, 1, "no acknowledgement")


def acknowledged_cleanly(buffer: bytes, ended: bool) -> Any:
    """An Expect: the single character and nothing else; what is more is heard to its end, and damaged."""
    if buffer == ACKNOWLEDGE:
        return ACKNOWLEDGE
    return _wait_or(buffer, ended, 1, "several answer at once, or noise")


def answered_by(address: int, is_clean: bool = False) -> Expect:
    """An Expect: the response to a request for data (a Frame). Noise before it is passed over, unless it must be alone
    (`is_clean`). Raises Unexpected where another primary address answers."""

    def expect(buffer: bytes, ended: bool) -> Any:
        reason = ""
        for start in range(1 if is_clean else len(buffer)):
            if not is_clean and buffer[start] not in (_LONG, _SHORT):
                continue
            found = _frame_at(buffer, start)
            if isinstance(found, tuple):
                frame, end = found
                if is_response(frame) and not (is_clean and end < len(buffer)):
                    _check(frame, address, buffer)
                    return frame
                found = "no response" if end == len(buffer) else "more than one answer"
            if isinstance(found, Need) and not ended:
                return found
            if isinstance(found, Need):
                found = f"{len(buffer) - start} bytes, expected {found.length - start}"
            reason = reason or found
        return _wait_or(buffer, ended, 9, reason or "no frame")

    return expect


def is_response(frame: Frame) -> bool:
    """Whether a frame is what a meter says when it is asked for data."""
    return frame.ci is not None and frame.control & _OF_RESPONSE == RSP_UD


def _check(frame: Frame, address: int, buffer: bytes) -> None:
    if address <= HIGHEST_PRIMARY and frame.address != address:
        raise Unexpected(f"address {frame.address} answered, expected {address}", buffer)


def _wait_or(buffer: bytes, ended: bool, least: int, reason: str) -> Need:
    if ended:
        raise Garbled(reason, buffer)
    return Need(max(least, len(buffer) + 1))


@define
class Toggle:
    """The frame count bit towards one address: set in the first request after a reset, and the other one after every
    answer; a repetition keeps it (EN 13757-2, 5.5). Ask `control` for a C field, call `answered` for every answer."""

    is_set: bool = True

    def control(self, code: int) -> int:
        """The C field of a request."""
        return code | FCB if self.is_set else code & ~FCB

    def answered(self) -> None:
        """The request was answered as it should be."""
        self.is_set = not self.is_set


def answer_s(settings: LineSettings) -> float:
    """How long a meter may take to begin its answer, in seconds: 330 bit times and 50 ms (EN 13757-2, 4.3)."""
    return 330 / settings.baudrate + 0.05


def silence_s(settings: LineSettings) -> float:
    """The pause after an answer before the next request, in seconds: 11 bit times."""
    return 11 / settings.baudrate
