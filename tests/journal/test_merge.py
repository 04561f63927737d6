import math
from functools import reduce

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from concentrator.journal.merge import Interval, corrected
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from tests.support.journals import COLUMNS, ENERGY, NOON, POWER, STATE

VALUES = st.fixed_dictionaries(
    {},
    optional={
        "p": st.floats(-1e6, 1e6),
        "ea_imp": st.floats(0, 1e6),
        "state": st.integers(0, 9),
    },
)


def gathered(readings):
    interval = Interval("main", "S1", COLUMNS)
    for values in readings:
        interval.add(values, (), Quality.GOOD)
    return interval.draft(NOON, 10)


@given(st.lists(st.lists(VALUES, min_size=1, max_size=4), min_size=1, max_size=8), st.data())
def test_merges_are_exact_whatever_the_grouping(groups, data):
    whole = gathered([values for group in groups for values in group])
    parts = [gathered(group) for group in groups]
    cut = data.draw(st.integers(0, len(parts)))
    merged = Interval("main", "S1", COLUMNS)
    for half in (parts[:cut], parts[cut:]):
        if half:
            between = Interval("main", "S1", COLUMNS)
            for part in half:
                between.absorb(part)
            merged.absorb(between.draft(NOON, 10))
    assert merged.draft(NOON, 10) == whole


@given(st.lists(VALUES, min_size=1, max_size=8))
def test_an_interval_merges_as_its_tallies_do(readings):
    ones = [gathered([values]) for values in readings]
    for i, column in enumerate(COLUMNS):
        tallies = [draft.tallies[i] for draft in ones if draft.tallies[i]]
        merged = reduce(lambda a, b, column=column: a.merged(b, column.kind), tallies) if tallies else None
        assert gathered(readings).tallies[i] == merged


def test_text_and_what_is_no_number_and_unknown_names_are_passed_over():
    draft = gathered([{"p": math.nan, "ea_imp": math.inf, "state": "closed", "model": "CcM3", "v1": 230.0}])
    assert draft.tallies == (None, None, None)


def test_a_text_column_stays_empty():
    interval = Interval("main", "S1", (Quantity("model", "", Kind.TEXT),))
    interval.add({"model": 5}, (), Quality.GOOD)
    assert interval.draft(NOON, 10).tallies == (None,)


@pytest.mark.parametrize(
    ("readings", "quality"),
    [
        ([("good", ())], Quality.GOOD),
        ([("good", ()), ("good", ("p",))], Quality.PARTIAL),
        ([("good", ()), ("partial", ())], Quality.PARTIAL),
        ([("good", ()), ("silent", ())], Quality.PARTIAL),
        ([("silent", ()), ("good", ())], Quality.PARTIAL),
        ([("silent", ())], Quality.SILENT),
        ([("silent", ()), ("conflict", ())], Quality.CONFLICT),
        ([("suspended", ())], Quality.SUSPENDED),
    ],
)
def test_the_quality_of_an_interval(readings, quality):
    interval = Interval("main", "S1", COLUMNS)
    for name, missing in readings:
        interval.add({"p": 5.0}, missing, Quality(name))
    assert interval.draft(NOON, 10).quality is quality


@pytest.mark.parametrize("quality", [Quality.CONFLICT, Quality.SUSPENDED, Quality.SILENT])
def test_values_of_readings_that_cannot_be_relied_on_do_not_count(quality):
    interval = Interval("main", "S1", COLUMNS)
    interval.add({"p": 5.0}, (), Quality.GOOD)
    interval.add({"p": 9000.0}, (), quality)
    assert interval.draft(NOON, 10).tallies[0].total == 50


def test_a_partial_part_makes_the_whole_partial():
    silent = Interval("main", "S1", COLUMNS)
    silent.add({}, (), Quality.SILENT)
    whole = Interval.of(gathered([{"p": 1.0}]))
    whole.absorb(silent.draft(NOON, 10))
    assert whole.draft(NOON, 10).quality is Quality.PARTIAL


def test_a_column_that_is_new_in_a_later_part_is_added():
    early, late = Interval("main", "S1", (POWER,)), Interval("main", "S1", (STATE, POWER))
    early.add({"p": 1.0}, (), Quality.GOOD)
    late.add({"p": 3.0, "state": 2}, (), Quality.GOOD)
    early.absorb(late.draft(NOON, 10))
    draft = early.draft(NOON, 10)
    assert draft.columns == (POWER, STATE)
    assert [tally.last for tally in draft.tallies] == [30, 2]
    assert draft.quality is Quality.GOOD


