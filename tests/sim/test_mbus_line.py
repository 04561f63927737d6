"""The simulated M-Bus line: characters at their time, and what several voices at once sound like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.sim.mbus_line import SLOTS, MbusLine, heard
from concentrator.sim.mbus_meter import MbusMeter

E5 = b"\xe5"
ADDRESS = bytes.fromhex("78563412 2D2C 08 04")
CHARACTER_S = 11 / 2400
RESET, RESET_OTHER = bytes.fromhex("1040054516"), bytes.fromhex("1040064616")


def characters(*voices):
    return bytes(byte for _, byte in heard(voices))


@given(said=st.binary(max_size=20), began=st.integers(0, 100))
def test_one_voice_is_heard_as_it_speaks(said, began):
    found = heard([(began, said)])
    assert bytes(byte for _, byte in found) == said
    assert [slot for slot, _ in found] == [began + SLOTS * 11 * (place + 1) for place in range(len(said))]


def test_acknowledgements_that_begin_together_are_one():
    assert characters((4, E5), (4, E5), (4, E5)) == E5


def test_acknowledgements_a_bit_apart_are_noise():
    assert characters((0, E5), (SLOTS, E5)) not in (E5, E5 + E5)


def test_acknowledgements_one_after_the_other_are_two():
    assert characters((0, E5), (SLOTS * 20, E5)) == E5 + E5


def test_two_telegrams_at_once_are_neither():
    one, two = bytes(range(40)), bytes(range(3, 43))
    assert characters((0, one), (SLOTS * 3, two)) not in (one, two)
    assert characters((0, one), (0, two)) not in (one, two)


@pytest.fixture
def line():
    return MbusLine([MbusMeter(ADDRESS, 5, (b"\x01\xfd\x17\x00",), turnaround_s=0.05)])


def test_an_answer_comes_character_by_character_after_the_meters_turnaround(line):
    line.take(RESET, 100.0)
    asked_until = 100.0 + 5 * CHARACTER_S
    assert line.give(asked_until + 0.05) == b""
    assert line.wake_at() == pytest.approx(asked_until + 0.05 + CHARACTER_S, abs=1e-4)
    assert line.give(line.wake_at()) == E5
    assert line.wake_at() is None


def test_characters_of_a_frame_may_come_in_pieces_but_not_after_a_silence(line):
    line.take(RESET[:2], 100.0)
    line.take(RESET[2:], 100.0 + 2 * CHARACTER_S)
    assert line.requests == 1
    line.take(RESET[:2], 101.0)
    line.take(RESET[2:], 102.0)
    assert line.requests == 1


def test_who_is_not_meant_or_listens_at_another_speed_says_nothing(line):
    line.take(RESET_OTHER, 100.0)
    assert line.wake_at() is None
    line.meters[0].baudrate = 300
    line.take(RESET, 101.0)
    assert line.wake_at() is None
    assert line.requests == 2


def test_a_damaged_frame_is_no_request(line):
    line.take(RESET[:3] + b"\x00\x16", 100.0)
    assert line.requests == 0


def test_several_answers_are_counted_as_a_collision():
    line = MbusLine([MbusMeter(ADDRESS, 5, (b"",)), MbusMeter(ADDRESS, 5, (b"",))])
    line.take(RESET, 100.0)
    assert line.collisions == 1


def test_the_share_of_damaged_answers_is_as_wanted():
    line = MbusLine([MbusMeter(ADDRESS, 5, (b"",))], damage=0.3)
    damaged = 0
    for second in range(1000):
        line.take(RESET, float(second))
        damaged += line.give(second + 0.9) != E5
    assert 240 < damaged < 360
