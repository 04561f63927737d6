"""Records as meters make them: forty quantities each, counters that rise, measured values that wander, states that
seldom change; the same every time. Not measured data, but of its shape."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from concentrator.model.quantity import Kind, Quantity
from concentrator.model.record import Draft, Tally

PERIOD_S = 10
SAMPLES = 3
"""Readings in an interval: one every three seconds."""

COLUMNS = (
    *(Quantity(f"e{i}", "kWh", Kind.COUNTER, "energy", 2) for i in range(8)),
    *(Quantity(f"m{i}", "V", Kind.INSTANTANEOUS, "measured", i % 3) for i in range(26)),
    *(Quantity(f"s{i}", "", Kind.STATE, "state") for i in range(6)),
)


def drafts(meters: int, start: int, intervals: int) -> Iterator[list[Draft]]:
    """For each of so many intervals from `start` (UTC seconds) on, a draft of every meter."""
    chance = Random(1)
    steps = {meter: [chance.randrange(1000, 100_000) for _ in COLUMNS] for meter in range(meters)}
    for number in range(1, intervals + 1):
        end = start + number * PERIOD_S
        yield [
            Draft(f"m{meter}", f"04200200{meter:02}", end, PERIOD_S, COLUMNS, _tallies(steps[meter], chance))
            for meter in range(meters)
        ]


def _tallies(steps: list[int], chance: Random) -> tuple[Tally, ...]:
    made = []
    for at, column in enumerate(COLUMNS):
        if column.kind is Kind.INSTANTANEOUS:
            samples = [steps[at] + chance.randrange(-30, 31) for _ in range(SAMPLES)]
            steps[at] = samples[-1]
            made.append(Tally(SAMPLES, sum(samples), min(samples), max(samples), samples[-1]))
            continue
        steps[at] += chance.randrange(5) if column.kind is Kind.COUNTER else chance.randrange(100) == 0
        made.append(Tally(SAMPLES, steps[at], steps[at], steps[at], steps[at]))
    return tuple(made)
