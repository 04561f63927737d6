"""concentrator.mbusgate.owed: whether anybody may still answer what a client asked last."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.mbusgate.owed import Owed

NKE, NKE_ALL = bytes.fromhex("10 40 01 41 16"), bytes.fromhex("10 40 FF 3F 16")
READ = bytes.fromhex("10 5B 01 5C 16")
RESET = bytes.fromhex("68 03 03 68 73 01 50 C4 16")
TELEGRAM = bytes.fromhex("68 03 03 68 08 01 72 7B 16")
E5 = b"\xe5"


def after(*said):
    """What was asked (as a string in front) and heard, one after the other."""
    owed = Owed()
    for who, data in said:
        (owed.asked if who == "asked" else owed.heard)(data)
    return owed.is_nothing


@pytest.mark.parametrize(
    ("said", "is_nothing"),
    [
        ([], True),
        ([("heard", TELEGRAM)], True),
        ([("asked", NKE)], False),
        ([("asked", NKE), ("heard", E5)], True),
        ([("asked", RESET), ("heard", E5)], True),
        ([("asked", READ), ("heard", TELEGRAM)], True),
        ([("asked", READ), ("heard", TELEGRAM[:-1])], False),
        ([("asked", READ), ("heard", TELEGRAM[:4]), ("heard", TELEGRAM[4:])], True),
        ([("asked", READ), ("heard", E5)], False),
        ([("asked", NKE + READ), ("heard", E5)], False),
        ([("asked", NKE), ("asked", READ), ("heard", E5)], False),
        ([("asked", NKE + READ), ("heard", E5), ("heard", TELEGRAM)], True),
        ([("asked", READ), ("heard", TELEGRAM), ("asked", READ)], False),
        ([("asked", READ), ("heard", READ)], False),
        ([("asked", RESET), ("heard", RESET)], False),
        ([("asked", READ), ("heard", READ + TELEGRAM)], True),
        ([("asked", NKE_ALL)], True),
        ([("asked", READ + NKE_ALL)], False),
        ([("asked", READ[:3])], False),
        ([("asked", b"of its maker"), ("heard", TELEGRAM)], False),
        ([("asked", READ), ("heard", b"\x00" + TELEGRAM)], False),
    ],
)
def test_nothing_is_owed_once_the_last_question_has_its_whole_answer(said, is_nothing):
    assert after(*said) is is_nothing


@given(st.lists(st.tuples(st.sampled_from(["asked", "heard"]), st.binary(max_size=20))))
def test_whatever_is_said_there_is_an_answer(said):
    assert after(*said) in (True, False)


def test_a_client_that_asks_on_and_on_fills_no_memory():
    owed = Owed()
    for _ in range(10_000):
        owed.asked(READ)
    for _ in range(10_000):
        owed.heard(TELEGRAM)
    assert len(repr(owed)) < 100_000
    owed.asked(READ)
    owed.heard(TELEGRAM)
    assert owed.is_nothing
