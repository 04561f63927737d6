"""The words of `match`: numbers, spans, the keys of a list, the beginnings of a text."""

import pytest

from concentrator.profile.match import beginnings, number_of, spans


@pytest.mark.parametrize(
    ("match", "found"),
    [
        ("103", [(103, 103)]),
        ("0x0500, 0x0600", [(0x500, 0x500), (0x600, 0x600)]),
        ("101..103 or 113", [(101, 103), (113, 113)]),
        ("0x10..0x1F", [(0x10, 0x1F)]),
        ("0=2400 1=4800", [(0, 0), (1, 1)]),
        ("8001 = solar inverter", [(8001, 8001)]),
        ("007", [(7, 7)]),
        ("B21 | 3.5 x7", []),
        ("", []),
    ],
)
def test_numbers_and_spans_are_found(match, found):
    assert spans(match) == found


def test_a_text_may_begin_in_several_ways():
    assert beginnings("B21 |B23 |") == ("B21", "B23")
    assert beginnings("Schneider Electric") == ("Schneider Electric",)
    assert beginnings(" | ") == ()


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("0X1f", 31), ("0042", 42), ("B2", None), ("", None), ("-1", None)]
)
def test_a_text_that_is_a_number_is_one(text, number):
    assert number_of(text) == number
