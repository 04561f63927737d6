"""The stores under measurement give back what they were given, and are asked the same questions."""

from __future__ import annotations

import pytest

from bench.store import Run, meter, report
from bench.stores import COUNTERS, DIGITS, STATES, VARIABLES, Journalled, WideTable

MINUTES = 700


@pytest.fixture(scope="module")
def values():
    return meter(MINUTES)


def given_back(store, values, first, count, variable):
    shown = [value[-1] if isinstance(value, tuple) else value for value in store.ask(1, variable, first, count)]
    assert shown == [values[number][variable] / 10 ** DIGITS[variable] for number in range(first, first + count)]


@pytest.mark.parametrize("kind", [Journalled, WideTable])
def test_a_store_gives_back_what_it_took(tmp_path, values, kind):
    store = kind(tmp_path)
    for number, row in enumerate(values):
        store.take(number, [values[-1], row])
    for variable in (0, COUNTERS, COUNTERS + STATES, VARIABLES - 1):
        given_back(store, values, 0, MINUTES, variable)
        given_back(store, values, 333, 60, variable)
    store.rest()
    given_back(store, values, 600, 100, 20)
    assert store.cpu_s > 0
    assert store.end() > 1000


def test_the_journal_is_compacted_while_it_is_measured(tmp_path, values):
    store = Journalled(tmp_path)
    for number, row in enumerate(values):
        store.take(number, [row])
    ((blocks,),) = [*store._journal._tables.sql.execute("SELECT count(*) FROM block")]
    assert blocks > 0
    assert 0 < store.later_s < store.cpu_s
    store.end()


def test_the_meter_is_the_same_each_time_and_has_all_kinds_of_values(values):
    assert meter(50) == values[:50]
    columns = list(zip(*values, strict=True))
    assert all(column == tuple(sorted(column)) for column in columns[:COUNTERS])
    assert all(set(column) <= {0, 1} for column in columns[COUNTERS : COUNTERS + STATES])
    assert all(len(set(column)) > 10 for column in columns[COUNTERS + STATES :])


def test_figures_that_were_not_taken_are_dashes():
    runs = [Run("ccmaster", 0.6, 0.5, 0.4, 0.3, 9.0, "month"), Run("whisper", 12.0, 13.0, 0.0, 0.2, None, "month")]
    ours, theirs = report(runs).splitlines()[-2:]
    assert ours.split()[1:4] == ["ccmaster", "0.60", "-"]
    assert "0.050" in ours
    assert theirs.split()[-2:] == ["-", "-"]
