from datetime import date, datetime, timedelta
from itertools import pairwise
from math import ceil
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.journal.filing import Filing, last_moment, last_stop, next_moment, stem
from concentrator.model.latency import local_midnight, local_periods

MADRID = ZoneInfo("Europe/Madrid")
KOLKATA = ZoneInfo("Asia/Kolkata")
UTC = ZoneInfo("UTC")
H = 3600
FIVE_PAST = 300


def at(text, zone=MADRID):
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) if "+" not in text else exact(text)


def exact(text):
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("now", "time_of_day_s", "latency_s", "last", "following", "zone"),
    [
        # an ordinary day
        ("2026-11-18T00:04:59", FIVE_PAST, H, "2026-11-17T23:05:00", "2026-11-18T00:05:00", MADRID),
        ("2026-11-18T00:05:00", FIVE_PAST, H, "2026-11-18T00:05:00", "2026-11-18T01:05:00", MADRID),
        ("2026-11-18T12:00:00", FIVE_PAST, 24 * H, "2026-11-18T00:05:00", "2026-11-19T00:05:00", MADRID),
        ("2026-11-18T12:00:00", 22 * H, 12 * H, "2026-11-18T10:00:00", "2026-11-18T22:00:00", MADRID),
        ("2026-11-18T00:00:00", 0, 900, "2026-11-18T00:00:00", "2026-11-18T00:15:00", MADRID),
        ("2026-11-18T00:10:00", 22 * H, 24 * H, "2026-11-17T22:00:00", "2026-11-18T22:00:00", MADRID),
        # the day of 23 hours: 02:00 does not exist
        ("2027-03-28T03:10:00", FIVE_PAST, H, "2027-03-28T03:05:00", "2027-03-28T04:05:00", MADRID),
        ("2027-03-28T01:30:00", FIVE_PAST, H, "2027-03-28T01:05:00", "2027-03-28T03:05:00", MADRID),
        ("2027-03-28T20:00:00", FIVE_PAST, 6 * H, "2027-03-28T19:05:00", "2027-03-29T00:05:00", MADRID),
        ("2027-03-28T20:00:00", FIVE_PAST, 24 * H, "2027-03-28T00:05:00", "2027-03-29T00:05:00", MADRID),
        ("2027-03-29T00:30:00", 24 * H - 60, 24 * H, "2027-03-28T23:59:00", "2027-03-29T23:59:00", MADRID),
        ("2027-03-28T12:00:00", 6 * H, 24 * H, "2027-03-28T06:00:00", "2027-03-29T06:00:00", MADRID),
        # … and so 02:30 on it is as much later as the clock leapt
        ("2027-03-28T03:29:00", 9000, 24 * H, "2027-03-27T02:30:00", "2027-03-28T03:30:00", MADRID),
        ("2027-03-28T12:00:00", 9000, 24 * H, "2027-03-28T03:30:00", "2027-03-29T02:30:00", MADRID),
        # the day of 25 hours: 02:05 comes twice, and what is counted from midnight goes on by elapsed hours
        ("2026-10-25T02:30:00+02:00", FIVE_PAST, H, "2026-10-25T02:05:00+02:00", "2026-10-25T02:05:00+01:00", MADRID),
        ("2026-10-25T02:30:00+01:00", FIVE_PAST, H, "2026-10-25T02:05:00+01:00", "2026-10-25T03:05:00", MADRID),
        ("2026-10-25T20:00:00", FIVE_PAST, 12 * H, "2026-10-25T11:05:00", "2026-10-25T23:05:00", MADRID),
        ("2026-10-25T23:30:00", FIVE_PAST, 12 * H, "2026-10-25T23:05:00", "2026-10-26T00:05:00", MADRID),
        ("2026-10-25T12:00:00", 6 * H, 24 * H, "2026-10-25T06:00:00", "2026-10-26T06:00:00", MADRID),
        ("2026-10-25T12:00:00", 9000, 24 * H, "2026-10-25T02:30:00+02:00", "2026-10-26T01:30:00+01:00", MADRID),
        # a zone of half hours, and none
        ("2026-11-18T05:45:00", FIVE_PAST, H, "2026-11-18T05:05:00", "2026-11-18T06:05:00", KOLKATA),
        ("2026-11-18T05:45:00", FIVE_PAST, H, "2026-11-18T05:05:00", "2026-11-18T06:05:00", UTC),
    ],
)
def test_sending_moments_begin_each_day_at_the_time_of_day(now, time_of_day_s, latency_s, last, following, zone):
    now = at(now, zone)
    assert last_moment(now, time_of_day_s, latency_s, zone) == at(last, zone)
    assert next_moment(now, time_of_day_s, latency_s, zone) == at(following, zone)


