"""What is shown of alternating current agrees with itself, whichever way it flows."""

from math import sqrt

import pytest

from concentrator.sim.electric import Flowing, phases_of, shown

NOW = 1_795_262_400.0


@pytest.mark.parametrize("p", [-2400.0, 0.0, 3600.0])
def test_totals_are_the_sums_of_the_phases(p):
    values = shown(phases_of(p, 0.1, 3, NOW), NOW)
    for name in ("p", "q", "p_imp", "p_exp", "q_ind", "q_cap"):
        assert sum(values[f"{name}{n}"] for n in (1, 2, 3)) == pytest.approx(values[name])
    assert values["p"] == pytest.approx(p)
    assert values["p_imp"] - values["p_exp"] == pytest.approx(p)
    assert values["s"] ** 2 == pytest.approx(values["p"] ** 2 + values["q"] ** 2)
    assert values["pf"] * values["s"] == pytest.approx(p)
    for n in (1, 2, 3):
        assert values[f"v{n}"] * values[f"i{n}"] == pytest.approx(values[f"s{n}"])


def test_the_phases_are_a_third_of_a_turn_apart():
    values = shown([Flowing(230.0, 100.0, 0.0)] * 3, NOW)
    assert values["v12"] == values["v_ll_avg"] == pytest.approx(230 * sqrt(3))


def test_a_single_phase_has_nothing_between_phases_and_its_current_is_the_whole():
    values = shown(phases_of(1150.0, 0.0, 1, NOW), NOW, "grid_")
    assert "grid_v12" not in values
    assert "grid_p2" not in values
    assert values["grid_i"] == values["grid_i1"] == values["grid_in"]
    assert values["grid_p1"] == values["grid_p"] == 1150.0


def test_where_nothing_flows_the_power_factor_is_one():
    assert shown(phases_of(0.0, 0.0, 3, NOW), NOW)["pf"] == 1.0
