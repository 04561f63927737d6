"""concentrator.actions.events: what happened, newest first."""

import re
from pathlib import Path

import pytest

from concentrator.actions import events
from concentrator.actions.events import severity_of
from concentrator.model.errors import OutOfRange, WrongArguments
from tests.support.past_box import PastBox
from tests.support.web import NOW

ROOT = Path(__file__).parents[2]


@pytest.fixture
def box():
    box = PastBox()
    box.happen("device.lost", NOW - 500, "main", text="gone")
    box.happen("line.lost", NOW - 400, line="native")
    box.happen("counter.reset", NOW - 300, "workshop", counters={})
    box.happen("config.changed", NOW - 200, sections=["mqtt"])
    box.happen("device.found", NOW - 100, "main")
    return box


def names(listed):
    return [each["event"] for each in listed["events"]]


def test_events_come_newest_first_with_how_much_they_matter(box):
    listed = box.listed()
    assert [(each["event"], each["severity"]) for each in listed["events"]] == [
        ("device.found", "note"),
        ("config.changed", "note"),
        ("counter.reset", "warning"),
        ("line.lost", "trouble"),
        ("device.lost", "trouble"),
    ]
    assert listed["events"][-1]["facts"] == {"device": "main", "text": "gone"}
    assert listed["events"][-1]["ts"] == "2026-11-21T09:32:47Z"
    assert listed["before"] is None


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"device": "main"}, ["device.found", "device.lost"]),
        ({"line": "native"}, ["line.lost"]),
        ({"severity": "trouble"}, ["line.lost", "device.lost"]),
        ({"name": "device"}, ["device.found", "device.lost"]),
        ({"name": "device.lost"}, ["device.lost"]),
        ({"name": "dev"}, []),
        ({"since": NOW - 250}, ["device.found", "config.changed"]),
        ({"until": NOW - 350}, ["line.lost", "device.lost"]),
        ({"device": "main", "severity": "note"}, ["device.found"]),
    ],
)
def test_filters_leave_what_fits(box, given, found):
    assert names(box.listed(**given)) == found


def test_pages_follow_each_other(box):
    first = box.listed(limit=2)
    second = box.listed(limit=2, before=first["before"])
    third = box.listed(limit=2, before=second["before"])
    assert names(first) + names(second) + names(third) == names(box.listed())


def test_what_cannot_be_is_refused(box):
    with pytest.raises(OutOfRange):
        box.listed(severity="awful")
    for before in ("x", "1.x", "1", "-1.2", "1" * 50 + ".1"):
        with pytest.raises(WrongArguments, match="before: found"):
            box.listed(before=before)


def test_a_place_beyond_all_is_the_newest(box):
    assert names(box.listed(before=f"{'9' * 30}.1")) == names(box.listed())


def test_every_event_that_is_told_apart_is_one_that_happens():
    text = "".join(path.read_text() for path in (ROOT / "concentrator").rglob("*.py") if path.name != "events.py")
    for name in events._TROUBLES | events._WARNINGS:
        group, _, _ = name.partition(".")
        assert f'"{name}"' in text or re.search(rf'f"{group}\.\{{', text), name


def test_an_event_nobody_knows_is_a_note():
    assert severity_of("something.new") == "note"
