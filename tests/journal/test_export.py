import csv
import json
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.journal.export import csv_text, json_text, local_time, number_text
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from tests.support.records import COLUMNS, NOW, interval, steps

MADRID = ZoneInfo("Europe/Madrid")
WHO = {"box": "4220080001", "serial": "0420020081", "alias": "Main, hall", "start": NOW - 3600, "stop": NOW}


def test_a_file_has_a_header_with_units_and_a_row_an_interval_in_time_order():
    text = csv_text([interval(2, NOW), interval(1, NOW - 10)], COLUMNS, MADRID)
    assert text == (
        "time,v1 [V],p [W],ea_imp [kWh],pf,quality\r\n"
        "2026-11-28T11:14:50+01:00,230.1,1,1.07,,good\r\n"
        "2026-11-28T11:15:00+01:00,230.2,2,2.07,,good\r\n"
    )


def test_late_intervals_come_first_and_say_so():
    text = csv_text([interval(7, NOW), interval(9, NOW - 3600)], COLUMNS, MADRID, start=NOW - 3600)
    assert [row.rsplit(",", 1)[1] for row in text.splitlines()] == ["quality", "late", "good"]


def test_an_interval_told_twice_has_one_row_the_best_then_the_newest():
    told = [interval(1), interval(5), interval(3), interval(8, quality=Quality.PARTIAL)]
    rows = list(csv.reader(StringIO(csv_text(told, COLUMNS, MADRID))))
    assert [row[2] for row in rows[1:]] == ["5"]


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset():
    first = 1_792_890_000  # 2026-10-25T01:00:00Z, clocks go back in Madrid
    times = [local_time(first - 1800, MADRID), local_time(first + 1800, MADRID)]
    assert times == ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (230.1, "230.1"),
        (230.0, "230"),
        (-0.05, "-0.05"),
        (0.00001, "0.00001"),
        (12345678901234567.0, "12345678901234568"),
        (1e22, "10000000000000000000000"),
        ("on", "on"),
    ],
)
def test_numbers_are_short_exact_and_without_exponent(value, text):
    assert number_text(value) == text


@given(st.integers(-(10**15), 10**15), st.integers(0, 6))
def test_a_number_reads_back_as_the_journal_has_it(raw, digits):
    column = Quantity("x", "", Kind.COUNTER, "", digits)
    value = steps(raw).value(column)
    assert float(number_text(value)) == value
    assert "e" not in number_text(value).lower()


def test_names_and_units_that_hold_commas_or_quotes_are_quoted():
    odd = (Quantity("a,b", '"', Kind.STATE),)
    assert list(csv.reader(StringIO(csv_text([], odd, MADRID)))) == [["time", 'a,b ["]', "quality"]]


def test_json_says_what_csv_says_and_who_it_is_about():
    text = json_text([interval(2), interval(1, NOW - 3600)], COLUMNS, MADRID, **WHO)
    assert json.loads(text) == {
        "v": 1,
        "box": "4220080001",
        "serial": "0420020081",
        "alias": "Main, hall",
        "start": "2026-11-28T10:15:00+01:00",
        "end": "2026-11-28T11:15:00+01:00",
        "period": 10,
        "variables": [
            {"name": "v1", "unit": "V"},
            {"name": "p", "unit": "W"},
            {"name": "ea_imp", "unit": "kWh"},
            {"name": "pf", "unit": ""},
        ],
        "rows": [
            {
                "time": "2026-11-28T10:15:00+01:00",
                "n": 1,
                "values": {"v1": 230.1, "p": 1, "ea_imp": 1.07},
                "quality": "good",
                "late": True,
            },
            {
                "time": "2026-11-28T11:15:00+01:00",
                "n": 2,
                "values": {"v1": 230.2, "p": 2, "ea_imp": 2.07},
                "quality": "good",
            },
        ],
    }


def test_a_period_without_an_interval_is_a_file_without_a_row():
    whole = json.loads(json_text([], COLUMNS, MADRID, **WHO))
    assert (whole["rows"], whole["period"]) == ([], None)
    assert csv_text([], COLUMNS, MADRID).count("\r\n") == 1
