"""The server's side of Modbus: what a request asks for, how it is answered or refused, and where in arriving bytes the
requests are, in both framings. Hides function codes, lengths and checksums from whoever has registers to show.

Theory of the serial line. A slave hears everybody: requests to others, their answers, and requests to itself. Which is
which no byte says. But a request to this slave is always the last thing before a silence, for its master waits for the
answer; and what was heard before it since the last silence that was noticed is made of whole frames, each with its
checksum. Silences that an adapter swallowed, or made by handing bytes over late, therefore do no harm.

Sources: Modbus Application Protocol V1.1b3; Modbus over Serial Line V1.02; Modbus Messaging on TCP/IP V1.0b.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator

from attrs import define, field, frozen

from concentrator.model.profile import Function
from concentrator.wire.checksum import crc16
from concentrator.wire.modbus import BROADCAST, MAX_READ_BITS, MAX_READ_REGISTERS, MAX_WRITE_REGISTERS, READ_CODE

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
DEVICE_FAILURE, DEVICE_BUSY, TARGET_SILENT = 4, 6, 11
"""Exception codes (Modbus Application Protocol V1.1b3, 7)."""
MAX_WRITE_BITS = 1968
LONGEST_FRAME = 256  # Modbus over Serial Line V1.02, 2.5.1

_READS = {code: function for function, code in READ_CODE.items()}
_ON = 0xFF00
_HEADER = struct.Struct(">HHHB")
_LONGEST_BODY = 254  # unit identifier and PDU
_NOISE = 2  # characters that a transmitter switching on may be heard as


class Refusal(Exception):
    """A request is refused with this exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class NoModbus(Exception):
    """What comes in is no Modbus TCP: the connection is of no more use."""


@frozen
class Read:
    """Somebody wants `count` registers or bits of a table, from a 0-based address on."""

    function: Function
    address: int
    count: int


@frozen
class Write:
    """Somebody wants registers, or bits (each 0 or 1), to have these values. `is_single`: asked for by the function
    that writes one."""

    function: Function
    address: int
    values: tuple[int, ...]
    is_single: bool


def asked(pdu: bytes) -> Read | Write:
    """What a request asks for. Raises Refusal where it is none of functions 1 to 6, 15 and 16, or wrong in itself."""
    code = pdu[0]
    if (function := _READS.get(code)) is not None:
        address, count = _two(pdu, 5)
        if not 1 <= count <= (MAX_READ_BITS if function.is_bits else MAX_READ_REGISTERS):
            raise Refusal(ILLEGAL_VALUE)
        return Read(function, *_in_table(address, count))
    if code in (5, 6):
        address, value = _two(pdu, 5)
        if code == 6:
            return Write(Function.HOLDING, address, (value,), True)
        if value not in (0, _ON):
            raise Refusal(ILLEGAL_VALUE)
        return Write(Function.COIL, address, (int(value == _ON),), True)
    if code in (15, 16):
        return _many(pdu)
    raise Refusal(ILLEGAL_FUNCTION)


def _many(pdu: bytes) -> Write:
    address, count = _two(pdu, None)
    is_bits = pdu[0] == 15
    most, size = (MAX_WRITE_BITS, (count + 7) // 8) if is_bits else (MAX_WRITE_REGISTERS, 2 * count)
    if not 1 <= count <= most or pdu[5:6] != bytes((size,)) or len(pdu) != 6 + size:
        raise Refusal(ILLEGAL_VALUE)
    _in_table(address, count)
    if is_bits:
        bits = int.from_bytes(pdu[6:], "little")
        return Write(Function.COIL, address, tuple(bits >> n & 1 for n in range(count)), False)
    return Write(Function.HOLDING, address, struct.unpack(f">{count}H", pdu[6:]), False)


def _two(pdu: bytes, length: int | None) -> tuple[int, int]:
    """The two numbers that every request begins with; all of it is `length` long, where that is known."""
    if len(pdu) < 5 or len(pdu) != (length or len(pdu)):
        raise Refusal(ILLEGAL_VALUE)
    return int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])


def _in_table(address: int, count: int) -> tuple[int, int]:
    if address + count > 0x10000:
        raise Refusal(ILLEGAL_ADDRESS)
    return address, count


def read_reply(pdu: bytes, content: bytes) -> bytes:
    """The PDU that answers a read with its content: registers high byte first, bits packed low bit first."""
    return bytes((pdu[0], len(content))) + content


