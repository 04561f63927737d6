from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from concentrator.app.rule import (
    Mismatch,
    choice,
    duration,
    flag,
    form_of,
    format_size,
    latency,
    listed,
    one_of,
    one_or_more,
    path,
    size,
    text,
    time_of_day,
    time_zone,
    whole,
    whole_division,
    written,
)

MINUTES = latency("whole minutes", lambda seconds: seconds % 60 == 0)


@pytest.mark.parametrize(
    ("rule", "raw", "value"),
    [
        (text(), "", ""),
        (text("digits", r"\d+"), "12", "12"),
        (flag(), False, False),
        (whole(1, 3), 3, 3),
        (choice("a", "b"), "b", "b"),
        (one_of(0, 2), 0, 0),
        (duration(1, 60), "0.5 min", 30.0),
        (MINUTES, "2 min", 120),
        (size(0, 2**40), "512 MiB", 512 * 2**20),
        (size(0, 2**40), "7 B", 7),
        (time_of_day(), "23:59", 86340),
        (time_zone(), "UTC", ZoneInfo("UTC")),
        (path(), "a/b", Path("a/b")),
        (listed(whole(1, 3)), [1, 2], (1, 2)),
        (one_or_more(whole(1, 3)), 1, (1,)),
        (one_or_more(whole(1, 3)), [1, 2], (1, 2)),
    ],
)
def test_what_keeps_the_rule_becomes_the_programs_own(rule, raw, value):
    found = rule.read(raw)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("rule", "raw", "hint"),
    [
        (text(), 3, ""),
        (text(), "two\nlines", ""),
        (text("digits", r"\d+"), "12a", ""),
        (flag(), 0, ""),
        (flag(), "false", "false"),
        (whole(1, 3), 4, ""),
        (whole(1, 3), True, ""),
        (whole(1, 3), 2.0, ""),
        (whole(1, 3), "2", "2"),
        (whole(1, 3), "4", ""),
        (choice("PRO", "Lite"), "pro", "PRO"),
        (choice("PRO", "Lite"), "Lit", "Lite"),
        (choice("PRO", "Lite"), 3, ""),
        (one_of(0, 2), 1, ""),
        (one_of(0, 1), True, ""),
        (duration(1, 60), 30, '"30 s"'),
        (duration(1, 60), "61 s", ""),
        (duration(1, 60), "30", ""),
        (duration(1, 60), "-1 s", ""),
        (MINUTES, "90 s", ""),
        (MINUTES, "60.5 s", ""),
        (size(0, 2**40), "512 MB", ""),
        (size(0, 2**20), "2 MiB", ""),
        (size(0, 2**20), 2, ""),
        (time_of_day(), "24:00", ""),
        (time_of_day(), "0:05", ""),
        (time_zone(), "", ""),
        (time_zone(), "Europe/Madird", "Europe/Madrid"),
        (path(), "", ""),
        (path(), "a\0b", ""),
        (listed(whole(1, 3)), "12", ""),
        (listed(choice("read")), ["raed"], "read"),
        (one_or_more(whole(1, 3)), [1, 4], ""),
    ],
)
def test_what_breaks_the_rule_is_refused_with_the_nearest_that_would_not(rule, raw, hint):
    with pytest.raises(Mismatch) as mismatch:
        rule.read(raw)
    assert mismatch.value.hint == hint


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a", '"a"'),
        ("ä\n", '"ä\\n"'),
        (True, "true"),
        (1.5, "1.5"),
        (["a", 1], '["a", 1]'),
        ({"a": 1}, "a section"),
        (date(2026, 11, 21), "a date or time"),
        ("x" * 100, '"' + "x" * 59 + "…"),
        ("mqtts://me:secret@broker", '"mqtts://…@broker"'),
        ("mqtts://me:" + "long" * 30 + "@broker", '"mqtts://…@broker"'),
    ],
)
def test_values_are_shown_as_the_file_has_them_but_for_secrets(raw, shown):
    assert written(raw) == shown


def test_a_secret_is_shown_as_its_sort_only():
    assert [form_of(raw) for raw in ("x", 1, False, [], {})] == [
        "a text",
        "a number",
        "true or false",
        "a list",
        "a section",
    ]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1, "1 B"), (1024, "1 KiB"), (1536, "1536 B"), (2**31, "2 GiB")]
)
def test_sizes_are_written_in_their_largest_unit(count, text):
    assert format_size(count) == text


@pytest.mark.parametrize(
    ("raw", "nearest"),
    [("7 min", "6 min, 10 min"), ("31 s", "30 s, 36 s"), ("5 s", "10 s"), ("2 h", "1 h"), ("9.5 min", "6 min, 10 min")],
)
def test_what_divides_an_hour_names_the_nearest_that_does(raw, nearest):
    rule = whole_division(3600, 10, 3600, "hour")
    assert rule.read("12 min") == 720
    with pytest.raises(Mismatch) as raised:
        rule.read(raw)
    assert raised.value.terms == {"nearest": nearest}
    assert (rule.name, rule.terms) == ("divides_hour", {"least": "10 s", "most": "1 h"})


def test_a_rule_has_a_name_and_its_limits_for_who_says_it_in_other_words():
    assert (whole(1, 3).name, whole(1, 3).terms) == ("whole", {"least": "1", "most": "3"})
    assert (duration(1, 60).name, duration(1, 60).terms) == ("duration", {"least": "1 s", "most": "1 min"})
    assert [rule.name for rule in (text(), time_of_day(), time_zone(), flag())] == [
        "text",
        "time_of_day",
        "time_zone",
        "",
    ]


@pytest.mark.parametrize(
    "rule", [whole(1, 3), duration(1, 60), MINUTES, size(1, 2**40), whole_division(3600, 10, 3600, "hour"), one_of(1)]
)
@pytest.mark.parametrize("unit", ["", " s", " B"])
def test_a_number_of_thousands_of_digits_breaks_the_rule_and_nothing_else(rule, unit):
    with pytest.raises(Mismatch):
        rule.read("9" * 5000 + unit)
