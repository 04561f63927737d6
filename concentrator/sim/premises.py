"""Premises: which consumers a house or a shop has and when people use them, and what a roof with panels gives. A table
of hours for each kind; a seed makes every instance a little different. Hides the tables."""

from __future__ import annotations

import random

from concentrator.sim.curve import Load, Supply

# Mean watts for each hour of the day, from midnight: a workday, then a day of the weekend.
_HOUSE = {
    "standby": (
        "70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70",
        "70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70 70",
    ),
    "lights": (
        "25 15 15 15 15 20 60 110 70 40 35 35 40 45 40 40 50 80 140 190 220 210 150 70",
        "40 25 15 15 15 15 25 60 90 90 80 80 90 80 70 70 80 110 160 200 220 220 180 100",
    ),
    "motors": (
        "90 85 80 80 80 80 90 110 130 140 120 110 120 130 120 110 110 120 130 140 130 120 110 95",
        "90 85 80 80 80 80 85 95 150 220 260 240 180 160 150 140 140 140 140 140 130 120 110 95",
    ),
    "cooking": (
        "5 5 5 5 5 10 160 320 120 40 40 60 220 420 180 40 40 60 150 380 520 260 60 15",
        "10 5 5 5 5 5 20 120 280 220 100 180 420 560 260 80 60 80 160 380 480 260 80 20",
    ),
}
_SHOP = {
    "standby": (
        "180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180",
        "180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180 180",
    ),
    "lights": (
        "60 60 60 60 60 60 90 300 780 920 940 940 930 820 780 900 940 950 950 900 620 180 70 60",
        "60 60 60 60 60 60 60 90 320 900 920 920 900 640 120 80 70 70 70 70 70 60 60 60",
    ),
    "motors": (
        "420 410 400 400 400 410 450 560 760 860 920 960 990 970 940 960 960 930 880 820 680 520 460 430",
        "420 410 400 400 400 400 420 460 620 760 820 840 820 680 520 480 470 460 450 440 430 430 420 420",
    ),
    "ovens": (
        "10 10 10 10 400 900 1100 900 500 300 260 340 420 300 160 140 180 220 160 90 30 10 10 10",
        "10 10 10 10 300 800 1000 900 600 400 300 320 260 90 20 10 10 10 10 10 10 10 10 10",
    ),
}
# What the panels on a roof give, winter and summer alike.
_ROOF = {
    "panels": (
        "0 0 0 0 0 0 20 150 500 950 1350 1650 1800 1750 1550 1200 800 380 90 5 0 0 0 0",
        "0 0 0 0 0 0 20 150 500 950 1350 1650 1800 1750 1550 1200 800 380 90 5 0 0 0 0",
    ),
}
_KINDS = {"house": _HOUSE, "shop": _SHOP, "roof": _ROOF}

# var per watt, and how even the consumer is within a quarter of an hour.
_NATURE = {
    "standby": (0.45, 12.0),
    "lights": (0.20, 4.0),
    "motors": (0.62, 0.6),
    "cooking": (0.02, 0.02),
    "ovens": (0.05, 0.05),
    "panels": (0.03, 2.0),
}


def week(workday: str, weekend: str, factor: float) -> tuple[float, ...]:
    """Watts for each quarter of an hour of a week, going straight from hour to hour."""
    hours = [factor * float(watts) for watts in [*workday.split() * 5, *weekend.split() * 2]]
    following = hours[1:] + hours[:1]
    return tuple(
        low + (high - low) * quarter / 4 for low, high in zip(hours, following, strict=True) for quarter in range(4)
    )


def supplies(kind: str, seed: str, phases: int) -> tuple[Supply, ...]:
    """The phases (1 or 3) of a "house", a "shop", or a "roof" with panels, whose powers are what it gives; the same
    seed always gives the same premises."""
    draw = random.Random(f"{seed}/{kind}")
    shift_s = draw.uniform(-2700, 2700)
    made = []
    for phase in range(phases):
        loads = []
        for name, (workday, weekend) in _KINDS[kind].items():
            tan_phi, steady = _NATURE[name]
            factor = draw.uniform(0.55, 1.45) * (1.0 if phases == 3 else 1.3)
            quarters_w = week(workday, weekend, factor)
            loads.append(Load(f"{seed}/{phase}/{name}", quarters_w, tan_phi, steady, shift_s))
        start_wh = draw.uniform(50_000, 4_000_000)
        made.append(Supply(tuple(loads), start_wh, start_wh * draw.uniform(0.2, 0.4), draw.uniform(-1.5, 1.5)))
    return tuple(made)
