"""M-Bus frames: made as they must be, found in what arrives, refused with a reason where they are damaged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.errors import Garbled, Unexpected, WireError
from concentrator.wire.conversation import LineSettings, Need
from concentrator.wire.mbus_frame import (
    ACKNOWLEDGE,
    REQ_UD2,
    Frame,
    Toggle,
    acknowledged,
    acknowledged_cleanly,
    answer_s,
    answered_by,
    parsed,
)

ANSWER = Frame(0x08, 5, 0x72, bytes(range(12)))
OTHER = Frame(0x08, 6, 0x72, bytes(range(12)))


@pytest.mark.parametrize(
    ("frame", "written"),
    [
        (Frame(0x40, 1), "10 40 01 41 16"),
        (Frame(0x5B, 1), "10 5B 01 5C 16"),
        (Frame(0x7B, 0xFD), "10 7B FD 78 16"),
        (Frame(0x40, 0xFF), "10 40 FF 3F 16"),
        (Frame(0x73, 0xFD, 0x52, b"\xff" * 8), "68 0B 0B 68 73 FD 52 FF FF FF FF FF FF FF FF BA 16"),
        (Frame(0x73, 1, 0x50), "68 03 03 68 73 01 50 C4 16"),
        (Frame(0x73, 1, 0xBB), "68 03 03 68 73 01 BB 2F 16"),
        (Frame(0x73, 1, 0x51, bytes.fromhex("017A05")), "68 06 06 68 73 01 51 01 7A 05 45 16"),
    ],
)
def test_a_frame_travels_as_the_standard_has_it(frame, written):
    assert bytes(frame) == bytes.fromhex(written)
    assert parsed(bytes.fromhex(written)) == frame


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("68 0B 0C 68 73", "lengths 11 and 12 differ"),
        ("68 03 03 69 73 01 50 C4 16", "second start 69, expected 68"),
        ("68 02 02 68 73 01 50 C4 16", "length 2, expected 3 or more"),
        ("68 03 03 68 73 01 50 C5 16", "checksum C5, expected C4"),
        ("68 03 03 68 73 01 50 C4 17", "stop 17, expected 16"),
        ("68 03 03 68 73 01 50 C4 16 00", "1 bytes behind the frame"),
        ("68 03 03 68 73 01", "6 bytes, expected 9"),
        ("E5", "start E5, expected 68 or 10"),
        ("", "0 bytes, expected 5"),
    ],
)
def test_a_damaged_frame_is_refused_with_the_reason(written, reason):
    with pytest.raises(Garbled) as caught:
        parsed(bytes.fromhex(written))
    assert caught.value.detail == reason


def test_a_reply_is_found_behind_noise_and_behind_our_own_request():
    expect = answered_by(5)
    for before in (b"\x00", b"\xe5", b"\x68\x10\x68", bytes(Frame(REQ_UD2, 5)), b"\x68\xff\xff"):
        assert expect(before + bytes(ANSWER), True) == ANSWER


def test_a_reply_is_waited_for_to_its_last_byte():
    expect, whole = answered_by(5), bytes(ANSWER)
    for length in range(4, len(whole)):
        assert expect(whole[:length], False) == Need(len(whole))
    assert expect(whole, False) == ANSWER


def test_a_damaged_reply_is_heard_to_its_end_and_then_damaged():
    whole = bytearray(bytes(ANSWER))
    whole[9] ^= 4
    assert isinstance(answered_by(5)(bytes(whole), False), Need)
    with pytest.raises(Garbled, match="checksum"):
        answered_by(5)(bytes(whole), True)


def test_the_answer_of_another_primary_address_is_unexpected():
    with pytest.raises(Unexpected, match="address 6 answered, expected 5"):
        answered_by(5)(bytes(OTHER), False)
    assert answered_by(0xFD)(bytes(OTHER), False) == OTHER


def test_where_one_must_answer_alone_everything_else_is_damage():
    for heard in (b"\xe5" + bytes(ANSWER), bytes(ANSWER) + b"\xe5", bytes(ANSWER)[1:]):
        with pytest.raises(Garbled):
            answered_by(0xFD, is_clean=True)(heard, True)
    assert answered_by(0xFD, is_clean=True)(bytes(ANSWER), False) == ANSWER


def test_an_acknowledgement_is_one_character():
    assert acknowledged(b"\x00\xe5", False) == acknowledged_cleanly(b"\xe5", False) == ACKNOWLEDGE
    assert acknowledged(b"\x00", False) == Need(2)
    for heard in (b"\xe5\xe5", b"\xe4", b"\x00\xe5"):
        assert acknowledged_cleanly(heard, False) == Need(len(heard) + 1)
        with pytest.raises(Garbled, match="several answer at once"):
            acknowledged_cleanly(heard, True)


def test_the_frame_count_bit_begins_set_turns_with_every_answer_and_stays_for_a_repetition():
    toggle = Toggle()
    asked = []
    for is_answered in (True, False, True, True):
        asked.append(toggle.control(REQ_UD2))
        if is_answered:
            toggle.answered()
    assert asked == [0x7B, 0x5B, 0x5B, 0x7B]


@pytest.mark.parametrize(("baudrate", "wait_s"), [(300, 1.15), (2400, 0.1875), (9600, 0.084375)])
def test_an_answer_is_waited_for_as_long_as_the_standard_allows(baudrate, wait_s):
    assert answer_s(LineSettings(baudrate, 11)) == pytest.approx(wait_s)


EXPECTS = {
    "acknowledged": acknowledged,
    "acknowledged_cleanly": acknowledged_cleanly,
    "of one": answered_by(5),
    "of whoever is selected": answered_by(0xFD, is_clean=True),
}
PIECES = st.sampled_from(
    [b"\xe5", b"\x68", b"\x10", bytes(ANSWER), bytes(OTHER), bytes(ANSWER)[:9], b"\x68\x0f\x0f\x68"]
)


@pytest.mark.parametrize("name", EXPECTS)
@given(heard=st.lists(PIECES | st.binary(max_size=6), max_size=5).map(b"".join))
def test_any_bytes_give_need_a_reply_or_a_wire_error(name, heard):
    expect = EXPECTS[name]
    for length in range(len(heard) + 1):
        for ended in (False, True):
            try:
                reply = expect(heard[:length], ended)
            except WireError:
                continue
            if isinstance(reply, Need):
                assert not ended
                assert reply.length > length
            else:
                assert reply == ACKNOWLEDGE or isinstance(reply, Frame)
