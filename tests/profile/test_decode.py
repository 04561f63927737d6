"""Registers become values: exact, without what is not available."""

import math
import struct

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.model.errors import Garbled
from concentrator.model.profile import Block, Function
from concentrator.profile.decode import compile_block
from concentrator.profile.plan import plan_blocks
from tests.support.profiles import load, load_point, variable


def decoded(registers, *variables, image=None, **keys):
    """The values of registers from 0 on, for these variables, or for one with these keys."""
    profile = load(*variables) if variables else load(variable("x", **{"unit": "", **keys}))
    count = max(len(registers), 1)
    block = Block(Function.HOLDING, 0, count, profile.points)
    data = struct.pack(f">{len(registers)}H", *registers)
    return compile_block(block)(data, image) if image else compile_block(block)(data)


def one(registers, image=None, **keys):
    """The value of one variable, None where it is absent."""
    return decoded(registers, image=image, **keys).get("x")


@pytest.mark.parametrize(
    ("kind", "registers", "value"),
    [
        ("u16", [0xFFFE], 65534),
        ("s16", [0xFFFE], -2),
        ("u32", [0x0001, 0x0002], 65538),
        ("s32", [0xFFFF, 0xFFFE], -2),
        ("u64", [0, 1, 0, 2], 2**32 + 2),
        ("s64", [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE], -2),
        ("f32", [0x4366, 0x199A], 230.10000610351562),
        ("f64", [0x406C, 0xC333, 0x3333, 0x3333], 230.1),
        ("bitfield16", [0x8001], 0x8001),
        ("bitfield32", [0x8000, 1], 0x80000001),
        ("hex16", [0x2C06], "0X2C06"),
        ("hex32", [1, 0xABCD], "0X0001ABCD"),
        ("ascii4", [0x4142, 0x4344], "ABCD"),
        ("ascii4", [0x4142, 0x0000], "AB"),
        ("ascii4", [0x2041, 0x2020], "A"),
        ("ascii3", [0x4142, 0x4300], "ABC"),
        ("bool", [0x0100], 1),
        ("bool", [0], 0),
        ("s8", [0x12FF], -1),
        ("u8", [0x12FF], 0xFF),
    ],
)
def test_every_encoding_is_read(kind, registers, value):
    assert one(registers, type=kind) == value


def test_bits_are_taken_from_their_register():
    assert [one([0b1010], type="bool", bit=bit) for bit in range(4)] == [0, 1, 0, 1]
    assert [one([0x1234], type="u4", bit=bit) for bit in (12, 8, 4, 0)] == [1, 2, 3, 4]
    assert one([0xFF12], type="s8", bit=8) == -1
    assert one([0x1F], type="u4", bit=0, invalid=[15]) is None
    assert one([0x0002], type="u4", bit=0, scale=0.1) == 0.2


@pytest.mark.parametrize(
    ("raw", "keys", "value"),
    [
        (23010, {"scale": 0.01}, 230.1),
        (4992, {"scale": 0.01}, 49.92),
        (3, {"scale": 0.1}, 0.3),
        (7, {"scale": 0.25}, 1.75),
        (3, {"scale": 0.05}, 0.15),
        (5, {"scale": -0.1}, -0.5),
        (5, {"scale": 10}, 50),
        (1234, {"scale": 0.1, "offset": -1000}, 23.4),
        (1, {"offset": 0.5}, 1.5),
        (12345, {"scale": 0.1, "unit": "kW"}, 1234500),
    ],
)
def test_numbers_are_the_nearest_to_the_exact_value(raw, keys, value):
    assert one([raw], **keys) == value


def test_whole_steps_give_whole_numbers():
    assert type(one([5], scale=10)) is int
    assert type(one([5], scale=0.1)) is float


