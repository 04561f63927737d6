"""Numbers, times and ages as people read them, each in the language of whoever reads. Pure: the same value always looks
the same. Hides digits, prefixes, grouping and the signs typography wants; what was not measured is a dash, never a
zero."""

from __future__ import annotations

import math
from datetime import datetime, tzinfo

from concentrator.model.reading import Value
from concentrator.portal.words import say_in

MISSING = "—"
GAP = "\N{NO-BREAK SPACE}"
_GROUP = "\N{NARROW NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"

_KILO = {"W": "kW", "var": "kvar", "VA": "kVA"}
# Once in kilo, a value stays there down to 900, so that one near 1000 does not flicker between units.
_UP, _DOWN = 1000, 900
_DECIMALS = {"V": 1, "Hz": 2, "%": 0, "°C": 1, "degC": 1, "kWh": 2, "kvarh": 2, "kVAh": 2, "m³": 2}
_DEFAULT_DECIMALS = 2
_UNITS = {"degC": "°C"}

_MINUTE_S, _HOUR_S = 60, 3600
_POINT = {"es": ","}


def shown(value: Value | None, unit: str, was_kilo: bool = False, language: str = "en") -> tuple[str, str]:
    """A value in its unit as (number, unit) to show; `was_kilo`: it was shown in kilo the last time."""
    unit = _UNITS.get(unit, unit)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return MISSING, unit
    if isinstance(value, str):
        return value or MISSING, unit
    if unit in _KILO:
        if abs(value) >= (_DOWN if was_kilo else _UP - 0.5):
            return three_figures(value / 1000, language), _KILO[unit]
        return fixed(value, 0, language), unit
    if unit == "A":
        return fixed(value, 2 if abs(value) < 9.995 else 1, language), unit
    if unit in _DECIMALS:
        return fixed(value, _DECIMALS[unit], language), unit
    return fixed(value, 0 if isinstance(value, int) else _DEFAULT_DECIMALS, language), unit


def joined(number: str, unit: str) -> str:
    """Number and unit with the gap between them; a dash has no unit."""
    return f"{number}{GAP}{unit}" if unit and number != MISSING else number


def three_figures(value: float, language: str = "en") -> str:
    """A number to three significant figures, and never fewer than its whole part: 2.41, 24.1, 241, 2410."""
    decimals = next((places for places in (2, 1) if round(abs(value), places) < 10 ** (3 - places)), 0)
    return fixed(value, decimals, language)


def fixed(value: float, decimals: int, language: str = "en") -> str:
    """A number with that many decimals, digits grouped from five before the decimal sign on, and a minus sign only
    where a digit other than zero follows it."""
    digits = f"{abs(value):.{decimals}f}"
    whole, point, rest = digits.partition(".")
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", _GROUP)
    sign = _MINUS if value < 0 and digits.strip("0.") else ""
    return sign + whole + (point and _POINT.get(language, point)) + rest


def count(number: float) -> str:
    """A count: whole, grouped."""
    return fixed(number, 0)


def clock_time(at: float, zone: tzinfo) -> str:
    """The time of day with its seconds: 10:41:07."""
    then = datetime.fromtimestamp(at, zone)
    return f"{then.hour:02}:{then.minute:02}:{then.second:02}"


def moment(at: float, now: float, zone: tzinfo, language: str = "en") -> str:
    """A moment as short as `now` allows: 10:41 today, 20 Nov, 10:41 before."""
    then, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone)
    time = f"{then.hour:02}:{then.minute:02}"
    return time if then.date() == today.date() else f"{_day(then, today, language)}, {time}"


def ago(at: float, now: float, zone: tzinfo, language: str = "en") -> str:
    """How old something is: seconds to 59, minutes to 59, then since when."""
    age, say = max(0, int(now - at)), say_in(language)
    if age < _MINUTE_S:
        return say("age.s", n=age)
    if age < _HOUR_S:
        return say("age.min", n=age // _MINUTE_S)
    return since(at, now, zone, language)


def since(at: float, now: float, zone: tzinfo, language: str = "en") -> str:
    """Since when something is: since 10:41, since 20 Nov, 10:41."""
    is_today = datetime.fromtimestamp(at, zone).date() == datetime.fromtimestamp(now, zone).date()
    said: str = say_in(language)("age.since" if is_today else "age.since_day", t=moment(at, now, zone, language))
    return said


def span(seconds: float) -> str:
    """A length of time in its largest fitting unit, with the next one under it from hours on: 48 s, 3 h 12 min. The
    units are those of every language."""
    whole = max(0, int(seconds))
    if whole < _MINUTE_S:
        return f"{whole}{GAP}s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}{GAP}min"
    days, rest = divmod(whole, 24 * _HOUR_S)
    hours, minutes = rest // _HOUR_S, rest % _HOUR_S // _MINUTE_S
    if days:
        return f"{days}{GAP}d {hours}{GAP}h"
    return f"{hours}{GAP}h {minutes}{GAP}min"


def _day(then: datetime, today: datetime, language: str) -> str:
    month = say_in(language)("age.months").split()[then.month - 1]
    day = f"{then.day}{GAP}{month}"
    return day if then.year == today.year else f"{day}{GAP}{then.year}"
