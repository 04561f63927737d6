"""Who may talk to some meters only."""

import pytest

from concentrator.mbusgate.sieve import Sieve
from tests.support.head_end import SELECTED, selection, short

SELECT = selection(bytes(8))


@pytest.mark.parametrize("frame", [short(0x5B, 1), short(0x40, 2)])
def test_frames_to_these_meters_pass(frame):
    sieve = Sieve({1, 2})
    assert sieve.passed(frame) == frame
    assert sieve.take_filtered() == 0


@pytest.mark.parametrize(
    "data",
    [short(0x5B, 3), SELECT, b"\xe5", b"noise", short(0x5B, 1)[:-1] + b"\x00", short(0x5B, 0xFF)],
    ids=["another meter", "a selection", "an acknowledgement", "no frame", "a damaged frame", "all of them"],
)
def test_nothing_else_passes(data):
    sieve = Sieve({1, 2})
    assert sieve.passed(data) == b""
    assert sieve.take_filtered() >= 1


def test_who_may_select_may_select():
    assert Sieve({SELECTED}).passed(SELECT + short(0x5B, SELECTED)) == SELECT + short(0x5B, SELECTED)


def test_a_frame_in_a_frame_that_is_none_is_not_a_way_in():
    hidden = b"\x68\x05\x05\x68" + short(0x5B, 3) + b"\x00\x16"
    assert Sieve({1}).passed(hidden + short(0x5B, 1)) == short(0x5B, 1)


def test_the_beginning_of_a_frame_waits_for_its_end_or_is_given_up():
    sieve = Sieve({1})
    assert sieve.passed(short(0x5B, 1)[:3]) == b""
    assert sieve.passed(short(0x5B, 1)[3:]) == short(0x5B, 1)
    sieve.passed(short(0x5B, 1)[:3])
    sieve.give_up()
    assert sieve.passed(short(0x5B, 1)) == short(0x5B, 1)
    assert (sieve.take_filtered(), sieve.take_filtered()) == (1, 0)
