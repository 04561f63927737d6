"""A [[variable]] becomes a Point: quantity, unit, scale, digits, kind, cadence."""

import pytest

from concentrator.model.profile import Function, Rate
from concentrator.model.quantity import Kind, Quantity
from tests.support.profiles import faults, load, load_point, said, variable


def test_a_canonical_variable_has_the_quantity_of_the_table():
    point = load_point("v1", scale=0.01, address=258, type="s32", checked=True, writable=True, note="as wired")
    assert point.quantity == Quantity("v1", "V", Kind.INSTANTANEOUS, "voltage L1", 2)
    assert (point.function, point.address, point.count, point.encoding) == (Function.HOLDING, 258, 2, "s32")
    assert (point.scale, point.offset, point.checked, point.writable, point.note) == (0.01, 0.0, True, True, "as wired")
    assert (point.recorded, point.polled, point.identifies, point.rate) == (True, True, False, Rate.FAST)


@pytest.mark.parametrize(
    ("name", "unit", "scale", "in_unit", "as_scale"),
    [
        ("p", "W", 0.1, "W", 0.1),
        ("p", "kW", 0.1, "W", 100.0),
        ("p", "kW", -0.001, "W", -1.0),
        ("q1", "kvar", 1, "var", 1000.0),
        ("s", "kVA", 0.01, "VA", 10.0),
        ("v12", "mV", 1, "V", 0.001),
        ("i1", "mA", 1, "A", 0.001),
        ("ea_imp", "Wh", 1, "kWh", 0.001),
        ("ea_imp", "MWh", 0.001, "kWh", 1.0),
        ("er_imp", "varh", 10, "kvarh", 0.01),
        ("temp", "degC", 0.1, "°C", 0.1),
        ("oil_pressure", "bar", 0.1, "kPa", 10.0),
        ("r_iso", "MOhm", 0.1, "kΩ", 100.0),
        ("h_total", "s", 1, "h", 0.000277777777777778),
        ("soc", "", 1, "%", 100.0),
        ("nominal_power", "kW", 1, "W", 1000.0),
        ("sensor", "Ohm", 1, "Ω", 1.0),
        ("sensor", "min", 1, "min", 1.0),
        ("angle", "deg", 1, "°", 1.0),
    ],
)
def test_units_are_turned_into_the_one_of_the_quantity(name, unit, scale, in_unit, as_scale):
    point = load_point(name, unit=unit, scale=scale)
    assert (point.quantity.unit, point.scale) == (in_unit, pytest.approx(as_scale, rel=1e-12))


@pytest.mark.parametrize(
    ("unit", "scale", "kind", "digits"),
    [
        ("V", 1, "s16", 0),
        ("V", 0.01, "s16", 2),
        ("V", 0.25, "s16", 2),
        ("V", 10, "s16", 0),
        ("V", -0.1, "s16", 1),
        ("mV", 1, "s32", 3),
        ("kV", 0.01, "u16", 0),
        ("V", 1e-9, "u64", 6),
        ("V", 1, "f32", 2),
        ("V", 0.001, "f64", 2),
    ],
)
def test_digits_are_those_of_the_steps_and_usual_ones_where_there_are_none(unit, scale, kind, digits):
    assert load_point(unit=unit, scale=scale, type=kind).quantity.digits == digits


