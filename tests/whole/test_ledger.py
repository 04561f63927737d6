"""The judge of the chaos test, judged: it finds what is missing, doubled, changed and invented, and nothing else."""

import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from attrs import evolve

from concentrator.model.reading import Quality
from concentrator.model.record import Draft, Record
from tests.support.faults import KINDS, schedule
from tests.support.ledger import Ledger, rows_in, untidy
from tests.support.records import VOLTAGE, steps

NOON = 1_795_262_400
"""2026-11-21T12:00:00Z."""
PERIOD = 10
NAME = "4226110001_0420_1_20261121T120000Z_20261121T120030Z"
HEADER = "time,v1 [V],quality\r\n"


def record(n, end=NOON, value=2301, quality=Quality.GOOD, journal="aaaa"):
    return Record(journal, n, Draft("m1", "0420_1", end, PERIOD, (VOLTAGE,), (steps(value),), quality))


def event(n, name="device.lost"):
    return Record("aaaa", n, Draft("m1", "0420_1", NOON, 0, event={"event": name, "device": "m1"}))


def message(each, **other):
    draft = each.draft
    ts = datetime.fromtimestamp(draft.end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    own = {"v": 1, "j": each.journal, "n": each.n, "ts": ts}
    if draft.event:
        return {**own, **draft.event, **other}
    said = {"serial": draft.serial, "alias": "M", "period": PERIOD, "values": each.values, "quality": draft.quality}
    covered = {} if draft.covered is None else {"coverage": draft.coverage}
    return {**own, **said, **covered, **other}


def line(each, quality=None):
    time = datetime.fromtimestamp(each.draft.end, UTC).isoformat()
    return f"{time},{each.values['v1']},{quality or each.draft.quality.value}\r\n"


def csv_file(*lines):
    return {f"box/{NAME}.csv": "".join([HEADER, *lines]).encode()}


def json_file(*records):
    rows = [
        {
            "time": datetime.fromtimestamp(each.draft.end, UTC).isoformat(),
            "n": each.n,
            "values": each.values,
            "quality": each.draft.quality.value,
        }
        for each in records
    ]
    return {f"box/{NAME}.json": json.dumps({"rows": rows}).encode()}


SECOND = record(2, NOON + PERIOD, 2302)


@pytest.fixture
def ledger():
    """Two intervals and an event."""
    ledger = Ledger()
    assert ledger.looked([record(1), SECOND, event(3)]) == []
    return ledger


# -- the journal


def test_a_record_that_vanishes_is_missed_unless_the_journal_may_have_lost_it(ledger):
    assert ledger.looked([record(1), event(3)]) == ["1 records vanished from the journal, the first is aaaa/2"]
    other = Ledger()
    other.looked([record(1), record(2)])
    assert other.looked([record(1)], may_lose=True) == []
    assert other.gone == {("aaaa", 2)}
    assert other.looked([record(1), record(2)]) == []
    assert other.gone == set()


def test_an_identity_that_is_given_twice_is_found(ledger):
    (fault,) = ledger.looked([record(1, value=9999), SECOND, event(3)])
    assert fault.startswith("aaaa/1 ")
    assert "230.1" in fault
    assert "999.9" in fault
    assert "twice" in ledger.looked([record(1, value=9999)] * 2, may_lose=True)[0]


# -- the broker


def test_all_that_was_published_once_or_more_is_in_order(ledger):
    told = [message(each) for each in (record(1), SECOND, event(3))]
    told += [message(record(1), backfill=True)]
    assert ledger.unpublished(PERIOD, NOON + PERIOD, told) == ledger.unpublished(0, NOON, told) == []
    assert ledger.misprinted(told) == []


def test_what_was_not_published_is_missed_up_to_a_moment(ledger):
    (fault,) = ledger.unpublished(PERIOD, NOON + PERIOD, [message(record(1))])
    assert fault.startswith("aaaa/2 ")
    assert ledger.unpublished(PERIOD, NOON, [message(record(1))]) == []
    assert len(ledger.unpublished(0, NOON, [])) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        message(record(9)),
        message(record(1), j="bbbb"),
        message(record(1), values={"v1": 0.0}),
        message(record(1), values={}),
        message(record(1), serial="other"),
        message(record(1), quality="partial"),
        message(record(1), ts="2026-11-21T12:00:10Z"),
        message(event(3), event="device.found"),
    ],
)
def test_a_message_that_no_journal_held_is_found(ledger, wrong):
    assert len(ledger.misprinted([message(record(1)), wrong])) == 1


