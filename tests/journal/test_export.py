import csv
import json
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from concentrator.journal.export import CsvForm, json_file, local_time, number_text
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from tests.support.records import COLUMNS, NOW, interval, steps

MADRID = ZoneInfo("Europe/Madrid")
WHO = {"box": "4220080001", "serial": "0420020081", "alias": "Main, hall", "start": NOW - 3600, "stop": NOW}


def csv_text(records, columns=COLUMNS, start=0, **settings):
    return whole(CsvForm(columns, MADRID, start, **settings), records)


def json_of(records, period=10):
    return json.loads(whole(json_file(COLUMNS, MADRID, **WHO, period=period), records))


def whole(form, records):
    """A file, its rows made one by one."""
    return form.head() + "".join(form.rows([record]) for record in records) + form.tail()


def test_a_file_has_a_header_with_units_and_a_row_an_interval():
    text = csv_text([interval(1, NOW - 10), interval(2, NOW)])
    assert text == (
        "time,v1 [V],p [W],ea_imp [kWh],pf,quality\r\n"
        "2026-11-28T11:14:50+01:00,230.1,1,1.07,,good\r\n"
        "2026-11-28T11:15:00+01:00,230.2,2,2.07,,good\r\n"
    )


def test_late_intervals_say_so():
    text = csv_text([interval(9, NOW - 3600), interval(7, NOW)], start=NOW - 3600)
    assert [row.rsplit(",", 1)[1] for row in text.splitlines()] == ["quality", "late", "good"]


def test_the_device_can_be_told_in_each_row():
    text = csv_text([interval(1), interval(2, uid="two")], has_device=True)
    assert [row.split(",")[1] for row in text.splitlines()] == ["device", "main", "two"]


def test_a_file_is_the_same_in_whatever_pieces_its_rows_are_made():
    records = [interval(n, NOW - 100 + n) for n in range(1, 8)]
    for form in (CsvForm(COLUMNS, MADRID), json_file(COLUMNS, MADRID, **WHO, period=10)):
        at_once = form.head() + form.rows(records) + form.tail()
        in_two = form.head() + form.rows(records[:3]) + form.rows([]) + form.rows(records[3:]) + form.tail()
        assert at_once == in_two == whole(form, records)


def test_a_partial_interval_carries_its_coverage_where_that_is_known():
    known = interval(1, quality=Quality.PARTIAL)
    known = evolve(known, draft=evolve(known.draft, covered=7))
    rows = json_of([known, interval(2, quality=Quality.PARTIAL), interval(3)])["rows"]
    assert [row.get("coverage", "not said") for row in rows] == [0.7, "not said", "not said"]


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
    assert list(csv.reader(StringIO(csv_text([], odd)))) == [["time", 'a,b ["]', "quality"]]


def test_json_says_what_csv_says_and_who_it_is_about():
    assert json_of([interval(1, NOW - 3600), interval(2)]) == {
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
    found = json_of([], None)
    assert (found["rows"], found["period"]) == ([], None)
    assert csv_text([]).count("\r\n") == 1
