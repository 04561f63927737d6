from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from concentrator.model.trend import Gap, joined, step_for, steps_of

MADRID, KOLKATA = ZoneInfo("Europe/Madrid"), ZoneInfo("Asia/Kolkata")
HOUR = 3600


def at(text, zone=MADRID):
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC).timestamp())


@pytest.mark.parametrize(
    ("span", "period", "most", "step"),
    [
        (24 * HOUR, 300, 400, 300),
        (25 * HOUR, 300, 400, 300),
        (7 * 24 * HOUR, 300, 400, 1800),
        (31 * 24 * HOUR, 300, 400, 7200),
        (365 * 24 * HOUR, 300, 400, 24 * HOUR),
        (10 * 365 * 24 * HOUR, 300, 400, 24 * HOUR),
        (24 * HOUR, 720, 100, HOUR),
        (600, 10, 400, 10),
    ],
)
def test_the_step_is_the_shortest_that_fits(span, period, most, step):
    assert step_for(span, period, most) == step


def test_steps_of_a_record_each_end_where_records_do():
    assert steps_of(1000, 2000, 300, 300, KOLKATA) == [1200, 1500, 1800, 2100]


def test_a_range_that_begins_at_an_end_leaves_that_one_out():
    assert steps_of(1200, 1800, 300, 300, MADRID) == [1500, 1800]


def test_hours_are_those_of_the_clock_on_the_wall():
    first = at("2026-11-21T00:00", KOLKATA)
    assert steps_of(first, first + 2 * HOUR, HOUR, 300, KOLKATA) == [first + HOUR, first + 2 * HOUR]


@pytest.mark.parametrize(
    ("day", "after", "hours"), [("2026-10-25", "2026-10-26", 25), ("2026-03-29", "2026-03-30", 23)]
)
def test_a_day_on_which_the_clocks_change_is_one_step_or_as_many_hours_as_it_has(day, after, hours):
    first, last = at(f"{day}T00:00"), at(f"{after}T00:00")
    assert last - first == hours * HOUR
    assert steps_of(first, last, 24 * HOUR, 300, MADRID) == [last]
    assert len(steps_of(first, last, HOUR, 300, MADRID)) == hours


def test_steps_of_six_hours_end_at_the_same_local_times_whatever_the_day():
    ends = steps_of(at("2026-10-24T00:00"), at("2026-10-27T00:00"), 6 * HOUR, 300, MADRID)
    assert {datetime.fromtimestamp(end, MADRID).hour for end in ends} == {0, 6, 12, 18}
    assert sorted({after - before for before, after in pairwise(ends)}) == [6 * HOUR, 7 * HOUR]


def test_an_hour_that_there_is_not_ends_no_step():
    ends = steps_of(at("2026-03-29T00:00"), at("2026-03-29T08:00"), 2 * HOUR, 300, MADRID)
    assert ends == sorted(set(ends))
    assert ends[-1] >= at("2026-03-29T08:00")


def test_gaps_that_touch_for_one_reason_are_one():
    gaps = [Gap(0, 10, "silent"), Gap(10, 20, "silent"), Gap(20, 30), Gap(40, 50)]
    assert joined(gaps) == [Gap(0, 20, "silent"), Gap(20, 30), Gap(40, 50)]
