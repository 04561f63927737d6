"""Trends as a chart and a table show them: lines in one unit each, every number and moment in words, and a sentence for
each gap. Pure; the chart's script draws what is given here and knows no quantity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import groupby
from typing import Any

from attrs import frozen

from concentrator.model.quantity import unit_digits
from concentrator.model.reading import Value
from concentrator.portal.numbers import MISSING, fixed, moment
from concentrator.portal.words import Say

_TWO_DAYS_S = 2 * 86_400
LINES_MOST = 5
"""More lines than these nobody can tell apart in one chart."""
_KILO = {"W": "kW", "var": "kvar", "VA": "kVA"}
_UNITS = {"degC": "°C"}
_DECIMALS = {
    "V": 1,
    "A": 2,
    "Hz": 2,
    "%": 1,
    "°C": 1,
    "kWh": 2,
    "kvarh": 2,
    "kVAh": 2,
    "m³": 2,
    "W": 0,
    "var": 0,
    "VA": 0,
}
_FROM_ZERO = frozenset({"W", "kW", "var", "kvar", "VA", "kVA", "kWh", "kvarh", "kVAh", "A", "%", "m³"})
"""The units whose axis begins at zero: voltages, frequencies and temperatures would be flat lines on it."""

Number = int | float | None


@frozen
class Line:
    """A variable of a device: whose, its name and label, and its value at the end of each step, with the extremes of
    the step where it has any."""

    device: str
    variable: str
    label: str
    values: Sequence[Number]
    least: Sequence[Number] = ()
    most: Sequence[Number] = ()


@frozen
class Plot:
    """The lines of one unit; `decimals` are those their values are shown with."""

    unit: str
    decimals: int
    from_zero: bool
    lines: Sequence[Line]


@frozen
class Empty:
    """A gap: its bounds in UTC seconds, and the sentence about it."""

    start: int
    stop: int
    text: str


@frozen
class Chart:
    """What a chart shows: where its steps end (UTC seconds) and how long they are, the same moments in words, the plots
    and the gaps. `is_made`: the steps are made of several records each."""

    ends: Sequence[int]
    step_s: int
    is_made: bool
    times: Sequence[str]
    plots: Sequence[Plot]
    gaps: Sequence[Empty]
    language: str
    zone: str

    @property
    def lines(self) -> list[tuple[Plot, Line]]:
        """All lines, with their plots."""
        return [(plot, line) for plot in self.plots for line in plot.lines]

    @property
    def has_values(self) -> bool:
        """Whether there is anything to show."""
        return any(value is not None for _, line in self.lines for value in line.values)

    def rows(self) -> Iterator[tuple[str, Sequence[str]]]:
        """The rows of the table: the moment and the values of all lines in words, for each step that has any; a gap is
        a row of one sentence, without values."""
        gaps = sorted(self.gaps, key=lambda gap: gap.start)
        told = 0
        for place, end in enumerate(self.ends):
            while told < len(gaps) and gaps[told].start < end:
                yield gaps[told].text, ()
                told += 1
            if any(line.values[place] is not None for _, line in self.lines):
                yield self.times[place], [self._shown(plot, line.values[place]) for plot, line in self.lines]
        for gap in gaps[told:]:
            yield gap.text, ()

    def as_json(self) -> Mapping[str, Any]:
        """The same for the script."""
        return {
            "ends": self.ends,
            "times": self.times,
            "zone": self.zone,
            "point": "," if self.language == "es" else ".",
            "plots": [
                {
                    "unit": plot.unit,
                    "decimals": plot.decimals,
                    "zero": plot.from_zero,
                    "lines": [
                        {"label": line.label, "value": line.values, "least": line.least, "most": line.most}
                        for line in plot.lines
                    ],
                }
                for plot in self.plots
            ],
            "gaps": [[gap.start, gap.stop, gap.text] for gap in self.gaps],
            "alone": len({line.device for _, line in self.lines}) == 1,
        }

    def _shown(self, plot: Plot, value: Number) -> str:
        return MISSING if value is None else fixed(value, plot.decimals, self.language)


def chart_of(
    trends: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
    label: Callable[[str, str], str],
    gaps: Callable[[str], Sequence[tuple[int, int, str]]],
    *,
    say: Say,
    language: str,
    zone: tzinfo,
    now: float,
) -> Chart:
    """The chart of what `history.trend` gave for some devices, all for the same steps. `names`: short id → what people
    call the device; `label(device, variable)` is the variable's label; `gaps(device)` are its gaps with their
    reasons."""
    is_one = len(trends) == 1
    found: list[tuple[str, Line]] = []
    for trend in trends:
        uid = trend["device"]
        for column in trend["columns"]:
            what = label(uid, column["name"])
            said = what if is_one else f"{names.get(uid, uid)}: {what}"
            runs = (_plain(column[run]) for run in ("value", "least", "most"))
            found.append((column["unit"], Line(uid, column["name"], said, *runs)))
    ends = trends[0]["ends"] if trends else []
    which = _which_time(ends, zone)
    empties = []
    for uid in (trend["device"] for trend in trends):
        for start, stop, reason in gaps(uid):
            first, last = bounds(start, stop, now, zone, language)
            why = say(f"hist.why_{reason or 'nothing'}")
            said = say("hist.gap", a=first + which(start), b=last + which(stop), reason=why)
            empties.append(Empty(start, stop, said if is_one else f"{names.get(uid, uid)}: {said}"))
    return Chart(
        ends,
        trends[0]["step"] if trends else 0,
        bool(trends) and trends[0]["step"] != trends[0]["period"],
        [moment(end, now, zone, language) + which(end) for end in ends],
        list(_plots(found)),
        sorted(empties, key=lambda empty: empty.start),
        language,
        str(zone),
    )


def bounds(start: float, stop: float, now: float, zone: tzinfo, language: str) -> tuple[str, str]:
    """Both ends of a stretch in words, with their days where these differ."""
    is_one_day = datetime.fromtimestamp(start, zone).date() == datetime.fromtimestamp(stop, zone).date()
    seen_from = now if is_one_day else max(now, stop) + _TWO_DAYS_S
    first, last = (moment(at, seen_from, zone, language) for at in (start, stop))
    return first, last


def _plots(found: Sequence[tuple[str, Line]]) -> Iterator[Plot]:
    left = LINES_MOST
    by_unit = sorted(found, key=lambda each: [unit for unit, _ in found].index(each[0]))
    for unit, group in groupby(by_unit, key=lambda each: each[0]):
        lines = [line for _, line in group][:left]
        left -= len(lines)
        unit = _UNITS.get(unit, unit)
        if not lines:
            return
        largest = max((abs(value) for line in lines for value in line.values if value is not None), default=0)
        if unit in _KILO and largest >= 1000:
            kilo = [_scaled(line) for line in lines]
            yield Plot(_KILO[unit], 2, True, kilo)
        else:
            yield Plot(unit, _DECIMALS.get(unit, min(2, unit_digits(unit))), unit in _FROM_ZERO, lines)


def _scaled(line: Line) -> Line:
    def thousandth(run: Sequence[Number]) -> list[Number]:
        return [None if value is None else round(value / 1000, 6) for value in run]

    runs = (thousandth(run) for run in (line.values, line.least, line.most))
    return Line(line.device, line.variable, line.label, *runs)


def _plain(run: Sequence[Value | None]) -> list[Number]:
    return [value if isinstance(value, int | float) else None for value in run]


def _which_time(ends: Sequence[int], zone: tzinfo) -> Callable[[int], str]:
    """Gives what follows a moment in words: the name of the time, where the clocks were changed meanwhile."""
    has_change = len({datetime.fromtimestamp(end, zone).tzname() for end in (*ends[:1], *ends[-1:])}) > 1
    return lambda at: f" {datetime.fromtimestamp(at, zone).tzname()}" if has_change else ""
