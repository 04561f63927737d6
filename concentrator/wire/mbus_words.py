"""M-Bus frames in words, for whoever reads a trace: what a master asks for or says."""

from __future__ import annotations

from concentrator.model.errors import Garbled
from concentrator.wire.mbus_address import SecondaryAddress
from concentrator.wire.mbus_frame import FCB, REQ_UD1, REQ_UD2, SND_NKE, SND_UD, Frame, parsed
from concentrator.wire.mbus_record import RESET, SELECT, SEND
from concentrator.wire.mbus_talk import BAUD_RATES

_SPEEDS = {ci: baudrate for baudrate, ci in BAUD_RATES.items()}
_SHORT = {SND_NKE: "reset", REQ_UD1 & ~FCB: "alarms", REQ_UD2 & ~FCB: "a telegram"}


def asked(request: bytes) -> str:
    """What a request asks for, in words; empty where it is no M-Bus request."""
    try:
        frame = parsed(request)
    except Garbled:
        return ""
    if frame.ci is None:
        return _SHORT.get(frame.control & ~FCB, "")
    return _told(frame) if frame.control & ~FCB == SND_UD & ~FCB else ""


def _told(frame: Frame) -> str:
    if frame.ci == SELECT and len(frame.data) >= 8:
        return f"select {SecondaryAddress(frame.data[:8])}"
    if frame.ci == SEND:
        return f"{len(frame.data)} bytes of data"
    if frame.ci == RESET:
        return "application reset"
    return f"{_SPEEDS[frame.ci]} bits per second" if frame.ci in _SPEEDS else f"CI {frame.ci:02X}"
