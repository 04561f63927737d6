"""Every spelling of "not available" becomes the raw values it stands for."""

import pytest

from tests.support.profiles import faults, load_point, variable


@pytest.mark.parametrize(
    ("kind", "nan", "values"),
    [
        ("u16", "0xFFFF", (0xFFFF,)),
        ("u16", 0xFFFF, (0xFFFF,)),
        ("u16", [0xFFFF, "0xFFFE"], (0xFFFF, 0xFFFE)),
        ("u16", "0xFFFF, 0xFFFE or 65533", (0xFFFF, 0xFFFE, 65533)),
        ("s16", "0x7FFF", (0x7FFF,)),
        ("s16", "0x8000", (-0x8000,)),
        ("s16", -1, (-1,)),
        ("s32", "0x80000000", (-(2**31),)),
        ("u64", "0xFFFFFFFFFFFFFFFF", (2**64 - 1,)),
        ("f32", "nan", ()),
        ("f32", "0xFFFFFFFF or nan", ()),
        ("f32", "0x7F7FFFFF", (3.4028234663852886e38,)),
        ("f32", "-1", (-1.0,)),
        ("f64", -9999, (-9999.0,)),
    ],
)
def test_a_nan_in_any_form_is_a_raw_value(kind, nan, values):
    assert load_point(type=kind, nan=nan).sentinels == values


def test_invalid_lists_bit_patterns():
    assert load_point(type="s16", invalid=[0x8000, 0x7FFF]).sentinels == (-0x8000, 0x7FFF)
    assert load_point(invalid=[1], nan="0xFFFF").sentinels == (0xFFFF, 1)
    assert load_point("x", unit="", type="u4", bit=4, invalid=[15]).sentinels == (15,)


def test_no_data_of_the_file_holds_for_plain_registers_that_say_nothing_else():
    no_data = {"no_data": [32766, 0xFFFF]}
    assert load_point(profile=no_data).sentinels == (32766, 0xFFFF)
    assert load_point(type="s16", profile=no_data).sentinels == (32766, -1)
    assert load_point(type="u32", profile=no_data).sentinels == ()
    assert load_point("x", unit="", type="bool", profile=no_data).sentinels == ()
    assert load_point(invalid=[5], profile=no_data).sentinels == (5,)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("u16", "nan", "0x10000"),
        ("u16", "nan", -1),
        ("u16", "nan", "nan"),
        ("u16", "nan", "many"),
        ("u16", "nan", 1.5),
        ("u16", "nan", [True]),
        ("s16", "invalid", [0x10000]),
        ("f32", "nan", "0x1FFFFFFFF"),
        ("f32", "nan", "x"),
    ],
)
def test_what_is_no_raw_value_of_the_encoding_is_a_fault(kind, key, value):
    (fault,) = faults(variable(type=kind, **{key: value}))
    assert (fault.key, fault.expected) == (key, f"a raw value of {kind}")


def test_a_text_has_no_sentinel():
    (fault,) = faults(variable("x", unit="", type="ascii4", nan=0))
    assert fault.key == "nan"


@pytest.mark.parametrize(
    ("kind", "highest", "lowest"),
    [
        ("u16", 0xFFFF, 0xFFF8),
        ("s16", 0x7FFF, 0x7FF8),
        ("u32", 0xFFFFFFFF, 0xFFFFFFF8),
        ("s32", 0x7FFFFFFF, 0x7FFFFFF8),
    ],
)
def test_the_highest_values_of_every_number_may_stand_for_nothing(kind, highest, lowest):
    assert load_point(type=kind, profile={"no_data_top": 8}).sentinels == tuple(range(highest, lowest - 1, -1))


def test_what_is_no_plain_number_has_no_highest_values_that_stand_for_nothing():
    for kind, more in (("bitfield16", {}), ("bool", {"bit": 3}), ("u4", {"bit": 0}), ("f32", {})):
        assert load_point("state", unit="", type=kind, profile={"no_data_top": 8}, **more).sentinels == ()


def test_what_a_variable_says_itself_goes_before():
    assert load_point(nan=7, profile={"no_data_top": 8}).sentinels == (7,)


def test_both_kinds_of_the_file_may_be_there():
    point = load_point(profile={"no_data_top": 1, "no_data": [32766]})
    assert point.sentinels == (32766, 0xFFFF)
