"""concentrator.actions.history: any range, in parts, without having it in memory."""

import json

import pytest
from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from concentrator.actions.history import AT_ONCE, DAY_S, PastView, history_actions
from concentrator.actions.parts import Parts
from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.model.errors import OutOfRange, Unknown, WrongArguments
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import Draft, Record, Tally
from tests.support.journals import COLUMNS, NOON, interval
from tests.support.web import StillWall

results = SynchronousTestCase()
READER = Caller("test", frozenset({Permission.READ}))


class Past:
    """A journal of one device: its records by end, and how it was asked."""

    def __init__(self, *drafts):
        self.records = [Record("k3f9", n, draft) for n, draft in enumerate(drafts, 1)]
        self.asked, self.largest = [], 0
        self.table = ActionTable(lambda entry: None)
        view = PastView(
            lambda: succeed([("main", "S-main")]), self.select, self.next_end, lambda uid: ("p", "ea_imp"), lambda: 300
        )
        for action in history_actions(view, StillWall(NOON + 100)):
            self.table.register(action)

    def select(self, device, period, start, stop):
        self.asked.append((device, period, start, stop))
        found = [r for r in self.records if r.draft.period == period and start < r.draft.end <= stop]
        self.largest = max(self.largest, len(found))
        return succeed(found)

    def next_end(self, period, after):
        return succeed(min((r.draft.end for r in self.records if r.draft.end > after), default=None))

    def get(self, **arguments):
        parts = results.successResultOf(self.table.call("history.get", {"device": "main"} | arguments, READER))
        assert isinstance(parts, Parts)
        found = []
        while (part := results.successResultOf(parts.next_part())) is not None:
            found.append(part)
        assert results.successResultOf(parts.next_part()) is None
        return found

    def refused(self, error, **arguments):
        asked = self.table.call("history.get", {"device": "main"} | arguments, READER)
        return results.failureResultOf(asked, error).value.detail


def tens(count, start=NOON):
    return [interval(end=start + 10 * n, watts=n) for n in range(1, count + 1)]


def test_records_come_as_rows_under_their_columns():
    past = Past(interval(end=NOON + 10, watts=230.1), interval(end=NOON + 20, quality=Quality.PARTIAL))
    assert past.get(start=NOON, stop=NOON + 20, period=10) == [
        {
            "device": "main",
            "serial": "S-main",
            "period": 10,
            "columns": [
                {"name": "p", "unit": "W"},
                {"name": "ea_imp", "unit": "kWh"},
                {"name": "state", "unit": ""},
            ],
            "rows": [
                ["2026-11-18T12:00:10Z", "good", 230.1, 123.45, None],
                ["2026-11-18T12:00:20Z", "partial", 100.0, 123.45, None],
            ],
        }
    ]


def test_the_range_is_open_at_its_start_and_names_choose_columns():
    past = Past(*tens(4))
    (part,) = past.get(start="2026-11-18T12:00:10Z", stop="2026-11-18T13:00:30+01:00", period=10, names=["p"])
    assert [name for name in part["columns"]] == [{"name": "p", "unit": "W"}]
    assert [row[0][-3:] + str(row[2:]) for row in part["rows"]] == ["20Z[2.0]", "30Z[3.0]"]


def test_a_mean_has_its_extremes_where_they_are_wanted():
    tally = Tally(2, 30, 10, 20, 20)
    past = Past(Draft("main", "S-main", NOON + 10, 10, COLUMNS[:2], (tally, Tally(1, 7, 7, 7, 7))))
    (part,) = past.get(start=NOON, period=10, extremes=True)
    assert [column["name"] for column in part["columns"]] == ["p", "p.min", "p.max", "ea_imp"]
    assert part["rows"][0][2:] == [1.5, 1.0, 2.0, 0.07]


def test_without_a_period_it_is_that_of_history_and_without_an_end_it_is_now():
    past = Past(interval(end=NOON + 90, period=300), interval(end=NOON + 200, period=300))
    (part,) = past.get(start=NOON)
    assert (part["period"], len(part["rows"])) == (300, 1)


def test_a_long_range_comes_in_parts_below_64_kib_and_is_never_in_memory_at_once():
    past = Past(*tens(5000))
    parts = past.get(start=NOON, stop=NOON + 60_000, period=10)
    assert len(parts) > 3
    assert all(len(json.dumps(part)) < 60 * 1024 for part in parts)
    assert [row[2] for part in parts for row in part["rows"]] == [float(n) for n in range(1, 5001)]
    assert past.largest <= AT_ONCE
    assert all(stop - start <= DAY_S for _, _, start, stop in past.asked)


def test_no_more_rows_come_than_wanted():
    past = Past(*tens(2000))
    parts = past.get(start=NOON, stop=NOON + 60_000, period=10, rows=1501)
    assert sum(len(part["rows"]) for part in parts) == 1501
    assert len(past.asked) == 4, "and no more was asked for"


def test_a_gap_of_years_costs_one_question():
    past = Past(interval(end=NOON - 10 * 365 * DAY_S), interval(end=NOON))
    (part,) = past.get(start=0, stop=NOON, period=10)
    assert len(part["rows"]) == 2
    assert len(past.asked) <= 4


def test_other_columns_begin_another_part():
    other = (Quantity("v1", "V", Kind.INSTANTANEOUS, "voltage", 1),)
    changed = Draft("main", "S-main", NOON + 20, 10, other, (Tally(1, 2301, 2301, 2301, 2301),))
    first, second = Past(interval(end=NOON + 10), changed).get(start=NOON, period=10)
    assert [column["name"] for column in first["columns"]] == ["p", "ea_imp", "state"]
    assert (second["columns"], second["rows"][0][2:]) == ([{"name": "v1", "unit": "V"}], [230.1])


def test_an_empty_range_is_answered_by_one_empty_part():
    (part,) = Past(*tens(2)).get(start=NOON - 3600, stop=NOON, period=10)
    assert part == {"device": "main", "serial": "S-main", "period": 10, "columns": [], "rows": []}


def test_a_device_is_found_by_its_serial_too():
    assert Past(*tens(1)).get(device="S-main", start=NOON, period=10)[0]["device"] == "main"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"device": "mian", "start": 0}, Unknown, "records of device mian (did you mean main?)"),
        ({"start": 0, "names": ["pp"]}, Unknown, "variable pp of device main (did you mean p?)"),
        ({"start": "yesterday"}, WrongArguments, 'start: found "yesterday", expected ISO 8601 with offset'),
        ({"start": "2026-11-18T12:00:00"}, WrongArguments, "expected ISO 8601 with offset"),
        ({"start": 1e300}, WrongArguments, "start: found 1e+300, expected ISO 8601"),
        ({"start": -5}, OutOfRange, "start: found -5, expected"),
        ({"start": NOON, "stop": NOON}, OutOfRange, "stop: found 1795003200, expected a moment after start"),
        ({"start": 0, "rows": 0}, OutOfRange, "rows: found 0"),
        ({"start": 0, "names": "p"}, WrongArguments, 'names: found "p", expected a list of texts'),
        ({"start": 0, "names": ["p"] * 101}, OutOfRange, "expected a list of texts of at most 100 items"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words_before_anything_is_read(arguments, error, words):
    past = Past(*tens(1))
    assert words in past.refused(error, **arguments)
    assert past.asked == []
