"""The labels of variables in the visitor's language. They are made of few pieces: what is measured, and which phase,
tariff, number or period of it; only the pieces are translated. A label that a profile brings along and nobody
translated stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from concentrator.portal.words import say_in, words

Label = Callable[[str], str]

_WHICH = re.compile(r"^(.*?)((?: L\d(?:-L\d)?)?(?:, tariff \d+)?(?: \d+)?(?: today| this month| this year)?)$")
_TABLE = "label."


@cache
def label_in(language: str) -> Label:
    """Gives a variable's label in a language."""
    known = {key.removeprefix(_TABLE): text for key, text in words(language).items() if key.startswith(_TABLE)}
    say = say_in(language)

    @cache
    def label(english: str) -> str:
        if (whole := known.get(_key(english))) is not None:
            return whole
        found = _WHICH.match(english)
        assert found is not None, "the second part may be empty"
        what, which = found.groups()
        if (said := known.get(_key(what))) is None:
            return english
        for piece in ("tariff", "today", "this_month", "this_year"):
            which = which.replace(piece.replace("_", " "), say(f"which.{piece}"))
        return said + which

    return label


def _key(english: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", english.lower()).strip("_")
