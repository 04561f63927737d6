"""What an M-Bus meter says: the telegram's header and its records, in the variable and the fixed structure. Numbers are
kept as they travel, a whole number and a power of ten. Hides data and value information blocks with their extensions,
the ways numbers, dates and texts are coded, and what a meter says in place of a number.

Nothing is half believed: a telegram of which one record cannot be told from the next is refused as a whole.

Sources: EN 13757-3, 5 and 6 and annexes A and F; the fixed structure as EN 1434-3 had it.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import evolve, field, frozen

from concentrator.model.errors import Garbled, Refused, Unexpected
from concentrator.model.reading import Value
from concentrator.wire.mbus_address import SecondaryAddress
from concentrator.wire.mbus_frame import Frame, is_response, parsed
from concentrator.wire.mbus_number import Bytes, Number, fixed_counter, read_number
from concentrator.wire.mbus_units import FIXED_MEDIA, FIXED_UNITS, HISTORIC, Meaning
from concentrator.wire.mbus_value import read_value_block

RESET, SEND, SELECT, SYNCHRONISE = 0x50, 0x51, 0x52, 0x54
APPLICATION_ERROR, ALARM, VARIABLE, FIXED, NO_HEADER, SHORT_HEADER = 0x70, 0x71, 0x72, 0x73, 0x78, 0x7A
_HIGH_FIRST = 0x04  # CI 76 and 77: high bytes first
ERROR_CODE = 0x7000
"""A Refused that a meter's application error is has its code from here on."""
BUSY = 8

APPLICATION_ERRORS = {
    0: "unspecified error",
    1: "CI not implemented",
    2: "buffer too long",
    3: "too many records",
    4: "premature end of record",
    5: "more than 10 DIFE",
    6: "more than 10 VIFE",
    BUSY: "application busy",
    9: "too many readouts",
}
"""EN 13757-3, 7."""

POWER_LOW, PERMANENT_ERROR, TEMPORARY_ERROR = 0x04, 0x08, 0x10
"""Bits of the status, EN 13757-3, 5.9."""

_LAST, _MORE, _FILLER = 0x0F, 0x1F, 0x2F
_MOST_EXTENSIONS = 10


class Function(StrEnum):
    """What a record's value is of what it measures."""

    INSTANT = "instantaneous"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    ERROR = "at error"


_FUNCTIONS = tuple(Function)


@frozen
class Header:
    """Who speaks: its secondary `address` (None where it does not say), how many telegrams it has sent (`access`), and
    its `status` bits."""

    address: SecondaryAddress | None
    access: int
    status: int
    signature: int = 0


@frozen
class Record:
    """One value: what it is of (`function`, `storage`, `tariff`, `subunit`), what it means with all that its VIFE add
    (`meaning`, `notes`), its `number`, and the bytes it was (`raw`)."""

    raw: bytes
    function: Function
    storage: int
    tariff: int
    subunit: int
    meaning: Meaning
    number: Number
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> Value | None:
        """In the meaning's unit; None where the meter has none to tell."""
        return self.number.value

    @property
    def trouble(self) -> str:
        """Why there is no value; empty where there is one."""
        return self.number.trouble


@frozen
class Telegram:
    """What a meter said in one go. `rest`: what its maker put behind the records; `has_more`: it has more to say;
    `raw`: the frame as it travelled."""

    header: Header
    records: tuple[Record, ...] = ()
    rest: bytes = field(default=b"")
    has_more: bool = False
    raw: bytes = field(default=b"", eq=False)


def telegram_of(frame: bytes) -> Telegram:
    """The telegram in the bytes of a frame; raises WireError with the reason where they are none."""
    return decoded(parsed(frame))


def decoded(frame: Frame) -> Telegram:
    """The telegram in a frame; raises WireError: Refused where the meter says it cannot answer."""
    return evolve(_decoded(frame), raw=bytes(frame))


