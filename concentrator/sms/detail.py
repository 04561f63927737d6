"""The answer to SMS DETAIL: some measured values and how the genset is, on one line. Hides what is said of each item,
and how values are written.

Source: CMM365-2G manual, 6.2 (what DETAIL includes). Its wording there is left to the controller's software; this one
is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from concentrator.model.genset import Alarm, GensetStatus
from concentrator.model.reading import Value

_MEASURED: Mapping[str, tuple[str, tuple[tuple[str, ...], ...]]] = {
    "mains_voltage": ("MAINS", (("mains_v1", "mains_v2", "mains_v3"), ("mains_v12", "mains_v23", "mains_v31"))),
    "gen_voltage": ("GEN", (("gen_v1", "gen_v2", "gen_v3"), ("gen_v12", "gen_v23", "gen_v31"))),
    "load_current": ("LOAD", (("i1", "i2", "i3"),)),
    "mains_frequency": ("MAINS", (("mains_frequency",),)),
    "gen_frequency": ("GEN", (("gen_frequency",),)),
    "active_power": ("P", (("p",),)),
    "apparent_power": ("S", (("s",),)),
    "power_factor": ("PF", (("pf",),)),
    "battery_voltage": ("BATTERY", (("battery_voltage",),)),
    "charger_voltage": ("D+", (("charger_voltage",),)),
    "water_temperature": ("WATER", (("coolant_temp",),)),
    "oil_pressure": ("OIL", (("oil_pressure",),)),
    "fuel_level": ("LEVEL", (("fuel_level",), ("oil_level",))),
    "speed": ("SPEED", (("speed",),)),
    "running_time": ("RUN", (("run_hours",),)),
}
"""By item: what it is called, and the canonical names it is read from, the first ones that are there."""


def _mode(status: GensetStatus) -> str:
    return f"MODE {status.mode.upper()}"


def _genset(status: GensetStatus) -> str:
    runs = {True: "RUNNING", False: "AT REST", None: "UNKNOWN"}[status.is_running]
    return f"GENSET {runs} ({status.engine})" if status.engine else f"GENSET {runs}"


def _alarm(status: GensetStatus) -> str:
    words = f"ALARM {status.alarm.upper()}"
    return f"{words}: {', '.join(status.alarms)}" if status.alarms and status.alarm is not Alarm.NONE else words


_STATES: Mapping[str, Callable[[GensetStatus], str]] = {"mode": _mode, "genset": _genset, "alarm": _alarm}

ITEMS = ("mode", *_MEASURED, "genset", "alarm")
"""Everything that can be told, in the manual's order."""


def detail(status: GensetStatus, items: Sequence[str]) -> str:
    """These items, in this order, on one line; what the controller does not measure is left out."""
    said = (_STATES[item](status) if item in _STATES else _measured(status, item) for item in items)
    return " ".join(", ".join(each for each in said if each).split())


def _measured(status: GensetStatus, item: str) -> str:
    label, alternatives = _MEASURED[item]
    for names in alternatives:
        values = [status.details[name] for name in names if status.details.get(name) is not None]
        if values:
            return f"{label} {'/'.join(map(_written, values))} {status.units.get(names[0], '')}".rstrip()
    return ""


def _written(value: Value) -> str:
    if isinstance(value, bool | str):
        return str(value)
    digits = 2 if abs(value) < 100 else 1
    return f"{round(value, digits):g}" if abs(value) < 10_000 else f"{value:.0f}"