def test_digits_of_a_value_with_a_scale_factor_are_the_usual_ones():
    assert load_point(sf="V_SF", sf_address=9).quantity.digits == 2
    assert load_point(offset=0.5).quantity.digits == 1
    assert load_point("ea_imp", unit="kWh", type="f32").quantity.digits == 3


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ({"unit": "A"}, Kind.INSTANTANEOUS),
        ({"unit": "kWh"}, Kind.COUNTER),
        ({"unit": "kWh", "name": "my_own_day"}, Kind.PERIOD_COUNTER),
        ({"unit": "kvarh", "kind": "instantaneous"}, Kind.INSTANTANEOUS),
        ({"unit": "s", "kind": "period_counter"}, Kind.PERIOD_COUNTER),
        ({"unit": ""}, Kind.STATE),
        ({"unit": "", "scale": 0.001}, Kind.INSTANTANEOUS),
        ({"unit": "", "type": "f32"}, Kind.INSTANTANEOUS),
        ({"unit": "", "type": "bool"}, Kind.STATE),
        ({"unit": "", "type": "bitfield16"}, Kind.STATE),
        ({"unit": "A", "kind": "setpoint"}, Kind.STATE),
        ({"unit": "", "kind": "alarm"}, Kind.STATE),
        ({"unit": "", "type": "ascii10"}, Kind.TEXT),
        ({"unit": "", "type": "hex16"}, Kind.TEXT),
    ],
)
def test_a_variable_of_no_table_brings_a_quantity_of_its_own(keys, kind):
    point = load_point(**{"name": "my_own", **keys})
    assert point.quantity.kind is kind
    assert point.quantity.label == point.name.replace("_", " ")


def test_a_label_of_the_file_goes_before_all():
    assert load_point("my_own", label="Mine").quantity.label == "Mine"
    assert load_point("v1", label="Boiler").quantity.label == "Boiler"


def test_energies_that_restart_are_period_counters():
    assert load_point("e_day", unit="kWh").quantity.kind is Kind.PERIOD_COUNTER
    assert load_point("ea_imp1_t2", unit="kWh").quantity.kind is Kind.COUNTER


@pytest.mark.parametrize(
    ("keys", "recorded", "identifies"),
    [
        ({}, True, False),
        ({"recorded": False}, False, False),
        ({"kind": "alarm"}, True, False),
        ({"kind": "mode"}, True, False),
        ({"kind": "status"}, True, False),
        ({"kind": "info"}, False, True),
        ({"kind": "clock"}, False, False),
        ({"kind": "setpoint"}, False, False),
        ({"kind": "link"}, False, False),
        ({"name": "serial", "type": "u32"}, False, True),
        ({"name": "firmware", "type": "hex16"}, False, True),
        ({"type": "ascii4", "recorded": True}, False, False),
    ],
)
def test_what_is_no_measurement_is_not_recorded(keys, recorded, identifies):
    point = load_point(**{"name": "something", "unit": "", **keys})
    assert (point.recorded, point.identifies) == (recorded, identifies)


@pytest.mark.parametrize(
    ("keys", "rate"),
    [
        ({"unit": "V"}, Rate.FAST),
        ({"unit": "kWh"}, Rate.NORMAL),
        ({"unit": "", "kind": "alarm"}, Rate.FAST),
        ({"unit": "", "kind": "clock"}, Rate.NORMAL),
        ({"unit": "", "kind": "info"}, Rate.SLOW),
        ({"unit": "", "kind": "setpoint"}, Rate.SLOW),
        ({"unit": "V", "rate": "control"}, Rate.CONTROL),
    ],
)
def test_how_often_a_variable_is_wanted_follows_from_what_it_is(keys, rate):
    assert load_point("something", **keys).rate is rate


def test_a_variable_may_say_its_own_period():
    assert load_point(every="15 s").every_s == 15.0


@pytest.mark.parametrize(
    ("keys", "words", "is_little", "address"),
    [
        ({"type": "u32"}, (), False, 0),
        ({"type": "u32", "order": "big"}, (), False, 0),
        ({"type": "u32", "order": "little-word"}, (), True, 0),
        ({"type": "u32", "word_order": "little"}, (), True, 0),
        ({"type": "u32", "word_order": "big"}, (), False, 0),
        ({"type": "u16", "order": "little-word"}, (), False, 0),
        ({"type": "u32", "words": [80, 78]}, (80, 78), False, 78),
        ({"type": "u32", "words": [78, 80], "order": "little-word"}, (80, 78), False, 78),
    ],
)
def test_word_orders_come_out_as_one(keys, words, is_little, address):
    point = load_point(**keys)
    assert (point.words, point.little_word, point.address) == (words, is_little, address)
    assert tuple(point.addresses) == (words or tuple(range(point.count)))


