"""Load curves are a pure function of seed and time, and their counters the exact integral of their power."""

from math import hypot

import pytest

from concentrator.sim.curve import Phase, grid_frequency_hz, neutral_a
from concentrator.sim.premises import supplies

NOON = 1_795_262_400.0  # a Saturday, 2026-11-21 12:00 UTC
DAY_S = 86_400
HOUSE = supplies("house", "test", 3)


def test_the_same_seed_and_moment_always_give_the_same_values() -> None:
    again = supplies("house", "test", 3)
    assert [one.seen(NOON) for one in again] == [one.seen(NOON) for one in HOUSE]


def test_another_seed_gives_other_premises() -> None:
    assert supplies("house", "other", 1)[0].seen(NOON) != HOUSE[0].seen(NOON)


@pytest.mark.parametrize("kind", ["house", "shop"])
def test_the_counters_are_the_integral_of_the_power(kind: str) -> None:
    supply = supplies(kind, "integral", 1)[0]
    before, after = supply.seen(NOON), supply.seen(NOON + 3600)
    seconds = [supply.seen(NOON + second) for second in range(1, 3601)]
    # each second's power is shown in steps of 0.1 W, each counter in whole Wh
    assert after.energy_wh - before.energy_wh == pytest.approx(sum(s.p for s in seconds) / 3600, abs=1.05)
    assert after.reactive_varh - before.reactive_varh == pytest.approx(sum(s.q for s in seconds) / 3600, abs=1.05)


def test_energy_never_falls_and_joins_over_quarters_and_weeks() -> None:
    load = HOUSE[0].loads[0]
    week_end = load.shift_s + 1_577_660_400 + 7 * DAY_S * 360
    for edge in (week_end, week_end + 900, week_end + 930, week_end + 931):
        energies = [load.energy_j(edge + offset) for offset in (-1.0, -0.001, 0.0, 0.001, 1.0)]
        assert energies == sorted(energies)
        assert energies[3] - energies[1] < 10.0  # no jump: at most some kW for 2 ms


def test_a_week_takes_the_energy_of_its_table() -> None:
    for load in HOUSE[0].loads:
        taken = load.energy_j(NOON + 7 * DAY_S) - load.energy_j(NOON)
        # what differs is how the two quarters of an hour that are cut by noon were spread
        assert taken == pytest.approx(sum(load.quarters_w) * 900, abs=2 * 900 * max(load.quarters_w))


def test_volts_amperes_and_power_factor_agree_in_every_phase() -> None:
    for phase in (supply.seen(NOON + 977 * n) for supply in HOUSE for n in range(200)):
        assert phase.v * phase.i * phase.pf == pytest.approx(phase.p, rel=1e-9)
        assert hypot(phase.p, phase.q) == pytest.approx(phase.s)
        assert 210 < phase.v < 250
        assert 0 < phase.pf <= 1
        assert phase.p > 0


def test_people_cook_in_the_evening_and_sleep_at_night() -> None:
    def mean_w(hour: int) -> float:
        start = NOON - 12 * 3600 + (hour - 1) * 3600  # the curves follow UTC+1
        return sum(s.seen(start + 3600).energy_wh - s.seen(start).energy_wh for s in HOUSE)

    assert mean_w(20) > 2 * mean_w(3)


def test_balanced_phases_leave_nothing_in_the_neutral() -> None:
    phase = Phase(v=230.0, i=10.0, p=2200.0, q=671.0, s=2300.0, pf=0.956, energy_wh=0, reactive_varh=0)
    assert neutral_a([phase] * 3) == pytest.approx(0.0, abs=1e-9)
    assert neutral_a([phase]) == pytest.approx(10.0, rel=1e-3)


def test_the_grid_keeps_its_frequency() -> None:
    assert all(abs(grid_frequency_hz(NOON + n) - 50) < 0.05 for n in range(0, DAY_S, 61))
