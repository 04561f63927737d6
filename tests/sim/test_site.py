"""A place's values agree: counters with powers, what comes with what goes, whoever looks at it."""

import pytest

from concentrator.sim.plant import COMMISSIONED, midnight
from concentrator.sim.site import Shop, SolarRoof

NOW = 1_795_262_400.0
EVENING = midnight(NOW) + 20 * 3600


@pytest.mark.parametrize("phases", [1, 3])
def test_a_shops_counters_rise_by_its_powers(phases):
    shop = Shop("test", phases)
    before, after = shop.values(NOW), shop.values(NOW + 900)
    numbers = ("", *map(str, range(1, phases + 1)))
    for n in numbers:
        mean_w = (after[f"ea_imp{n}"] - before[f"ea_imp{n}"]) * 4000
        powers = [shop.values(NOW + second)[f"p{n}"] for second in range(3, 900, 3)]
        assert sum(powers) / len(powers) == pytest.approx(mean_w, rel=0.05)
        assert mean_w > 100
    assert after["p_dmd"] == pytest.approx((after["ea_imp"] - before["ea_imp"]) * 4000, abs=20)
    assert after["ea_imp"] == after["ea_net"] == pytest.approx(sum(after[f"ea_imp{n}"] for n in numbers[1:]))
    assert after["ea_imp_t1"] + after["ea_imp_t2"] == pytest.approx(after["ea_imp"])
    assert after["ea_exp"] == after["p_exp"] == 0


def test_a_shop_began_to_count_when_it_was_opened():
    assert Shop("test").values(COMMISSIONED)["ea_imp"] == 0
    assert Shop("test").values(COMMISSIONED - 3600)["ea_imp"] == 0


@pytest.mark.parametrize("at", [NOW, EVENING, midnight(NOW) + 3600])
def test_what_comes_into_a_house_with_a_roof_goes_somewhere(at):
    values = SolarRoof("test").values(at)
    assert values["p"] + values["grid_p"] == pytest.approx(values["load_p"])
    assert values["load_p_pv"] + values["load_p_bat"] + values["load_p_grid"] == pytest.approx(values["load_p"])
    assert values["load_p"] >= 0
    assert values["bat_p"] == pytest.approx(values["bat_p_dis"] - values["bat_p_chg"])
    assert values["bat_v"] * values["bat_i"] == pytest.approx(values["bat_p"])


def test_by_day_the_battery_is_charged_and_in_the_evening_it_gives():
    roof = SolarRoof("test")
    assert roof.values(NOW)["bat_p"] < 0 < roof.values(EVENING)["bat_p"]
    assert roof.values(NOW)["grid_p"] < 0 < roof.values(EVENING)["grid_p"]


@pytest.mark.parametrize("at", [NOW, EVENING])
def test_an_inverters_counters_rise_by_its_powers(at):
    roof = SolarRoof("test")
    before, after = roof.values(at), roof.values(at + 900)
    seconds = [roof.values(at + second) for second in range(3, 900, 3)]
    for counter, power in (
        ("e_total", "p"),
        ("e_day", "p"),
        ("grid_ea_exp", "grid_p_exp"),
        ("grid_ea_imp", "grid_p_imp"),
        ("bat_e_chg", "bat_p_chg"),
        ("bat_e_dis_year", "bat_p_dis"),
        ("load_e_month", "load_p"),
        ("dc_e1", "dc_p1"),
    ):
        mean_w = sum(values[power] for values in seconds) / len(seconds)
        assert (after[counter] - before[counter]) * 4000 == pytest.approx(mean_w, rel=0.05, abs=1), counter


def test_a_days_counter_begins_at_midnight_and_the_others_go_on():
    roof = SolarRoof("test")
    late, early = roof.values(midnight(NOW) - 60), roof.values(midnight(NOW) + 1)
    assert late["e_day"] > 10
    assert early["e_day"] == 0
    assert early["e_total"] >= late["e_total"]


def test_strings_share_the_sun_and_are_dark_at_night():
    values = SolarRoof("test", strings=3).values(NOW)
    assert sum(values[f"dc_p{n}"] for n in (1, 2, 3)) == pytest.approx(values["dc_p"]) == pytest.approx(values["pv_p"])
    assert values["dc_v2"] * values["dc_i2"] == pytest.approx(values["dc_p2"])
    assert "dc_p4" not in values
    night = SolarRoof("test").values(midnight(NOW) + 3600)
    assert night["dc_v1"] == night["dc_i1"] == night["pv_p"] == 0
