from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from concentrator.model.moment import moment

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime.fromisoformat("2026-11-21T10:41:07.5+01:00").timestamp()


@pytest.mark.parametrize(
    ("text", "is_end", "means"),
    [
        ("now", False, "2026-11-21T10:41:07+01:00"),
        ("today", False, "2026-11-21T00:00:00+01:00"),
        ("today", True, "2026-11-22T00:00:00+01:00"),
        ("yesterday", False, "2026-11-20T00:00:00+01:00"),
        ("yesterday", True, "2026-11-21T00:00:00+01:00"),
        ("2026-11-01", False, "2026-11-01T00:00:00+01:00"),
        ("2026-11-30", True, "2026-12-01T00:00:00+01:00"),
        ("2026-07-01", False, "2026-07-01T00:00:00+02:00"),
        ("2026-10-25", True, "2026-10-26T00:00:00+01:00"),  # a day of 25 hours
        ("2026-11-21T10:15", False, "2026-11-21T10:15:00+01:00"),
        ("2026-11-21 10:15:30", True, "2026-11-21T10:15:30+01:00"),
        ("2026-11-21T10:15:00Z", False, "2026-11-21T11:15:00+01:00"),
        ("2026-11-21T10:15-05:00", False, "2026-11-21T16:15:00+01:00"),
        ("2026-10-25T02:30", False, "2026-10-25T02:30:00+02:00"),  # the first of two
        ("2027-03-28T02:30", False, "2027-03-28T03:30:00+02:00"),  # there is none
        (" 2026-11-21 ", False, "2026-11-21T00:00:00+01:00"),
    ],
)
def test_a_moment_is_what_people_mean_by_it(text, is_end, means):
    assert moment(text, NOW, MADRID, is_end=is_end) == datetime.fromisoformat(means).timestamp()


@pytest.mark.parametrize("text", ["", "tomorrow", "21.11.2026", "2026-13-01", "2026-02-30", "10:15", "9999-12-31"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError):
        moment(text, NOW, MADRID, is_end=True)
