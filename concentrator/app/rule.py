"""Rules: what one value of the configuration file may be. Hides how TOML values become the program's own: durations
become seconds, sizes bytes, paths Path objects; and nothing is converted that was not written as such (a number in
quotes is a text)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from attrs import frozen

from concentrator.model.latency import format_duration, parse_duration
from concentrator.model.words import nearest

_SIZE_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_LONGEST_SHOWN = 60
_CREDENTIALS = re.compile(r"//.*@")


class Mismatch(ValueError):
    """A value breaks its rule. `hint` is the nearest one that would not, or empty; `expected` says more closely than
    the rule what was expected, or is empty."""

    def __init__(self, hint: str = "", expected: str = "") -> None:
        super().__init__(hint)
        self.hint = hint
        self.expected = expected


@frozen
class Rule:
    """What a key may hold: the `kind` of value and, completing "expected …", the rule in words. `read` gives the
    value of what the TOML file holds, or raises Mismatch."""

    kind: str
    expected: str
    read: Callable[[Any], Any]


def written(raw: Any) -> str:
    """A value as the file would have it, shortened where it is long, without what an address says of a user."""
    if isinstance(raw, str | bool | int | float | list | tuple):
        text = _CREDENTIALS.sub("//…@", json.dumps(raw, ensure_ascii=False, default=str))
        return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
    return form_of(raw)


def form_of(raw: Any) -> str:
    """What sort of value the file has, without the value itself."""
    forms = {
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a section",
    }
    return forms.get(type(raw), "a date or time")


def _demand(is_right: object, hint: str = "") -> None:
    if not is_right:
        raise Mismatch(hint)


def text(expected: str = "a text on one line", pattern: str = r"[^\x00-\x1f\x7f]*") -> Rule:
    """A text that matches the pattern as a whole."""

    def read(raw: Any) -> str:
        _demand(isinstance(raw, str) and re.fullmatch(pattern, raw))
        return str(raw)

    return Rule("text", expected, read)


def flag() -> Rule:
    """True or false."""

    def read(raw: Any) -> bool:
        _demand(isinstance(raw, bool), raw if raw in ("true", "false") else "")
        return bool(raw)

    return Rule("flag", "true or false", read)


def whole(least: int, most: int) -> Rule:
    """A whole number in a range, both ends in it."""

    def read(raw: Any) -> int:
        hint = raw if isinstance(raw, str) and raw.isdecimal() and least <= int(raw) <= most else ""
        _demand(type(raw) is int and least <= raw <= most, hint)
        return int(raw)

    return Rule("number", f"a whole number {least} … {most}", read)


def choice(*known: str) -> Rule:
    """One of some words."""

    def read(raw: Any) -> str:
        _demand(isinstance(raw, str))
        _demand(raw in known, next((each for each in known if each.lower() == raw.lower()), "") or nearest(raw, known))
        return str(raw)

    return Rule("choice", f"one of {', '.join(map(written, known))}", read)


def one_of(*known: int) -> Rule:
    """One of some whole numbers."""

    def read(raw: Any) -> int:
        _demand(type(raw) is int and raw in known)
        return int(raw)

    return Rule("number", f"one of {', '.join(map(str, known))}", read)


def duration(least_s: float, most_s: float) -> Rule:
    """A duration in a range, both ends in it; gives seconds, a float."""

    def read(raw: Any) -> float:
        seconds = _seconds(raw)
        _demand(least_s <= seconds <= most_s)
        return seconds

    return Rule("duration", f"a duration {format_duration(least_s)} … {format_duration(most_s)}", read)


def latency(expected: str, fits: Callable[[int], bool]) -> Rule:
    """A duration of whole seconds that fits; gives seconds, an int."""

    def read(raw: Any) -> int:
        seconds = _seconds(raw)
        _demand(seconds == int(seconds) and fits(int(seconds)))
        return int(seconds)

    return Rule("duration", expected, read)


def _seconds(raw: Any) -> float:
    _demand(isinstance(raw, str), f'"{raw} s"' if type(raw) in (int, float) else "")
    try:
        return parse_duration(raw)
    except ValueError:
        raise Mismatch from None


def size(least: int, most: int) -> Rule:
    """A number of bytes such as "512 MiB" in a range, both ends in it; gives bytes."""

    def read(raw: Any) -> int:
        match = isinstance(raw, str) and re.fullmatch(rf"\s*(\d+)\s*({'|'.join(_SIZE_UNITS)})\s*", raw)
        if not match:
            raise Mismatch
        count = int(match[1]) * _SIZE_UNITS[match[2]]
        _demand(least <= count <= most)
        return count

    return Rule("size", f"a size {format_size(least)} … {format_size(most)}", read)


def format_size(count: int) -> str:
    """Bytes in the largest unit that divides them."""
    units = reversed(_SIZE_UNITS.items())
    unit = next(unit for unit, factor in units if factor == 1 or (count and count % factor == 0))
    return f"{count // _SIZE_UNITS[unit]} {unit}"


def time_of_day() -> Rule:
    """A time of day such as "00:05"; gives seconds after midnight."""

    def read(raw: Any) -> int:
        match = isinstance(raw, str) and re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", raw)
        if not match:
            raise Mismatch
        return int(match[1]) * 3600 + int(match[2]) * 60

    return Rule("time", 'a time of day such as "00:05"', read)


def time_zone() -> Rule:
    """The name of a time zone; gives the zone."""

    def read(raw: Any) -> ZoneInfo:
        _demand(isinstance(raw, str) and raw)
        try:
            return ZoneInfo(raw)
        except (ValueError, OSError, KeyError):
            raise Mismatch(nearest(raw, sorted(available_timezones()))) from None

    return Rule("text", 'the name of a time zone such as "Europe/Madrid"', read)


def path() -> Rule:
    """A file or folder; a relative one starts at the configuration file's folder."""

    def read(raw: Any) -> Path:
        _demand(isinstance(raw, str) and raw and "\0" not in raw)
        return Path(raw)

    return Rule("path", "a path", read)


def listed(rule: Rule) -> Rule:
    """A list of values that each keep a rule; gives a tuple."""

    def read(raw: Any) -> tuple[Any, ...]:
        _demand(isinstance(raw, Sequence) and not isinstance(raw, str))
        return tuple(map(rule.read, raw))

    return Rule(f"list of {rule.kind}", f"a list, each item {rule.expected}", read)


def one_or_more(rule: Rule) -> Rule:
    """One value that keeps a rule, or a list of them; gives a tuple."""

    def read(raw: Any) -> tuple[Any, ...]:
        return tuple(map(rule.read, raw if isinstance(raw, list) else [raw]))

    return Rule(f"{rule.kind} or list", f"{rule.expected}, or a list of them", read)
