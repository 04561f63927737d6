"""The first actions: what the box can say of the present. Hides how its states become JSON: times as ISO 8601 in UTC,
a number that is none as null."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from attrs import asdict

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.api import DeviceState, LineState, UplinkState, Wall
from concentrator.model.errors import Unknown
from concentrator.model.reading import Value
from concentrator.model.words import hint

HEALTHS = ("new", "answering", "doubtful", "silent")


def present_actions(
    *,
    box: Callable[[], Mapping[str, object]],
    devices: Callable[[], Sequence[DeviceState]],
    lines: Callable[[], Sequence[LineState]],
    uplinks: Callable[[], Sequence[UplinkState]],
    wall: Wall,
) -> tuple[Action, ...]:
    """`status`, `devices.list`, `device.get`, `lines.list` and `uplinks.list`, over callables that give the states of
    now; what `box` gives must be JSON-able."""

    def status() -> dict[str, object]:
        states = devices()
        healths = Counter(state.health for state in states)
        return {
            "box": dict(box()),
            "time": stamp(wall.now()),
            "clock_trusted": wall.is_trusted(),
            "devices": {"total": len(states), **{health: healths[health] for health in HEALTHS}},
            "lines": [_line(state) for state in lines()],
            "uplinks": [_uplink(state) for state in uplinks()],
        }

    def device(uid: str) -> dict[str, object]:
        states = {state.uid: state for state in devices()}
        if uid not in states:
            raise Unknown(f"device {uid}{hint(uid, states)}")
        return whole_device_json(states[uid])

    uid = Argument("uid", Kind.TEXT, "the device's short id: the key of its section in the configuration", least=1)
    return (
        Action("status", "How the box is: itself, devices counted, lines, uplinks.", Permission.READ, (), status),
        Action(
            "devices.list",
            "Every device: who it is and how it answers.",
            Permission.READ,
            (),
            lambda: [_device(state) for state in devices()],
        ),
        Action("device.get", "One device with all its values.", Permission.READ, (uid,), device),
        Action(
            "lines.list",
            "Every line: whether it is open, and its counters.",
            Permission.READ,
            (),
            lambda: [_line(state) for state in lines()],
        ),
        Action(
            "uplinks.list",
            "Every uplink: whether it is connected, what waits, what was delivered.",
            Permission.READ,
            (),
            lambda: [_uplink(state) for state in uplinks()],
        ),
    )


def stamp(at: float | None) -> str | None:
    """UTC seconds as ISO 8601, whole seconds; None stays None."""
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def whole_device_json(state: DeviceState) -> dict[str, object]:
    """A device as `device.get` gives it, with all its values."""
    return _device(state) | {"values": _values(state)}


def _device(state: DeviceState) -> dict[str, object]:
    return {
        "uid": state.uid,
        "alias": state.alias,
        "serial": state.serial,
        "model": state.model,
        "firmware": state.firmware,
        "protocol": state.protocol,
        "line": state.line,
        "address": state.selected or state.address,
        "secondary": state.secondary,
        "health": state.health,
        "last_seen": stamp(state.last_seen),
        "trouble": state.trouble,
        "quality": state.quality,
        "round_s": _rounded(state.round_s),
    }


def _values(state: DeviceState) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for name, label, unit in state.points:
        value, at = state.values.get(name, (None, None))
        found.append({"name": name, "label": label, "value": _plain(value), "unit": unit, "at": stamp(at)})
    return found


def _line(state: LineState) -> dict[str, object]:
    return asdict(state) | {
        "counters": _counters(state.counters),
        "stations": {unit: _counters(counters) for unit, counters in state.stations.items()},
        "utilisation": round(state.utilisation, 4),
        "round_s": _rounded(state.round_s),
    }


def _counters(counters: Mapping[str, float]) -> dict[str, object]:
    return {name: _plain(count) for name, count in counters.items()}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _uplink(state: UplinkState) -> dict[str, object]:
    return asdict(state) | {"since": stamp(state.since), "last_success": stamp(state.last_success)}


def _plain(value: Value | None) -> Value | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
