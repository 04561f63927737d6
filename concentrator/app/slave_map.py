"""The register map for people and programs: every register with its address, type and meaning. Made from the same
tables as the registers themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from concentrator.app.field import Field
from concentrator.app.slave_devices import is_writable, quantity_of
from concentrator.slave.register_map import State
from concentrator.slave.windows import BASE, HEADER, Window, Windows

COMMON: Sequence[tuple[str, int, str, str]] = (
    ("SID", 2, "string", 'the mark "SunS"'),
    ("ID", 1, "uint16", "1: the common model"),
    ("L", 1, "uint16", "66: registers of the common model after this one"),
    ("Mn", 16, "string", "maker"),
    ("Md", 16, "string", "the box's model"),
    ("Opt", 8, "string", "empty"),
    ("Vr", 8, "string", "the program's version"),
    ("SN", 16, "string", "the box's serial number"),
    ("DA", 1, "uint16", "the Modbus ID at which this is read"),
    ("Pad", 1, "pad", "0x8000"),
)
"""What the map begins with: name, registers, type and meaning (SunSpec model 1)."""


def mapped(windows: Windows, field_: Field) -> dict[str, object]:
    """All of the map, as JSON can carry it; addresses are 0-based."""
    return {
        "base": BASE,
        "common": _placed(COMMON, BASE),
        "header": _placed(HEADER, 0),
        "states": {str(int(state)): state.name.lower() for state in State},
        "windows": [_window(window, field_) for window in windows.all()],
        "end": windows.end,
        "left_out": sorted(windows.left_out),
    }


def _placed(rows: Sequence[tuple[str, int, str, str]], start: int) -> list[dict[str, object]]:
    found, address = [], start
    for name, count, type_, meaning in rows:
        found.append({"address": address, "registers": count, "name": name, "type": type_, "meaning": meaning})
        address += count
    return found


def _window(window: Window, field_: Field) -> dict[str, object]:
    known = field_.known().get(window.uid)
    values = []
    for slot in window.slots:
        quantity = quantity_of(field_, window.uid, slot.name)
        values.append(
            {
                "address": window.start + slot.offset,
                "registers": slot.type.registers,
                "type": slot.type.value,
                "name": slot.name,
                "label": quantity.label if quantity is not None else "",
                "unit": quantity.unit if quantity is not None else "",
                "is_writable": is_writable(field_, window.uid, slot.name),
            }
        )
    return {
        "number": window.number,
        "uid": window.uid,
        "alias": known.device.label if known is not None else "",
        "is_there": known is not None,
        "address": window.start,
        "registers": window.length,
        "values": values,
    }


def map_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The map for people, line by line."""
    yield "Holding and input registers (functions 3 and 4), 0-based; high byte and high word first."
    yield f"States: {', '.join(f'{number} {name}' for number, name in found['states'].items())}."
    yield ""
    yield from _rows(found["common"])
    for window in found["windows"]:
        who = window["uid"] if window["alias"] in ("", window["uid"]) else f"{window['uid']} ({window['alias']})"
        gone = "" if window["is_there"] else ", not configured now"
        last = window["address"] + window["registers"] - 1
        yield ""
        yield f"Window {window['number']}: {who}{gone}, registers {window['address']} to {last}"
        yield from _rows({**each, "address": window["address"] + each["address"]} for each in found["header"])
        yield from _rows({**each, "meaning": _meaning(each)} for each in window["values"])
    yield ""
    yield f"{found['end']:>5}  end of the map (0xFFFF, 0)"
    if found["left_out"]:
        yield f"No room for: {', '.join(found['left_out'])}"


def _meaning(value: Mapping[str, Any]) -> str:
    unit = f", {value['unit']}" if value["unit"] else ""
    return f"{value['label']}{unit}{', writable' if value['is_writable'] else ''}"


def _rows(rows: Any) -> Iterator[str]:
    for each in rows:
        yield f"{each['address']:>5}  {each['registers']:>2}  {each['type']:<8} {each['name']:<16} {each['meaning']}"