def test_a_sum_takes_the_addresses_of_all_its_parts():
    point = load_point(type="u32", address=4, plus=[10], less=[2])
    assert (point.is_sum, tuple(point.addresses)) == (True, (4, 5, 10, 11, 2, 3))
    assert not load_point().is_sum


def test_strings_say_their_length_in_registers():
    point = load_point("name", unit="", type="string", len=6)
    assert (point.encoding, point.count) == ("ascii12", 6)


@pytest.mark.parametrize(
    ("keys", "key", "expected"),
    [
        ({"name": "V1"}, "name", "a small letter, then small letters, digits and _"),
        ({"type": "ascii0"}, "type", "an encoding"),
        ({"type": "ascii400"}, "type", "an encoding"),
        ({"type": "string"}, "len", "the registers a string takes"),
        ({"len": 3}, "len", 'nothing, but with type "string"'),
        ({"scale": 0}, "scale", "a number other than 0"),
        ({"scale": "1"}, "scale", "a number"),
        ({"offset": True}, "offset", "a number"),
        ({"unit": "Volt"}, "unit", "a unit"),
        ({"unit": "A"}, "unit", "V, the unit of v1, or a multiple of it"),
        ({"name": "pf", "unit": "V"}, "unit", "none, the unit of pf, or a multiple of it"),
        ({"sf": "V_SF"}, "sf_address", "the address of the scale factor V_SF"),
        ({"bit": 3}, "bit", "no bit: u16 takes the whole register"),
        ({"name": "x", "type": "u4"}, "bit", "the lowest bit of the nibble"),
        ({"name": "x", "type": "u4", "bit": 13}, "bit", "12 at most, for u4"),
        ({"name": "x", "type": "bool", "bit": 16}, "bit", "a bit from 0 to 15"),
        ({"function": "coil"}, "type", "bool without a bit, all a coil can be"),
        ({"function": "discrete", "type": "bool", "bit": 1}, "type", "bool without a bit, all a discrete can be"),
        ({"function": "register"}, "function", "coil, discrete, holding or input"),
        ({"order": "big", "word_order": "big"}, "word_order", "either order or word_order"),
        ({"name": "x", "unit": "", "type": "ascii4", "order": "little-word"}, "order", "big, for a text"),
        ({"type": "u32", "address": 65535}, "address", "the last register at 65535 at most"),
        ({"address": -1}, "address", "a whole number from 0 to 65535"),
        ({"type": "u32", "words": [1]}, "words", "2 different addresses, for u32"),
        ({"type": "u32", "words": [1, 1]}, "words", "2 different addresses, for u32"),
        ({"type": "u32", "words": [1, 200]}, "type", "125 at most, the device's longest read"),
        ({"kind": "counter"}, "kind", "instantaneous, the kind of v1"),
        ({"rate": "sometimes"}, "rate", "fast, normal, slow or control"),
        ({"every": "5"}, "every", 'a duration such as "5 s"'),
        ({"function": "input", "writable": True}, "writable", "true only of holding or coil"),
        (
            {"type": "u32", "words": [1, 3], "writable": True},
            "words",
            "neighbours, for one request must write them all",
        ),
        ({"unit_id": 256}, "unit_id", "a Modbus ID from 0 to 255"),
        ({"plus": [1, 1]}, "plus", "every address once"),
        ({"less": [0]}, "less", "every address once"),
        ({"less": [1], "offset": -5}, "less", "no other parts: only plain numbers without an offset are summed"),
        ({"plus": [1], "writable": True}, "plus", "no other parts, for what is written lies in one place"),
        ({"plus": [125]}, "type", "125 at most, the device's longest read"),
        ({"folded": True, "writable": True}, "folded", "true only of a number that is not written"),
        ({"range": [0, 10]}, "range", "nothing, but of a plain number that is writable"),
        ({"range": [10, 0], "writable": True}, "range", "two numbers, the first below the second"),
    ],
)
def test_a_wrong_key_is_a_fault_in_words(keys, key, expected):
    (fault,) = faults(variable(**keys))
    assert (fault.key, fault.expected) == (key, expected)
    assert fault.section.startswith("variable[1]")


