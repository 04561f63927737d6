"""The table of encodings: sizes, bounds, bit patterns."""

import struct

import pytest

from concentrator.profile.encodings import ENCODINGS, Form, encoding_of


@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=str)
def test_an_encoding_takes_the_registers_of_its_code(encoding):
    assert struct.calcsize(">" + encoding.code) == 2 * encoding.registers


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("u16", (0, 65535)),
        ("s16", (-32768, 32767)),
        ("s8", (-128, 127)),
        ("u4", (0, 15)),
        ("bool", (0, 1)),
        ("s64", (-(2**63), 2**63 - 1)),
        ("bitfield16", (0, 65535)),
        ("hex32", (0, 2**32 - 1)),
    ],
)
def test_bounds_are_those_of_the_bits(name, bounds):
    assert ENCODINGS[name].bounds == bounds


def test_a_bit_pattern_is_the_raw_value_it_stands_for():
    assert ENCODINGS["s16"].as_raw(0x8000) == -0x8000
    assert ENCODINGS["s16"].as_raw(0x7FFF) == 0x7FFF
    assert ENCODINGS["s16"].as_raw(-5) == -5
    assert ENCODINGS["u16"].as_raw(0x8000) == 0x8000
    assert ENCODINGS["s8"].as_raw(0xFF) == -1


def test_texts_are_a_family():
    assert [encoding_of(name).registers for name in ("ascii1", "ascii2", "ascii10", "ascii11")] == [1, 1, 5, 6]
    assert encoding_of("ascii10").form is Form.TEXT
    for name in ("ascii", "ascii0", "ascii01", "ascii251", "text", ""):
        assert encoding_of(name) is None
