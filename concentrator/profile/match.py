"""How the words of `match` are read: numbers and spans ("101..103 or 113"), the numbers of a list ("1=one phase 3=three
phases"), or the beginnings of a text ("B21 |B23 ")."""

from __future__ import annotations

import re

_NUMBER = r"(?:0[xX][0-9A-Fa-f]+|\d+)"
_SPAN = re.compile(rf"(?<![\w.])({_NUMBER})(?:\.\.({_NUMBER}))?(?![\w.])")


def number_of(text: str) -> int | None:
    """The whole number that a text is, decimal or in hexadecimal; None where it is none."""
    if not re.fullmatch(_NUMBER, text):
        return None
    return int(text, 16) if text[:2].lower() == "0x" else int(text)


def spans(match: str) -> list[tuple[int, int]]:
    """The numbers and spans in the words, first and last; of a list only its keys: its values may be numbers too."""
    found = []
    for span in _SPAN.finditer(match):
        if "=" not in match or match[span.end() :].lstrip().startswith("="):
            first = number_of(span[1])
            last = first if span[2] is None else number_of(span[2])
            if first is not None and last is not None:
                found.append((first, last))
    return found


def beginnings(match: str) -> tuple[str, ...]:
    """What a text may begin with."""
    return tuple(filter(None, map(str.strip, match.split("|"))))
