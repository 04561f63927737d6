"""What a device can say of a value: its nearest step, within what its registers hold, and never what stands for "not
available". Hides ranges, scale factors and sentinels; a counter rolls over, everything else stops at the end."""

from __future__ import annotations

from fractions import Fraction
from math import copysign, isfinite

from concentrator.model.profile import Point
from concentrator.model.quantity import Kind
from concentrator.model.reading import Value
from concentrator.profile.decode import Ratio, encoding_at
from concentrator.profile.encodings import Form

_COUNTERS = (Kind.COUNTER, Kind.PERIOD_COUNTER)
_GREATEST = {"V": 1000.0, "A": 300.0, "W": 30e3, "var": 30e3, "VA": 30e3, "Hz": 70.0, "°C": 150.0, "%": 150.0, "": 2.0}
_ENERGIES = 1e6
_MOST_OF_A_FLOAT = 1 << 53
_FINEST, _COARSEST = -3, 4


def power_of_ten(points: list[Point]) -> int:
    """The scale factor that lets all points which share it say what they usually have, as finely as may be."""
    return max(map(_power_of_one, points), default=0)


def _power_of_one(point: Point) -> int:
    encoding, ratio = encoding_at(point), Ratio.of(point)
    if encoding.form is not Form.INTEGER:
        return 0
    greatest = _GREATEST.get(point.quantity.unit, _ENERGIES)
    for power in range(_FINEST, _COARSEST):
        if greatest * ratio.by / abs(ratio.times) / 10.0**power <= encoding.bounds[1]:
            return power
    return _COARSEST


def fitted(point: Point, value: Value, power: int = 0) -> Value:
    """The value as the point can say it; `power`: of its scale factor."""
    encoding = encoding_at(point)
    if isinstance(value, str) or encoding.form in (Form.TEXT, Form.HEX):
        return value
    ratio = Ratio.of(point)
    if encoding.form is Form.FLOAT:
        return value if isfinite(value) else 0.0
    least, most = encoding.bounds
    if ratio.by != 1 or power < 0:  # what is divided becomes a float, which has no more digits
        least, most = max(least, -_MOST_OF_A_FLOAT), min(most, _MOST_OF_A_FLOAT)
    exact = Fraction(value) / Fraction(10) ** power
    raw = round((exact * ratio.by - ratio.plus) / ratio.times)
    if not least <= raw <= most:
        raw = raw % (most + 1) if point.quantity.kind in _COUNTERS else min(max(raw, least), most)
    while raw in point.sentinels:
        raw -= int(copysign(1, raw)) if raw else -1
    whole = raw * ratio.times + ratio.plus
    if power >= 0:
        return whole * 10**power / ratio.by if ratio.by != 1 else whole * 10**power
    return whole / (ratio.by * 10**-power)
