"""The slave's side of Modbus on a serial line: a request frame in, its reply frame out, or silence. Hides PDUs, checks
and exception codes from what is simulated; shares no code with the master it is there to judge, but for the checksum.

Sources: Modbus Application Protocol V1.1b3; Modbus over Serial Line V1.02.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Protocol

from attrs import frozen

from concentrator.model.profile import Function
from concentrator.wire.checksum import crc16

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, BUSY = 1, 2, 3, 6
BROADCAST = 0
_READS = {1: Function.COIL, 2: Function.DISCRETE, 3: Function.HOLDING, 4: Function.INPUT}
_MOST_READ, _MOST_WRITTEN = 125, 123
_MOST_BITS_READ, _MOST_BITS_WRITTEN = 2000, 1968
_COIL_ON = 0xFF00


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


class Tables(Protocol):
    """Something with the four tables of the Modbus data model. `at` is UTC seconds; both raise Refusal."""

    def read_table(self, table: Function, address: int, count: int, at: float) -> Sequence[int]:
        """The contents of `count` registers or bits of a table from `address` on."""

    def write_table(self, table: Function, address: int, values: Sequence[int], is_single: bool, at: float) -> None:
        """Takes new contents for the holding registers or coils from `address` on; `is_single`: by the function that
        writes a single one."""


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
    return framed(frame[0], answer_pdu(_OneForAll(registers), frame[1:-2], at))


def answer_at(unit: int, registers: Registers, frame: bytes, at: float) -> bytes | None:
    """The reply of a slave that has nothing but registers and one address; None where it says nothing."""
    if frame[0] not in (BROADCAST, unit):
        return None
    reply = answer(registers, frame, at)
    return None if frame[0] == BROADCAST else reply


def answer_pdu(tables: Tables, pdu: bytes, at: float) -> bytes:
    """The PDU that answers a PDU, which is an exception where the tables refuse."""
    try:
        return _carried_out(tables, pdu, at)
    except Refusal as refusal:
        return bytes((pdu[0] | 0x80, refusal.code))


@frozen
class _OneForAll:
    """Registers that are the same in both tables of registers, and no bits."""

    registers: Registers

    def read_table(self, table: Function, address: int, count: int, at: float) -> Sequence[int]:
        if table.is_bits:
            raise Refusal(ILLEGAL_FUNCTION)
        return self.registers.read(address, count, at)

    def write_table(self, table: Function, address: int, values: Sequence[int], is_single: bool, at: float) -> None:
        if table.is_bits:
            raise Refusal(ILLEGAL_FUNCTION)
        self.registers.write(address, values, at)


def _carried_out(tables: Tables, pdu: bytes, at: float) -> bytes:
    function = pdu[0]
    if (table := _READS.get(function)) is not None:
        address, count = _fields(pdu, 5)
        if not 1 <= count <= (_MOST_BITS_READ if table.is_bits else _MOST_READ):
            raise Refusal(ILLEGAL_VALUE)
        values = tables.read_table(table, address, count, at)
        content = _bits(values) if table.is_bits else struct.pack(f">{count}H", *values)
        return bytes((function, len(content))) + content
    if function in (5, 6):
        address, value = _fields(pdu, 5)
        if function == 5 and value not in (0, _COIL_ON):
            raise Refusal(ILLEGAL_VALUE)
        table, value = (Function.HOLDING, value) if function == 6 else (Function.COIL, int(value == _COIL_ON))
        tables.write_table(table, address, (value,), True, at)
        return pdu
    if function in (15, 16):
        address, count = _fields(pdu, 6, exactly=False)
        most, size = (_MOST_WRITTEN, 2 * count) if function == 16 else (_MOST_BITS_WRITTEN, (count + 7) // 8)
        if not 1 <= count <= most or pdu[5] != size or len(pdu) != 6 + size:
            raise Refusal(ILLEGAL_VALUE)
        if function == 16:
            tables.write_table(Function.HOLDING, address, struct.unpack(f">{count}H", pdu[6:]), False, at)
        else:
            bits = int.from_bytes(pdu[6:], "little")
            tables.write_table(Function.COIL, address, [bits >> n & 1 for n in range(count)], False, at)
        return pdu[:5]
    raise Refusal(ILLEGAL_FUNCTION)


def _bits(values: Sequence[int]) -> bytes:
    """Bits as a reply has them, the first in the lowest bit of the first byte."""
    packed = sum(bit << place for place, bit in enumerate(values))
    return packed.to_bytes((len(values) + 7) // 8, "little")


def _fields(pdu: bytes, length: int, exactly: bool = True) -> tuple[int, int]:
    if len(pdu) < length or (exactly and len(pdu) != length):
        raise Refusal(ILLEGAL_VALUE)
    first, second = struct.unpack(">HH", pdu[1:5])
    return first, second