@pytest.mark.parametrize(
    ("kind", "registers", "keys"),
    [
        ("u16", [0xFFFF], {"nan": "0xFFFF"}),
        ("s16", [0x8000], {"nan": "0x8000", "scale": 0.1}),
        ("u16", [32766], {"invalid": [32766, 32767]}),
        ("s32", [0x8000, 0], {"invalid": [0x80000000]}),
        ("f32", [0x7FC0, 0], {}),
        ("f32", [0x7F80, 0], {}),
        ("f32", [0xFF80, 0], {}),
        ("f32", [0xFFFF, 0xFFFF], {"nan": "0xFFFFFFFF or nan"}),
        ("f32", [0xBF80, 0], {"nan": "-1"}),
        ("f64", [0x7FEF, 0xFFFF, 0xFFFF, 0xFFFF], {"scale": 1000}),
        ("f32", [0, 0x7FC0], {"order": "little-word"}),
        ("u32", [0xFFFF, 0xFFFF], {"nan": "0xFFFFFFFF", "order": "little-word"}),
        ("hex16", [0], {"nan": 0}),
        ("ascii4", [0, 0], {}),
        ("ascii4", [0x2020, 0x2020], {}),
        ("ascii4", [0xFFFF, 0xFFFF], {}),
    ],
)
def test_what_is_not_available_is_absent(kind, registers, keys):
    assert decoded(registers, type=kind, **keys) == {}


def test_a_low_word_may_come_first():
    assert one([2, 1], type="u32", order="little-word") == 65538
    assert one([2, 0, 1, 0], type="u64", word_order="little") == 2**32 + 2
    assert one([0x199A, 0x4366], type="f32", order="little-word") == 230.10000610351562
    assert one([0xFFFE, 0xFFFF], type="s32", order="little-word") == -2


def test_a_value_may_be_spread_over_registers_that_are_apart():
    assert one([7, 9, 1], type="u32", words=[0, 2]) == 7 * 65536 + 1
    values = decoded(
        [7, 5000, 1],
        variable("grid_ea_imp", unit="kWh", type="u32", words=[0, 2], order="little-word", scale=0.1),
        variable("grid_f", unit="Hz", address=1, scale=0.01),
    )
    assert values == {"grid_ea_imp": 6554.3, "grid_f": 50.0}


def test_points_that_share_their_registers_are_all_read():
    values = decoded(
        [0x0102, 0x0304],
        variable("a", unit="", type="u32"),
        variable("b", unit="", type="s32"),
        variable("c", unit="", type="u32", order="little-word"),
    )
    assert values == {"a": 0x01020304, "b": 0x01020304, "c": 0x03040102}


@pytest.mark.parametrize(
    ("factor", "value"),
    [(0, 2301), (0xFFFF, 230.1), (2, 230100), (10, 23010000000000), (0x8000, None), (11, None), (0xFFF5, None)],
)
def test_a_scale_factor_in_the_block_is_a_power_of_ten(factor, value):
    assert one([2301, factor], sf="SF", sf_address=1) == value


def test_a_scale_factor_elsewhere_is_taken_from_the_image():
    asked = []

    def image(function, address):
        asked.append((function, address))
        return 0xFFFE

    assert one([23010], image=image, sf_address=40) == 230.1
    assert asked == [(Function.HOLDING, 40)]
    assert one([23010], sf_address=40) is None
    assert one([0xFFFF], image=image, sf_address=40, nan="0xFFFF") is None
    assert one([100], image=image, sf_address=40, scale=-1) == -1.0


@pytest.mark.parametrize(
    ("registers", "keys", "value"),
    [
        ([300, 1000], {"less": [1]}, -700),
        ([10, 20, 30], {"plus": [1, 2], "scale": 0.1}, 6),
        ([10, 20, 30], {"plus": [2], "less": [1], "scale": -1}, -20),
        ([5, 0xFFFF], {"less": [1], "nan": "0xFFFF"}, None),
        ([0xFFFF, 5], {"less": [1], "nan": "0xFFFF"}, None),
        ([2, 0, 1, 0], {"type": "u32", "order": "little-word", "less": [2]}, 1),
        ([0x4366, 0x8000, 0x3F00, 0], {"type": "f32", "plus": [2]}, 231.0),
        ([300, 1000, 0xFFFF], {"less": [1], "sf_address": 2}, -70),
    ],
)
def test_a_sum_is_made_of_all_its_parts_or_not_at_all(registers, keys, value):
    assert one(registers, **keys) == value


def test_a_sum_leaves_its_parts_what_they_are():
    out, back = variable("p_imp", unit="W"), variable("p_exp", unit="W", address=1)
    values = decoded([300, 1000], out, back, variable("p", unit="W", less=[1]))
    assert values == {"p_imp": 300, "p_exp": 1000, "p": -700}


