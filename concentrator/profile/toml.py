"""Profile texts as TOML documents, the same whoever reads them: the standard library, or for whoever reads many a
compiled parser, where there is one. Hides that the compiled one reads a later TOML, and that only the standard library
says what is wrong with a text, so that a file is right or wrong on every machine alike, and in the same words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

Read = Callable[[str], dict[str, Any]]
"""`read(source)`: the document; raises `tomllib.TOMLDecodeError`."""

_NEWER = ("{", "\\e", "\\x", "\ufeff")
_TIME = re.compile(r":\d\d")
"""Whatever holds something that TOML 1.1 has and 1.0 has not holds one of these: line breaks and a last comma within
braces, \\e and \\x, a byte order mark, times without seconds."""

read_one: Read = tomllib.loads
"""For whoever reads few: nothing more is loaded."""


def reader_of_many() -> Read:
    """A reader some ten times as fast, for whoever reads many; it takes a moment and a megabyte to load."""
    try:
        import rtoml
    except ImportError:  # no wheel for this machine: the standard library gives the same documents, more slowly
        return read_one

    def read(source: str) -> dict[str, Any]:
        if not any(mark in source for mark in _NEWER) and _TIME.search(source) is None:
            try:
                return rtoml.loads(source)
            except rtoml.TomlParsingError:
                pass  # to be told in the standard library's words, or understood by it after all
        return read_one(source)

    return read