# -- the files


def test_a_message_tells_how_much_of_a_partial_interval_was_heard():
    ledger, each = Ledger(), record(1, quality=Quality.PARTIAL)
    each = evolve(each, draft=evolve(each.draft, covered=7))
    ledger.looked([each])
    assert ledger.misprinted([message(each)]) == []
    (fault,) = ledger.misprinted([message(each, coverage=0.5)])
    assert "'coverage': (0.5, 0.7)" in fault


@pytest.mark.parametrize(
    "files",
    [csv_file(line(record(1)), line(SECOND)), json_file(record(1), record(2, NOON + 10, 2302))],
)
def test_all_that_was_filed_is_in_order(ledger, files):
    assert ledger.unfiled(PERIOD, NOON + PERIOD, rows_in(files)) == []
    assert ledger.misfiled(PERIOD, rows_in(files)) == []


def test_what_is_in_no_complete_file_is_missed(ledger):
    files = csv_file(line(record(1)))
    (fault,) = ledger.unfiled(PERIOD, NOON + PERIOD, rows_in(files))
    assert fault.startswith("aaaa/2 ")
    assert len(ledger.unfiled(PERIOD, NOON, rows_in({f"{NAME}.csv.part": b"half a li"}))) == 1


def test_a_better_record_of_the_interval_stands_for_a_worse_one_and_not_the_other_way_round():
    ledger = Ledger()
    worse, better = record(1, quality=Quality.PARTIAL), record(2, value=2400)
    ledger.looked([worse, better])
    assert ledger.unfiled(PERIOD, NOON, rows_in(json_file(better))) == []
    assert len(ledger.unfiled(PERIOD, NOON, rows_in(json_file(worse)))) == 1
    assert ledger.misfiled(PERIOD, rows_in(csv_file(line(worse, "late"), line(better)))) == []


def test_a_row_that_no_journal_held_and_one_that_comes_twice_are_found(ledger):
    assert len(ledger.misfiled(PERIOD, rows_in(csv_file(line(record(1, value=1)))))) == 1
    assert len(ledger.misfiled(PERIOD, rows_in(csv_file(line(record(1), "suspended"))))) == 1
    assert len(ledger.misfiled(PERIOD, rows_in(csv_file(line(record(1)), line(record(1), "late"))))) == 1
    assert len(ledger.misfiled(PERIOD, rows_in(json_file(evolve(record(1), n=5))))) == 1


def test_a_file_that_made_room_counts_as_well_and_may_repeat_what_the_other_says(ledger):
    (one,) = csv_file(line(record(1))).items()
    both = {one[0] + ".1": one[1], **csv_file(line(record(1)), line(SECOND))}
    assert ledger.unfiled(PERIOD, NOON + PERIOD, rows_in(both)) == ledger.misfiled(PERIOD, rows_in(both)) == []
    assert ledger.unfiled(PERIOD, NOON, rows_in({one[0] + ".2": one[1]})) == []


def test_a_journal_that_was_put_back_may_tell_again_what_it_holds(ledger):
    twice = rows_in(csv_file(line(record(1)), line(record(1), "late")))
    assert len(ledger.misfiled(PERIOD, twice)) == 1
    ledger.looked([record(1)], may_lose=True)
    assert ledger.misfiled(PERIOD, twice) == []


def test_a_period_has_one_file_of_a_proper_name():
    assert untidy([f"{NAME}.csv", f"{NAME}.csv.part", f"{NAME}.csv.1"]) == []
    assert len(untidy([f"box/{NAME}.csv", f"{NAME}.json"])) == 1
    assert len(untidy(["box/else.csv"])) == 1


# -- the schedule


def test_a_seed_decides_the_faults_and_every_kind_comes_in_each_round():
    faults = list(schedule(7, 2 * len(KINDS)))
    assert faults == list(schedule(7, 2 * len(KINDS)))
    assert faults != list(schedule(8, 2 * len(KINDS)))
    assert Counter(fault.kind for fault in faults) == dict.fromkeys(KINDS, 2)
    assert all(fault.step_s for fault in faults if fault.kind.startswith("clock"))
