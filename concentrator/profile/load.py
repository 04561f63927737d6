"""A profile file (TOML) as a DeviceProfile, with every fault of the file reported together. Hides the file format:
the sections, what may stand in for what, and which of a file's facts contradict each other."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from concentrator.model.effect import Effect
from concentrator.model.errors import ProfileError
from concentrator.model.profile import (
    Command,
    DeviceProfile,
    Evidence,
    Function,
    Point,
    Rate,
    SerialDefaults,
    Sign,
    Status,
    Traits,
)
from concentrator.model.words import nearest
from concentrator.profile.layout import Variable, check_places, in_blocks
from concentrator.profile.points import Surroundings, Table, identifying_point, point
from concentrator.profile.schema import LISTS, SECTIONS, TABLES, Faults, shown
from concentrator.profile.secondary import NEEDED
from concentrator.profile.toml import Read, read_one

if TYPE_CHECKING:
    from concentrator.model.genset_rules import AlarmWord

_WHO = ("type", "brand", "class", "series", "models", "dialect", "protocol_label")
_KNOWN = ("sources", "status", "confidence", "doubts", "sign")
_BEARS = ("max_read_registers", "max_registers", "widest_hole", "barriers", "min_gap_ms", "answer_ms")
_NOTHING = ("no_data", "no_data_top", "amf_models")
_WRITES = ("write_function", "settle_ms")
_LINE = ("one_object_per_request", "requests_in_flight", "baudrate", "bytesize", "parity", "stopbits")
_IN_FIELDS = frozenset((*_WHO, *_KNOWN, *_BEARS, *_NOTHING, *_WRITES, *_LINE))
"""Keys of [profile] that have a place of their own in the DeviceProfile; the others go into its settings."""


def load_profile(path: Path, key: str, read: Read = read_one) -> DeviceProfile:
    """The profile in a file, under `key`, by a reader of TOML; raises ProfileError with all its faults."""
    try:
        source = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        faults = Faults(str(path))
        faults.note("", "", str(error), "a readable file in UTF-8")
        raise ProfileError(faults.found) from error
    return parse_profile(source, key, str(path), read)


def parse_profile(source: str, key: str, file: str = "", read: Read = read_one) -> DeviceProfile:
    """The profile in a text, under `key`; raises ProfileError with all its faults, which name `file`. Repeated
    sections are counted from 1: `variable[12] v1` is the twelfth [[variable]], named v1."""
    faults = Faults(file or f"{key}.toml")
    try:
        document = read(source)
    except tomllib.TOMLDecodeError as error:
        faults.note("", "", str(error), "TOML")
        raise ProfileError(faults.found) from error
    profile = _profile(document, key, faults)
    if faults.found or profile is None:
        raise ProfileError(faults.found)
    return profile


def _profile(document: Mapping[str, Any], key: str, faults: Faults) -> DeviceProfile | None:
    for name in document:
        if name not in SECTIONS:
            faults.note("", name, "an unknown section", "one of its sections", nearest(name, SECTIONS))
    tables = {name: table for name in TABLES if (table := _table(document, name, faults)) is not None}
    said = tables.get("profile", {})
    for name, expected in (("profile", "[profile]"), ("variable", "at least one [[variable]]")):
        if name not in document and not (name == "variable" and said.get("passthrough")):
            faults.note("", name, "nothing", expected)
    traits = _traits(said)
    around = Surroundings(_enums(document, faults), said.get("no_data", ()), traits, said.get("no_data_top", 0))
    variables = [
        Variable(section, made, "rate" in table or "every" in table)
        for section, table in _list(document, "variable", faults)
        if (made := point(table, section, around, faults)) is not None
    ]
    words: Sequence[AlarmWord] = ()
    if "alarms" in document:
        from concentrator.profile.alarms import alarm_lists

        alarms = alarm_lists(_list(document, "alarms", faults), around.enums, faults)
        variables, words = [*variables, *alarms.variables], alarms.words
    check_places(variables, traits, faults)
    points, blocks = in_blocks(variables, list(_list(document, "read", faults)), traits, faults)
    rules = None
    if "status" in tables or words:
        from concentrator.profile.genset_rules import genset_rules

        rules = genset_rules(tables.get("status", {}), points, words, said.get("amf_models", ()), faults)
    taken = {made.name for made in points}
    identity = [
        made
        for section, table in _list(document, "identify", faults)
        if (made := identifying_point(table, section, around, taken, faults)) is not None
    ]
    commands = _commands(document, faults)
    evidence = _evidence(document, [*(word.variable for word in words), *(one.name for one in identity)], faults)
    if "profile" not in tables:
        return None
    return DeviceProfile(
        key=key,
        type=said["type"],
        brand=said["brand"],
        device_class=said["class"],
        series=said["series"],
        models=tuple(said["models"]),
        points=(*points, *identity),
        blocks=blocks,
        traits=traits,
        commands=commands,
        serial=_serial(tables),
        dialect=said.get("dialect", "modbus"),
        protocol_label=said.get("protocol_label", "EXT"),
        status=Status(said.get("status", Status.PROPOSED)),
        sign=Sign(said["sign"]) if "sign" in said else None,
        confidence=_confidence(said, points),
        sources=tuple(said.get("sources", ())),
        doubts=tuple(said.get("doubts", ())),
        evidence=evidence,
        secondary_points=_secondary_points(document, said, around, faults),
        genset=rules,
        settings={
            **{name: value for name, value in said.items() if name not in _IN_FIELDS},
            **{name: table for name, table in tables.items() if name not in ("profile", "status")},
        },
    )


def _table(document: Mapping[str, Any], name: str, faults: Faults) -> Table | None:
    """The section of that name where it is there and right."""
    table = document.get(name)
    if table is None:
        return None
    if not isinstance(table, dict):
        faults.note("", name, shown(table), f"a section [{name}]")
        return None
    return faults.checked(table, TABLES[name], name)


def _list(document: Mapping[str, Any], name: str, faults: Faults) -> Iterator[tuple[str, Table]]:
    """The repeated sections of that name that are right, each with what to call it."""
    tables = document.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        faults.note("", name, shown(tables), f"sections [[{name}]]")
        return
    for number, table in enumerate(tables, 1):
        called = table.get("name", table.get("what", ""))
        section = f"{name}[{number}] {called}".rstrip()
        known = faults.checked(table, LISTS[name], section)
        if known is not None:
            yield section, known


def _enums(document: Mapping[str, Any], faults: Faults) -> dict[str, Mapping[int, str]]:
    enums: dict[str, Mapping[int, str]] = {}
    given = document.get("enum", {})
    if not isinstance(given, dict):
        faults.note("", "enum", shown(given), "sections [enum.NAME]")
        return enums
    for name, table in given.items():
        values: dict[int, str] = {}
        enums[name] = values
        if not isinstance(table, dict):
            faults.note("enum", name, shown(table), f"a section [enum.{name}]")
            continue
        for number, text in table.items():
            try:
                values[int(number, 0)] = text
            except ValueError:
                faults.note(f"enum.{name}", number, "a key that is no number", "a whole number")
            if not isinstance(text, str):
                faults.note(f"enum.{name}", number, shown(text), "a text")
    return enums


def _traits(said: Table) -> Traits:
    usual = Traits()
    return Traits(
        longest_read=min(
            said.get("max_read_registers", usual.longest_read), said.get("max_registers", usual.longest_read)
        ),
        widest_hole=said.get("widest_hole", usual.widest_hole),
        barriers=tuple(sorted(said.get("barriers", ()))),
        pause_s=said.get("min_gap_ms", 0) / 1000,
        answer_s=said["answer_ms"] / 1000 if "answer_ms" in said else usual.answer_s,
        alone=said.get("one_object_per_request", False),
        settle_s=said["settle_ms"] / 1000 if "settle_ms" in said else usual.settle_s,
        writes_many=said.get("write_function") == 16,
        in_flight=said.get("requests_in_flight", usual.in_flight),
    )


def _secondary_points(
    document: Mapping[str, Any], said: Table, around: Surroundings, faults: Faults
) -> tuple[Point, ...]:
    """What the table of secondaries tells of each; where there is one, everything else must be said of it too."""
    relative = attrs.evolve(around, traits=attrs.evolve(around.traits, barriers=()))
    variables = [
        Variable(section, attrs.evolve(made, rate=Rate.NORMAL, every_s=None))
        for section, table in _list(document, "secondary", faults)
        if (made := point(table, section, relative, faults)) is not None
    ]
    check_places(variables, relative.traits, faults)
    if "secondary" in document or not said.keys().isdisjoint(NEEDED):
        for key in NEEDED:
            if key not in said:
                faults.note("profile", key, "nothing", f"all of {', '.join(NEEDED)}, for it speaks of secondaries")
        if not any(variable.point.name == "serial" for variable in variables):
            faults.note("", "secondary", "no serial", "a [[secondary]] that is the serial, in an entry of the table")
    return tuple(variable.point for variable in variables)


def _commands(document: Mapping[str, Any], faults: Faults) -> tuple[Command, ...]:
    commands: dict[str, Command] = {}
    for section, table in _list(document, "command", faults):
        said = dict(table)
        value = said.pop("value")
        said["function"] = Function(said["function"])
        said["leads_to"] = tuple(map(Effect, said.get("leads_to", ())))
        if table["name"] in commands:
            faults.note(section, "name", shown(table["name"]), "a name of its own")
        commands[table["name"]] = Command(values=tuple(value) if isinstance(value, list) else (value,), **said)
    return tuple(commands.values())


def _evidence(document: Mapping[str, Any], others: Sequence[str], faults: Faults) -> tuple[Evidence, ...]:
    """The exchanges, whose values are those of variables, of alarms or of what tells who the device is."""
    evidence = []
    names = (*_names(document.get("variable")), *others)
    for section, table in _list(document, "evidence", faults):
        frames = []
        for key in ("request", "response"):
            try:
                frames.append(bytes.fromhex(table[key]))
            except ValueError:
                faults.note(section, key, shown(table[key]), "bytes in hexadecimal")
        for name, value in table["values"].items():
            if name not in names:
                faults.note(section, name, "an unknown variable", "one of the file's", nearest(name, names))
            elif isinstance(value, bool) or not isinstance(value, (int, float, str)):
                faults.note(section, name, shown(value), "a number or a text")
        if len(frames) == 2:
            evidence.append(Evidence(table["source"], frames[0], frames[1], table["values"]))
    return tuple(evidence)


def _names(variables: object) -> tuple[str, ...]:
    tables = [table for table in variables if isinstance(table, dict)] if isinstance(variables, list) else []
    return tuple(str(table.get("name")) for table in tables)


def _serial(tables: Mapping[str, Table]) -> SerialDefaults | None:
    said, own = tables.get("serial"), tables.get("profile", {})
    if said is not None:
        return SerialDefaults(
            said["baud"],
            said["parity"],
            said.get("stopbits", 1),
            said.get("bytesize", 8),
            said.get("confidence", ""),
        )
    if "baudrate" not in own:
        return None
    return SerialDefaults(own["baudrate"], own.get("parity", "N"), own.get("stopbits", 1), own.get("bytesize", 8))


def _confidence(said: Table, points: Sequence[Point]) -> str:
    """How far the facts were confirmed: in the file's own words, or as what is said of its variables tells."""
    if "confidence" in said:
        return str(said["confidence"])
    checked = sum(point.checked for point in points)
    return f"{checked} of {len(points)} variables agree in two sources" if checked else "single source"
