"""The alphabet of short messages: texts as septets, and septets packed into octets. Hides the table, its extension
behind an escape, and how seven bits lie in eight.

Source: 3GPP TS 23.038, 6.1.2.1 (packing) and 6.2.1 (alphabet and extension).
"""

from __future__ import annotations

import unicodedata

_ESCAPE = 0x1B
_TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_SEPTETS = {
    **{character: bytes((code,)) for code, character in enumerate(_TABLE) if code != _ESCAPE},
    **{character: bytes((_ESCAPE, code)) for code, character in _EXTENSION.items()},
}
_REPLACEMENT = "?"
_LIKE = {
    "°": " deg ",
    "µ": "u",
    "³": "3",
    "²": "2",
    "–": "-",
    "—": "-",
    "…": "...",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "\t": " ",
    "\xa0": " ",
    "×": "x",
    "·": ".",
}
"""What stands for characters that people write often and the alphabet has not."""


def septets(text: str) -> bytes:
    """The text as one septet a byte; characters of the extension take two. ValueError where one is in neither table."""
    try:
        return b"".join(_SEPTETS[character] for character in text)
    except KeyError as lacking:
        raise ValueError(f"{lacking.args[0]!r} is not in the alphabet of short messages") from None


def is_writable(text: str) -> bool:
    """Whether the alphabet has all of its characters."""
    return all(character in _SEPTETS for character in text)


def fitted(text: str) -> str:
    """The text as the alphabet can write it: accents it does not know are left out, what is like another character
    becomes that one, and of the rest each becomes a question mark."""
    return "".join(character if character in _SEPTETS else _likened(character) for character in text)


def _likened(character: str) -> str:
    if character in _LIKE:
        return _LIKE[character]
    plain = "".join(each for each in unicodedata.normalize("NFKD", character) if not unicodedata.combining(each))
    return plain if plain and is_writable(plain) else _REPLACEMENT


def trimmed(text: str, most: int) -> str:
    """As much of a writable text as fits into so many septets; where something is left out, it ends with two dots."""
    if len(septets(text)) <= most:
        return text
    left, kept = most - 2, []
    for character in text:
        left -= len(_SEPTETS[character])
        if left < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + ".."


def text_of(coded: bytes) -> str:
    """The text of septets, one a byte. An escape before what the extension has not is a space, as the standard says
    of receivers that do not know it."""
    found, is_escaped = [], False
    for code in coded:
        if is_escaped:
            found.append(_EXTENSION.get(code, " " if code == _ESCAPE else _TABLE[code & 0x7F]))
            is_escaped = False
        elif code == _ESCAPE:
            is_escaped = True
        else:
            found.append(_TABLE[code & 0x7F])
    return "".join(found)


def packed(coded: bytes, fill: int = 0) -> bytes:
    """Septets as octets, the first one in the lowest bits; `fill` bits are left free before it."""
    bits, size = 0, fill
    out = bytearray()
    for code in coded:
        bits |= code << size
        size += 7
        while size >= 8:
            out.append(bits & 0xFF)
            bits >>= 8
            size -= 8
    if size:
        out.append(bits & 0xFF)
    return bytes(out)


def unpacked(octets: bytes, count: int, fill: int = 0) -> bytes:
    """The first `count` septets, one a byte, behind `fill` bits; fewer where there are not so many."""
    bits = int.from_bytes(octets, "little") >> fill
    there = max(len(octets) * 8 - fill, 0) // 7
    return bytes(bits >> 7 * place & 0x7F for place in range(min(count, there)))
