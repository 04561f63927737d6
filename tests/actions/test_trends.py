"""concentrator.actions.trends: any range in a few hundred steps."""

import pytest

from concentrator.actions.trends import AT_ONCE
from concentrator.model.errors import OutOfRange, Unknown, WrongArguments
from concentrator.model.reading import Quality
from concentrator.portal.house import LOOKING
from tests.support.journals import result
from tests.support.past_box import PERIOD_S, PastBox
from tests.support.web import NOW

DAY = 86_400
END = int(NOW) // PERIOD_S * PERIOD_S


@pytest.fixture
def box():
    return PastBox()


def trend(box, **arguments):
    asked = {"device": "main", "names": ["p"], "start": END - DAY, "stop": END} | arguments
    return result(box.table.call("history.trend", asked, LOOKING))


def test_a_day_comes_as_it_was_stored(box):
    box.fill("main", END - DAY, END, lambda end: (end - END + DAY) / 300)
    found = trend(box)
    (column,) = found["columns"]
    assert (found["device"], found["serial"], found["period"], found["step"]) == ("main", "S-main", 300, 300)
    assert found["ends"] == list(range(END - DAY + 300, END + 1, 300))
    assert (column["name"], column["unit"], column["value"]) == ("p", "W", [float(n) for n in range(1, 289)])
    assert (column["least"][9], column["most"][9]) == (9.0, 11.0)
    assert found["gaps"] == []


def test_a_month_comes_in_means_and_is_asked_for_in_small_parts(box):
    box.fill("main", END - 31 * DAY, END, lambda end: 100.0)
    asked, query = [], box.journal.query
    box.journal.query = lambda ask: asked.append(ask) or query(ask)
    found = trend(box, start=END - 31 * DAY)
    assert found["step"] == 7200
    assert set(found["columns"][0]["value"]) == {100.0}
    assert len(found["columns"][0]["value"]) == len(found["ends"]) <= 400
    assert len(asked) >= 31 * DAY / PERIOD_S / AT_ONCE
    assert found["gaps"] == []


def test_a_gap_is_empty_and_has_its_reason_whatever_the_step(box):
    gap = (END - DAY, END - DAY // 2, Quality.SILENT)
    box.fill("main", END - 31 * DAY, END, lambda end: 5.0, [gap])
    found = trend(box, start=END - 31 * DAY, names=["p", "ea_imp"])
    (told,) = found["gaps"]
    assert told == {"start": "2026-11-20T09:40:00Z", "stop": "2026-11-20T21:40:00Z", "reason": "silent"}
    inside = [i for i, end in enumerate(found["ends"]) if END - DAY + 7200 < end <= END - DAY // 2]
    assert {column["value"][i] for column in found["columns"] for i in inside} == {None}
    assert found["columns"][1]["least"] == ()


def test_a_variable_that_came_later_is_empty_before(box):
    box.fill("main", END - 3600, END, lambda end: 5.0)
    found = trend(box, start=END - 40 * DAY, step=21_600)
    (column,) = found["columns"]
    assert len(column["value"]) == len(column["least"]) == len(found["ends"])
    assert [value for value in column["value"] if value is not None] == [5.0]


def test_a_device_by_its_serial_and_one_that_is_not_there(box):
    box.fill("main", END - 3600, END, lambda end: 1.0)
    assert trend(box, device="S-main")["device"] == "main"
    with pytest.raises(Unknown, match=r"mian.*main"):
        trend(box, device="mian")
    with pytest.raises(Unknown, match="variable pp"):
        trend(box, names=["pp"])


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"step": 450}, OutOfRange, "multiple of 300"),
        ({"start": 0, "step": 300}, OutOfRange, "at most 2000 steps"),
        ({"start": END}, OutOfRange, "after start"),
        ({"start": "9999-12-31T22:00:00Z", "stop": 253_402_300_799}, OutOfRange, "after start"),
        ({"stop": "9999-12-31T23:59:59Z", "step": 86_400}, OutOfRange, "at most 2000 steps"),
        ({"start": "yesterday"}, WrongArguments, "ISO 8601"),
    ],
)
def test_what_cannot_be_is_refused_in_words(box, given, error, said):
    box.fill("main", END - 3600, END, lambda end: 1.0)
    with pytest.raises(error, match=said):
        trend(box, **given)


def test_records_are_counted_before_they_are_taken_away(box):
    box.fill("main", END - 3600, END, lambda end: 1.0)
    box.fill("workshop", END - 7200, END, lambda end: 1.0)
    asked = {"devices": ["main", "workshop"], "start": END - DAY}
    assert result(box.table.call("history.count", asked, LOOKING)) == {"period": 300, "rows": 36, "kept": True}