@pytest.mark.parametrize(("raw", "value"), [(980, 0.98), (1020, 0.98), (-1020, -0.98), (-980, -0.98), (1000, 1)])
def test_a_folded_power_factor_lies_between_one_and_minus_one(raw, value):
    assert one([raw & 0xFFFF], type="s16", scale=0.001, folded=True) == pytest.approx(value)


def test_a_folded_value_that_is_not_available_is_absent():
    assert one([0x8000], type="s16", folded=True, nan="0x8000") is None


@pytest.mark.parametrize(
    ("raw", "factor", "value"),
    [(985, -1, 0.985), (-985, -1, -0.985), (98, 0, 0.98), (100, 0, 1), (98, -2, 0.98), (-1000, -3, -1), (1, 0, 1)],
)
def test_a_power_factor_in_percent_may_be_the_plain_number(raw, factor, value):
    point = load_point("pf", unit="", type="s16", scale=0.01, sf_address=1)
    decode = compile_block(Block(Function.HOLDING, 0, 2, (attrs.evolve(point, is_percentage=True),)))
    assert decode(struct.pack(">hh", raw, factor)) == {"pf": value}


def test_a_power_factor_in_percent_that_is_not_available_is_absent():
    point = attrs.evolve(load_point("pf", unit="", type="f32", scale=0.01), is_percentage=True)
    decode = compile_block(Block(Function.HOLDING, 0, 2, (point,)))
    assert decode(bytes.fromhex("7fc00000")) == {}
    assert decode(struct.pack(">f", -0.5)) == {"pf": -0.5}


def test_coils_are_packed_low_bit_first():
    coils = [variable(f"c{n}", unit="", function="coil", type="bool", address=10 + n) for n in (0, 1, 8, 9)]
    block = Block(Function.COIL, 10, 10, load(*coils).points)
    assert compile_block(block)(b"\x02\x01") == {"c0": 0, "c1": 1, "c8": 1, "c9": 0}


def test_an_enum_stays_a_number():
    point = load(variable("mode", unit="", enum="mode"), enum={"mode": {"1": "auto"}}).points[0]
    assert compile_block(Block(Function.HOLDING, 0, 1, (point,)))(b"\0\1") == {"mode": 1}


def test_a_block_for_its_registers_sake_gives_nothing():
    assert compile_block(Block(Function.HOLDING, 0, 3))(bytes(6)) == {}


@pytest.mark.parametrize("function", [Function.HOLDING, Function.COIL])
def test_bytes_that_are_not_the_blocks_are_garbled(function):
    points = (load_point(function=function, type="bool", name="x", unit=""),)
    for data in (b"", b"\0" * 3, b"\0" * 5):
        with pytest.raises(Garbled, match="bytes, expected"):
            compile_block(Block(function, 0, 2 if function is Function.HOLDING else 30, points))(data)


def test_an_encoding_of_no_table_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="u17"):
        compile_block(Block(Function.HOLDING, 0, 1, (attrs.evolve(load_point(), encoding="u17"),)))


_KINDS = st.sampled_from(["u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64", "bitfield16", "hex16", "ascii6"])


@given(
    st.lists(st.tuples(_KINDS, st.integers(0, 3), st.sampled_from([1, 0.1, -0.01, 1000]), st.booleans()), max_size=12),
    st.randoms(use_true_random=False),
)
@settings(deadline=None)
def test_any_bytes_decode_to_finite_values(kinds, random):
    variables, address = [], 0
    for number, (kind, hole, scale, is_little) in enumerate(kinds):
        address += hole
        order = {"order": "little-word"} if is_little and kind != "ascii6" else {}
        variables.append(variable(f"x{number}", unit="", type=kind, address=address, scale=scale, **order))
        address += 4
    profile = load(*variables, variable("last", unit="", address=address))
    for block in plan_blocks(profile):
        for data in (bytes(2 * block.count), b"\xff" * (2 * block.count), random.randbytes(2 * block.count)):
            for value in compile_block(block)(data).values():
                assert isinstance(value, str) or math.isfinite(value)


@given(st.integers(0, 2**32 - 1))
def test_seconds_become_hours_exactly(seconds):
    profile = load(variable("run_hours", unit="s", type="u32"))
    data = struct.pack(">I", seconds)
    found = compile_block(Block(Function.HOLDING, 0, 2, profile.points))(data)["run_hours"]
    assert found == seconds / 3600
