from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from concentrator.portal.ranges import DAY_S, HOUR_S, LEAST_S, Range, asked
from tests.support.web import MADRID, NOW


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=MADRID).timestamp())


def days(first, last):
    return Range(at(f"{first}T00:00"), at(f"{last}T00:00"), MADRID)


def test_without_a_word_it_is_the_last_day():
    found = asked("", "", NOW, MADRID)
    assert (found.stop, found.length_s) == (int(NOW), DAY_S)


def test_a_day_is_the_local_one_however_long_it_is():
    found = asked("2026-10-25", "2026-10-25", NOW, MADRID)
    assert (found.length_s, found.days, found.has_change) == (25 * HOUR_S, 1, True)
    assert asked("2026-03-29", "2026-03-29", NOW, MADRID).length_s == 23 * HOUR_S


def test_the_day_before_and_after_are_whole_days_too():
    long = days("2026-10-25", "2026-10-26")
    assert long.beside(-1) == days("2026-10-24", "2026-10-25")
    assert long.beside(1) == days("2026-10-26", "2026-10-27")
    assert days("2026-10-20", "2026-10-27").beside(1) == days("2026-10-27", "2026-11-03")


def test_a_stretch_that_is_no_day_moves_by_its_length():
    found = Range(1000, 4600, MADRID)
    assert found.beside(-1) == Range(-2600, 1000, MADRID)


def test_closer_and_wider_keep_the_middle_and_know_an_end():
    found = days("2026-11-20", "2026-11-21")
    closer = found.around(found.length_s // 2)
    assert (closer.start, closer.stop) == (at("2026-11-20T06:00"), at("2026-11-20T18:00"))
    assert closer.around(1).length_s == LEAST_S


def test_the_day_of_its_end():
    assert Range(at("2026-10-24T12:00"), at("2026-10-25T13:00"), MADRID).day() == days("2026-10-25", "2026-10-26")


@pytest.mark.parametrize("text", ["2026-10-25T02:30", "2026-10-25T02:30+01:00", "2026-07-01T00:00", "2026-03-29T03:30"])
def test_a_bound_in_text_is_read_again_as_the_same_moment(text):
    found = asked(text, "2026-11-21", NOW, MADRID)
    again = asked(*found.texts(), NOW, MADRID)
    assert again == found


@pytest.mark.parametrize(
    ("first", "last"),
    [("x", ""), ("2026-11-21T10:00", "2026-11-21T09:00"), ("2020-01-01", "2026-01-01"), ("", "0001-01-01")],
)
def test_what_is_no_range_is_refused(first, last):
    with pytest.raises(ValueError):
        asked(first, last, NOW, ZoneInfo("Europe/Madrid"))
