"""Checksums of the wire protocols. Hides whether a compiled library or a table computes them."""

from __future__ import annotations

from collections.abc import Callable


def _table() -> tuple[int, ...]:
    rows = []
    for low in range(256):
        crc = low
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        rows.append(crc)
    return tuple(rows)


_CRC16 = _table()


def crc16_by_table(frame: bytes) -> int:
    """CRC-16/MODBUS of a frame (Modbus over Serial Line V1.02, 6.2.2), for machines without the compiled one."""
    crc = 0xFFFF
    for byte in frame:
        crc = crc >> 8 ^ _CRC16[(crc ^ byte) & 0xFF]
    return crc


def _fastest() -> Callable[[bytes], int]:
    try:
        from fastcrc import crc16 as compiled
    except ImportError:  # no wheel for this machine: the table gives the same sums, more slowly
        return crc16_by_table
    modbus: Callable[[bytes], int] = compiled.modbus
    return modbus


crc16: Callable[[bytes], int] = _fastest()
"""CRC-16/MODBUS of a frame; on the wire its low byte goes first."""
