"""Short messages as modems hand them over in PDU mode: octets ↔ meaning, in both directions, so that a modem can be
played too. Hides semi-octets, types of numbers and time stamps.

Sources: 3GPP TS 23.040, 9.1.2 (numbers), 9.2.2 (DELIVER, SUBMIT, STATUS-REPORT), 9.2.3.11 (time stamps),
9.2.3.12.1 (validity); 3GPP TS 27.005, 3.1 (the service centre's number stands before the PDU).
"""

from __future__ import annotations

import re
from calendar import timegm
from datetime import UTC, datetime

from attrs import frozen

from concentrator.model.errors import Garbled
from concentrator.wire.gsm7 import text_of, unpacked
from concentrator.wire.sms_text import UserText

_DELIVER, _SUBMIT, _REPORT = 0, 1, 2
_HAS_HEADER, _WANTS_REPORT, _RELATIVE_VALIDITY, _NO_MORE = 0x40, 0x20, 0x10, 0x04
_INTERNATIONAL, _UNKNOWN, _NAME = 0x91, 0x81, 0x50
_STEP_S, _HALF_HOUR_S, _DAY_S = 300, 1800, 86400
_DIGITS = "0123456789*#abc"
_NUMBER = re.compile(r"\+?[0-9*#abc]{1,20}")


@frozen
class Deliver:
    """A message that came in: who sent it, in which form of text, and when the service centre took it (UTC seconds;
    None where that is no time). A number is "+" and digits, or digits where it is not said to be international; a
    sender that is a name stands in quotation marks, so that none passes for a number."""

    sender: str
    sent_at: float | None
    text: UserText

    def written(self) -> bytes:
        """It as octets, with no service centre before it."""
        first = _DELIVER | _NO_MORE | (_HAS_HEADER if self.text.has_header else 0)
        stamp = _stamp(self.sent_at or 0.0)
        head = bytes((0, first)) + _address(self.sender) + bytes((0, self.text.coding)) + stamp
        return head + bytes((self.text.length,)) + self.text.octets


@frozen
class Submit:
    """A message to send: to whom, in which form of text, for how long the network may try (seconds, from 5 min to 30
    days), and whether it is to say what became of it. `reference` is the modem's to give."""

    number: str
    text: UserText
    validity_s: int = 3600
    wants_report: bool = False
    reference: int = 0

    def written(self) -> bytes:
        """It as octets, with no service centre before it: the one of the SIM is taken."""
        first = _SUBMIT | _RELATIVE_VALIDITY
        first |= _WANTS_REPORT if self.wants_report else 0
        first |= _HAS_HEADER if self.text.has_header else 0
        head = bytes((0, first, self.reference)) + _address(self.number)
        return head + bytes((0, self.text.coding, _validity(self.validity_s), self.text.length)) + self.text.octets


@frozen
class StatusReport:
    """What became of a message that was sent: the reference the modem had given it, to whom it went, and the status
    (3GPP TS 23.040, 9.2.3.15)."""

    reference: int
    number: str
    status: int

    @property
    def is_delivered(self) -> bool:
        """Whether it arrived."""
        return self.status < 0x20

    @property
    def is_final(self) -> bool:
        """Whether no other report will come: the network does not try any more."""
        return not 0x20 <= self.status < 0x40

    def written(self, at: float = 0.0) -> bytes:
        """It as octets, with no service centre before it; `at` (UTC seconds) is both of its time stamps."""
        head = bytes((0, _REPORT | _NO_MORE, self.reference)) + _address(self.number)
        return head + _stamp(at) * 2 + bytes((self.status,))


def length_of(pdu: bytes) -> int:
    """The length that AT+CMGS and +CMGR tell: without the service centre."""
    return len(pdu) - 1 - pdu[0]


def parse(pdu: bytes) -> Deliver | StatusReport:
    """What a modem hands over: a message that came in, or what became of one. Raises Garbled."""
    octets = _Octets(pdu)
    octets.take(octets.byte())  # the service centre
    first = octets.byte()
    if first & 0x03 == _DELIVER:
        return _deliver(octets, bool(first & _HAS_HEADER))
    if first & 0x03 == _REPORT:
        reference, number = octets.byte(), _read_address(octets)
        octets.take(14)
        return StatusReport(reference, number, octets.byte())
    raise Garbled("a message of no kind that is handed over", pdu)


