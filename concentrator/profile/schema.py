"""The shape of a profile file: which sections it may have, which keys each may have and what they may hold. One table
and the walk that compares a table of the file with it, noting every fault; hides nothing of what the values mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from concentrator.model.effect import Effect
from concentrator.model.errors import Fault
from concentrator.model.genset import Alarm, Mode
from concentrator.model.profile import Sign, Status
from concentrator.model.quantity import Kind
from concentrator.model.words import nearest
from concentrator.profile.keys import (
    ADDRESS,
    ADDRESSES,
    BIT,
    BYTE_BITS,
    CONDITION,
    COUNT,
    FLAG,
    INT,
    LONGEST,
    NUMBER,
    PARITY,
    RATE,
    RAW,
    RAWS,
    SPAN,
    STOP_BITS,
    TABLE,
    TEXT,
    TEXTS,
    UNIT_ID,
    WHOLE,
    Key,
    Keys,
    one_of,
    required,
    several,
    table_of,
    within,
)

KINDS = ("alarm", "mode", "status", "clock", "info", "setpoint", "link")
"""What a variable is to people, where it is not a measurement."""

ALARM_LEVELS = tuple(str(level) for level in Alarm if level is not Alarm.UNKNOWN)
""""none" is what is told, but nothing wrong: an indication."""

_PROFILE = {
    "type": required(TEXT),
    "brand": required(TEXT),
    "class": required(TEXT),
    "series": required(TEXT),
    "models": required(TEXTS),
    "dialect": TEXT,
    "protocol_label": TEXT,
    "sources": TEXTS,
    "status": one_of(*Status),
    "confidence": TEXT,
    "doubts": TEXTS,
    "sign": one_of(*Sign),
    "phases": COUNT,
    "max_read_registers": LONGEST,
    "max_registers": LONGEST,
    "widest_hole": WHOLE,
    "barriers": ADDRESSES,
    "min_gap_ms": WHOLE,
    "answer_ms": COUNT,
    "settle_ms": WHOLE,
    "write_function": Key("6 or 16", lambda value: isinstance(value, int) and value in (6, 16), {"enum": [6, 16]}),
    "one_object_per_request": FLAG,
    "requests_in_flight": within("a whole number from 1 to 16", 1, 16),
    "no_data": RAWS,
    "no_data_top": COUNT,
    "passthrough": FLAG,
    "baudrate": COUNT,
    "alt_baudrates": several("a list of whole numbers", COUNT),
    "bytesize": BYTE_BITS,
    "parity": PARITY,
    "stopbits": STOP_BITS,
    "default_id": UNIT_ID,
    "tcp_port": ADDRESS,
    "verified_models": TEXTS,
    "amf_models": TEXTS,
    "model_ids": RAWS,
    "commands_verified": FLAG,
    "coil_on_value": ADDRESS,
    "coil_on_value_fallback": ADDRESS,
    "key_register": ADDRESS,
    "password_register": ADDRESS,
    "link_protocol": TEXT,
    "link_id": UNIT_ID,
    "link_base": ADDRESS,
    "secondary_table": ADDRESS,
    "secondary_base": ADDRESS,
    "secondary_stride": COUNT,
    "secondary_from": ADDRESS,
    "secondary_entry": COUNT,
    "secondary_models": TEXTS,
}

_VARIABLE = {
    "name": required(TEXT),
    "unit": required(TEXT),
    "function": required(TABLE),
    "address": required(ADDRESS),
    "type": required(TEXT),
    "scale": NUMBER,
    "offset": NUMBER,
    "len": COUNT,
    "bit": BIT,
    "order": one_of("big", "little-word"),
    "word_order": one_of("big", "little"),
    "words": ADDRESSES,
    "plus": ADDRESSES,
    "less": ADDRESSES,
    "folded": FLAG,
    "sf": TEXT,
    "sf_address": ADDRESS,
    "nan": RAW,
    "invalid": RAWS,
    "enum": TEXT,
    "kind": one_of(*KINDS, *Kind),
    "label": TEXT,
    "rate": RATE,
    "every": TEXT,
    "unit_id": UNIT_ID,
    "writable": FLAG,
    "range": SPAN,
    "stays": FLAG,
    "recorded": FLAG,
    "checked": FLAG,
    "match": TEXT,
    "note": TEXT,
}

_READ = {
    "function": required(TABLE),
    "address": required(ADDRESS),
    "count": required(COUNT),
    "rate": RATE,
    "every": TEXT,
    "unit_id": UNIT_ID,
    "note": TEXT,
}

_IDENTIFY = {
    "what": required(TEXT),
    "function": required(TABLE),
    "address": required(ADDRESS),
    "type": required(TEXT),
    "len": COUNT,
    "match": TEXT,
    "note": TEXT,
}

_COMMAND = {
    "name": required(TEXT),
    "function": required(one_of("coil", "holding")),
    "address": required(ADDRESS),
    "value": Key(
        "a whole number from 0 to 65535, or a list of them",
        lambda value: ADDRESS.holds(value) or (ADDRESSES.holds(value) and bool(value)),
        {"anyOf": [ADDRESS.form, {**ADDRESSES.form, "minItems": 1}]},
        required=True,
    ),
    "single_write": FLAG,
    "pulse_ms": COUNT,
    "result_address": ADDRESS,
    "result_ok": INT,
    "support_register": ADDRESS,
    "support_bit": BIT,
    "leads_to": several("a list of effects", one_of(*Effect)),
    "note": TEXT,
}

_EVIDENCE = {
    "source": required(TEXT),
    "request": required(TEXT),
    "response": required(TEXT),
    "values": Key(
        "a table of names and values", lambda value: isinstance(value, dict), {"type": "object"}, required=True
    ),
}

_SERIAL = {
    "baud": required(COUNT),
    "parity": required(PARITY),
    "stopbits": STOP_BITS,
    "bytesize": BYTE_BITS,
    "confidence": TEXT,
    "note": TEXT,
}

_TCP = {"port": required(ADDRESS), "unit_id": UNIT_ID, "note": TEXT}

_ALARMS = {
    "name": TEXT,
    "function": required(TABLE),
    "address": required(ADDRESS),
    "bits": TEXTS,
    "nibbles": TEXTS,
    "like": TEXT,
    "level": one_of(*ALARM_LEVELS),
    "said": TEXT,
    "enum": TEXT,
    **dict.fromkeys(ALARM_LEVELS, TEXT),
    "note": TEXT,
}

_STATUS = {
    "mode": table_of("conditions", Mode),
    "running": CONDITION,
    "mains_ok": CONDITION,
    "mains_on_load": CONDITION,
    "gen_on_load": CONDITION,
    "alarm": table_of("conditions", ALARM_LEVELS),
    "engine": TEXT,
    "note": TEXT,
}

_SUNSPEC = {
    "bases": required(ADDRESSES),
    "address_base": required(one_of("model", "absolute")),
    "models": required(RAWS),
    "marker": TEXT,
    "note": TEXT,
    "block_stride": COUNT,
    "block_count": COUNT,
    "repeat_first": COUNT,
    "repeat_len": COUNT,
    "repeat_count_address": ADDRESS,
}

TABLES = {
    "profile": Keys(_PROFILE),
    "serial": Keys(_SERIAL),
    "tcp": Keys(_TCP),
    "sunspec": Keys(_SUNSPEC),
    "status": Keys(_STATUS),
}
"""The sections that appear once, and the keys of each."""

LISTS = {
    "identify": Keys(_IDENTIFY),
    "read": Keys(_READ),
    "variable": Keys(_VARIABLE),
    "secondary": Keys(_VARIABLE),
    "alarms": Keys(_ALARMS),
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
        is_whole, unknown = True, set[str]()
        for name, value in table.items():
            key = keys.get(name)
            if key is None:
                unknown.add(name)
                self.note(section, name, "an unknown key", "one of its keys", nearest(name, keys))
            elif type(value) is not key.plain and not key.holds(value):
                is_whole = False
                self.note(section, name, shown(value), key.expected)
        for name in keys.needed:
            if name not in table:
                is_whole = False
                self.note(section, name, "nothing", keys[name].expected)
        if not is_whole:
            return None
        return {name: value for name, value in table.items() if name not in unknown} if unknown else table
