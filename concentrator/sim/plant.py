"""A plant with a roof full of panels: what the sun gives, what goes into a battery and out of it, what comes from the
grid and what is fed into it, second by second, as a pure function of a seed and of UTC. Hides the tables of the day.

The theory. Each flow is a load curve (`sim.curve`), whose energy is known for every moment; nothing is summed up. Flows
that exclude each other have hours of their own: the battery is charged by day and discharged in the evening, the grid
is fed by day and taken from at night. What the inverter gives out, and what the place consumes, are sums of flows, so
that powers and energies always agree, and each energy but the battery's content only ever rises.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache

from attrs import define, field

from concentrator.sim.curve import Load
from concentrator.sim.premises import week

COMMISSIONED = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""When simulated plants were put up, in UTC seconds: their counters began then."""

_ZONE = timezone(timedelta(hours=1))  # the hours that the curves follow


class Flow(StrEnum):
    """What flows: out of the panels, into and out of the battery, out of and into the grid."""

    SUN = "sun"
    CHARGE = "charge"
    DISCHARGE = "discharge"
    IMPORT = "import"
    EXPORT = "export"


# Mean watts for each hour of the day, from midnight. The panels give what is charged and fed in at that hour, and more.
_HOURS = {
    Flow.SUN: "0 0 0 0 0 0 60 450 1500 2850 4050 4950 5400 5250 4650 3600 2400 1140 270 15 0 0 0 0",
    Flow.CHARGE: "0 0 0 0 0 0 0 0 0 300 700 900 900 700 300 0 0 0 0 0 0 0 0 0",
    Flow.DISCHARGE: "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 600 900 1000 800 500 0",
    Flow.IMPORT: "350 300 280 280 280 300 450 300 0 0 0 0 0 0 0 0 0 250 300 400 400 350 400 380",
    Flow.EXPORT: "0 0 0 0 0 0 0 0 0 400 1200 1800 2100 2000 1500 800 0 0 0 0 0 0 0 0",
}
_EVEN = {Flow.SUN: 2.0}  # the sky is not
_DEFAULT_EVEN = 12.0
_TAN_PHI = 0.03
BATTERY_KWH = 6.0
"""What its battery can hold; in a day it takes up less."""
_LEAST_SOC = 15.0


@define(eq=False)
class Plant:
    """A plant. `has_battery`: else nothing is charged and discharged."""

    seed: str
    has_battery: bool = True
    size: float = field(init=False)
    _curves: dict[Flow, Load] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        draw = random.Random(f"{self.seed}/plant")
        self.size = draw.uniform(0.7, 1.3)
        shift_s = draw.uniform(-1800, 1800)
        self._curves = {
            flow: Load(
                f"{self.seed}/{flow}",
                week(hours, hours, self.size),
                _TAN_PHI,
                _EVEN.get(flow, _DEFAULT_EVEN),
                shift_s,
            )
            for flow, hours in _HOURS.items()
            if self.has_battery or flow not in (Flow.CHARGE, Flow.DISCHARGE)
        }

    def energy_kwh(self, flow: Flow, at: float, since: float = COMMISSIONED) -> float:
        """What has flowed from one moment to another, both in UTC seconds; nothing before the plant was put up."""
        curve = self._curves.get(flow)
        began, ended = max(since, COMMISSIONED), max(at, COMMISSIONED)
        return 0.0 if curve is None else (curve.energy_j(ended) - curve.energy_j(began)) / 3.6e6

    def power_w(self, flow: Flow, at: float) -> float:
        """What flows, in watts, on average over the second that ends at a moment (UTC seconds)."""
        curve = self._curves.get(flow)
        return 0.0 if curve is None else curve.energy_j(at) - curve.energy_j(at - 1.0)

    def greatest_w(self, flow: Flow) -> float:
        """The greatest mean of a quarter of an hour."""
        curve = self._curves.get(flow)
        return 0.0 if curve is None else max(curve.quarters_w)

    def soc_percent(self, at: float) -> float:
        """How full the battery is; what it takes up in a day it gives out on the same day."""
        since = midnight(at)
        content = self.energy_kwh(Flow.CHARGE, at, since) - self.energy_kwh(Flow.DISCHARGE, at, since)
        return _LEAST_SOC + content / (BATTERY_KWH * self.size) * 100


def midnight(at: float) -> float:
    """When the day of a moment began, in UTC seconds."""
    return _began(int(at // 3600), "day")


def month_began(at: float) -> float:
    """When the month of a moment began."""
    return _began(int(at // 3600), "month")


def year_began(at: float) -> float:
    """When the year of a moment began."""
    return _began(int(at // 3600), "year")


@lru_cache(maxsize=64)
def _began(hour: int, period: str) -> float:
    moment = datetime.fromtimestamp(hour * 3600, _ZONE).replace(hour=0)
    if period != "day":
        moment = moment.replace(day=1)
    return (moment if period != "year" else moment.replace(month=1)).timestamp()
