"""Secondary addresses: eight bytes, their text, and masks."""

import pytest

from concentrator.wire.mbus_address import ANYBODY, MEDIUM, parse_address


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("12345678-PAD-01-07", "7856341224400107"),
        ("06855817-KAM-08-04", "175885062D2C0804"),
        ("050002E5-0000-12-02", "E502000500001202"),
        ("1234FFFF-*-*-04", "FFFF3412FFFFFF04"),
    ],
)
def test_an_address_is_written_as_people_read_it(text, raw):
    address = parse_address(text)
    assert address.raw == bytes.fromhex(raw)
    assert str(address) == text


def test_an_identification_alone_stands_for_all_that_have_it():
    mask = parse_address("12345678")
    assert not mask.is_whole
    assert mask.matches(parse_address("12345678-PAD-01-07"))
    assert not mask.matches(parse_address("12345679-PAD-01-07"))
    assert parse_address("12345678-pad-01-07").is_whole


def test_what_an_address_does_not_tell_may_be_any():
    fixed = parse_address("12345678-*-*-07")
    assert parse_address("12345678-KAM-08-07").matches(fixed)
    assert not parse_address("12345678-KAM-08-04").matches(fixed)
    assert fixed.as_serial == "12345678-any-any-07"


def test_a_mask_is_narrowed_digit_by_digit_and_byte_by_byte():
    mask = ANYBODY.with_digit(0, 0).with_digit(7, 9).with_byte(MEDIUM, 4)
    assert str(mask) == "0FFFFFF9-*-*-04"
    assert mask.raw == bytes.fromhex("F9FFFF0FFFFFFF04")
    assert mask.matches(parse_address("01234569-KAM-08-04"))
    assert not mask.matches(parse_address("11234569-KAM-08-04"))


@pytest.mark.parametrize(
    "text", ["", "1234567", "12345678-KAM", "12345678-KAM-8-04", "1234567G", "12345678-KAM-08-04 "]
)
def test_what_is_none_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="12345678-KAM-08-04"):
        parse_address(text)
