"""What is held out, what is believed, and for how long a reading speaks."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.journal.plausible import CONFIRMED_AFTER, Watch
from concentrator.model.quantities import QUANTITIES
from concentrator.model.quantity import Kind, Quantity

VOLTAGE = Quantity("v1", "V", Kind.INSTANTANEOUS, "voltage L1", 1)
POWER = Quantity("p", "W", Kind.INSTANTANEOUS, "active power", 1)
FACTOR = Quantity("pf", "", Kind.INSTANTANEOUS, "power factor", 3)
ENERGY = Quantity("ea_imp", "kWh", Kind.COUNTER, "active energy imported", 2)
TODAY = Quantity("e_day", "kWh", Kind.PERIOD_COUNTER, "energy generated today", 2)
STATUS = Quantity("status", "", Kind.STATE, "status", 0)
HOURS = Quantity("run_hours", "h", Kind.COUNTER, "running time", 0)


def through(column, *values, every_s=1.0):
    """What a watch lets through of the values of one column, read one after the other."""
    watch = Watch((column,))
    sifted = [watch.sifted({column.name: value}, i * every_s)[0] for i, value in enumerate(values)]
    return [None if steps is None else steps / 10**column.digits for steps in sifted]


USUAL = {
    "a motor starts": (POWER, [12.0, 15_000.0, 3_000.0]),
    "an inverter wakes and sleeps": (POWER, [0.0, 0.0, 8_000.0, 0.0]),
    "power turns": (POWER, [4_000.0, -9_000.0]),
    "the mains fail and come back": (VOLTAGE, [230.1, 0.0, 0.0, 231.0]),
    "a string of modules": (VOLTAGE, [0.0, 1480.0]),
    "a counter rises": (ENERGY, [100.0, 100.0, 100.02, 101.0]),
    "a counter that is brought up to date seldom": (ENERGY, [100.0, 600.0]),
    "a counter that is new": (ENERGY, [0.0, 0.01]),
    "a counter of the day falls at midnight": (TODAY, [31.2, 0.0, 0.1]),
    "a state is any number": (STATUS, [1, 65535, 32767, 0]),
    "hours of running": (HOURS, [1200, 1201, 1202]),
}


@pytest.mark.parametrize("name", USUAL)
def test_what_happens_in_plants_is_believed_at_once(name):
    column, values = USUAL[name]
    assert through(column, *values) == values


NONSENSE = {
    "a register that holds nothing": (VOLTAGE, [230.1, 6553.5, 230.2], [230.1, None, 230.2]),
    "half of one": (POWER, [120.0, 3276.7, 121.0], [120.0, None, 121.0]),
    "the same, signed": (POWER, [120.0, -3276.8, 121.0], [120.0, None, 121.0]),
    "a factor of 65.535": (FACTOR, [0.98, 65.535, 0.97], [0.98, None, 0.97]),
    "two readings of it": (VOLTAGE, [230.1, 6553.5, 6553.5, 230.2], [230.1, None, None, 230.2]),
    "a counter that says nothing for once": (ENERGY, [500.0, 0.0, 500.1], [500.0, None, 500.1]),
    "a counter whose high word is another's": (ENERGY, [500.0, 99_999.0, 500.1], [500.0, None, 500.1]),
    "two times nonsense, differently": (ENERGY, [500.0, 0.0, 99_999.0, 500.1], [500.0, None, None, 500.1]),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_held_out(name):
    column, values, believed = NONSENSE[name]
    assert through(column, *values) == believed


TRUE_AFTER_ALL = {
    "a sensor that is broken": (VOLTAGE, [230.0, 6553.5, 6553.5, 6553.5, 6553.5], [230.0, None, None, 6553.5, 6553.5]),
    "medium voltage": (VOLTAGE, [20_100.0, 20_050.0, 20_070.0, 20_080.0], [None, None, 20_070.0, 20_080.0]),
    "a meter that was exchanged": (ENERGY, [5000.0, 3.0, 3.0, 3.01, 3.02], [5000.0, None, None, 3.01, 3.02]),
    "one that knows more": (ENERGY, [5.0, 90_000.0, 90_000.0, 90_000.1], [5.0, None, None, 90_000.1]),
}


@pytest.mark.parametrize("name", TRUE_AFTER_ALL)
def test_what_is_read_three_times_in_a_row_is_true(name):
    column, values, believed = TRUE_AFTER_ALL[name]
    assert through(column, *values) == believed


def test_a_bound_that_was_passed_for_good_is_wider_from_then_on():
    values = [20_100.0] * CONFIRMED_AFTER + [0.0, 21_000.0, 0.0, 79_000.0, 90_000.0]
    believed = [None, None, 20_100.0, 0.0, 21_000.0, 0.0, 79_000.0, None]
    assert through(VOLTAGE, *values) == believed


def test_a_counter_that_was_not_read_for_a_day_may_have_counted_a_day():
    assert through(ENERGY, 100.0, 100_000.0, every_s=86_400) == [100.0, 100_000.0]


def test_less_by_a_last_digit_that_trembles_is_the_same():
    assert through(ENERGY, 100.02, 100.01, 100.0, 100.03) == [100.02, 100.02, 100.02, 100.03]


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=30))
def test_a_counter_falls_only_when_that_was_read_three_times_in_a_row(values):
    believed = through(ENERGY, *values)
    last = None
    for i, value in enumerate(believed):
        if value is not None:
            assert last is None or value >= last or believed[i - 2 : i] == [None, None]
            last = value


def test_text_and_what_is_no_number_is_missing_and_not_absurd():
    watch = Watch((POWER, QUANTITIES["model"]))
    watch.sifted({"p": 1.0}, 0.0)
    for value in (math.nan, math.inf, -math.inf, "four", None):
        assert watch.sifted({"p": value, "model": "CcM3"} if value is not None else {}, 1.0) == [None, None]
        assert (watch.withheld, watch.held) == (0, {})


def test_what_is_held_out_is_remembered_until_it_is_told():
    watch = Watch((VOLTAGE, POWER))
    watch.sifted({"v1": 230.0, "p": 100.0}, 0.0)
    watch.sifted({"v1": 6553.5, "p": 100.0}, 1.0)
    assert (watch.withheld, watch.held) == (1, {"v1": 6553.5})
    watch.sifted({"v1": 230.0, "p": 100.0}, 2.0)
    assert (watch.withheld, watch.held) == (0, {"v1": 6553.5})


def test_what_a_run_begins_with_is_held_out_without_a_word():
    watch = Watch((VOLTAGE,))
    assert watch.sifted({"v1": 20_000.0}, 0.0) == [None]
    assert (watch.withheld, watch.held) == (1, {})


def test_a_reading_speaks_for_the_time_since_the_one_before():
    watch = Watch((POWER,), began=10.0)
    assert [watch.lasted(at, True) for at in (12.0, 13.0, 13.5)] == [2.0, 1.0, 0.5]


def test_a_device_of_which_nothing_is_known_speaks_for_nothing_at_first():
    watch = Watch((POWER,))
    assert [watch.lasted(at, True) for at in (12.0, 13.0)] == [0.0, 1.0]


def test_silence_is_not_covered_by_what_comes_after_it():
    watch = Watch((POWER,), began=0.0)
    heard = [(1, True), (2, True), (3, False), (60, False), (90, True), (91, True)]
    assert [watch.lasted(float(at), is_heard) for at, is_heard in heard] == [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]