def test_a_column_whose_digits_changed_begins_anew():
    finer = Quantity("ea_imp", "kWh", Kind.COUNTER, "Imported energy", 3)
    early, late = Interval("main", "S1", (ENERGY,)), Interval("main", "S1", (finer,))
    early.add({"ea_imp": 1.0}, (), Quality.GOOD)
    late.add({"ea_imp": 2.0}, (), Quality.GOOD)
    early.absorb(late.draft(NOON, 10))
    draft = early.draft(NOON, 10)
    assert (draft.columns, draft.tallies[0].last, draft.tallies[0].count) == ((finer,), 2000, 1)
    assert draft.quality is Quality.PARTIAL


# -- coverage


def heard(seconds, count=1, quality=Quality.GOOD, missing=()):
    """An interval in which so many readings came, one after so many seconds."""
    interval = Interval("main", "S1", COLUMNS)
    for _ in range(count):
        interval.add({"p": 1.0}, missing, quality, seconds)
    return interval


def merged(drafts, period):
    whole = Interval("main", "S1", COLUMNS)
    for draft in drafts:
        whole.absorb(draft)
    return whole.draft(NOON, period)


def test_a_whole_interval_says_nothing_of_its_coverage_and_has_all_of_it():
    draft = heard(1.0, 10).draft(NOON, 10)
    assert (draft.quality, draft.covered, draft.coverage) == (Quality.GOOD, None, 1.0)


def test_an_interval_that_was_cut_is_partial_if_more_is_lacking_than_between_two_readings():
    for count, quality, coverage in ((9, Quality.GOOD, 1.0), (8, Quality.PARTIAL, 0.8)):
        interval = heard(1.0, count)
        interval.cut()
        draft = interval.draft(NOON, 10)
        assert (draft.quality, draft.coverage) == (quality, coverage)


def test_readings_that_are_not_heard_cover_nothing():
    interval = heard(1.0, 4)
    interval.add({}, (), Quality.SILENT, 6.0)
    draft = interval.draft(NOON, 10)
    assert (draft.quality, draft.covered) == (Quality.PARTIAL, 4)


def test_a_coarser_interval_covers_what_its_parts_do():
    whole, half = heard(1.0, 10).draft(NOON, 10), heard(1.0, 5, missing=("ea_imp",)).draft(NOON, 10)
    silent = heard(1.0, 10, Quality.SILENT).draft(NOON, 10)
    assert (half.covered, silent.coverage) == (2, 0.0)
    assert merged([whole] * 6, 60).coverage == 1.0
    assert merged([whole] * 3 + [half] * 2 + [silent], 60).covered == 34
    assert merged([whole] * 5, 60).quality is Quality.PARTIAL
    assert merged([whole] * 5, 60).coverage == 0.83


def test_a_device_that_is_asked_seldom_covers_the_time_between():
    seldom = heard(300.0).draft(NOON, 60)
    assert (seldom.quality, seldom.covered, seldom.coverage) == (Quality.GOOD, 300, 1.0)
    assert merged([seldom] * 3, 900).quality is Quality.GOOD
    assert merged([seldom] * 2, 900).coverage == 0.67


def test_a_bus_that_is_full_covers_every_minute_though_not_every_interval_has_a_reading():
    assert merged([heard(12.0).draft(NOON, 10)] * 5, 60).quality is Quality.GOOD


def test_of_a_record_that_does_not_say_it_the_coverage_is_not_known():
    old = heard(1.0, 4, Quality.PARTIAL).draft(NOON, 10)
    old = evolve(old, covered=None)
    assert old.coverage is None
    assert merged([old, heard(1.0, 10).draft(NOON, 10)], 60).coverage is None


def test_a_correction_has_all_that_either_has_and_is_as_good_as_the_better():
    good, partial = heard(1.0, 10).draft(NOON, 10), heard(1.0, 4, Quality.PARTIAL).draft(NOON, 10)
    for held, later in ((good, partial), (partial, good)):
        draft = corrected(held, later)
        assert (draft.quality, draft.covered, draft.tallies[0].count) == (Quality.GOOD, None, 14)
    draft = corrected(partial, partial)
    assert (draft.quality, draft.covered, draft.tallies[0].count) == (Quality.PARTIAL, 8, 8)
