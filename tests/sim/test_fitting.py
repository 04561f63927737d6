"""What a device can say of a value is what its registers hold: encoded, it decodes to itself, in every encoding."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.profile import Block, Function, Point
from concentrator.model.quantity import Kind, Quantity
from concentrator.profile.decode import Ratio, compile_block, encoding_at
from concentrator.profile.encode import encode
from concentrator.profile.encodings import ENCODINGS, Form
from concentrator.sim.fitting import fitted, power_of_ten

NUMBERS = [name for name, one in ENCODINGS.items() if one.form in (Form.INTEGER, Form.FLOAT, Form.BITS)]


def point(encoding, unit="W", kind=Kind.INSTANTANEOUS, **options):
    count = ENCODINGS[encoding].registers
    return Point(Quantity("x", unit, kind), Function.HOLDING, 10, count, encoding, **options)


def through(subject, value, power=0):
    """A value that was fitted, encoded and decoded again."""
    words = dict(zip(subject.addresses, encode(subject, value, lambda *_: power & 0xFFFF), strict=True))
    end = max(subject.addresses) + 1
    data = struct.pack(f">{end - 10}H", *(words.get(n, 0) for n in range(10, end)))
    return compile_block(Block(Function.HOLDING, 10, end - 10, (subject,)))(data, lambda *_: power & 0xFFFF)["x"]


@given(
    st.sampled_from(NUMBERS),
    st.sampled_from([1.0, 0.1, 0.001, -0.01, 5.0]),
    st.sampled_from([0.0, -40.0, 1000.0]),
    st.booleans(),
    st.floats(-1e12, 1e12) | st.integers(-(2**70), 2**70) | st.floats(-300, 300),
)
def test_what_is_said_decodes_to_itself(encoding, scale, offset, is_little, value):
    form = ENCODINGS[encoding].form
    subject = point(
        encoding,
        scale=scale,
        offset=offset,
        little_word=is_little and ENCODINGS[encoding].registers > 1,
        bit=3 if form is Form.BITS else None,
    )
    said = fitted(subject, value)
    if form is Form.FLOAT:
        assert through(subject, said) == pytest.approx(said, rel=1e-6, abs=1e-6 * abs(scale * offset) + 1e-30)
        return
    assert through(subject, said) == pytest.approx(said, rel=1e-12)
    least, most = sorted(Ratio.of(subject).times * raw for raw in encoding_at(subject).bounds)
    steps = (float(value) - scale * offset) * Ratio.of(subject).by
    if least <= steps <= most and abs(steps) < 1 << 52:  # a float has no more digits
        assert abs(said - value) <= abs(scale) / 2 * 1.0001 + abs(value) * 1e-9


def test_what_does_not_fit_stops_at_the_end_and_a_counter_rolls_over():
    assert fitted(point("u16"), -5) == 0
    assert fitted(point("s16", scale=0.1), 1e6) == 3276.7
    assert fitted(point("u16", "kWh", Kind.COUNTER), 65_540) == 4


def test_what_stands_for_nothing_is_never_said():
    assert fitted(point("u16", sentinels=(0xFFFF, 0xFFFE)), 1e6) == 0xFFFD
    assert fitted(point("u32", sentinels=(0,)), 0) == 1
    assert fitted(point("s16", sentinels=(-0x8000,)), -1e6) == -0x7FFF


def test_what_is_no_number_is_said_as_zero():
    assert fitted(point("f32"), float("nan")) == 0.0


@pytest.mark.parametrize(
    ("points", "power"),
    [
        ([("u16", "V")], -1),
        ([("s16", "W")], 0),
        ([("u16", "Hz")], -2),
        ([("s16", ""), ("s16", "W")], 0),
        ([("f32", "W")], 0),
        ([("u32", "kWh")], -3),
        ([], 0),
    ],
)
def test_a_scale_factor_lets_all_that_share_it_speak(points, power):
    assert power_of_ten([point(encoding, unit, sf_address=9) for encoding, unit in points]) == power


@pytest.mark.parametrize("power", [-2, 0, 1])
def test_a_value_with_a_scale_factor_decodes_to_itself(power):
    subject = point("s16", sf_address=9)
    said = fitted(subject, 231.47, power)
    assert through(subject, said, power) == said == pytest.approx(231.47, abs=10.0**power / 2)
