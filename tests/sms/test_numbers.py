"""concentrator.sms.numbers: which numbers are one, and what people see of them."""

import pytest

from concentrator.sms.numbers import is_same, masked, veiled


@pytest.mark.parametrize(
    ("known", "found", "is_it"),
    [
        ("861366666666", "+861366666666", True),
        ("861366666666", "00861366666666", True),
        ("861366666666", "861366666666", True),
        ("861366666666", "1366666666", True),
        ("4366412345678", "066412345678", True),
        ("4366412345678", "+4366412345678", True),
        ("4366412345678", "+4966412345678", False),  # another country
        ("4366412345678", "0049412345678", False),
        ("4366412345678", "+66412345678", False),
        ("861366666666", "1366666667", False),
        ("861366666666", "366666666", True),  # nine digits
        ("861366666666", "66666666", False),  # fewer are no whole number
        ("861366666666", "12345861366666666", False),
        ("861366666666", '"861366666666"', False),  # a name
        ("861366666666", "", False),
        ("861366666666", "+", False),
        ("861366666666", "86 1366666666", False),
        ("861366666666", "٨٦١٣٦٦٦٦٦٦٦٦٦", False),
    ],
)
def test_a_number_is_known_by_its_country_or_its_last_nine_digits(known, found, is_it):
    assert is_same(known, found) is is_it


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("861366666123", "…123"),
        ("+861366666123", "…123"),
        ('"Operator"', "a name of 8 characters"),
        ("", "a name of 0 characters"),
    ],
)
def test_people_see_the_last_three_digits(number, shown):
    assert masked(number) == shown


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("text='a',number=+861366666123,validity=60", "text='a',number=…123,validity=60"),
        ("34600123456 and 34600999888", "…456 and …888"),
        ("1" * 30, "…111"),
        ("code 500 at 12:30", "code 500 at 12:30"),
    ],
)
def test_the_words_of_others_tell_no_whole_number(words, shown):
    assert veiled(words) == shown
