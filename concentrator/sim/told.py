"""What a device tells beyond what it measures: who it is, as its profile expects it; its states, as all being well; and
something of the right kind for whatever no place has. Hides which words of an enum mean what."""

from __future__ import annotations

import re
from collections.abc import Mapping

from concentrator.model.profile import DeviceProfile, Point
from concentrator.model.quantity import Kind
from concentrator.model.reading import Value
from concentrator.profile.decode import encoding_at
from concentrator.profile.encodings import Form
from concentrator.profile.match import beginnings, spans
from concentrator.sim.plant import COMMISSIONED

_USUAL = {
    "V": 230.0,
    "A": 4.0,
    "W": 900.0,
    "var": 120.0,
    "VA": 910.0,
    "Hz": 50.0,
    "°C": 31.0,
    "%": 60.0,
    "°": 8.0,
    "kPa": 320.0,
    "rpm": 1500.0,
    "L/h": 6.0,
    "kΩ": 1800.0,
    "Ω": 40.0,
    "kWh": 5.0,
}
"""What an instantaneous value, or a state with a unit, is where nothing else is known."""

_AN_HOUR = {"kWh": 1.4, "kvarh": 0.3, "kVAh": 1.5, "h": 0.4, "L": 2.2, "": 0.05}
"""By how much a counter rises."""

_ALL_WELL = re.compile(r"^(normal|ok|running|tracking|mppt|closed|grid|floating point|output|right)$|L1-L2-L3")
_AT_REST = re.compile(r"^(standby|sleeping|waiting|off|idle|none)$")
_ON = ("grid_connected", "grid_relay", "grid_mode", "ac_source", "meter_status", "phase_seq")
_BATTERY = ("bat_status", "bat_dir")
_ENOUGH = 1.0  # watts, below which a battery rests
_THREE_PHASES = 3  # SunSpec: models 103, 113, 203 and 213 are those of three phases


def state(point: Point, values: Mapping[str, Value]) -> Value:
    """The number of a state: all is well, the battery does what its power tells, and what gives power by the sun only
    rests when there is none. `values`: what is measured."""
    if point.enum:
        return _of_enum(point, values)
    if point.name in _BATTERY:
        return _direction(values)
    return int(point.name in _ON)


def _direction(values: Mapping[str, Value]) -> int:
    """0: the battery rests; 1: it is charged; 2: it is discharged."""
    power = float(values.get("bat_p", 0.0))
    return 0 if abs(power) < _ENOUGH else 2 if power > 0 else 1


def _of_enum(point: Point, values: Mapping[str, Value]) -> int:
    texts = {text: number for number, text in point.enum.items()}
    if point.name in _BATTERY:
        wanted = ("standby", "charging", "discharging")[_direction(values)]
        return texts.get(wanted, texts.get("idle", next(iter(point.enum))))
    is_at_rest = point.name == "status" and values.get("pv_p", 1.0) == 0.0
    for pattern in (_AT_REST, _ALL_WELL) if is_at_rest else (_ALL_WELL,):
        for text, number in texts.items():
            if pattern.search(text):
                return number
    return next(iter(point.enum))


def identity(profile: DeviceProfile, point: Point, unit: int, serial: str) -> Value:
    """What an identifying point says: what it must match, or whose serial and which model it is; a text is cut to its
    room."""
    encoding = encoding_at(point)
    text = {"serial": serial, "model": _ascii(profile.models[0] if profile.models else ""), "firmware": "1.04"}
    if encoding.form is Form.TEXT:
        starts = beginnings(point.match)
        said = starts[0] if starts else text.get(point.name, "") or _ascii(profile.brand)
        return said[: 2 * encoding.registers].strip() or "-"
    if found := spans(point.match):
        number = unit if point.name == "modbus_id" else _likely(found)
    else:
        number = {"serial": int(serial), "firmware": 104, "hardware": 2, "modbus_id": unit}.get(point.name, 1)
    if point.enum:
        number = number if number in point.enum else next(iter(point.enum))
    least, most = encoding.bounds if encoding.form is not Form.FLOAT else (0, 1 << 24)
    number = min(max(number, least), most - 1)
    return f"0X{number:0{4 * encoding.registers}X}" if encoding.form is Form.HEX else number


def _likely(found: list[tuple[int, int]]) -> int:
    """One of the numbers that match, of three phases where the number tells."""
    numbers = [number for first, last in found for number in range(first, min(last, first + 9) + 1)]
    return next((number for number in numbers if number > 100 and number % 10 == _THREE_PHASES), numbers[0])


def _ascii(text: str) -> str:
    return text.encode("ascii", "ignore").decode().strip()


def anything(point: Point, at: float) -> Value:
    """Something of the kind of a point that no place has: a usual value, or a counter that rises."""
    kind, unit = point.quantity.kind, point.quantity.unit
    if kind is Kind.TEXT:
        return "0X0001" if encoding_at(point).form is Form.HEX else "-"
    if kind in (Kind.COUNTER, Kind.PERIOD_COUNTER):
        hours = max(0.0, at - COMMISSIONED) / 3600
        return _AN_HOUR.get(unit, 0.5) * hours
    return _USUAL.get(unit, 1.0)
