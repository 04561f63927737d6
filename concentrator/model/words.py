"""Words that errors share: which valid name was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str:
    """The name most like this one, or an empty text where none is like it."""
    from difflib import get_close_matches  # only when something is wrong

    names = tuple(names)
    same = [known for known in names if known.lower() == name.lower()]
    return next(iter(same or get_close_matches(name, names, n=1, cutoff=0.5)), "")


def hint(name: str, names: Iterable[str]) -> str:
    """` (did you mean …?)` with the nearest name, or an empty text where none is like it."""
    found = nearest(name, names)
    return f" (did you mean {found}?)" if found else ""
