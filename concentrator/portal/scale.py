"""Where a value stands on its scale: the range within which a quantity is usual, or the device's own rated power. Pure.
A quantity without such a range has no scale; what was not measured has no needle."""

from __future__ import annotations

import math

from concentrator.api import DeviceState
from concentrator.model.reading import Value

RATED = "p_max"
"""The variable in which a device tells the greatest power that it can have."""
_RANGES = {"Hz": (49.0, 51.0), "%": (0.0, 100.0)}
_LINE_TO_LINE = ("v12", "v23", "v31", "v_ll_avg")
_PHASE = ("v", "v1", "v2", "v3", "v_ln_avg")


def range_of(state: DeviceState, name: str) -> tuple[float, float] | None:
    """The least and the greatest value of the scale; None where there is none."""
    unit = next((unit for point, _, unit in state.points if point == name), "")
    if name in _PHASE:
        return 195.5, 264.5  # 230 V, 15 % up and down: EN 50160, 4.2.2.2
    if name in _LINE_TO_LINE:
        return 340.0, 460.0
    if name.startswith(("pf", "cosphi")):
        return -1.0, 1.0
    if unit == "W":
        rated, _ = state.values.get(RATED, (None, 0.0))
        if name == RATED or not isinstance(rated, int | float) or not math.isfinite(rated) or rated <= 0:
            return None
        value, _ = state.values.get(name, (0.0, 0.0))
        return (-float(rated) if isinstance(value, int | float) and value < 0 else 0.0), float(rated)
    return _RANGES.get(unit)


def needle_of(state: DeviceState, name: str, value: Value | None) -> str:
    """Where a value stands on its scale, 0 to 100, at its end where it lies beyond; empty where there is no scale, or
    no value."""
    ends = range_of(state, name)
    if ends is None or isinstance(value, str) or value is None or not math.isfinite(value):
        return ""
    least, greatest = ends
    return f"{100 * min(max((value - least) / (greatest - least), 0.0), 1.0):.0f}"
