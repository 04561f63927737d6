"""Durations in words, and intervals that keep to the wall clock across every change of time."""

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.latency import (
    BASE_INTERVAL_MAX_S,
    base_interval_s,
    format_duration,
    interval_end,
    last_boundary,
    local_midnight,
    local_period,
    local_periods,
    parse_duration,
)

MADRID = ZoneInfo("Europe/Madrid")


def utc(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10 s", 10), ("15 min", 900), ("1 h", 3600), ("7 days", 604800), ("1 day", 86400), ("0.5 s", 0.5), ("1min", 60)],
)
def test_a_duration_is_read_as_people_write_it(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "s", "ten s", "-1 s", "1 hour", "1 s 2", "1,5 s"])
def test_anything_else_is_no_duration(text):
    with pytest.raises(ValueError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(10, "10 s"), (900, "15 min"), (3600, "1 h"), (86400, "1 day"), (0.5, "0.5 s"), (90, "90 s")]
)
def test_a_duration_is_written_the_shortest_way(seconds, text):
    assert format_duration(seconds) == text


@given(st.integers(0, 10**9))
def test_a_written_duration_reads_back_as_itself(seconds):
    assert parse_duration(format_duration(seconds)) == seconds


def test_the_base_interval_is_the_smallest_latency_but_at_most_a_minute():
    assert base_interval_s(()) == BASE_INTERVAL_MAX_S
    assert base_interval_s((300, 900)) == 60
    assert base_interval_s((300, 10, 900)) == 10


@given(st.floats(0, 4e9), st.sampled_from([10, 60, 300, 900, 3600]))
def test_a_moment_lies_in_the_interval_that_ends_after_it(at, period):
    end = interval_end(at, period)
    assert end - period < at <= end
    assert end % period == 0


@given(st.floats(0, 4e9), st.sampled_from([10, 60, 300, 900, 3600]))
def test_the_newest_boundary_is_not_in_the_future(at, period):
    boundary = last_boundary(at, period)
    assert boundary <= at < boundary + period
    assert boundary % period == 0


def test_a_boundary_ends_its_own_interval():
    assert interval_end(900, 900) == last_boundary(900, 900) == 900
    assert (interval_end(900.001, 900), last_boundary(899.999, 900)) == (1800, 0)


def test_a_local_day_begins_at_its_own_midnight():
    assert local_midnight(date(2026, 7, 1), MADRID) == utc(2026, 6, 30, 22)
    assert local_midnight(date(2026, 1, 1), MADRID) == utc(2025, 12, 31, 23)


def test_a_midnight_that_comes_twice_counts_the_first_time():
    havana = ZoneInfo("America/Havana")  # the clock goes back from 01:00 to 00:00
    assert local_midnight(date(2025, 11, 2), havana) == utc(2025, 11, 2, 4)


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)], ids=["spring", "autumn", "any"]
)
def test_a_day_has_as_many_hours_as_its_clock_changes_leave(day, hours):
    bounds = local_periods(utc(*day, 12), 3600, MADRID)
    assert len(bounds) == hours + 1
    assert bounds[-1] - bounds[0] == hours * 3600


def test_the_last_period_of_a_day_may_be_shorter():
    bounds = local_periods(utc(2026, 3, 29, 12), 7200, MADRID)
    assert [later - earlier for earlier, later in pairwise(bounds)] == [7200] * 11 + [3600]


@given(st.integers(utc(2024, 1, 1), utc(2028, 1, 1)), st.sampled_from([900, 3600, 7200, 86400]))
def test_every_interval_belongs_to_one_period_of_its_day(end, latency):
    end -= end % 10
    start, stop = local_period(end, latency, MADRID)
    assert start < end <= stop
    assert stop - start <= latency
    assert local_period(stop, latency, MADRID) == (start, stop)
    assert local_period(start + 1, latency, MADRID) == (start, stop)


def test_an_interval_that_ends_at_midnight_belongs_to_the_day_before():
    midnight = local_midnight(date(2026, 7, 2), MADRID)
    assert local_period(midnight, 86400, MADRID) == (local_midnight(date(2026, 7, 1), MADRID), midnight)