def _deliver(octets: _Octets, has_header: bool) -> Deliver:
    sender = _read_address(octets)
    octets.byte()  # protocol identifier
    coding = octets.byte()
    sent_at = _read_stamp(octets.take(7))
    return Deliver(sender, sent_at, UserText(coding, has_header, octets.byte(), octets.rest()))


def parse_submit(pdu: bytes) -> Submit:
    """What a program gave a modem to send. Raises Garbled."""
    octets = _Octets(pdu)
    octets.take(octets.byte())
    first, reference = octets.byte(), octets.byte()
    if first & 0x03 != _SUBMIT:
        raise Garbled("no message to send", pdu)
    number = _read_address(octets)
    octets.byte()
    coding = octets.byte()
    form = first & 0x18
    validity = octets.take({0: 0, _RELATIVE_VALIDITY: 1}.get(form, 7))
    validity_s = _seconds(validity[0]) if len(validity) == 1 else 0
    text = UserText(coding, bool(first & _HAS_HEADER), octets.byte(), octets.rest())
    return Submit(number, text, validity_s, bool(first & _WANTS_REPORT), reference)


class _Octets:
    """Octets, taken from the front."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        taken = self._octets[self._at : self._at + count]
        if len(taken) < count:
            raise Garbled("a message cut short", self._octets)
        self._at += count
        return taken

    def rest(self) -> bytes:
        return self._octets[self._at :]


def _address(number: str) -> bytes:
    """A number as digits, type and semi-octets. ValueError where it is none."""
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"{number!r} is no telephone number")
    digits = number.removeprefix("+")
    kind = _INTERNATIONAL if number.startswith("+") else _UNKNOWN
    return bytes((len(digits), kind)) + _semi_octets(digits)


def _semi_octets(digits: str) -> bytes:
    codes = [_DIGITS.index(digit) for digit in digits]
    codes += [0xF] * (len(codes) % 2)
    return bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2], strict=True))


def _read_address(octets: _Octets) -> str:
    length, kind = octets.byte(), octets.byte()
    coded = octets.take((length + 1) // 2)
    if kind & 0x70 == _NAME:
        name = text_of(unpacked(coded, length * 4 // 7))
        return f'"{name}"'
    codes = [code for octet in coded for code in (octet & 0x0F, octet >> 4)][:length]
    digits = "".join(_DIGITS[code] for code in codes if code < len(_DIGITS))
    return f"+{digits}" if kind & 0x70 == _INTERNATIONAL & 0x70 else digits


def _validity(seconds: int) -> int:
    """A relative validity, in steps of five minutes, half hours and days."""
    if seconds <= _DAY_S // 2:
        return max(seconds // _STEP_S - 1, 0)
    if seconds <= _DAY_S:
        return 143 + (seconds - _DAY_S // 2) // _HALF_HOUR_S
    return 166 + min(max(seconds // _DAY_S, 2), 30)


def _seconds(validity: int) -> int:
    if validity <= 143:
        return (validity + 1) * _STEP_S
    if validity <= 167:
        return _DAY_S // 2 + (validity - 143) * _HALF_HOUR_S
    return (validity - 166) * _DAY_S if validity <= 196 else (validity - 192) * 7 * _DAY_S


def _stamp(at: float) -> bytes:
    """A time stamp in UTC."""
    moment = datetime.fromtimestamp(at, UTC)
    return _semi_octets(moment.strftime("%y%m%d%H%M%S") + "00")


def _read_stamp(octets: bytes) -> float | None:
    """UTC seconds of a time stamp, whose last octet is the quarters of an hour from UTC."""
    *pairs, zone = [(octet & 0x0F, octet >> 4) for octet in octets]
    year, month, day, hour, minute, second = (tens * 10 + ones for tens, ones in pairs)
    quarters = (zone[0] & 0x07) * 10 + zone[1]
    sign = -1 if zone[0] & 0x08 else 1
    try:
        moment = datetime(2000 + year, month, day, hour, minute, second)
    except ValueError:
        return None
    return float(timegm(moment.timetuple()) - sign * quarters * 900)