@given(
    st.integers(at("2026-10-24T00:00:00"), at("2026-10-27T00:00:00"))
    | st.integers(at("2027-03-27T00:00:00"), at("2027-03-30T00:00:00")),
    st.sampled_from([30, 900, H, 2 * H, 6 * H, 12 * H, 24 * H]),
    st.sampled_from([0, FIVE_PAST, 12 * H, 24 * H - 60]),
)
def test_moments_follow_each_other_without_gap_or_repeat(now, latency_s, time_of_day_s):
    last, following = (moment(now, time_of_day_s, latency_s, MADRID) for moment in (last_moment, next_moment))
    assert last <= now < following
    assert following - last <= latency_s
    assert next_moment(last, time_of_day_s, latency_s, MADRID) == following
    assert last_moment(following, time_of_day_s, latency_s, MADRID) == following


LATENCIES_S = (30, 900, 1800, H, 2 * H, 4 * H, 6 * H, 12 * H, 24 * H)


@pytest.mark.parametrize("latency_s", LATENCIES_S)
@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-11-18", "Europe/Madrid", 24),
        ("2027-03-28", "Europe/Madrid", 23),
        ("2026-10-25", "Europe/Madrid", 25),
        ("2027-03-14", "America/New_York", 23),
        ("2026-11-01", "America/New_York", 25),
        ("2026-09-06", "America/Santiago", 23),  # its midnight does not exist
        ("2026-04-04", "America/Santiago", 25),  # the hour before midnight comes twice
        ("2026-10-04", "Australia/Lord_Howe", 23.5),
        ("2026-04-05", "Australia/Lord_Howe", 24.5),
        ("2026-11-18", "Asia/Kathmandu", 24),
    ],
)
def test_a_day_of_any_length_is_files_without_gap_each_due_within_a_latency(day, zone, hours, latency_s):
    zone, day = ZoneInfo(zone), date.fromisoformat(day)
    midnight, next_midnight = (local_midnight(day + timedelta(days), zone) for days in (0, 1))
    bounds = local_periods(midnight, latency_s, zone)
    assert (bounds[0], bounds[-1]) == (midnight, next_midnight)
    assert next_midnight - midnight == hours * H
    assert len(bounds) - 1 == ceil(hours * H / latency_s)
    for stop in {*bounds[1 :: max(1, len(bounds) // 30)], bounds[-2], bounds[-1]} - {midnight}:
        for time_of_day_s in (0, FIVE_PAST, 9000, 22 * H):
            moment = next_moment(stop - 1, time_of_day_s, latency_s, zone)
            assert last_stop(moment, latency_s, zone) >= stop
            assert moment - stop < latency_s
            assert last_moment(moment, time_of_day_s, latency_s, zone) == moment


@pytest.mark.parametrize(
    ("moment", "latency_s", "stop"),
    [
        ("2026-11-18T01:05:00", H, "2026-11-18T01:00:00"),
        ("2026-11-18T00:05:00", H, "2026-11-18T00:00:00"),
        ("2026-11-18T00:00:00", 24 * H, "2026-11-18T00:00:00"),
        ("2026-11-18T22:00:00", 24 * H, "2026-11-18T00:00:00"),
        ("2027-03-28T03:05:00", H, "2027-03-28T03:00:00"),
        ("2026-10-26T00:05:00", 24 * H, "2026-10-26T00:00:00"),
    ],
)
def test_the_newest_file_period_that_is_over(moment, latency_s, stop):
    assert last_stop(at(moment), latency_s, MADRID) == at(stop)


def test_a_file_is_called_by_box_device_and_period_in_utc():
    start, stop = at("2026-11-18T13:00:00"), at("2026-11-18T14:00:00")
    name = stem("4220080001", "INV_000002", start, stop)
    assert name == "4220080001_INV_000002_20261118T120000Z_20261118T130000Z"


def filed(*records, stop, latency_s=H, made=()):
    """The intents of records (n, serial, end), and the numbers kept back."""
    filing = Filing(stop, latency_s, MADRID)
    for n, serial, end in records:
        filing.put(n, serial, end)
    made = [file for file in filing.files if file in made]
    intents = filing.intents("ftp", 300, made)
    return [(i.serial, i.start, i.stop, i.numbers, i.oldest) for i in intents], sorted(filing.kept)


ONE, TWO, THREE = (at(f"2026-11-18T0{hour}:00:00") for hour in (1, 2, 3))


def test_each_device_and_period_over_gets_a_file_oldest_first():
    records = [(1, "S1", ONE + 300), (2, "S2", ONE + 300), (3, "S1", TWO), (4, "S2", TWO), (5, "S1", TWO + 300)]
    owed, kept = filed(*records, stop=THREE)
    assert owed == [
        ("S1", ONE, TWO, (1, 3), ONE + 300),
        ("S2", ONE, TWO, (2, 4), ONE + 300),
        ("S1", TWO, THREE, (5,), TWO + 300),
    ]
    assert kept == []


def test_records_of_a_period_that_is_not_over_wait():
    owed, kept = filed((1, "S1", TWO), (2, "S1", TWO + 1), stop=TWO)
    assert [numbers for *_, numbers, _ in owed] == [(1,)]
    assert kept == [2]


def test_late_records_go_into_the_devices_next_file():
    records = [(7, "S1", TWO + 300), (8, "S1", ONE + 300), (9, "S2", TWO + 300)]
    owed, kept = filed(*records, stop=THREE, made=[("S1", ONE, TWO)])
    assert owed == [("S1", TWO, THREE, (7, 8), ONE + 300), ("S2", TWO, THREE, (9,), TWO + 300)]
    assert kept == []


def test_late_records_alone_make_the_file_of_the_period_that_is_due():
    owed, kept = filed((8, "S1", ONE + 300), stop=THREE, made=[("S1", ONE, TWO)])
    assert owed == [("S1", TWO, THREE, (8,), ONE + 300)]
    assert kept == []


def test_late_records_wait_where_there_is_no_later_file():
    owed, kept = filed((8, "S1", TWO + 300), stop=THREE, made=[("S1", TWO, THREE)])
    assert (owed, kept) == ([], [8])


def test_late_records_never_go_into_an_older_file():
    owed, kept = filed((8, "S1", TWO + 300), (9, "S1", ONE + 300), stop=THREE, made=[("S1", TWO, THREE)])
    assert owed == [("S1", ONE, TWO, (9,), ONE + 300)]
    assert kept == [8]


@given(st.lists(st.tuples(st.sampled_from(["S1", "S2"]), st.integers(0, 30 * H)), max_size=30), st.integers(0, 29))
def test_every_record_is_in_exactly_one_file_or_waits(records, made):
    midnight = at("2026-10-25T00:00:00")  # a day of 25 hours
    bounds = local_periods(midnight, H, MADRID)
    stop = bounds[20]
    rows = [(n, serial, midnight + end) for n, (serial, end) in enumerate(records, 1)]
    before = {("S1", start, end) for start, end in list(pairwise(bounds))[:made]}
    owed, kept = filed(*rows, stop=stop, made=before)
    placed = [n for *_, numbers, _ in owed for n in numbers]
    assert sorted(placed + kept) == [n for n, *_ in rows]
    assert not {(serial, start, end) for serial, start, end, *_ in owed} & before
    assert len({owing[:3] for owing in owed}) == len(owed)
    ends = {n: end for n, _, end in rows}
    assert all(end <= stop for *_, end, numbers, _ in owed for n in numbers for end in [ends[n]])
    assert all(ends[n] <= finish for _, _, finish, numbers, _ in owed for n in numbers)
