"""The raw values by which a device says "not available", in every spelling a profile file may use: numbers, texts such
as "0xFFFF", "nan" or "0xFFFFFFFF or nan", and lists of these."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isnan
from typing import Any

from concentrator.profile.encodings import ENCODINGS, Encoding, Form
from concentrator.profile.schema import Faults, shown

_NUMBERS = ("u16", "s16", "u32", "s32", "u64", "s64")
_SEPARATOR = re.compile(r"\s*(?:,|\bor\b)\s*")


def sentinels(
    table: Mapping[str, Any], encoding: Encoding, no_data: Sequence[int], section: str, faults: Faults, top: int = 0
) -> tuple[int | float, ...]:
    """The raw values of a checked `[[variable]]` that stand for nothing: those of its `nan` and `invalid`; of a number
    that gives neither, the `top` highest ones and, where it is of one register, the file's `no_data`. A bit pattern is
    turned into the raw value it is in the encoding (0x8000 in s16 is -32768); NaN needs no sentinel, it is never a
    value."""
    if "nan" not in table and "invalid" not in table:
        if not no_data and not top:
            return ()
        return (*_named(encoding.name, tuple(no_data)), *_highest(encoding.name, top))
    given = table.get("nan", [])
    parts = _SEPARATOR.split(given) if isinstance(given, str) else given if isinstance(given, list) else [given]
    values: dict[int | float, None] = {}
    for key, part in [*(("nan", p) for p in parts), *(("invalid", p) for p in table.get("invalid", []))]:
        try:
            value = _sentinel(part, encoding)
        except ValueError:
            faults.note(section, key, shown(part), f"a raw value of {encoding.name}")
            continue
        if value is not None:
            values[value] = None
    return tuple(values)


@lru_cache(maxsize=64)
def _named(encoding: str, no_data: tuple[int, ...]) -> tuple[int, ...]:
    """The raw values of a file, of a number of one register."""
    if not no_data or encoding not in ("u16", "s16"):
        return ()
    return tuple(dict.fromkeys(ENCODINGS[encoding].as_raw(value) for value in no_data if value >> 16 == 0))


@lru_cache(maxsize=64)
def _highest(encoding: str, top: int) -> tuple[int, ...]:
    """So many raw values from the highest one down, of a plain number."""
    if not top or encoding not in _NUMBERS:
        return ()
    most = ENCODINGS[encoding].bounds[1]
    return tuple(range(most, most - top, -1))


def _sentinel(part: object, encoding: Encoding) -> int | float | None:
    """One sentinel, or None for NaN; ValueError where it is no raw value of the encoding."""
    if isinstance(part, bool) or not isinstance(part, (int, float, str)):
        raise ValueError(part)
    if encoding.form is Form.FLOAT:
        if isinstance(part, str) and part.lower().startswith("0x"):
            pattern = int(part, 16)
            if pattern >> encoding.width:
                raise ValueError(part)
            value = float(struct.unpack(">" + encoding.code, pattern.to_bytes(2 * encoding.registers, "big"))[0])
        else:
            value = float(part)
        return None if isnan(value) else value
    raw = encoding.as_raw(int(part, 0) if isinstance(part, str) else int(part))
    least, most = encoding.bounds
    if encoding.form is Form.TEXT or isinstance(part, float) or not least <= raw <= most:
        raise ValueError(part)
    return raw
