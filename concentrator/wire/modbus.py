"""Modbus: requests and replies as bytes, in both framings. A `Request` knows its PDU, how long its reply is and what
the reply means; `rtu` and `mbap` wrap it into a transaction that finds the reply in whatever arrives. Damaged, foreign
and short answers are told apart at once and never waited for.

Sources: Modbus Application Protocol V1.1b3; Modbus over Serial Line V1.02; Modbus Messaging on TCP/IP V1.0b.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen

from concentrator.model.errors import Garbled, Refused, Unexpected
from concentrator.model.profile import Function
from concentrator.wire.checksum import crc16
from concentrator.wire.conversation import Expect, LineSettings, Need, Transaction

READ_CODE = {Function.COIL: 1, Function.DISCRETE: 2, Function.HOLDING: 3, Function.INPUT: 4}
MAX_READ_REGISTERS = 125
MAX_READ_BITS = 2000
MAX_WRITE_REGISTERS = 123
BROADCAST = 0

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}
"""Exception codes in words (Modbus Application Protocol V1.1b3, 7)."""

_NOISE = 2
"""Bytes before an answer that are forgiven: a line driver switching on can be heard as one or two characters."""


@frozen
class Request:
    """A request without its framing: the PDU, the length in bytes of the reply's PDU, and what the reply means
    (`parse` takes the reply's PDU, already known to have that function code and length, and may raise Garbled)."""

    pdu: bytes
    reply_length: int
    parse: Callable[[bytes], Any]


def read(function: Function, address: int, count: int) -> Request:
    """Reads `count` registers or bits from a 0-based address; the reply is their bytes as they travel, registers
    high byte first, bits packed low bit first."""
    size = (count + 7) // 8 if function.is_bits else 2 * count

    def parse(pdu: bytes) -> bytes:
        if pdu[1] != size:
            raise Garbled(f"byte count {pdu[1]}, expected {size}")
        return pdu[2:]

    return Request(struct.pack(">BHH", READ_CODE[function], address, count), 2 + size, parse)


def write_coil(address: int, is_on: bool) -> Request:
    """Writes one coil (function 05)."""
    return force_coil(address, 0xFF00 if is_on else 0)


def force_coil(address: int, word: int) -> Request:
    """Writes one coil (function 05) with any word: there are controllers that want another than FF00 for "on"."""
    return _echoed(struct.pack(">BHH", 5, address, word))


def write_register(address: int, value: int) -> Request:
    """Writes one holding register (function 06)."""
    return _echoed(struct.pack(">BHH", 6, address, value))


def write_registers(address: int, values: Sequence[int]) -> Request:
    """Writes holding registers in one go (function 16)."""
    pdu = struct.pack(f">BHHB{len(values)}H", 16, address, len(values), 2 * len(values), *values)
    return _echoed(pdu, 5)


def _echoed(pdu: bytes, length: int | None = None) -> Request:
    """A request whose reply repeats its first `length` bytes."""
    wanted = pdu[:length]

    def parse(reply: bytes) -> None:
        if reply != wanted:
            raise Garbled(f"echo {reply.hex(' ')}, expected {wanted.hex(' ')}")

    return Request(pdu, len(wanted), parse)


def rtu_silence_s(settings: LineSettings) -> float:
    """t3.5 in seconds: the silence that separates frames; fixed at 1.75 ms above 19200 bit/s (Modbus over Serial
    Line V1.02, 2.5.1.1)."""
    return 0.00175 if settings.baudrate > 19200 else 3.5 * settings.character_s


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """A PDU as it travels on a serial line."""
    body = bytes((unit,)) + pdu
    return body + crc16(body).to_bytes(2, "little")


def rtu(unit: int, request: Request, wait_s: float, quiet_s: float = 0.0) -> Transaction:
    """The request as a transaction in RTU framing; unit 0 is a broadcast, which nobody answers."""
    frame = rtu_frame(unit, request.pdu)
    expect = None if unit == BROADCAST else _rtu_expect(unit, request)
    return Transaction(frame, expect, wait_s, quiet_s, shape=(unit, request.pdu[0], request.reply_length))


def _rtu_expect(unit: int, request: Request) -> Expect:
    code, whole = request.pdu[0], request.reply_length + 3

    def frame_at(start: int, buffer: bytes, ended: bool) -> Need | bytes | None:
        """The reply's PDU when its frame stands at `start`, Need when it may, None when it does not."""
        if len(buffer) < start + 2:
            return None if ended else Need(start + whole)
        if buffer[start] != unit or buffer[start + 1] & 0x7F != code:
            return None
        length = 5 if buffer[start + 1] & 0x80 else whole
        if len(buffer) < start + length:
            return None if ended else Need(start + length)
        frame = buffer[start : start + length]
        return frame[1:-2] if crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little") else None

    def expect(buffer: bytes, ended: bool) -> Any:
        # Nearly always: the whole frame and nothing else. With its checksum, the checksum of a frame is 0.
        if len(buffer) == whole and buffer[0] == unit and buffer[1] == code and not crc16(buffer):
            return _meaning(buffer[1:-2], request, buffer)
        for start in range(_NOISE + 1):
            if start and len(buffer) <= start:
                break
            found = frame_at(start, buffer, ended)
            if isinstance(found, Need):
                return found
            if found is not None:
                return _meaning(found, request, buffer)
        raise _fault(unit, code, whole, buffer)

    return expect


def _meaning(pdu: bytes, request: Request, received: bytes) -> Any:
    if pdu[0] & 0x80:
        raise Refused(pdu[1], f"exception {pdu[1]}, {EXCEPTIONS.get(pdu[1], 'unknown')}", received)
    try:
        return request.parse(pdu)
    except Garbled as error:
        raise Garbled(error.detail, received) from None


def _fault(unit: int, code: int, whole: int, buffer: bytes) -> Garbled | Unexpected:
    """What is wrong with bytes that hold no reply, most telling first."""
    if len(buffer) < 2:
        return Garbled(f"{len(buffer)} bytes, expected {whole}", buffer)
    if buffer[0] != unit:
        return Unexpected(f"unit {buffer[0]} answered, expected {unit}", buffer)
    if buffer[1] & 0x7F != code:
        return Unexpected(f"function {buffer[1]} answered, expected {code}", buffer)
    length = 5 if buffer[1] & 0x80 else whole
    if len(buffer) < length:
        return Garbled(f"{len(buffer)} bytes, expected {length}", buffer)
    return Garbled("checksum", buffer)


def mbap(unit: int, request: Request, tid: int, wait_s: float, quiet_s: float = 0.0) -> Transaction:
    """The request as a transaction in MBAP framing (Modbus TCP); `tid`, 0…65535, tells its reply from late ones."""
    frame = _MBAP.pack(tid, 0, len(request.pdu) + 1, unit) + request.pdu
    return Transaction(frame, _MbapReply(frame, request), wait_s, quiet_s)


def mbap_together(
    unit: int, requests: Sequence[Request], tids: Sequence[int], wait_s: float, quiet_s: float = 0.0
) -> Transaction:
    """Several requests sent at once, each under its number, as one transaction in MBAP framing; answers may come in any
    order. The reply is the tuple of theirs in the order of the requests; Refused where one of them was refused."""
    frames = [mbap(unit, request, tid, wait_s) for request, tid in zip(requests, tids, strict=True)]
    wanted = {tid: frame.expect for tid, frame in zip(tids, frames, strict=True)}
    length = sum(7 + request.reply_length for request in requests)

    def expect(buffer: bytes, ended: bool) -> Any:
        replies: dict[int, Any] = {}
        refusal: Refused | None = None
        start = 0
        while len(replies) < len(wanted):
            if len(buffer) < start + 8:
                return _need_or_garbled(max(length, start + 8), buffer, ended)
            tid, end = _frame_end(buffer, start)
            if len(buffer) < end:
                return _need_or_garbled(max(length, end), buffer, ended)
            its_expect, frame = wanted.get(tid), buffer[start:end]
            if its_expect is not None and tid not in replies:
                replies[tid] = None
                try:
                    replies[tid] = its_expect(frame, True)
                except Refused as error:
                    refusal = refusal or error
            start = end
        if refusal is not None:
            raise refusal  # only now: what the device still has to say to the others has been heard
        return tuple(replies[tid] for tid in tids)

    return Transaction(b"".join(frame.request for frame in frames), expect, wait_s, quiet_s)


_MBAP = struct.Struct(">HHHB")
_USUAL = struct.Struct(">HBB")  # what of the header and the PDU follows the protocol identifier


class _MbapReply:
    """Knows the reply to a request in MBAP framing; an Expect."""

    __slots__ = ("_frame", "_request")

    def __init__(self, frame: bytes, request: Request) -> None:
        self._frame = frame
        self._request = request

    def __call__(self, buffer: bytes, ended: bool) -> Any:
        frame, request = self._frame, self._request
        length = request.reply_length
        # Nearly always: the whole reply and nothing else.
        if len(buffer) == length + 7 and buffer[:4] == frame[:4]:
            its_length, its_unit, code = _USUAL.unpack_from(buffer, 4)
            if its_length == length + 1 and its_unit == frame[6] and code == frame[7]:
                return _meaning(buffer[7:], request, buffer)
        return self._searched(buffer, ended)

    def _searched(self, buffer: bytes, ended: bool) -> Any:
        request, tid, unit = self._request, int.from_bytes(self._frame[:2]), self._frame[6]
        code, start = request.pdu[0], 0
        while True:
            if len(buffer) < start + 8:
                return _need_or_garbled(start + 7 + request.reply_length, buffer, ended)
            its_tid, end = _frame_end(buffer, start)
            if len(buffer) < end:
                return _need_or_garbled(end, buffer, ended)
            if its_tid == tid:
                break
            start = end  # the late answer to an earlier request
        its_unit, pdu = buffer[start + 6], buffer[start + 7 : end]
        if its_unit != unit:
            raise Unexpected(f"unit {its_unit} answered, expected {unit}", buffer)
        if pdu[0] & 0x7F != code:
            raise Unexpected(f"function {pdu[0]} answered, expected {code}", buffer)
        if len(pdu) != (2 if pdu[0] & 0x80 else request.reply_length):
            raise Garbled(f"{len(pdu)} bytes of PDU, expected {request.reply_length}", buffer)
        return _meaning(pdu, request, buffer)


def _frame_end(buffer: bytes, start: int) -> tuple[int, int]:
    """The number of the frame at `start`, of which the header is there, and where it ends."""
    tid, protocol, length, _ = _MBAP.unpack_from(buffer, start)
    if protocol != 0 or not 3 <= length <= 254:
        raise Garbled(f"MBAP header {buffer[start : start + 7].hex(' ')}", buffer)
    return tid, start + 6 + length


def _need_or_garbled(length: int, buffer: bytes, ended: bool) -> Need:
    if ended:
        raise Garbled(f"{len(buffer)} bytes, expected {length}", buffer)
    return Need(length)
