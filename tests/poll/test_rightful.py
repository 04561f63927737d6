"""concentrator.poll.rightful: when a conflict begins and when it is over."""

import pytest

from concentrator.model.trouble import Trouble, facts_of, kind_of
from concentrator.poll.rightful import DAMAGED, GOOD, Rightful

FOREIGN = "serial 0420029999 answers where 0420020081 is expected"


@pytest.mark.parametrize(
    ("story", "in_conflict"),
    [
        ("", False),
        ("ooo", False),
        ("x", True),
        ("xo", True),
        ("xoo", True),
        ("xooo", False),
        ("xooxoo", True),
        ("xoo-o", True),
        ("xoo-ooo", False),
        ("xooox", True),
        ("#" * (DAMAGED - 1), False),
        ("#" * DAMAGED, True),
        ("###-###", False),
        ("###a###", False),
        ("###o###", False),
        ("#" * DAMAGED + "ooo", False),
        ("-" * 50, False),
    ],
)
def test_a_foreign_serial_or_many_damaged_answers_are_a_conflict(story, in_conflict):
    """o: the expected one said who it is, x: another one did, a: some answer, #: a damaged one, -: none."""
    assert GOOD == 3
    rightful = Rightful("main", 7)
    for letter in story:
        if letter in "ox":
            rightful.identified(FOREIGN if letter == "x" else "")
        elif letter == "a":
            rightful.answered()
        else:
            rightful.failed(is_damaged=letter == "#")
    assert bool(rightful.conflict) is in_conflict


def test_people_are_told_who_answers_and_what_to_do():
    rightful = Rightful("main", 7)
    rightful.identified(FOREIGN)
    assert FOREIGN in rightful.conflict
    assert "two devices have Modbus ID 7" in rightful.conflict
    assert "the meter was replaced: in that case put the new serial number" in rightful.conflict
    rightful.identified(Trouble(FOREIGN, "foreign", found="0420029999", expected="0420020081"))
    assert kind_of(rightful.conflict) == "foreign"
    assert facts_of(rightful.conflict) == {"found": "0420029999", "expected": "0420020081"}


def test_people_are_told_what_damaged_answers_may_mean():
    rightful = Rightful("main", 7)
    for _ in range(DAMAGED):
        rightful.failed(is_damaged=True)
    assert "two devices have this ID" in rightful.conflict and kind_of(rightful.conflict) == "twice"
