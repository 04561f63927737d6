"""The user data of short messages: a text becomes one part or several, parts become texts. Hides alphabets, how many
characters a part holds, and the header that says which part of what it is.

Sources: 3GPP TS 23.040, 9.2.3.24 (user data, its header, concatenation); 3GPP TS 23.038, 4 (data coding scheme).
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from concentrator.model.errors import Garbled
from concentrator.wire.gsm7 import is_writable, packed, septets, text_of, unpacked

GSM7, OCTETS, UCS2 = 0x00, 0x04, 0x08
"""Data coding schemes: the default alphabet, plain octets, UTF-16."""

OCTETS_MOST = 140
SEPTETS_MOST = OCTETS_MOST * 8 // 7
UNITS_MOST = OCTETS_MOST // 2
PARTS_MOST = 255

_HEADER = 6  # octets of a header that says only which part it is
_SEPTETS_OF_PART = (OCTETS_MOST - _HEADER) * 8 // 7
_OCTETS_OF_PART = OCTETS_MOST - _HEADER
_CONCATENATED_8, _CONCATENATED_16 = 0x00, 0x08  # information elements
_ESCAPE = 0x1B


@frozen
class Portion:
    """Which part of a longer text it is: the sender's reference, the `number` from 1 on, of how many in `total`."""

    reference: int
    number: int
    total: int


@frozen
class UserText:
    """A text as it travels in one message: its coding scheme, whether a header stands before it, its length as it is
    told (septets or octets, the header among them), and the octets."""

    coding: int
    has_header: bool
    length: int
    octets: bytes


def parts(text: str, reference: int) -> tuple[UserText, ...]:
    """The text as messages: one where it fits, else parts under a `reference` from 0 to 255. The default alphabet where
    it has all characters, else UTF-16. ValueError where it takes more than 255 parts."""
    if is_writable(text):
        coded = septets(text)
        if len(coded) <= SEPTETS_MOST:
            return (UserText(GSM7, False, len(coded), packed(coded)),)
        pieces = list(_cut_septets(coded))
    else:
        coded = text.encode("utf-16-be", "replace")
        if len(coded) <= OCTETS_MOST:
            return (UserText(UCS2, False, len(coded), coded),)
        pieces = list(_cut_units(coded))
    if len(pieces) > PARTS_MOST:
        raise ValueError(f"the text takes {len(pieces)} parts, the most are {PARTS_MOST}")
    write = _written_septets if is_writable(text) else _written_units
    return tuple(write(piece, Portion(reference, at, len(pieces))) for at, piece in enumerate(pieces, 1))


def _cut_septets(coded: bytes) -> Iterator[bytes]:
    while coded:
        end = _SEPTETS_OF_PART
        if len(coded) > end and coded[end - 1] == _ESCAPE:
            end -= 1  # an escape and what it escapes stay together
        yield coded[:end]
        coded = coded[end:]


def _cut_units(coded: bytes) -> Iterator[bytes]:
    while coded:
        end = _OCTETS_OF_PART
        if len(coded) > end and 0xD8 <= coded[end - 2] <= 0xDB:
            end -= 2  # so do the halves of a character outside the basic plane
        yield coded[:end]
        coded = coded[end:]


def _header(portion: Portion) -> bytes:
    return bytes((_HEADER - 1, _CONCATENATED_8, 3, portion.reference & 0xFF, portion.total, portion.number))


def _fill(header: int) -> int:
    """The free bits behind a header of so many octets: septets begin at a multiple of seven."""
    return -header * 8 % 7


def _written_septets(coded: bytes, portion: Portion) -> UserText:
    length = (_HEADER * 8 + _fill(_HEADER)) // 7 + len(coded)
    return UserText(GSM7, True, length, _header(portion) + packed(coded, _fill(_HEADER)))


def _written_units(coded: bytes, portion: Portion) -> UserText:
    return UserText(UCS2, True, _HEADER + len(coded), _header(portion) + coded)


def read(data: UserText) -> tuple[str, Portion | None]:
    """The text of a message, and which part it is of a longer one, None where it is whole. Octets are taken as
    Latin-1. Raises Garbled where the user data is not what it says."""
    header_size = data.octets[0] + 1 if data.has_header and data.octets else 0
    if data.has_header and not 1 < header_size <= len(data.octets):
        raise Garbled("a header longer than its message", data.octets)
    portion = _portion(data.octets[1:header_size]) if header_size else None
    alphabet = _alphabet(data.coding)
    if alphabet != GSM7:
        body = data.octets[header_size : data.length]
        return body.decode("utf-16-be" if alphabet == UCS2 else "latin-1", "replace"), portion
    fill = _fill(header_size)
    count = data.length - (header_size * 8 + fill) // 7
    return text_of(unpacked(data.octets[header_size:], max(count, 0), fill)), portion


def _alphabet(coding: int) -> int:
    """The alphabet that a data coding scheme names; Garbled where the text is compressed."""
    group = coding >> 4
    if group < 8:
        if coding & 0x20:
            raise Garbled("a compressed text")
        named = coding & 0x0C
        return named if named in (OCTETS, UCS2) else GSM7
    if group == 0xF:
        return OCTETS if coding & 0x04 else GSM7
    return UCS2 if group == 0xE else GSM7


def _portion(elements: bytes) -> Portion | None:
    """What the header says of concatenation; None where it says nothing, or nothing that can be."""
    while len(elements) >= 2:
        kind, size = elements[0], elements[1]
        value = elements[2 : 2 + size]
        if (kind, len(value)) in ((_CONCATENATED_8, 3), (_CONCATENATED_16, 4)):
            *reference, total, number = value
            is_possible = 1 <= number <= total
            return Portion(int.from_bytes(bytes(reference), "big"), number, total) if is_possible else None
        elements = elements[2 + size :]
    return None
