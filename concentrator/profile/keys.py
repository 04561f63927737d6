"""What one key of a profile file may hold: whole numbers of a span, texts, flags, lists, conditions. Each says in words
what it expects, how to tell, and the same as a JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isfinite

from attrs import evolve, frozen

from concentrator.model.profile import Function, Rate


@frozen
class Key:
    """One key: what it must hold in words, how to tell, the same as a JSON Schema, whether it must be there, and the
    `plain` type whose values are right whatever they are."""

    expected: str
    holds: Callable[[object], bool]
    form: Mapping[str, object]
    required: bool = False
    plain: type | None = None


class Keys(dict[str, Key]):
    """The keys of a section by name; `needed` are those that must be there."""

    def __init__(self, keys: Mapping[str, Key]) -> None:
        super().__init__(keys)
        self.needed = tuple(name for name, key in keys.items() if key.required)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_int(value) or (isinstance(value, float) and isfinite(value))


def _list_of(holds: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(holds, value))


def _between(least: int, most: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and least <= value <= most and not isinstance(value, bool)


def within(expected: str, least: int, most: int | None = None) -> Key:
    """A whole number of a span, open above where `most` is None."""
    end = {} if most is None else {"maximum": most}
    form = {"type": "integer", "minimum": least, **end}
    return Key(expected, _between(least, 1 << 62 if most is None else most), form)


def several(expected: str, each: Key) -> Key:
    """A list of what a key of its own would be."""
    return Key(expected, _list_of(each.holds), {"type": "array", "items": each.form})


def one_of(*choices: str) -> Key:
    """One of these texts."""
    expected = " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
    return Key(expected, lambda value: value in choices, {"enum": list(map(str, choices))})


def table_of(what: str, names: Iterable[str]) -> Key:
    """A table of texts, under some of these names."""
    known = tuple(map(str, names))
    return Key(
        f"a table of {what} by {', '.join(known)}",
        lambda value: isinstance(value, dict) and value.keys() <= set(known) and all(map(TEXT.holds, value.values())),
        {"type": "object", "propertyNames": {"enum": list(known)}, "additionalProperties": {"type": "string"}},
    )


def required(key: Key) -> Key:
    """The same key, which must be there."""
    return evolve(key, required=True)


TEXT = Key("a text", lambda value: isinstance(value, str), {"type": "string"}, plain=str)
TEXTS = several("a list of texts", TEXT)
FLAG = Key("true or false", lambda value: isinstance(value, bool), {"type": "boolean"}, plain=bool)
INT = Key("a whole number", _is_int, {"type": "integer"}, plain=int)
NUMBER = Key("a number", _is_number, {"type": "number"}, plain=int)
COUNT = within("a whole number from 1 on", 1)
WHOLE = within("a whole number from 0 on", 0)
ADDRESS = within("a whole number from 0 to 65535", 0, 0xFFFF)
ADDRESSES = several("a list of whole numbers from 0 to 65535", ADDRESS)
RAW = Key(
    "a number, a text or a list of them",
    lambda value: _is_number(value) or isinstance(value, (str, list)),
    {"type": ["number", "string", "array"]},
)
RAWS = several("a list of whole numbers", INT)
SPAN = Key(
    "two numbers, the first below the second",
    lambda value: isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] < value[1],
    {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
)
UNIT_ID = within("a Modbus ID from 0 to 255", 0, 255)
BIT = within("a bit from 0 to 15", 0, 15)
LONGEST = within("a whole number from 1 to 125", 1, 125)
BYTE_BITS = within("7 or 8", 7, 8)
STOP_BITS = within("1 or 2", 1, 2)
PARITY = one_of("N", "E", "O")
RATE = one_of(*Rate)
TABLE = one_of(*Function)

CONDITION = Key(
    'a condition such as "engine_state 5..11", with "or" between several; or a list, of which the first that can be '
    "told decides",
    lambda value: TEXT.holds(value) or (TEXTS.holds(value) and bool(value)),
    {"anyOf": [TEXT.form, {**TEXTS.form, "minItems": 1}]},
)
