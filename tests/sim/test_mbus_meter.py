"""The simulated M-Bus meter, by the frames of the standard."""

import pytest

from concentrator.sim.mbus_meter import ACKNOWLEDGE, MbusMeter, bcd, is_intact, length_of, some_meters

ADDRESS = bytes.fromhex("78563412 2D2C 08 04")
FIRST, SECOND = b"\x01\xfd\x17\x01\x1f", b"\x01\xfd\x17\x02\x0f"
RESET, ASK, ASK_AGAIN = "1040054516", "107b058016", "105b056016"
SELECT_ALL = "680b0b6873fd52ffffffffffffffffba16"
ASK_SELECTED, DESELECT = "107bfd7816", "1040fd3d16"


@pytest.fixture
def meter():
    return MbusMeter(ADDRESS, 5, (FIRST, SECOND))


def says(meter, *frames):
    replies = [meter.reply(bytes.fromhex(frame)) for frame in frames]
    assert all(reply is None or reply == ACKNOWLEDGE or is_intact(reply) for reply in replies)
    return replies


def records(reply):
    return reply[19:-2]


def test_it_acknowledges_a_reset_of_its_own_only(meter):
    assert says(meter, RESET, "1040064616", "1040ff3f16", "1040fe3e16") == [ACKNOWLEDGE, None, None, ACKNOWLEDGE]


def test_it_says_its_telegrams_in_turn_as_the_bit_turns_and_repeats_itself_otherwise(meter):
    _, one, again, two, anew = says(meter, RESET, ASK, ASK, ASK_AGAIN, ASK)
    assert [records(each) for each in (one, two, anew)] == [FIRST, SECOND, FIRST]
    assert one == again
    assert one[15] != two[15]  # the access number


def test_a_reset_begins_with_the_first_telegram(meter):
    *_, one = says(meter, RESET, ASK, ASK_AGAIN, RESET, ASK)
    assert records(one) == FIRST


def test_an_ignorant_one_always_says_the_same(meter):
    meter.is_ignorant = True
    _, one, two = says(meter, RESET, ASK, ASK_AGAIN)
    assert records(one) == records(two) == FIRST


def test_it_is_selected_by_a_mask_and_until_another_is(meter):
    other = "680b0b6873fd52ffffff0fffffffffca16"
    assert says(meter, ASK_SELECTED, SELECT_ALL) == [None, ACKNOWLEDGE]
    assert records(says(meter, ASK_SELECTED)[0]) == FIRST
    assert says(meter, other, ASK_SELECTED) == [None, None]
    assert says(meter, SELECT_ALL, DESELECT, ASK_SELECTED) == [ACKNOWLEDGE, ACKNOWLEDGE, None]


def test_it_does_what_it_is_told(meter):
    assert says(meter, "680606687305510 17a094d16".replace(" ", "")) == [ACKNOWLEDGE]
    assert meter.primary == 9
    assert says(meter, "680303687309bd3916") == [ACKNOWLEDGE]
    assert meter.baudrate == 9600
    assert says(meter, "68030368730950cc16", "6803036808097283 16".replace(" ", "")) == [ACKNOWLEDGE, None]


@pytest.mark.parametrize(("frame", "length"), [("10", 5), ("68", 0), ("6803", 9), ("68ff", 261)])
def test_how_long_a_frame_will_be(frame, length):
    assert length_of(bytes.fromhex(frame)) == length


@pytest.mark.parametrize("frame", ["", "e5", "1040054517", "1040054616", "680304687309bd3916", "680303687309bd3a16"])
def test_what_is_no_frame(frame):
    assert not is_intact(bytes.fromhex(frame))


def test_meters_drawn_by_chance_differ_and_some_collide_in_all_digits_but_the_last():
    meters = some_meters(250, "seed", 20)
    addresses = {meter.address for meter in meters}
    assert len(addresses) == 250
    tens = [meter.address[3:0:-1] + bytes((meter.address[0] >> 4,)) for meter in meters]
    assert len(tens) - len(set(tens)) >= 20
    assert addresses == {meter.address for meter in some_meters(250, "seed", 20)}
    assert sum(len(meter.telegrams) > 1 for meter in meters) > 30


def test_bcd_has_the_low_digits_first():
    assert bcd(12_345_678, 4).hex() == "78563412"
