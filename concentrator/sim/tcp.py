"""The server's side of Modbus TCP: bytes of a connection in, bytes of replies out. Hides the header, and how requests
that follow each other are told apart.

Source: Modbus Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from attrs import define, field

GATEWAY_TARGET_SILENT = 0x0B  # Modbus Application Protocol V1.1b3, 7
_HEADER = struct.Struct(">HHHB")
_LONGEST = 254  # unit identifier and PDU

Answer = Callable[[int, bytes], bytes | None]
"""`answer(unit, pdu)`: the PDU of the answer, None where there is no such unit."""


class NoModbus(Exception):
    """What comes in is no Modbus TCP: the connection is of no more use."""


@define
class Connection:
    """One connection of a client."""

    answer: Answer
    _received: bytearray = field(init=False, factory=bytearray)

    def replies(self, data: bytes) -> bytes:
        """What is to be sent once these bytes have come too. Raises NoModbus."""
        self._received += data
        said = b""
        while len(self._received) >= _HEADER.size:
            number, protocol, length, unit = _HEADER.unpack_from(self._received)
            if protocol or not 2 <= length <= _LONGEST:
                raise NoModbus(f"a header of protocol {protocol} and length {length}")
            end = _HEADER.size - 1 + length
            if len(self._received) < end:
                break
            pdu = bytes(self._received[_HEADER.size : end])
            del self._received[:end]
            reply = self.answer(unit, pdu)
            if reply is None:
                reply = bytes((pdu[0] | 0x80, GATEWAY_TARGET_SILENT))
            said += _HEADER.pack(number, 0, 1 + len(reply), unit) + reply
        return said
