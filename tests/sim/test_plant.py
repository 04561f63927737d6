"""A plant follows the day: flows exclude each other, energies are the sums of powers, and periods begin at midnight."""

import pytest

from concentrator.sim.plant import COMMISSIONED, Flow, Plant, midnight, month_began, year_began

MIDNIGHT = 1_795_215_600.0  # 2026-11-21, 00:00 in UTC+1
DAY = range(0, 86_400, 97)


@pytest.fixture(params=["a", "b", "c"])
def plant(request):
    return Plant(request.param)


def test_there_is_sun_by_day_and_none_by_night(plant):
    assert plant.power_w(Flow.SUN, MIDNIGHT + 12.5 * 3600) > 2000
    assert plant.power_w(Flow.SUN, MIDNIGHT + 2 * 3600) == 0
    assert plant.power_w(Flow.SUN, MIDNIGHT + 23 * 3600) == 0


def test_nothing_flows_both_ways_at_once_and_the_panels_give_what_is_stored_and_fed_in(plant):
    for second in DAY:
        w = {flow: plant.power_w(flow, MIDNIGHT + second) for flow in Flow}
        assert min(w.values()) >= 0
        assert not (w[Flow.IMPORT] and w[Flow.EXPORT])
        assert not (w[Flow.CHARGE] and w[Flow.DISCHARGE])
        assert w[Flow.CHARGE] + w[Flow.EXPORT] <= w[Flow.SUN]


@pytest.mark.parametrize("flow", Flow)
def test_an_energy_is_the_sum_of_the_power_and_never_falls(plant, flow):
    since = MIDNIGHT + {Flow.IMPORT: 3, Flow.DISCHARGE: 20}.get(flow, 11) * 3600
    seconds = range(1, 601)
    joules = sum(plant.power_w(flow, since + second) for second in seconds)
    assert plant.energy_kwh(flow, since + 600, since) == pytest.approx(joules / 3.6e6, rel=1e-6)
    energies = [plant.energy_kwh(flow, MIDNIGHT + second) for second in DAY]
    assert energies == sorted(energies)
    assert energies[-1] > energies[0]


def test_the_battery_gives_out_on_a_day_what_it_took_up(plant):
    levels = [plant.soc_percent(MIDNIGHT + second) for second in DAY]
    assert levels[0] == pytest.approx(levels[-1])
    assert 10 < min(levels) < 20
    assert 70 < max(levels) < 95


def test_without_a_battery_nothing_is_stored():
    plant = Plant("a", has_battery=False)
    assert plant.power_w(Flow.CHARGE, MIDNIGHT + 12 * 3600) == 0
    assert plant.energy_kwh(Flow.DISCHARGE, MIDNIGHT) == 0
    assert plant.soc_percent(MIDNIGHT + 12 * 3600) == 15


def test_nothing_was_counted_before_it_was_put_up(plant):
    assert plant.energy_kwh(Flow.SUN, COMMISSIONED - 86_400) == 0
    assert plant.energy_kwh(Flow.SUN, COMMISSIONED - 86_400, COMMISSIONED - 2 * 86_400) == 0


def test_periods_begin_at_the_midnight_of_the_curves():
    at = MIDNIGHT + 13 * 3600 + 59
    assert midnight(at) == midnight(MIDNIGHT) == MIDNIGHT
    assert midnight(MIDNIGHT - 1) == MIDNIGHT - 86_400
    assert month_began(at) == MIDNIGHT - 20 * 86_400
    assert year_began(at) == COMMISSIONED - 3600
