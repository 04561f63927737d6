from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.journal.compact import loose_s
from concentrator.journal.tables import best
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import Draft, Tally
from tests.support.drawn import MOVES, play
from tests.support.homes import DAY, MIDNIGHT, Home
from tests.support.journals import NOON, POWER, Bench, interval, result

NAMES = ("p", "ea_imp", "mood", "state", "unheard_of")


@pytest.fixture
def home(both):
    home = Home(both)
    yield home
    home.compaction.stop()


def chosen(records):
    """The record that counts of each end, whoever it is of."""
    same = [record.draft for record in best(records)]
    return {draft.end: draft for draft in same}


@given(MOVES, st.tuples(st.integers(0, 90), st.integers(0, 90)).map(sorted), st.sampled_from([60, 300]))
@settings(max_examples=60, deadline=None)
def test_a_series_says_what_the_selected_records_say(moves, hours, period):
    home = Home(Bench())
    play(home, moves)
    start, stop = (MIDNIGHT + 3600 * hour for hour in hours)
    for device in ("main", "S-other", "nobody"):
        selected = result(home.journal.select(device, period, start, stop))
        series = result(home.journal.series(device, NAMES, period, start, stop))
        assert list(series.ends) == [record.draft.end for record in selected]
        assert list(series.qualities) == [record.draft.quality for record in selected]
        for name in NAMES:
            assert list(series.values[name]) == [record.values.get(name) for record in selected]
    home.end()


def test_a_day_from_blocks_and_rows_is_without_gaps(home):
    for hour in range(24):
        drafts = [interval(end=MIDNIGHT + 3600 * hour + 60 * i, period=60, watts=hour * 60 + i) for i in range(1, 61)]
        home.bench.append(home.journal, *drafts)
    home.until(MIDNIGHT + 22 * 3600)
    home.rest(600)
    rows, loose, _ = home.shape()
    assert rows and loose
    series = result(home.journal.series("main", ["p"], 60, MIDNIGHT, MIDNIGHT + DAY))
    assert series.values["p"] == [float(minute) for minute in range(1, 1441)]
    assert {after - before for before, after in pairwise(series.ends)} == {60}
    assert set(series.qualities) == {Quality.GOOD}
    assert series.columns == {"p": POWER}


@pytest.mark.parametrize("readings", [[1, 2], [-1, -2], [0, -1], [7, 8, 8], [-7, -8, -8], [5]])
def test_means_are_rounded_as_a_records_are(home, readings):
    tally = Tally(len(readings), sum(readings), min(readings), max(readings), readings[-1])
    drafts = [Draft("main", "S", NOON + at, 60, (POWER,), (tally,)) for at in (60, loose_s(60) + 60)]
    records = home.bench.append(home.journal, *drafts)
    home.until(NOON + 2 * loose_s(60))
    home.rest()
    assert home.shape() == (1, [1], [])
    series = result(home.journal.series("main", ["p"], 60, NOON, NOON + DAY))
    assert series.values["p"] == [record.values["p"] for record in records]


def test_a_value_too_large_for_a_block_is_in_the_series(home):
    column = Quantity("ea_imp", "kWh", Kind.COUNTER)
    drafts = [Draft("main", "S", NOON + 60 * i, 60, (POWER, column), (None, Tally(1, *[10**30] * 4))) for i in (1, 2)]
    home.bench.append(home.journal, *drafts)
    series = result(home.journal.series("main", ["p", "ea_imp"], 60, NOON, NOON + DAY))
    assert series.values == {"p": [None, None], "ea_imp": [10**30] * 2}


def test_the_newest_quantity_of_a_name_is_told(home):
    before, after = (Quantity("p", unit, Kind.INSTANTANEOUS) for unit in ("W", "kW"))
    drafts = [Draft("main", "S", NOON + 60 * i, 60, (q,), (Tally(1, *[7] * 4),)) for i, q in ((1, before), (2, after))]
    home.bench.append(home.journal, *drafts)
    assert result(home.journal.series("main", ["p"], 60, NOON, NOON + DAY)).columns == {"p": after}
