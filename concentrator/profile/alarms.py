"""The `[[alarms]]` of a profile file: lists of alarms that lie side by side, in coils or in the bits or nibbles of
registers. Hides how such a list becomes variables of the device: of coils each alarm is one, of registers each
register, so that a controller with six hundred alarms has some fifty variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from attrs import define, field

from concentrator.model.genset import Alarm
from concentrator.model.genset_rules import AlarmWord
from concentrator.model.profile import Function, Point
from concentrator.model.quantity import Kind, Quantity
from concentrator.profile.layout import Variable
from concentrator.profile.match import spans
from concentrator.profile.points import Table
from concentrator.profile.schema import ALARM_LEVELS, Faults, shown

_IN_A_REGISTER = {"bits": 16, "nibbles": 4}
_BETWEEN = re.compile(r"[^a-z0-9]+")


@define
class AlarmLists:
    """The alarms of a file: the variables they lie in, and what these mean."""

    variables: list[Variable] = field(factory=list)
    words: list[AlarmWord] = field(factory=list)


def alarm_lists(
    sections: Iterable[tuple[str, Table]], enums: Mapping[str, Mapping[int, str]], faults: Faults
) -> AlarmLists:
    """What the checked `[[alarms]]` sections say."""
    made, lists = AlarmLists(), dict[str, list[str]]()
    for section, table in sections:
        names = table.get("bits") or table.get("nibbles") or lists.get(table.get("like", ""), [])
        lists[table.get("name", "")] = names
        if not names:
            faults.note(section, "bits", "nothing", "bits, nibbles, or like with the name of an earlier [[alarms]]")
        elif Function(table["function"]).is_bits:
            _add_coils(table, section, names, made, faults)
        else:
            _add_registers(table, section, names, enums, made, faults)
    return made


def _add_coils(table: Table, section: str, names: list[str], made: AlarmLists, faults: Faults) -> None:
    if "nibbles" in table:
        faults.note(section, "nibbles", shown(names), "bits, for these are no registers")
    if "level" not in table:
        faults.note(section, "level", "nothing", " or ".join(ALARM_LEVELS))
    for number, name in enumerate(names):
        if name:
            variable = _BETWEEN.sub("_", name.lower()).strip("_")
            point = _point(table, variable, name, table["address"] + number, "bool")
            made.variables.append(Variable(f"{section} {variable}", point))
            made.words.append(AlarmWord(variable, (name,), Alarm(table.get("level", Alarm.NONE))))


def _add_registers(
    table: Table,
    section: str,
    names: list[str],
    enums: Mapping[str, Mapping[int, str]],
    made: AlarmLists,
    faults: Faults,
) -> None:
    has_codes = "bits" not in table and ("nibbles" in table or "enum" in table)
    codes = _codes(table, section, enums, faults) if has_codes else {}
    if "name" not in table or not re.fullmatch(r"[a-z][a-z0-9_]*", table["name"]):
        faults.note(section, "name", shown(table.get("name", "")), "a name for its registers: a_1, a_2 … of a")
        return
    if not codes and "level" not in table:
        faults.note(section, "level", "nothing", " or ".join(ALARM_LEVELS))
    each = _IN_A_REGISTER["nibbles" if codes else "bits"]
    for number, start in enumerate(range(0, len(names), each), 1):
        those = tuple(names[start : start + each])
        if any(those):
            variable = f"{table['name']}_{number}"
            label = variable.replace("_", " ")
            point = _point(table, variable, label, table["address"] + number - 1, "bitfield16")
            made.variables.append(Variable(f"{section} {variable}", point))
            level = Alarm(table.get("level", Alarm.NONE))
            made.words.append(AlarmWord(variable, those, level, table.get("said", ""), codes))


def _codes(
    table: Table, section: str, enums: Mapping[str, Mapping[int, str]], faults: Faults
) -> Mapping[int, tuple[Alarm, str]]:
    """What the codes in nibbles mean, by the keys that are named like the levels."""
    words = enums.get(table.get("enum", ""))
    if words is None:
        faults.note(section, "enum", shown(table.get("enum", "")), "the name of an [enum.…] section")
        return {}
    codes = {
        code: (Alarm(level), words.get(code, ""))
        for level in ALARM_LEVELS
        for first, last in spans(table.get(level, ""))
        for code in range(first, last + 1)
    }
    if not codes:
        faults.note(section, "warning", "nothing", f"which codes are a {', a '.join(ALARM_LEVELS)}")
    return codes


def _point(table: Table, name: str, label: str, address: int, encoding: str) -> Point:
    quantity = Quantity(name, "", Kind.STATE, label)
    return Point(quantity, Function(table["function"]), address, 1, encoding, recorded=False)
