"""concentrator.wire.sms_text: a text becomes messages, and messages become a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.errors import Garbled
from concentrator.wire.sms_text import GSM7, OCTETS, UCS2, Portion, UserText, parts, read

REFERENCE = 7


def back(messages):
    return "".join(read(each)[0] for each in messages)


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("a" * 160, [160]),
        ("a" * 161, [160, 15]),  # 153 and 8 characters, and 7 septets of header each
        ("a" * 306, [160, 160]),
        ("a" * 307, [160, 160, 8]),
        ("ж" * 70, [140]),
        ("ж" * 71, [140, 14]),  # 67 and 4 characters, and 6 octets of header each
        ("€" * 80, [160]),
        ("", [0]),
    ],
)
def test_a_text_takes_as_many_messages_as_the_standard_says(text, lengths):
    messages = parts(text, REFERENCE)
    assert [each.length for each in messages] == lengths
    assert all(len(each.octets) <= 140 for each in messages)
    assert back(messages) == text


def test_parts_say_which_they_are():
    assert [read(each)[1] for each in parts("a" * 400, REFERENCE)] == [Portion(7, n, 3) for n in (1, 2, 3)]
    assert read(parts("short", REFERENCE)[0])[1] is None


@pytest.mark.parametrize(
    ("text", "first"),
    [("a" * 152 + "€" + "b" * 20, "a" * 152), ("ж" * 66 + "😀" + "ж" * 10, "ж" * 66)],
)
def test_nothing_is_cut_in_its_middle(text, first):
    messages = parts(text, REFERENCE)
    assert read(messages[0])[0] == first
    assert back(messages) == text


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=600))
def test_any_text_comes_back(text):
    assert back(parts(text, REFERENCE)) == text


def test_a_text_of_more_than_255_parts_is_refused():
    with pytest.raises(ValueError, match="256 parts"):
        parts("a" * (153 * 255 + 1), REFERENCE)


def test_a_reference_of_two_octets_is_understood():
    header = bytes.fromhex("06080401020302")
    data = UserText(UCS2, True, 7 + 2, header + "A".encode("utf-16-be"))
    assert read(data) == ("A", Portion(0x0102, 2, 3))


def test_other_elements_of_a_header_are_passed_over():
    header = bytes.fromhex("0B0504158A00000003010201")  # ports, then part 1 of 2
    data = UserText(OCTETS, True, len(header) + 2, header + b"hi")
    assert read(data) == ("hi", Portion(1, 1, 2))


@pytest.mark.parametrize("header", ["050003010203", "050003010200", "0400030102"])
def test_a_part_that_cannot_be_is_a_message_of_its_own(header):
    head = bytes.fromhex(header)
    assert read(UserText(OCTETS, True, len(head) + 1, head + b"x"))[1] is None


@pytest.mark.parametrize(
    ("coding", "text"),
    [
        (0x00, "@@"),
        (0x04, "\0\0"),
        (0x08, "\0"),
        (0x11, "@@"),
        (0xC0, "@@"),
        (0xE0, "\0"),
        (0xF1, "@@"),
        (0xF5, "\0\0"),
    ],
)
def test_coding_schemes_name_their_alphabet(coding, text):
    assert read(UserText(coding, False, 2, b"\0\0")) == (text, None)


@pytest.mark.parametrize(("coding", "octets"), [(0x20, b""), (GSM7, b"\x09\0")])
def test_what_cannot_be_read_says_so(coding, octets):
    with pytest.raises(Garbled):
        read(UserText(coding, True, len(octets), octets))


@given(st.integers(0, 255), st.booleans(), st.integers(0, 255), st.binary(max_size=160))
def test_any_user_data_is_a_text_or_garbled(coding, has_header, length, octets):
    try:
        text, _ = read(UserText(coding, has_header, length, octets))
    except Garbled:
        return
    assert isinstance(text, str)
