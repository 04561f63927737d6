"""The slave's side of Modbus on a serial line: a request frame in, its reply frame out, or silence. Hides PDUs, checks
and exception codes from what is simulated; shares no code with the master it is there to judge, but for the checksum.

Sources: Modbus Application Protocol V1.1b3; Modbus over Serial Line V1.02.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Protocol

from concentrator.wire.checksum import crc16

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, BUSY = 1, 2, 3, 6
BROADCAST = 0
_MOST_READ, _MOST_WRITTEN = 125, 123


class Refusal(Exception):
    """The slave refuses with this exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Slave(Protocol):
    """Something that hangs on the bus. `at` is UTC seconds."""

    @property
    def unit(self) -> int:
        """The address that is its own for good."""

    def reply(self, frame: bytes, at: float) -> bytes | None:
        """Its reply frame to an intact request, None where it says nothing: the request is for others, or for all."""


class Registers(Protocol):
    """Something with registers. `at` is UTC seconds; both raise Refusal."""

    def read(self, address: int, count: int, at: float) -> Sequence[int]:
        """The contents of `count` registers from `address` on."""

    def write(self, address: int, values: Sequence[int], at: float) -> None:
        """Takes new contents for the registers from `address` on."""


def is_intact(frame: bytes) -> bool:
    """Whether a frame is long enough and its checksum right."""
    return len(frame) >= 4 and crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little")


def framed(unit: int, pdu: bytes) -> bytes:
    """The frame that carries a PDU."""
    body = bytes((unit,)) + pdu
    return body + crc16(body).to_bytes(2, "little")


def is_exception(reply: bytes) -> bool:
    """Whether a reply frame is an exception."""
    return bool(reply[1] & 0x80)


def answer(registers: Registers, frame: bytes, at: float) -> bytes:
    """The reply frame to an intact request that is meant for these registers; whether it may be said is another matter,
    after a broadcast it may not."""
    pdu = frame[1:-2]
    try:
        reply = _carried_out(registers, pdu, at)
    except Refusal as refusal:
        reply = bytes((pdu[0] | 0x80, refusal.code))
    return framed(frame[0], reply)


def answer_at(unit: int, registers: Registers, frame: bytes, at: float) -> bytes | None:
    """The reply of a slave that has nothing but registers and one address; None where it says nothing."""
    if frame[0] not in (BROADCAST, unit):
        return None
    reply = answer(registers, frame, at)
    return None if frame[0] == BROADCAST else reply


def _carried_out(registers: Registers, pdu: bytes, at: float) -> bytes:
    function = pdu[0]
    if function in (3, 4):
        address, count = _fields(pdu, 5)
        if not 1 <= count <= _MOST_READ:
            raise Refusal(ILLEGAL_VALUE)
        values = registers.read(address, count, at)
        return struct.pack(f">BB{count}H", function, 2 * count, *values)
    if function == 6:
        address, value = _fields(pdu, 5)
        registers.write(address, (value,), at)
        return pdu
    if function == 16:
        address, count = _fields(pdu, 6, exactly=False)
        if not 1 <= count <= _MOST_WRITTEN or pdu[5] != 2 * count or len(pdu) != 6 + 2 * count:
            raise Refusal(ILLEGAL_VALUE)
        registers.write(address, struct.unpack(f">{count}H", pdu[6:]), at)
        return pdu[:5]
    raise Refusal(ILLEGAL_FUNCTION)


def _fields(pdu: bytes, length: int, exactly: bool = True) -> tuple[int, int]:
    if len(pdu) < length or (exactly and len(pdu) != length):
        raise Refusal(ILLEGAL_VALUE)
    first, second = struct.unpack(">HH", pdu[1:5])
    return first, second
