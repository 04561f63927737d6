"""Rules: what one value of the configuration file may be. Hides how TOML values become the program's own: durations
become seconds, sizes bytes, paths Path objects; and nothing is converted that was not written as such (a number in
quotes is a text)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from attrs import field, frozen

from concentrator.model.latency import format_duration, parse_duration
from concentrator.model.words import nearest

_SIZE_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_LONGEST_SHOWN = 60
_DIGITS_MOST = 18
"""No number of ours has more; Python itself refuses to read very long ones, and not with a Mismatch."""
_CREDENTIALS = re.compile(r"//.*@")


class Mismatch(ValueError):
    """A value breaks its rule. `hint` is the nearest one that would not, or empty; `expected` says more closely than
    the rule what was expected, or is empty; `terms` says more of the rule's own, for this value."""

    def __init__(self, hint: str = "", expected: str = "", terms: Mapping[str, str] | None = None) -> None:
        super().__init__(hint)
        self.hint = hint
        self.expected = expected
        self.terms = terms or {}


@frozen
class Rule:
    """What a key may hold: the `kind` of value and, completing "expected …", the rule in words. `read` gives the
    value of what the TOML file holds, or raises Mismatch. `name` and `terms` are for whoever says the rule in other
    words, see Fault."""

    kind: str
    expected: str
    read: Callable[[Any], Any]
    name: str = ""
    terms: Mapping[str, str] = field(factory=dict)


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


def text(expected: str = "a text on one line", pattern: str = r"[^\x00-\x1f\x7f]*", name: str = "text") -> Rule:
    """A text that matches the pattern as a whole."""

    def read(raw: Any) -> str:
        _demand(isinstance(raw, str) and re.fullmatch(pattern, raw))
        return str(raw)

    return Rule("text", expected, read, name)


def flag() -> Rule:
    """True or false."""

    def read(raw: Any) -> bool:
        _demand(isinstance(raw, bool), raw if raw in ("true", "false") else "")
        return bool(raw)

    return Rule("flag", "true or false", read)


def whole(least: int, most: int) -> Rule:
    """A whole number in a range, both ends in it."""

    def read(raw: Any) -> int:
        is_number = isinstance(raw, str) and raw.isdecimal() and len(raw) <= _DIGITS_MOST
        hint = raw if is_number and least <= int(raw) <= most else ""
        _demand(type(raw) is int and least <= raw <= most, hint)
        return int(raw)

    terms = {"least": str(least), "most": str(most)}
    return Rule("number", f"a whole number {least} … {most}", read, "whole", terms)


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

    terms = {"least": format_duration(least_s), "most": format_duration(most_s)}
    return Rule("duration", f"a duration {terms['least']} … {terms['most']}", read, "duration", terms)


def latency(expected: str, fits: Callable[[int], bool], name: str = "", **terms: str) -> Rule:
    """A duration of whole seconds that fits; gives seconds, an int."""

    def read(raw: Any) -> int:
        seconds = _seconds(raw)
        _demand(seconds == int(seconds) and fits(int(seconds)))
        return int(seconds)

    return Rule("duration", expected, read, name, terms)


def whole_division(of_s: int, least_s: int, most_s: int, name: str) -> Rule:
    """A duration in a range that divides another one, called `name`; gives seconds, an int."""
    terms = {"least": format_duration(least_s), "most": format_duration(most_s)}
    fitting = [each for each in range(least_s, most_s + 1) if of_s % each == 0]

    def read(raw: Any) -> int:
        seconds = _seconds(raw)
        if seconds not in fitting:
            # In whole minutes from there on: nobody who says 7 min would take 6 min 40 s.
            plain = [each for each in fitting if each < 60 or each % 60 == 0]
            below, above = (each for each in plain if each < seconds), (each for each in plain if each > seconds)
            near = [each for each in (max(below, default=None), min(above, default=None)) if each is not None]
            raise Mismatch(terms={"nearest": ", ".join(map(format_duration, near))})
        return int(seconds)

    return Rule(
        "duration",
        f"a duration {terms['least']} … {terms['most']} that divides the {name}",
        read,
        f"divides_{name}",
        terms,
    )


def _seconds(raw: Any) -> float:
    _demand(isinstance(raw, str), f'"{raw} s"' if type(raw) in (int, float) else "")
    try:
        seconds = parse_duration(raw)
    except ValueError:
        raise Mismatch from None
    _demand(math.isfinite(seconds))
    return seconds


def size(least: int, most: int) -> Rule:
    """A number of bytes such as "512 MiB" in a range, both ends in it; gives bytes."""

    def read(raw: Any) -> int:
        match = isinstance(raw, str) and re.fullmatch(
            rf"\s*(\d{{1,{_DIGITS_MOST}}})\s*({'|'.join(_SIZE_UNITS)})\s*", raw
        )
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

    return Rule("time", 'a time of day such as "00:05"', read, "time_of_day")


def time_zone() -> Rule:
    """The name of a time zone; gives the zone."""

    def read(raw: Any) -> ZoneInfo:
        _demand(isinstance(raw, str) and raw)
        try:
            return ZoneInfo(raw)
        except (ValueError, OSError, KeyError):
            raise Mismatch(nearest(raw, sorted(available_timezones()))) from None

    return Rule("text", 'the name of a time zone such as "Europe/Madrid"', read, "time_zone")


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

    return Rule(f"list of {rule.kind}", f"a list, each item {rule.expected}", read, rule.name, rule.terms)


def one_or_more(rule: Rule) -> Rule:
    """One value that keeps a rule, or a list of them; gives a tuple."""

    def read(raw: Any) -> tuple[Any, ...]:
        return tuple(map(rule.read, raw if isinstance(raw, list) else [raw]))

    return Rule(f"{rule.kind} or list", f"{rule.expected}, or a list of them", read)