def _decoded(frame: Frame) -> Telegram:
    if not is_response(frame) or frame.ci is None:
        raise Unexpected("no response of a meter", bytes(frame))
    ci = frame.ci & ~_HIGH_FIRST if frame.ci in (VARIABLE | _HIGH_FIRST, FIXED | _HIGH_FIRST) else frame.ci
    given = Bytes(frame.data, is_high_first=ci != frame.ci)
    if ci == APPLICATION_ERROR:
        code = frame.data[0] if frame.data else 0
        raise Refused(ERROR_CODE + code, f"application error {code}, {APPLICATION_ERRORS.get(code, 'unknown')}")
    if ci == ALARM:
        raise Unexpected(f"an alarm, {frame.data.hex(' ')}", bytes(frame))
    if ci == FIXED:
        return _fixed(given)
    if ci == VARIABLE:
        return _variable(Header(_address(given), *_state(given)), given)
    if ci == SHORT_HEADER:
        return _variable(Header(None, *_state(given)), given)
    if ci == NO_HEADER:
        return _variable(Header(None, 0, 0), given)
    raise Garbled(f"CI {frame.ci:02X}, which is no answer", bytes(frame))


def _state(given: Bytes) -> tuple[int, int, int]:
    return given.whole(1), given.whole(1), given.whole(2)


def _variable(header: Header, given: Bytes) -> Telegram:
    records: list[Record] = []
    while given.left:
        began = given.place
        dif = given.whole(1)
        if dif in (_LAST, _MORE):
            return Telegram(header, tuple(records), given.take_rest(), dif == _MORE)
        if dif == _FILLER:
            continue
        if dif & 0x0F == 0x0F:
            raise Garbled(f"DIF {dif:02X}, which is reserved", given.all)
        storage, tariff, subunit = _data_block(dif, given)
        block = read_value_block(given)
        number = read_number(dif & 0x0F, block, given)
        function = _FUNCTIONS[dif >> 4 & 3]
        raw = given.all[began : given.place]
        records.append(Record(raw, function, storage, tariff, subunit, block.meaning, number, block.notes))
    return Telegram(header, tuple(records))


def _data_block(dif: int, given: Bytes) -> tuple[int, int, int]:
    """Storage, tariff and subunit."""
    storage, tariff, subunit = dif >> 6 & 1, 0, 0
    extension, count = dif, 0
    while extension & 0x80:
        if count == _MOST_EXTENSIONS:
            raise Garbled(f"more than {_MOST_EXTENSIONS} DIFE", given.all)
        extension = given.whole(1)
        storage |= (extension & 0x0F) << (1 + 4 * count)
        tariff |= (extension >> 4 & 3) << (2 * count)
        subunit |= (extension >> 6 & 1) << count
        count += 1
    return storage, tariff, subunit


def _fixed(given: Bytes) -> Telegram:
    """Two counters (CI 73). The medium is spread over the two units."""
    if len(given.all) != 16:
        raise Garbled(f"{len(given.all)} bytes of the fixed structure, expected 16", given.all)
    identification = given.take(4)
    access, status = given.whole(1), given.whole(1)
    units = given.take(2)
    medium = FIXED_MEDIA[units[0] >> 6 | (units[1] & 0xC0) >> 4]
    # The fixed structure names no maker and no version: as in a mask, any.
    header = Header(SecondaryAddress(identification + b"\xff\xff\xff" + bytes((medium,))), access, status)
    codes = [unit & 0x3F for unit in units]
    records = []
    for place, code in enumerate(codes):
        is_former = code == HISTORIC and place == 1
        meaning = FIXED_UNITS.get(codes[0] if is_former else code, Meaning(f"reserved unit {code:02X}"))
        began = given.place
        number = fixed_counter(given, is_binary=bool(status & 1), meaning=meaning)
        raw = given.all[began : given.place]
        records.append(Record(raw, Function.INSTANT, int(is_former), 0, 0, meaning, number))
    return Telegram(header, tuple(records))


def address_of(frame: Frame) -> SecondaryAddress | None:
    """Who speaks, whatever it says; None where the frame does not tell. Raises Garbled where it ends too soon."""
    if frame.ci is None or frame.ci & ~_HIGH_FIRST not in (VARIABLE, FIXED):
        return None
    if frame.ci & ~_HIGH_FIRST == FIXED:
        return decoded(frame).header.address
    return _address(Bytes(frame.data, is_high_first=bool(frame.ci & _HIGH_FIRST)))


def _address(given: Bytes) -> SecondaryAddress:
    return SecondaryAddress(given.take(4) + given.take(2) + given.take(1) + given.take(1))
