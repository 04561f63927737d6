"""A profile file (TOML) as a DeviceProfile, with every fault of the file reported together. Hides the file format:
the sections, what may stand in for what, and which of a file's facts contradict each other."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from concentrator.model.errors import ProfileError
from concentrator.model.profile import (
    Block,
    Command,
    DeviceProfile,
    Evidence,
    Function,
    Point,
    Rate,
    SerialDefaults,
    Traits,
)
from concentrator.profile.points import Surroundings, Table, cadence, identifying_point, point
from concentrator.profile.schema import LISTS, SECTIONS, TABLES, Faults, nearest, shown

LONGEST_BITS = 2000  # Modbus Application Protocol V1.1b3, 6.1
_RATES = (Rate.CONTROL, Rate.FAST, Rate.NORMAL, Rate.SLOW)
_IN_FIELDS = frozenset(
    ("type", "brand", "class", "series", "models", "dialect", "protocol_label", "sources", "confidence", "doubts")
    + ("max_read_registers", "max_registers", "widest_hole", "barriers", "min_gap_ms", "answer_ms")
    + ("one_object_per_request", "no_data", "baudrate", "bytesize", "parity", "stopbits")
)
"""Keys of [profile] that have a place of their own in the DeviceProfile; the others go into its settings."""


def load_profile(path: Path, key: str) -> DeviceProfile:
    """The profile in a file, under `key`; raises ProfileError with all its faults."""
    try:
        source = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        faults = Faults(str(path))
        faults.note("", "", str(error), "a readable file in UTF-8")
        raise ProfileError(faults.found) from error
    return parse_profile(source, key, str(path))


def parse_profile(source: str, key: str, file: str = "") -> DeviceProfile:
    """The profile in a text, under `key`; raises ProfileError with all its faults, which name `file`. Repeated
    sections are counted from 1: `variable[12] v1` is the twelfth [[variable]], named v1."""
    faults = Faults(file or f"{key}.toml")
    try:
        document = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        faults.note("", "", str(error), "TOML")
        raise ProfileError(faults.found) from error
    profile = _profile(document, key, faults)
    if faults.found or profile is None:
        raise ProfileError(faults.found)
    return profile


def _profile(document: Mapping[str, Any], key: str, faults: Faults) -> DeviceProfile | None:
    for name in document.keys() - set(SECTIONS):
        faults.note("", name, "an unknown section", "one of its sections", nearest(name, SECTIONS))
    tables = {name: table for name in TABLES if (table := _table(document, name, faults)) is not None}
    for name in ("profile", "variable"):
        if name not in document:
            faults.note("", name, "nothing", f"{'[profile]' if name == 'profile' else 'at least one [[variable]]'}")
    said = tables.get("profile", {})
    traits = _traits(said)
    around = Surroundings(_enums(document, faults), said.get("no_data", ()), traits.longest_read)
    variables = [
        (section, made)
        for section, table in _list(document, "variable", faults)
        if (made := point(table, section, around, faults)) is not None
    ]
    _check_names(variables, faults)
    if not traits.alone:
        _check_overlaps(variables, faults)
    points, blocks = _in_blocks(document, variables, traits, faults)
    taken = {made.name for made in points}
    identity = [
        made
        for section, table in _list(document, "identify", faults)
        if (made := identifying_point(table, section, taken, faults)) is not None
    ]
    commands = _commands(document, faults)
    evidence = _evidence(document, {made.name for made in points}, faults)
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
        confidence=_confidence(said, len(variables)),
        sources=tuple(said.get("sources", ())),
        doubts=tuple(said.get("doubts", ())),
        evidence=evidence,
        settings={
            **{name: value for name, value in said.items() if name not in _IN_FIELDS},
            **{name: table for name, table in tables.items() if name != "profile"},
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
    return table if faults.checked(table, TABLES[name], name) else None


def _list(document: Mapping[str, Any], name: str, faults: Faults) -> Iterator[tuple[str, Table]]:
    """The repeated sections of that name that are right, each with what to call it."""
    tables = document.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        faults.note("", name, shown(tables), f"sections [[{name}]]")
        return
    for number, table in enumerate(tables, 1):
        called = table.get("name", table.get("what", ""))
        section = f"{name}[{number}] {called}".rstrip()
        if faults.checked(table, LISTS[name], section):
            yield section, table


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
    )


def _check_names(variables: Sequence[tuple[str, Point]], faults: Faults) -> None:
    first: dict[str, str] = {}
    for section, made in variables:
        if made.name in first:
            faults.note(section, "name", shown(made.name), f"a name of its own: {first[made.name]} has this one")
        first.setdefault(made.name, section)


def _check_overlaps(variables: Sequence[tuple[str, Point]], faults: Faults) -> None:
    """Two values may share all their registers (two readings of one thing, the bits of a word), never a part."""
    ordered = sorted(
        (item for item in variables if not item[1].words),
        key=lambda item: (item[1].function, item[1].unit_id or 0, item[1].address, -item[1].count),
    )
    widest: Point | None = None
    for section, made in ordered:
        if (
            widest is not None
            and (widest.function, widest.unit_id) == (made.function, made.unit_id)
            and made.address < widest.address + widest.count
        ):
            if (widest.address, widest.count) != (made.address, made.count):
                last = widest.address + widest.count - 1
                found = f"{made.address}, {made.count} registers of {made.function}"
                expected = f"all or none of the registers {widest.address} to {last} of {widest.name}"
                faults.note(section, "address", found, expected)
            continue
        widest = made


def _in_blocks(
    document: Mapping[str, Any], variables: Sequence[tuple[str, Point]], traits: Traits, faults: Faults
) -> tuple[tuple[Point, ...], tuple[Block, ...]]:
    """The points as the file's [[read]] sections leave them, and the blocks of these. What no section covers is read
    only on demand; a section that says no cadence has that of its most wanted point."""
    points = {section: made for section, made in variables}
    blocks = []
    left = dict(points)
    for section, table in _list(document, "read", faults):
        function, start, count = Function(table["function"]), table["address"], table["count"]
        longest = LONGEST_BITS if function.is_bits else traits.longest_read
        if count > longest:
            faults.note(section, "count", str(count), f"{longest} at most, the device's longest read")
        if start + count > 0x10000:
            faults.note(section, "address", f"{start} with {count} registers", "the last register at 65535 at most")
        inside = {}
        for name, made in list(left.items()):
            if (made.function, made.unit_id) != (function, table.get("unit_id")):
                continue
            within = [start <= address < start + count for address in made.addresses]
            if all(within):
                inside[name] = left.pop(name)
        usual = min((made.rate for made in inside.values()), key=_RATES.index, default=Rate.SLOW)
        rate, every_s = cadence(table, usual, section, faults)
        for name, made in inside.items():
            points[name] = attrs.evolve(made, rate=rate, every_s=every_s)
        block_points = tuple(points[name] for name in inside)
        blocks.append(Block(function, start, count, block_points, rate, every_s, table.get("unit_id")))
    if blocks:
        for name, made in left.items():
            points[name] = attrs.evolve(made, polled=False)
        _check_straddling(left, blocks, faults)
    return tuple(points.values()), tuple(blocks)


def _check_straddling(left: Mapping[str, Point], blocks: Sequence[Block], faults: Faults) -> None:
    for section, made in left.items():
        for block in blocks:
            if (block.function, block.unit_id) == (made.function, made.unit_id) and any(
                block.address <= address < block.address + block.count for address in made.addresses
            ):
                place = f"{block.address} to {block.address + block.count - 1}"
                faults.note(section, "address", str(made.address), f"all of it in the [[read]] of {place}, or none")


def _commands(document: Mapping[str, Any], faults: Faults) -> tuple[Command, ...]:
    commands: dict[str, Command] = {}
    for section, table in _list(document, "command", faults):
        said = dict(table)
        value = said.pop("value")
        said["function"] = Function(said["function"])
        if table["name"] in commands:
            faults.note(section, "name", shown(table["name"]), "a name of its own")
        commands[table["name"]] = Command(values=tuple(value) if isinstance(value, list) else (value,), **said)
    return tuple(commands.values())


def _evidence(document: Mapping[str, Any], names: set[str], faults: Faults) -> tuple[Evidence, ...]:
    evidence = []
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
    return SerialDefaults(
        own["baudrate"], own.get("parity", "N"), own.get("stopbits", 1), own.get("bytesize", 8)
    )


def _confidence(said: Table, variables: int) -> str:
    """How far the facts were confirmed: in the file's own words, or as its counts tell."""
    if "confidence" in said:
        return str(said["confidence"])
    checked = said.get("checked_variables", 0)
    return f"{checked} of {variables} variables agree in two sources" if checked else "single source"
