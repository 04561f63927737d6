"""Tallies: exact whatever the order of merging, and rounded half away from zero."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import Draft, Receipt, Record, Tally, in_steps, in_unit

VOLTAGE = Quantity("v1", "V", Kind.INSTANTANEOUS, "voltage L1", 2)
ENERGY = Quantity("ea_imp", "kWh", Kind.COUNTER, "active energy imported", 3)
STATUS = Quantity("status", "", Kind.STATE, "status", 0)

steps = st.integers(-(10**12), 10**12)
several = st.lists(steps, min_size=1, max_size=20)


def tally(values, kind=Kind.INSTANTANEOUS):
    """The tally of values in their order, one after the other."""
    whole, *rest = [Tally(1, value, value, value, value) for value in values]
    for one in rest:
        whole = whole.merged(one, kind)
    return whole


@given(several, several, several)
def test_merging_gives_the_same_whatever_the_grouping(first, second, third):
    a, b, c = tally(first), tally(second), tally(third)
    kind = Kind.INSTANTANEOUS
    assert a.merged(b, kind).merged(c, kind) == a.merged(b.merged(c, kind), kind) == tally(first + second + third)


@given(several)
def test_an_instantaneous_tally_keeps_count_sum_ends_and_last(values):
    assert tally(values) == Tally(len(values), sum(values), min(values), max(values), values[-1])


@pytest.mark.parametrize("kind", [Kind.COUNTER, Kind.PERIOD_COUNTER, Kind.STATE])
def test_other_kinds_keep_the_last_only(kind):
    assert tally([5, 9, 7], kind) == Tally(3, 7, 7, 7, 7)


@given(several)
def test_the_mean_is_rounded_half_away_from_zero(values):
    mean = Fraction(sum(values), len(values))
    magnitude = int(abs(mean) + Fraction(1, 2))
    expected = magnitude if mean >= 0 else -magnitude
    assert tally(values).value(VOLTAGE) == expected / 100


def test_halves_go_away_from_zero():
    assert tally([1, 2]).value(VOLTAGE) == 0.02
    assert tally([-1, -2]).value(VOLTAGE) == -0.02


def test_a_counters_value_is_its_last_one():
    assert tally([1000, 2500], Kind.COUNTER).value(ENERGY) == 2.5


def test_a_quantity_without_digits_is_a_whole_number():
    value = tally([3, 4], Kind.STATE).value(STATUS)
    assert (value, type(value)) == (4, int)


@given(st.integers(-(10**14), 10**14), st.sampled_from([VOLTAGE, ENERGY, STATUS]))
def test_steps_and_units_are_two_ways_to_say_one_number(number, column):
    assert in_steps(in_unit(number, column), column) == number


def test_a_number_becomes_the_nearest_step():
    assert in_steps(230.1049, VOLTAGE) == 23010
    assert in_steps(-0.016, VOLTAGE) == -2
    assert in_steps(7.0, STATUS) == 7


def test_a_record_gives_what_was_read_in_the_order_of_its_columns():
    draft = Draft("main", "0420020081", 900, 900, (VOLTAGE, ENERGY, STATUS), (tally([23010]), None, tally([3])))
    record = Record("k3f9", 1, draft)
    assert list(record.values.items()) == [("v1", 230.1), ("status", 3)]


def test_an_event_has_no_values():
    assert Record("k3f9", 2, Draft("main", "0420020081", 900, 0, event={"name": "device.lost"})).values == {}


def test_a_receipt_may_reject_nothing():
    assert Receipt(frozenset((1, 2))).rejected == {}


@pytest.mark.parametrize(
    ("quality", "period", "covered", "coverage"),
    [
        (Quality.GOOD, 10, None, 1.0),
        (Quality.GOOD, 60, 300, 1.0),
        (Quality.PARTIAL, 10, None, None),
        (Quality.PARTIAL, 10, 7, 0.7),
        (Quality.PARTIAL, 3600, 3599, 0.99),
        (Quality.SILENT, 10, None, 0.0),
        (Quality.GOOD, 0, None, None),
    ],
)
def test_the_coverage_of_a_record(quality, period, covered, coverage):
    assert Draft("main", "S1", 0, period, quality=quality, covered=covered).coverage == coverage
