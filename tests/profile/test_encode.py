"""Values become registers: the inverse of decoding, or a refusal in words."""

import struct

import attrs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from concentrator.model.errors import NotWritable, OutOfRange
from concentrator.model.profile import Block, Function
from concentrator.profile.decode import compile_block
from concentrator.profile.encode import encode
from tests.support.profiles import load, load_point, variable


def registers(value, image=None, **keys):
    """What one variable with these keys makes of a value."""
    point = load_point("x", **{"unit": "", **keys})
    return encode(point, value, image) if image else encode(point, value)


@pytest.mark.parametrize(
    ("keys", "value", "expected"),
    [
        ({"scale": 0.01}, 230.1, (23010,)),
        ({"scale": 0.01}, 230.104, (23010,)),
        ({"type": "s16"}, -2, (0xFFFE,)),
        ({"type": "u32"}, 65538, (1, 2)),
        ({"type": "u32", "order": "little-word"}, 65538, (2, 1)),
        ({"type": "s64"}, -2, (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE)),
        ({"type": "u64", "scale": 0.001}, 5000000.001, (0, 1, 0x2A05, 0xF201)),
        ({"type": "f32"}, 230.1, (0x4366, 0x199A)),
        ({"scale": 0.1, "offset": -1000}, 23.4, (1234,)),
        ({"scale": -1}, -5, (5,)),
        ({"type": "hex16"}, "0X2C06", (0x2C06,)),
        ({"type": "hex16"}, 0x2C06, (0x2C06,)),
        ({"type": "ascii6"}, "AB", (0x4142, 0, 0)),
        ({"type": "bool"}, True, (1,)),
        ({"type": "bool", "function": "coil"}, 1, (1,)),
        ({"type": "u32", "words": [5, 9]}, 65538, (1, 2)),
    ],
)
def test_a_value_becomes_its_registers(keys, value, expected):
    assert registers(value, **keys) == expected


def test_a_few_bits_leave_the_others_of_their_register():
    def image(function, address):
        return 0xABCD

    assert registers(1, image, type="bool", bit=1) == (0xABCF,)
    assert registers(0, image, type="bool", bit=0) == (0xABCC,)
    assert registers(2, image, type="u4", bit=8) == (0xA2CD,)
    assert registers(-1, image, type="s8", bit=8) == (0xFFCD,)
    with pytest.raises(NotWritable, match="the other bits of register 0 are not known"):
        registers(1, type="bool", bit=1)


def test_a_scale_factor_is_taken_from_the_image():
    assert registers(230.1, lambda function, address: 0xFFFF, sf_address=9) == (2301,)
    assert registers(2300, lambda function, address: 2, sf_address=9) == (23,)
    for word in (None, 0x8000, 11):
        with pytest.raises(NotWritable, match="its scale factor at 9 is not known"):
            registers(1, lambda function, address, word=word: word, sf_address=9)


def test_an_enum_takes_its_text_or_its_number():
    point = load(variable("mode", unit="", enum="mode"), enum={"mode": {"0": "stop", "2": "auto"}}).points[0]
    assert encode(point, "auto") == encode(point, 2) == (2,)
    with pytest.raises(OutOfRange) as caught:
        encode(point, "run")
    assert str(caught.value) == ("An argument is outside its range: mode: found 'run', expected one of 0 stop, 2 auto")


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        ({"scale": 0.01, "unit": "V"}, 700, "x: found 700, expected 0 to 655.35 V"),
        ({"type": "s16", "scale": -0.1}, 4000, "x: found 4000, expected -3276.7 to 3276.8"),
        ({"type": "bool"}, 2, "x: found 2, expected 0 to 1"),
        ({"type": "bool", "function": "coil"}, -1, "x: found -1, expected 0 to 1"),
        ({}, "many", "x: found 'many', expected a number"),
        ({}, float("nan"), "x: found nan, expected a number"),
        ({}, float("inf"), "x: found inf, expected a number"),
        ({"nan": "0xFFFF"}, 65535, 'x: found 65535, which is how the device says "not available"'),
        ({"type": "f32", "nan": -1}, -1, 'x: found -1, which is how the device says "not available"'),
        ({"type": "f32"}, 1e39, "x: found 1e+39, expected what fits into f32"),
        ({"type": "ascii4"}, "ABCDE", "x: found 'ABCDE', expected a text of at most 4 bytes"),
        ({"type": "ascii4"}, "A\0", "x: found 'A\\x00', expected a text of at most 4 bytes"),
        ({"type": "hex16"}, "zz", "x: found 'zz', expected a number such as 0X2C06"),
        ({"type": "hex16"}, "12345", "x: found '12345', expected 0 to 65535"),
    ],
)
def test_what_does_not_fit_is_out_of_range_in_words(keys, value, words):
    with pytest.raises(OutOfRange) as caught:
        registers(value, **keys)
    assert caught.value.detail == words


def test_a_range_with_a_scale_factor_is_told_in_steps():
    with pytest.raises(OutOfRange, match="expected 0 to 65535 steps"):
        registers(1e9, lambda function, address: 0, sf_address=9)


_NUMBERS = st.sampled_from(["u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64", "bool", "u4", "u8", "s8"])
_SCALES = st.sampled_from([1, 10, 1000, 0.1, 0.01, 0.001, 0.25, -1, -0.1, 0.0001])


@given(_NUMBERS, _SCALES, st.sampled_from([0, -1000, 0.5]), st.booleans(), st.binary(min_size=8, max_size=8))
@settings(deadline=None, max_examples=300)
def test_encoding_a_decoded_number_gives_the_registers_back(kind, scale, offset, is_little, data):
    bit = {"bit": 4} if kind in ("bool", "u4", "u8", "s8") else {}
    order = "little-word" if is_little else "big"
    point = load_point("x", unit="", type=kind, scale=scale, offset=offset, order=order, **bit)
    if kind in ("f32", "f64"):  # an offset takes digits from a floating point number, for good
        point = attrs.evolve(point, offset=0.0)
    data = data[: 2 * point.count]
    decode = compile_block(Block(Function.HOLDING, 0, point.count, (point,)))
    values = decode(data)
    assume("x" in values)
    image = dict(enumerate(struct.unpack(f">{point.count}H", data)))
    written = encode(point, values["x"], lambda function, address: image[address])
    again = decode(struct.pack(f">{point.count}H", *written))["x"]
    assert again == pytest.approx(values["x"], rel=1e-15 if kind in ("f64", "u64", "s64") else 0, abs=0)
    if kind not in ("f32", "f64", "u64", "s64"):  # these hold more digits than a float
        assert written == tuple(image.values())


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=10))
def test_texts_come_back_as_they_were(text):
    point = load_point("x", unit="", type="ascii10")
    data = struct.pack(">5H", *encode(point, text))
    assert compile_block(Block(Function.HOLDING, 0, 5, (point,)))(data) == {"x": text}


def test_a_sum_has_no_register_of_its_own():
    with pytest.raises(NotWritable, match="x: a sum of several registers"):
        registers(5, less=[1])
