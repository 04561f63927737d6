"""Processor time of the codec alone: one reply of 40 registers, from bytes to the content of the registers, beside
pymodbus's codec. The figure behind decision 1."""

from __future__ import annotations

import struct
from collections.abc import Callable
from timeit import timeit

from attrs import frozen
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadHoldingRegistersResponse

from bench.table import Column, table
from concentrator.model.profile import Function
from concentrator.wire import modbus
from concentrator.wire.checksum import crc16, crc16_by_table

REGISTERS = 40
PEER = "pymodbus"
_ROUNDS = 5000


@frozen
class Timing:
    """Microseconds to make a request and to take a reply apart."""

    master: str
    encode_us: float
    decode_us: float
    bus: str = f"{REGISTERS} registers"


_COLUMNS = (
    Column("encode us", lambda timing: timing.encode_us, ".2f", has_ratio=True),
    Column("decode us", lambda timing: timing.decode_us, ".2f", has_ratio=True),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Timing]:
    """Every codec in turn, as often as asked for."""
    timings = []
    for number in range(repetitions):
        told(f"{number + 1} of {repetitions}")
        timings += [
            Timing("ccmaster", *_ours(crc16)),
            Timing("ccmaster, no compiled checksum", *_ours(crc16_by_table)),
            Timing(PEER, *_pymodbus()),
        ]
    return timings


def _us(act: Callable[[], object]) -> float:
    return timeit(act, number=_ROUNDS) / _ROUNDS * 1e6


def _ours(checksum: Callable[[bytes], int]) -> tuple[float, float]:
    unpack = struct.Struct(f">{REGISTERS}H").unpack
    compiled, modbus.crc16 = modbus.crc16, checksum
    try:
        transaction = modbus.rtu(1, modbus.read(Function.HOLDING, 0, REGISTERS), 0.3)
        assert transaction.expect is not None
        reply, expect = _reply(), transaction.expect
        encode_us = _us(lambda: modbus.rtu(1, modbus.read(Function.HOLDING, 0, REGISTERS), 0.3))
        return encode_us, _us(lambda: unpack(expect(reply, False)))
    finally:
        modbus.crc16 = compiled


def _pymodbus() -> tuple[float, float]:
    framer, reply = FramerRTU(DecodePDU(False)), _reply()
    encode_us = _us(lambda: framer.buildFrame(ReadHoldingRegistersRequest(address=0, count=REGISTERS, dev_id=1)))
    return encode_us, _us(lambda: framer.handleFrame(reply, 1, 0))


def _reply() -> bytes:
    answer = ReadHoldingRegistersResponse(registers=list(range(REGISTERS)), dev_id=1)
    return bytes(FramerRTU(DecodePDU(True)).buildFrame(answer))


def report(timings: list[Timing]) -> str:
    """The medians, and how they stand to the peer's."""
    return f"The codec alone. Ratios to {PEER}.\n\n{table(timings, _COLUMNS, PEER)}"
