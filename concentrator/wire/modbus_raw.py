"""A Modbus request that somebody else made, as a whole RTU frame: what it is, whether it is well made, and what its
reply must look like. Hides the checks that keep a malformed or foreign frame from a wire.

Sources: Modbus Application Protocol V1.1b3, 6; Modbus over Serial Line V1.02, 2.5.1.
"""

from __future__ import annotations

import struct

from attrs import frozen

from concentrator.model.errors import Denied, Garbled, OutOfRange
from concentrator.wire.checksum import crc16
from concentrator.wire.modbus import MAX_READ_BITS, MAX_READ_REGISTERS, MAX_WRITE_REGISTERS, Request

SHORTEST, LONGEST = 4, 256
"""The bytes of an RTU frame."""
MAX_WRITE_BITS = 1968
READS, WRITES = (1, 2, 3, 4), (5, 6, 15, 16)
"""The functions that are let through; no other is: diagnostics, files and whatever a maker invented stay outside."""
ANYBODY = (0, 1)
"""The units by which a cloud server means the one controller behind its modem, besides the controller's own."""
_COIL_WORDS = (0x0000, 0xFF00, 0xFFFF)  # FFFF: the HSC940 family, by its maker's document
_PLAIN = 5  # bytes of a PDU with a function, an address and a word


@frozen
class RawRequest:
    """A request that may be sent: its function, whether it writes, and how it is asked for; the reply is the reply's
    PDU."""

    function: int
    is_write: bool
    request: Request

    @property
    def shown(self) -> str:
        """It in words."""
        return f"modbus {self.request.pdu.hex(' ').upper()}"


def raw_request(frame: bytes, unit: int) -> RawRequest:
    """The request in a whole frame, its checksum included, for the station at `unit`. Raises OutOfRange where the frame
    is not well made, Denied where it is for others or of a function that is not let through."""
    if not SHORTEST <= len(frame) <= LONGEST:
        raise OutOfRange(f"request: found {len(frame)} bytes, expected {SHORTEST} to {LONGEST}")
    if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
        raise OutOfRange(f"request: found checksum {frame[-2:].hex()}, expected {_checksum(frame[:-2])}")
    if frame[0] not in (*ANYBODY, unit):
        raise Denied(f"request: it is for unit {frame[0]}, this one is {unit}")
    pdu = frame[1:-2]
    function = pdu[0]
    if function not in READS + WRITES:
        allowed = ", ".join(f"{each:02X}" for each in READS + WRITES)
        raise Denied(f"request: function {function:02X} is none of {allowed}")
    if len(pdu) < _PLAIN:
        raise OutOfRange(f"request: found a PDU of {len(pdu)} bytes, expected at least {_PLAIN}")
    address, word = struct.unpack_from(">HH", pdu, 1)
    reply_length = _single(function, pdu, word) if function in (5, 6) else _several(function, pdu, address, word)

    def parse(reply: bytes) -> bytes:
        fault = reply[1] != reply_length - 2 if function in READS else reply != pdu[:reply_length]
        if fault:
            raise Garbled(f"reply {reply[:6].hex(' ')}… does not fit the request")
        return reply

    return RawRequest(function, function in WRITES, Request(pdu, reply_length, parse))


def _single(function: int, pdu: bytes, word: int) -> int:
    if len(pdu) != _PLAIN:
        raise OutOfRange(f"request: found a PDU of {len(pdu)} bytes, expected {_PLAIN}")
    if function == 5 and word not in _COIL_WORDS:
        raise OutOfRange(f"request: found {word:04X} for a coil, expected 0000, FF00 or FFFF")
    return _PLAIN


def _several(function: int, pdu: bytes, address: int, count: int) -> int:
    most = {1: MAX_READ_BITS, 2: MAX_READ_BITS, 15: MAX_WRITE_BITS, 16: MAX_WRITE_REGISTERS}
    if not 1 <= count <= most.get(function, MAX_READ_REGISTERS):
        raise OutOfRange(f"request: found a count of {count}, expected 1 to {most.get(function, MAX_READ_REGISTERS)}")
    if address + count > 0x10000:
        raise OutOfRange(f"request: found {count} from {address} on, expected an end below 65536")
    size = (count + 7) // 8 if function in (1, 2, 15) else 2 * count
    if function in READS:
        if len(pdu) != _PLAIN:
            raise OutOfRange(f"request: found a PDU of {len(pdu)} bytes, expected {_PLAIN}")
        return 2 + size
    if len(pdu) != _PLAIN + 1 + size or pdu[_PLAIN] != size:
        raise OutOfRange(f"request: found a PDU of {len(pdu)} bytes, expected {_PLAIN + 1 + size}, and to say so")
    return _PLAIN


def _checksum(body: bytes) -> str:
    return crc16(body).to_bytes(2, "little").hex()
