"""Quantities: the one table of variables, each with its unit, kind and label."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen


class Kind(StrEnum):
    """What a quantity is, which decides what an interval keeps of it.

    instantaneous: mean, least, most, last; counter: last, never falls; period_counter: last, falls to zero by design;
    state: last, a number with a meaning; text: never in an interval.
    """

    INSTANTANEOUS = "instantaneous"
    COUNTER = "counter"
    PERIOD_COUNTER = "period_counter"
    STATE = "state"
    TEXT = "text"


@frozen
class Quantity:
    """A variable: its canonical short `name`, `unit` (SI symbol, empty for none), `kind`, `label` for people, and
    `digits`, the decimals its values are kept with."""

    name: str
    unit: str
    kind: Kind
    label: str = ""
    digits: int = 0


UNIT_DIGITS = {"V": 2, "A": 3, "W": 1, "var": 1, "VA": 1, "Hz": 3, "kWh": 3, "kvarh": 3, "kVAh": 3, "": 3}
"""Decimals worth keeping of a value that has no steps of its own (a floating point number), by unit."""

USUAL_DIGITS = 2
"""The same for every other unit."""


def unit_digits(unit: str) -> int:
    """The decimals worth keeping of a measured value in this unit, where its source does not tell."""
    return UNIT_DIGITS.get(unit, USUAL_DIGITS)