def test_what_may_be_written_is_said_in_the_files_unit_and_kept_in_the_houses():
    keys = {"unit": "kW", "type": "s32", "writable": True}
    assert load_point("p", range=[-1.5, 10], **keys).span == (-1500.0, 10000.0)
    assert load_point("p", **keys).span is None


def test_the_nearest_valid_name_is_offered():
    assert [fault.hint for fault in faults(variable(type="f23", unit="kv"))] == ["f32", "kV"]


def test_a_variable_across_a_barrier_is_a_fault():
    load_point(type="u32", profile={"barriers": [0, 2]})
    (fault,) = faults(variable(type="u32"), profile={"barriers": [1]})
    assert fault.expected == "none across the barrier at 1"


@pytest.mark.parametrize(
    ("keys", "match", "expected"),
    [
        ({"type": "u16"}, "B21", 'numbers or spans, such as "101..103, 113"'),
        ({"type": "string", "len": 2}, " | ", 'how the text begins, such as "B21|B23"'),
    ],
)
def test_what_must_match_must_be_readable(keys, match, expected):
    (fault,) = faults(variable("x", unit="", match=match, **keys))
    assert (fault.key, fault.expected) == ("match", expected)
    identify = {"what": "model", "function": "holding", "address": 9, "match": match, **keys}
    (fault,) = faults(variable(), identify=[identify])
    assert (fault.key, fault.expected) == ("match", expected)


def test_several_faults_of_one_variable_are_told_together():
    assert len(faults(variable(unit="A", type="u32", nan="many", bit=1, scale=0))) == 4


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("serial number", "serial"),
        ("Meter serial", "serial"),
        ("model (Md)", "model"),
        ("product name", "model"),
        ("firmware version (nibbles)", "firmware"),
        ("version (Vr)", "firmware"),
        ("hardware revision", "hardware"),
        ("model ID", "model_id"),
        ("rated power x 0.1 W", "rated_power_x_0_1_w"),
        ("(?)", "identity"),
    ],
)
def test_what_identifies_is_named_after_what_it_is(what, name):
    table = {"what": what, "function": "holding", "address": 9, "type": "u16"}
    assert load(variable(), identify=[table]).points[1].name == name


def test_what_identifies_has_a_name_of_its_own():
    table = {"what": "model ID", "function": "holding", "address": 9, "type": "u16"}
    names = [point.name for point in load(variable(), identify=[table, table, table]).points]
    assert names == ["v1", "model_id", "model_id_2", "model_id_3"]


def test_a_wrong_identify_table_is_a_fault():
    tables = [
        {"what": "a", "function": "coil", "address": 9, "type": "u16"},
        {"what": "b", "function": "holding", "address": 65535, "type": "u32"},
        {"what": "c", "function": "holding", "address": 9, "type": "u7"},
        {"what": "d", "function": "holding", "address": 9, "type": "string", "len": 12},
    ]
    assert said(faults(variable(), identify=tables, profile={"max_registers": 11})) == [
        "m1.toml: [identify[1] a] function: found coil, expected holding or input",
        "m1.toml: [identify[2] b] address: found 65535 with 2 registers, expected the last register at 65535 at most",
        'm1.toml: [identify[3] c] type: found "u7", expected an encoding (did you mean u8?)',
        "m1.toml: [identify[4] d] type: found 12 registers, expected 11 at most, the device's longest read",
    ]
