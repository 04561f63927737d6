import re

import pytest
from attrs import asdict, evolve

from concentrator.poll.link_news import Linked, LinkStatus
from concentrator.portal.link_cells import link_cells
from concentrator.portal.words import say_in
from tests.support.web import device

METER = "0420020117"
ON = LinkStatus("native", True, "looking", seconds_left=582.4, taken=3, limit=32)
OFF = LinkStatus("native", False, "off", taken=3, limit=32)


def spaced(text):
    return re.sub("[\u00a0\u202f]", " ", text)


def spaced_row(row):
    return {part: spaced(text) for part, text in row.items()}


def told(status, *devices, language="en"):
    cells = link_cells(asdict(status), devices, say_in(language), language)
    return {
        name.removeprefix(":link."): spaced(cell["text"])
        if "text" in cell
        else [spaced_row(row) for row in cell["rows"]]
        for name, cell in cells.items()
    }


def test_it_says_what_to_press_and_when_it_ends_by_itself():
    found = told(ON)
    assert found["lead"].startswith("Press the black button on one meter until its blue LED blinks")
    assert found["ends"] == "Reading is paused. Link mode ends by itself in 9:42 without a new meter."
    assert found["state"] == "on" and told(OFF)["state"] == "off"
    assert "termina solo en 9:42" in told(ON, language="es")["ends"]


@pytest.mark.parametrize(
    ("state", "lead"),
    [("starting", "Reading is being stopped."), ("leaving", "Link mode is being left; reading begins again.")],
)
def test_on_its_way_in_and_out_it_says_so(state, lead):
    found = told(evolve(ON, state=state))
    assert (found["lead"], found["ends"]) == (lead, "")


def test_each_meter_is_a_row_new_or_known():
    status = evolve(ON, found=(Linked(METER, 3), Linked("0420020118", 5, True)))
    new, known = told(status, device("ccm-1", serial=METER))["rows"]
    assert new["text"] == f"{METER} — new, got ID 3" and new["mark"] == "check"
    assert (new["href"], new["label"]) == ("/devices/ccm-1/config", "Name it")
    assert known["text"] == "0420020118 — known, keeps ID 5 and its history" and known["href"] == ""
    assert told(status)["count"] == "Linked now: 2"


@pytest.mark.parametrize(
    ("unit", "text"),
    [(3, f"{METER}: giving it ID 3, checking that it answers…"), (0, f"{METER}: choosing its ID…")],
)
def test_the_meter_that_is_being_linked_is_the_last_row_and_not_said_aloud(unit, text):
    found = told(evolve(ON, in_hand=Linked(METER, unit)))
    assert [row["text"] for row in found["rows"]] == [text]
    assert found["aloud"] == ""


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (
            evolve(ON, code="collision"),
            "Two meters answered at once. No ID was given to either. Press one button at a time.",
        ),
        (
            evolve(ON, code="failed", serial=METER, unit=3),
            f"{METER} did not confirm ID 3 after 3 tries. Press its button again.",
        ),
        (
            evolve(ON, code="full", serial=METER),
            "32 meters are linked; this one was refused. Delete one that is gone, then try again.",
        ),
        (evolve(ON, code="at_one", serial=METER, unit=1), "A meter at ID 1 is not linked yet. Press its button."),
        (evolve(ON, code="trouble", text="The disk is full."), "It did not work: The disk is full."),
        (evolve(OFF, code="alone"), "Ended: no new meter for 10 minutes."),
        (
            evolve(OFF, code="interrupted", found=(Linked("a", 2), Linked("b", 4)), released=(Linked("c", 3),)),
            "Linking was interrupted. 2 finished. ID 3 was released.",
        ),
        (
            evolve(OFF, code="interrupted", undecided=(Linked("c", 3),)),
            "Linking was interrupted. 0 finished. ID 3 is being asked who has it.",
        ),
    ],
)
def test_what_went_wrong_has_the_words_of_the_design_and_is_said_aloud(status, word):
    found = told(status)
    assert (found["word"], found["aloud"]) == (word, word)


def test_a_linked_meter_is_said_aloud():
    assert told(evolve(ON, found=(Linked(METER, 3),)))["aloud"] == f"{METER} — new, got ID 3"


def test_afterwards_it_counts_the_first_values_and_shows_them():
    status = evolve(OFF, found=(Linked(METER, 3), Linked("0420020118", 5, True)))
    read, unread = device("a", serial=METER), device("b", serial="0420020118", quality="suspended")
    found = told(status, read, unread)
    assert found["after"] == "Reading again. First values: 1 of 2."
    assert [row["text"].endswith(": −1.24 kW") for row in found["rows"]] == [True, False]


def test_before_anything_there_is_nothing_to_say():
    assert {name for name, said in told(OFF).items() if said} == {"state"}
