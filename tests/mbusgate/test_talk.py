"""What a client is in the middle of."""

import pytest

from concentrator.mbusgate.talk import Talk
from tests.support.head_end import selection, short

SELECT = selection(bytes.fromhex("78563412FFFFFFFF"))
READ_SELECTED, NKE_SELECTED = short(0x5B, 0xFD), short(0x40, 0xFD)


def telegram(is_more, records=b"\x03\x13\x15\x31\x00"):
    body = b"\x08\x01\x72" + bytes.fromhex("785634122440010755000000") + records + (b"\x1f" if is_more else b"")
    return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


def after(*said):
    """Whether it is in the middle of something: what the client and a meter said in turn."""
    talk = Talk()
    for number, data in enumerate(said):
        (talk.heard if number % 2 else talk.asked)(data)
    return talk.is_in_the_middle


@pytest.mark.parametrize(
    ("said", "is_in_the_middle"),
    [
        ([], False),
        ([short(0x5B, 1)], False),
        ([SELECT], True),
        ([SELECT, b"\xe5"], True),
        ([SELECT, b"\xe5", READ_SELECTED], True),
        ([SELECT, b"\xe5", READ_SELECTED, telegram(False)], False),
        ([SELECT, b"\xe5", READ_SELECTED, telegram(True)], True),
        ([SELECT, b"\xe5", READ_SELECTED, telegram(True), short(0x7B, 0xFD), telegram(False)], False),
        ([SELECT, b"\xe5", short(0x5B, 5), telegram(False)], True),
        ([SELECT, b"\xe5", NKE_SELECTED], False),
        ([short(0x5B, 1), telegram(True)], True),
        ([short(0x5B, 1), telegram(True), short(0x40, 1)], False),
        ([short(0x5B, 1), telegram(True), SELECT], True),
        ([b"no frame at all", telegram(False)], False),
        ([short(0x5B, 1), telegram(True)[:-2] + b"\x00\x16"], False),
    ],
)
def test_it_is_in_the_middle_from_a_selection_to_its_answer_and_between_two_telegrams(said, is_in_the_middle):
    assert after(*said) is is_in_the_middle


def test_it_does_not_matter_how_the_bytes_come():
    talk = Talk()
    for byte in SELECT:
        talk.asked(bytes((byte,)))
    assert talk.is_in_the_middle
    for byte in READ_SELECTED:
        talk.asked(bytes((byte,)))
    for byte in telegram(False):
        talk.heard(bytes((byte,)))
    assert not talk.is_in_the_middle


def test_half_an_answer_does_not_swallow_the_next_one():
    talk = Talk()
    talk.asked(SELECT)
    talk.heard(telegram(False)[:9])
    talk.asked(READ_SELECTED)
    talk.heard(telegram(False))
    assert not talk.is_in_the_middle
