"""The shape of a profile file: which sections it may have, which keys each may have and what they may hold. One table
and the walk that compares a table of the file with it, noting every fault; hides nothing of what the values mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from attrs import define, evolve, field, frozen

from concentrator.model.errors import Fault
from concentrator.model.profile import Function, Rate, Sign, Status
from concentrator.model.quantity import Kind
from concentrator.model.words import nearest


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


def _within(expected: str, least: int, most: int | None = None) -> Key:
    """A whole number of a span, open above where `most` is None."""
    end = {} if most is None else {"maximum": most}
    form = {"type": "integer", "minimum": least, **end}
    return Key(expected, _between(least, 1 << 62 if most is None else most), form)


def _several(expected: str, each: Key) -> Key:
    return Key(expected, _list_of(each.holds), {"type": "array", "items": each.form})


def _one_of(*choices: str) -> Key:
    expected = " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
    return Key(expected, lambda value: value in choices, {"enum": list(map(str, choices))})


def _required(key: Key) -> Key:
    return evolve(key, required=True)


_TEXT = Key("a text", lambda value: isinstance(value, str), {"type": "string"}, plain=str)
_TEXTS = _several("a list of texts", _TEXT)
_FLAG = Key("true or false", lambda value: isinstance(value, bool), {"type": "boolean"}, plain=bool)
_INT = Key("a whole number", _is_int, {"type": "integer"}, plain=int)
_NUMBER = Key("a number", _is_number, {"type": "number"}, plain=int)
_COUNT = _within("a whole number from 1 on", 1)
_WHOLE = _within("a whole number from 0 on", 0)
_ADDRESS = _within("a whole number from 0 to 65535", 0, 0xFFFF)
_ADDRESSES = _several("a list of whole numbers from 0 to 65535", _ADDRESS)
_RAW = Key(
    "a number, a text or a list of them",
    lambda value: _is_number(value) or isinstance(value, (str, list)),
    {"type": ["number", "string", "array"]},
)
_RAWS = _several("a list of whole numbers", _INT)
_SPAN = Key(
    "two numbers, the first below the second",
    lambda value: isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] < value[1],
    {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
)
_UNIT_ID = _within("a Modbus ID from 0 to 255", 0, 255)
_BIT = _within("a bit from 0 to 15", 0, 15)
_LONGEST = _within("a whole number from 1 to 125", 1, 125)
_BYTE_BITS = _within("7 or 8", 7, 8)
_STOP_BITS = _within("1 or 2", 1, 2)
_PARITY = _one_of("N", "E", "O")
_RATE = _one_of(*Rate)
_TABLE = _one_of(*Function)

KINDS = ("alarm", "mode", "status", "clock", "info", "setpoint", "link")
"""What a variable is to people, where it is not a measurement."""

_PROFILE = {
    "type": _required(_TEXT),
    "brand": _required(_TEXT),
    "class": _required(_TEXT),
    "series": _required(_TEXT),
    "models": _required(_TEXTS),
    "dialect": _TEXT,
    "protocol_label": _TEXT,
    "sources": _TEXTS,
    "status": _one_of(*Status),
    "confidence": _TEXT,
    "doubts": _TEXTS,
    "sign": _one_of(*Sign),
    "phases": _COUNT,
    "max_read_registers": _LONGEST,
    "max_registers": _LONGEST,
    "widest_hole": _WHOLE,
    "barriers": _ADDRESSES,
    "min_gap_ms": _WHOLE,
    "answer_ms": _COUNT,
    "settle_ms": _WHOLE,
    "write_function": Key("6 or 16", lambda value: _is_int(value) and value in (6, 16), {"enum": [6, 16]}),
    "one_object_per_request": _FLAG,
    "requests_in_flight": _within("a whole number from 1 to 16", 1, 16),
    "no_data": _RAWS,
    "baudrate": _COUNT,
    "alt_baudrates": _several("a list of whole numbers", _COUNT),
    "bytesize": _BYTE_BITS,
    "parity": _PARITY,
    "stopbits": _STOP_BITS,
    "default_id": _UNIT_ID,
    "tcp_port": _ADDRESS,
    "verified_models": _TEXTS,
    "amf_models": _TEXTS,
    "model_ids": _RAWS,
    "commands_verified": _FLAG,
    "coil_on_value": _ADDRESS,
    "coil_on_value_fallback": _ADDRESS,
    "key_register": _ADDRESS,
    "password_register": _ADDRESS,
    "link_protocol": _TEXT,
    "link_id": _UNIT_ID,
    "link_base": _ADDRESS,
    "secondary_table": _ADDRESS,
    "secondary_base": _ADDRESS,
    "secondary_stride": _COUNT,
    "secondary_from": _ADDRESS,
    "secondary_entry": _COUNT,
    "secondary_models": _TEXTS,
}

_VARIABLE = {
    "name": _required(_TEXT),
    "unit": _required(_TEXT),
    "function": _required(_TABLE),
    "address": _required(_ADDRESS),
    "type": _required(_TEXT),
    "scale": _NUMBER,
    "offset": _NUMBER,
    "len": _COUNT,
    "bit": _BIT,
    "order": _one_of("big", "little-word"),
    "word_order": _one_of("big", "little"),
    "words": _ADDRESSES,
    "plus": _ADDRESSES,
    "less": _ADDRESSES,
    "folded": _FLAG,
    "sf": _TEXT,
    "sf_address": _ADDRESS,
    "nan": _RAW,
    "invalid": _RAWS,
    "enum": _TEXT,
    "kind": _one_of(*KINDS, *Kind),
    "label": _TEXT,
    "rate": _RATE,
    "every": _TEXT,
    "unit_id": _UNIT_ID,
    "writable": _FLAG,
    "range": _SPAN,
    "stays": _FLAG,
    "recorded": _FLAG,
    "checked": _FLAG,
    "match": _TEXT,
    "note": _TEXT,
}

_READ = {
    "function": _required(_TABLE),
    "address": _required(_ADDRESS),
    "count": _required(_COUNT),
    "rate": _RATE,
    "every": _TEXT,
    "unit_id": _UNIT_ID,
    "note": _TEXT,
}

_IDENTIFY = {
    "what": _required(_TEXT),
    "function": _required(_TABLE),
    "address": _required(_ADDRESS),
    "type": _required(_TEXT),
    "len": _COUNT,
    "match": _TEXT,
    "note": _TEXT,
}

_COMMAND = {
    "name": _required(_TEXT),
    "function": _required(_one_of("coil", "holding")),
    "address": _required(_ADDRESS),
    "value": Key(
        "a whole number from 0 to 65535, or a list of them",
        lambda value: _ADDRESS.holds(value) or (_ADDRESSES.holds(value) and bool(value)),
        {"anyOf": [_ADDRESS.form, {**_ADDRESSES.form, "minItems": 1}]},
        required=True,
    ),
    "single_write": _FLAG,
    "pulse_ms": _COUNT,
    "result_address": _ADDRESS,
    "result_ok": _INT,
    "support_register": _ADDRESS,
    "support_bit": _BIT,
    "note": _TEXT,
}

_EVIDENCE = {
    "source": _required(_TEXT),
    "request": _required(_TEXT),
    "response": _required(_TEXT),
    "values": Key(
        "a table of names and values", lambda value: isinstance(value, dict), {"type": "object"}, required=True
    ),
}

_SERIAL = {
    "baud": _required(_COUNT),
    "parity": _required(_PARITY),
    "stopbits": _STOP_BITS,
    "bytesize": _BYTE_BITS,
    "confidence": _TEXT,
    "note": _TEXT,
}

_TCP = {"port": _required(_ADDRESS), "unit_id": _UNIT_ID, "note": _TEXT}

_SUNSPEC = {
    "bases": _required(_ADDRESSES),
    "address_base": _required(_one_of("model", "absolute")),
    "models": _required(_RAWS),
    "marker": _TEXT,
    "note": _TEXT,
    "block_stride": _COUNT,
    "block_count": _COUNT,
    "repeat_first": _COUNT,
    "repeat_len": _COUNT,
    "repeat_count_address": _ADDRESS,
}

TABLES = {
    "profile": Keys(_PROFILE),
    "serial": Keys(_SERIAL),
    "tcp": Keys(_TCP),
    "sunspec": Keys(_SUNSPEC),
}
"""The sections that appear once, and the keys of each."""

LISTS = {
    "identify": Keys(_IDENTIFY),
    "read": Keys(_READ),
    "variable": Keys(_VARIABLE),
    "secondary": Keys(_VARIABLE),
    "command": Keys(_COMMAND),
    "evidence": Keys(_EVIDENCE),
}
"""The sections that may be repeated, and the keys of each. Besides these there is `[enum.NAME]`, number → text."""

SECTIONS = (*TABLES, "enum", *LISTS)


def shown(value: object) -> str:
    """A value of a file as people wrote it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


@define
class Faults:
    """The faults found so far in one file."""

    file: str
    found: list[Fault] = field(factory=list)

    def note(self, section: str, key: str, found: str, expected: str, hint: str = "") -> None:
        """Notes one more fault; `found` and `expected` are words, `hint` the nearest valid name or empty."""
        self.found.append(Fault(self.file, section, key, found, expected, hint))

    def checked(self, table: Mapping[str, Any], keys: Keys, section: str) -> Mapping[str, Any] | None:
        """The known keys of a table, where each of them holds what it must and none is wanting, else None; notes
        every fault. An unknown key is a fault, but none that keeps the others from being looked at further."""
        known: dict[str, Any] = {}
        is_whole = True
        for name, value in table.items():
            key = keys.get(name)
            if key is None:
                self.note(section, name, "an unknown key", "one of its keys", nearest(name, keys))
            elif type(value) is key.plain or key.holds(value):
                known[name] = value
            else:
                is_whole = False
                self.note(section, name, shown(value), key.expected)
        for name in keys.needed:
            if name not in table:
                is_whole = False
                self.note(section, name, "nothing", keys[name].expected)
        return known if is_whole else None
