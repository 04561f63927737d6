"""What stands in the fields of SmartGen's cloud messages, read as tolerantly as the servers in the field need it: keys
in any case, numbers as text, rates in seconds or milliseconds, times in three ways, Modbus frames as hex text.

Source: SmartGen CMM365-4G communication protocol V1.0, tables 3, 4 and 13; where it contradicts itself, what servers
in the field do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from concentrator.model.errors import Garbled
from concentrator.wire.checksum import crc16
from concentrator.wire.modbus import MAX_READ_BITS, MAX_READ_REGISTERS, rtu_frame

READING = (1, 2, 3, 4)
WRITING = (5, 6, 15, 16)
FASTEST_S, SLOWEST_S = 1.0, 20.0
"""Live data upload interval in seconds (CMM365-2G manual, Form 1)."""
BAUD_RATES = (9600, 19200, 115200)
"""Bits per second by their number in `moduleBaud`."""
LINK, RS485, RS232 = 1, 2, 3
"""Numbers of `modulePort` (0 disabled, 4 USB); the documents print RS485 as "RS483"."""
_PORTS = 5
_LONGEST_FRAME = 256  # Modbus over Serial Line V1.02, 2.5.1
_LONGEST_LIST = 64
_MILLISECONDS = 1e11  # as seconds it would be the year 5138


def folded(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message by its keys in lower case without blanks, for the documents print them in several ways."""
    return {key.strip().lower(): value for key, value in message.items()}


def inner(value: Any) -> dict[str, Any]:
    """The message within a message; empty where there is none (null, "" or missing)."""
    return folded(value) if isinstance(value, dict) else {}


def text(value: Any) -> str:
    """A field as text; empty where it is missing, an object or a list."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip().encode("utf-8", "replace").decode("utf-8")


def number(value: Any) -> float | None:
    """A field as a finite number, whether it is one or its text; else None."""
    try:
        found = float(text(value))
    except ValueError:
        return None
    return found if abs(found) < 1e300 else None  # infinite and not a number fail as well


def whole(value: Any) -> int | None:
    """A field as a whole number; None where it is none."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def rate_s(value: Any) -> float | None:
    """How often to upload, in seconds: below 100 it was said in seconds, else in milliseconds, and it is kept between
    1 and 20 s; None where nothing usable was said."""
    found = number(value)
    if found is None or found <= 0:
        return None
    return min(max(found if found < 100 else found / 1000, FASTEST_S), SLOWEST_S)


