"""Modbus frames in words, for whoever reads a trace: whose they are, and what was asked. Hides that a frame is told by
its checksum from one with a header, so that the words need no knowledge of the line."""

from __future__ import annotations

import struct

from attrs import frozen

from concentrator.wire.checksum import crc16

_MBAP = struct.Struct(">HHHB")
_READS = {1: "coils", 2: "discrete inputs", 3: "holding registers", 4: "input registers"}


@frozen
class Frame:
    """A whole frame without its framing: the Modbus ID and the PDU."""

    unit: int
    pdu: bytes


def frame_of(data: bytes) -> Frame | None:
    """The frame that the bytes are, whole and in RTU or MBAP framing; None where they are anything else."""
    if len(data) >= 4 and crc16(data[:-2]) == int.from_bytes(data[-2:], "little"):
        return Frame(data[0], data[1:-2])
    if len(data) > _MBAP.size:
        _, protocol, length, unit = _MBAP.unpack_from(data)
        if protocol == 0 and length == len(data) - 6:
            return Frame(unit, data[_MBAP.size :])
    return None


def asked(request: bytes) -> str:
    """What a request asks for, in words; empty where it is no Modbus request."""
    return ", ".join(map(_said, _frames_of(request)))


def exchanges_of(request: bytes, received: bytes) -> list[tuple[bytes, bytes]]:
    """Each request that was sent, whole, with its answer: several where they were sent at once and are told apart by
    their numbers."""
    asked_at_once, answers = _split(request), {frame[:2]: frame for frame in _split(received)}
    if len(asked_at_once) < 2:
        return [(request, received)]
    return [(each, answers[each[:2]]) for each in asked_at_once if each[:2] in answers]


def _frames_of(data: bytes) -> list[Frame]:
    frame = frame_of(data)
    found = [frame] if frame is not None else [frame_of(each) for each in _split(data)]
    return [each for each in found if each is not None]


def _split(data: bytes) -> list[bytes]:
    """The frames with a header that the bytes are one after the other; none where they are anything else."""
    frames = []
    while data:
        if len(data) <= _MBAP.size:
            return []
        _, protocol, length, _ = _MBAP.unpack_from(data)
        if protocol or length < 2 or len(data) < length + 6:
            return []
        frames.append(data[: length + 6])
        data = data[length + 6 :]
    return frames


def _said(frame: Frame) -> str:
    code, said = frame.pdu[0], frame.pdu[1:]
    if code in _READS and len(said) == 4:
        address, count = struct.unpack(">HH", said)
        return f"read {_counted(count, _READS[code])} at 0x{address:04X}"
    if code in (5, 6) and len(said) == 4:
        address, value = struct.unpack(">HH", said)
        if code == 5:
            return f"switch coil 0x{address:04X} {'on' if value else 'off'}"
        return f"write {value} to holding register 0x{address:04X}"
    if code in (15, 16) and len(said) >= 4:
        address, count = struct.unpack_from(">HH", said)
        return f"write {_counted(count, _READS[1 if code == 15 else 3])} at 0x{address:04X}"
    return f"function {code}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what if count != 1 else what.removesuffix('s')}"
