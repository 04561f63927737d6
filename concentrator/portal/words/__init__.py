"""The words of the portal in its languages: tables in TOML files, a folder a language, loaded when a language is first
asked for. A key is `table.name`; a text has its values in braces."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent

Say = Callable[..., str]
"""`say(key, **values)`: a text in one language."""


@cache
def words(language: str) -> dict[str, str]:
    """All texts of a language by key. ValueError where two files have one key."""
    found: dict[str, str] = {}
    for file in sorted((FOLDER / language).glob("*.toml")):
        for table, texts in tomllib.loads(file.read_text()).items():
            for name, text in texts.items():
                key = f"{table}.{name}"
                if key in found:
                    raise ValueError(f"{file}: {key} is there twice")
                found[key] = text
    return found


@cache
def say_in(language: str) -> Say:
    """How texts are said in a language; a key that there is not is a KeyError."""
    texts = words(language)

    def say(key: str, **values: object) -> str:
        text = texts[key]
        return text.format(**values) if values else text

    return say