def instant_s(value: Any) -> float | None:
    """A time in seconds since 1970 UTC: said in seconds, milliseconds, or as "2017-06-18 18:38:00"; None for anything
    else, the word "UTC" for one."""
    found = number(value)
    if found is not None:
        seconds = found / 1000 if found >= _MILLISECONDS else found
        return seconds if 0 < seconds < _MILLISECONDS else None
    try:
        return datetime.strptime(text(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def place(value: Any) -> tuple[str, int] | None:
    """Host and TCP port of an address like "192.168.0.194:81"; None where it is none."""
    host, colon, port = text(value).rpartition(":")
    is_port = port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536
    host = host.strip("[]")
    return (host, int(port)) if colon and host and is_port and not set(host) & set(" /@\t\r\n") else None


def written_place(place_: tuple[str, int] | None) -> str:
    """An address as text, empty where there is none."""
    return f"{place_[0]}:{place_[1]}" if place_ else ""


@frozen
class Wiring:
    """Where the controller is: `port` 0 disabled, 1 LINK, 2 RS-485, 3 RS-232, 4 USB; `baud` 0…2, see BAUD_RATES."""

    port: int = RS485
    baud: int = 0

    def fields(self) -> dict[str, int]:
        """As it stands in a message."""
        return {"modulePort": self.port, "moduleBaud": self.baud}


def wiring(fields: Mapping[str, Any], otherwise: Wiring | None = None) -> Wiring | None:
    """The pair of a message; what is missing of it as in `otherwise` (else as the module's defaults have it), None
    where both are missing and nothing else was given. Raises Garbled for numbers that mean nothing."""
    if fields.get("moduleport") is None and fields.get("modulebaud") is None:
        return otherwise
    instead = otherwise or Wiring()
    port = whole(fields["moduleport"]) if fields.get("moduleport") is not None else instead.port
    baud = whole(fields["modulebaud"]) if fields.get("modulebaud") is not None else instead.baud
    if port is None or baud is None or not 0 <= port < _PORTS or not 0 <= baud < len(BAUD_RATES):
        raise Garbled(f"port {text(fields.get('moduleport'))}, baud rate {text(fields.get('modulebaud'))}")
    return Wiring(port, baud)


def wiring_if_sound(fields: Mapping[str, Any], otherwise: Wiring | None = None) -> Wiring | None:
    """The same, where a pair that means nothing is one that was not said."""
    try:
        return wiring(fields, otherwise)
    except Garbled:
        return otherwise


@frozen
class Frame:
    """A Modbus RTU request without its checksum: the slave, and function code and what follows."""

    unit: int
    pdu: bytes

    @property
    def function(self) -> int:
        """The function code."""
        return self.pdu[0]

    @property
    def address(self) -> int:
        """The first register or bit, from 0."""
        return int.from_bytes(self.pdu[1:3])

    @property
    def count(self) -> int:
        """How many registers or bits are read or written."""
        return 1 if self.function in (5, 6) else int.from_bytes(self.pdu[3:5])

    @property
    def is_reading(self) -> bool:
        """Whether it changes nothing."""
        return self.function in READING

    def of(self, unit: int) -> Frame:
        """The same for another slave; the frames of writeConfig name slave 0, which on RS-485 nobody answers."""
        return Frame(unit, self.pdu)

    def __bytes__(self) -> bytes:
        return rtu_frame(self.unit, self.pdu)


def frame(hex_: str) -> Frame:
    """The request in a hex text. Raises Garbled unless it is whole, its checksum right, and a request of functions
    01 to 06, 0F or 10 (no other is passed on to a controller)."""
    if len(hex_) > 2 * _LONGEST_FRAME:
        raise Garbled(f"{len(hex_)} hex digits, expected at most {2 * _LONGEST_FRAME}")
    try:
        raw = bytes.fromhex(hex_)
    except ValueError:
        raise Garbled("no hex digits in pairs", hex_.encode(errors="replace")) from None
    if len(raw) < 4:
        raise Garbled(f"{len(raw)} bytes, expected 4 or more", raw)
    if crc16(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
        raise Garbled("checksum", raw)
    found = Frame(raw[0], raw[1:-2])
    _check(found)
    return found


def _check(request: Frame) -> None:
    code, length = request.function, len(request.pdu)
    if code not in READING + WRITING:
        raise Garbled(f"function {code}, expected 1 to 6, 15 or 16", bytes(request))
    if code in (15, 16):
        size = (request.count + 7) // 8 if code == 15 else 2 * request.count
        is_whole = length == 6 + size and request.pdu[5] == size and size > 0
    else:
        most = 1 if code in (5, 6) else MAX_READ_BITS if code in (1, 2) else MAX_READ_REGISTERS
        is_whole = length == 5 and 1 <= request.count <= most
    if not is_whole:
        raise Garbled(f"a request of function {code} with {length} bytes", bytes(request))


def commands(value: Any) -> tuple[Frame, ...]:
    """The requests of a list like "0103…; 0103…": reading ones only, each once, those that are damaged left out."""
    return tuple(dict.fromkeys(_commands(text(value))))


def _commands(joined: str) -> Iterator[Frame]:
    for each in joined.split(";")[:_LONGEST_LIST]:
        try:
            request = frame(each.strip())
        except Garbled:
            continue
        if request.is_reading:
            yield request
