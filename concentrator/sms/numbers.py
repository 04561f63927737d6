"""Telephone numbers: whether two are one, and how people may see them."""

from __future__ import annotations

import re

_COMPARED = 9
_SHOWN = 3
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_IN_A_TEXT = re.compile(r"\+?[0-9]{7,}")


def is_same(known: str, found: str) -> bool:
    """Whether a number that came with a message is a known one, which is in international form without plus. One that
    says its country must be the same as a whole; of one that does not, the last nine digits, all where it has fewer. A
    name is no number."""
    if not _NUMBER.fullmatch(found):
        return False
    if found.startswith("+") or found.startswith("00"):
        return found.removeprefix("+").removeprefix("00") == known
    national = found.lstrip("0")
    if len(national) >= len(known):
        return national == known
    return len(national) >= _COMPARED and national[-_COMPARED:] == known[-_COMPARED:]


def masked(number: str) -> str:
    """The last three digits, behind dots; of what is no number, its length only."""
    if _NUMBER.fullmatch(number):
        return "…" + number[-_SHOWN:]
    return f"a name of {max(len(number) - 2, 0)} characters"


def veiled(words: str) -> str:
    """Somebody else's words, each telephone number in them but for its last three digits."""
    return _IN_A_TEXT.sub(lambda found: masked(found[0][-20:]), words)