def write_reply(pdu: bytes) -> bytes:
    """The PDU that says a write was done."""
    return pdu[:5]


def exception(pdu: bytes, code: int) -> bytes:
    """The PDU that refuses."""
    return bytes((pdu[0] | 0x80, code))


# -- Modbus TCP


@frozen
class Asked:
    """A request that came over TCP: whom it is for, what it says, and the number its reply needs."""

    number: int
    unit: int
    pdu: bytes

    def framed(self, reply: bytes) -> bytes:
        """The reply's PDU as it travels."""
        return _HEADER.pack(self.number, 0, len(reply) + 1, self.unit) + reply


@define
class Requests:
    """The requests in what one connection brings."""

    _received: bytearray = field(factory=bytearray, init=False)

    def take(self, data: bytes) -> None:
        """Bytes have come."""
        self._received += data

    def __iter__(self) -> Iterator[Asked]:
        """Every request that is there whole, each once. Raises NoModbus."""
        received = self._received
        while len(received) >= _HEADER.size:
            number, protocol, length, unit = _HEADER.unpack_from(received)
            if protocol or not 2 <= length <= _LONGEST_BODY:
                raise NoModbus(f"a header of protocol {protocol} and length {length}")
            end = _HEADER.size - 1 + length
            if len(received) < end:
                return
            pdu = bytes(received[_HEADER.size : end])
            del received[:end]
            yield Asked(number, unit, pdu)


# -- the serial line


def request_at_end(heard: bytes, units: Container[int]) -> bytes | None:
    """The request, its unit and its PDU, to one of `units` or to all, that the bytes end with, where they are whole
    frames but for up to two characters of noise at their beginning; None where they do not."""
    for start in range(_NOISE + 1):
        found = _last_request(heard, start, units)
        if found is not None:
            return found
    return None


def has_traffic_of_others(heard: bytes, units: Container[int]) -> bool:
    """Whether the bytes begin with a whole frame that is for others, or theirs: what could not be understood is then
    none of this slave's business."""
    return len(heard) >= 4 and heard[0] not in units and heard[0] != BROADCAST and any(_lengths(heard, 0))


def _last_request(heard: bytes, start: int, units: Container[int]) -> bytes | None:
    while len(heard) - start >= 4:
        rest = len(heard) - start
        is_ours = heard[start] in units or heard[start] == BROADCAST
        is_long_enough = rest <= LONGEST_FRAME and _request_length(heard, start) in (rest, None)
        if is_ours and is_long_enough and _is_intact(heard, start, rest):
            return heard[start:-2]
        length = next(_lengths(heard, start), None)
        if length is None:
            return None
        start += length
    return None


def _lengths(heard: bytes, start: int) -> Iterator[int]:
    """The lengths of whole frames that may begin there, with the right checksum."""
    for length in (_request_length(heard, start), _reply_length(heard, start)):
        if length is not None and start + length <= len(heard) and _is_intact(heard, start, length):
            yield length


def _is_intact(heard: bytes, start: int, length: int) -> bool:
    # With its checksum, the checksum of a frame is 0.
    return not crc16(heard[start : start + length])


_FIXED_REQUESTS = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 7: 4, 8: 8, 11: 4, 12: 4, 17: 4, 22: 10, 24: 6, 43: 7}
_COUNTED_REQUESTS = {15: 6, 16: 6, 20: 2, 21: 2, 23: 10}  # where the count of the bytes that follow stands
_FIXED_REPLIES = {5: 8, 6: 8, 7: 5, 8: 8, 11: 8, 15: 8, 16: 8, 22: 10}
_COUNTED_REPLIES = (1, 2, 3, 4, 12, 17, 20, 21, 23)


def _request_length(heard: bytes, start: int) -> int | None:
    """How long a request that begins there is, with its checksum; None where its function or its count is not known."""
    code = heard[start + 1]
    if code in _FIXED_REQUESTS:
        return _FIXED_REQUESTS[code]
    place = _COUNTED_REQUESTS.get(code)
    if place is None:
        return None
    return place + 3 + heard[start + place] if start + place < len(heard) else LONGEST_FRAME + 1


def _reply_length(heard: bytes, start: int) -> int | None:
    """The same of a reply."""
    code = heard[start + 1]
    if code & 0x80:
        return 5
    if code in _COUNTED_REPLIES:
        return 5 + heard[start + 2]
    return _FIXED_REPLIES.get(code)
