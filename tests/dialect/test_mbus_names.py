"""Names of M-Bus values: made of what a record says of itself, so that history lines up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.dialect.mbus_names import named
from concentrator.model.quantity import Kind
from concentrator.wire.mbus_frame import Frame
from concentrator.wire.mbus_record import decoded, telegram_of
from tests.support.mbus_telegrams import frames

HEAT, COOL, GAS, WATER, ELECTRICITY, OTHER = 0x04, 0x0A, 0x03, 0x07, 0x02, 0x00
RECORDS = {
    "heat_e": "0C 06 39050000",
    "heat_e_t2": "8C 20 06 01000000",
    "heat_v": "0C 13 39050000",
    "heat_v_u1": "8C 40 13 39050000",
    "heat_p": "0B 2B 390500",
    "heat_p_max": "1B 2B 390500",
    "heat_e_s1": "4C 06 39050000",
    "heat_p_s1_max": "5B 2B 390500",
    "temp_flow": "0A 5A 3905",
    "date_s1": "42 6C 7F1C",
    "flow_err": "3B 3B BBEEDD",
    "heat_v_pos": "0C 93 3B 39050000",
    "v_maker_01": "02 FD C8 FF 01 FC08",
}


def values(text, medium=HEAT):
    frame = Frame(0x08, 1, 0x72, bytes.fromhex(f"78563412 2D2C 08 {medium:02X} 2A 00 0000" + text))
    return {each.point.name: each for each in named([decoded(frame)])}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_named_by_what_it_is(name):
    assert [each for each in values(RECORDS[name]) if each != "mbus_status"] == [name]


@given(order=st.permutations(list(RECORDS)), count=st.integers(1, len(RECORDS)))
def test_a_record_keeps_its_name_and_place_in_history_whatever_stands_around_it(order, count):
    alone = {name: values(RECORDS[name])[name] for name in order[:count]}
    together = values("".join(RECORDS[name] for name in order[:count]))
    assert together.keys() - {"mbus_status"} == set(order[:count])
    assert all(together[name].point.quantity == alone[name].point.quantity for name in alone)
    assert all(together[name].value == alone[name].value for name in alone)


def test_only_records_that_are_alike_are_told_apart_by_their_order():
    assert list(values("02 FD 48 0100 02 FD 48 0200 0A 5A 3905 02 FD 48 0300", ELECTRICITY)) == [
        "mbus_status",
        "v",
        "v_2",
        "temp_flow",
        "v_3",
    ]


@pytest.mark.parametrize(
    ("record", "medium", "name", "value", "unit"),
    [
        ("0C 06 39050000", HEAT, "heat_e", 539, "kWh"),
        ("0C 06 39050000", COOL, "cool_e", 539, "kWh"),
        ("0C 03 39050000", ELECTRICITY, "ea_total", 0.539, "kWh"),
        ("0C 83 3B 39050000", ELECTRICITY, "ea_imp", 0.539, "kWh"),
        ("0C 83 3C 39050000", ELECTRICITY, "ea_exp", 0.539, "kWh"),
        ("0C 06 39050000", OTHER, "metered_e", 539, "kWh"),
        ("0C 0E 39050000", HEAT, "heat_e", 539 / 3.6, "kWh"),
        ("0C FB 08 39050000", HEAT, "heat_e", 539 * 100 / 3.6, "kWh"),
        ("0C FB 0D 01000000", HEAT, "heat_e", 1.163, "kWh"),
        ("0C 13 39050000", WATER, "water_v", 0.539, "m³"),
        ("0C 13 39050000", 0x06, "hot_water_v", 0.539, "m³"),
        ("0C 13 39050000", 0x16, "cold_water_v", 0.539, "m³"),
        ("0C 14 39050000", GAS, "gas_v", 5.39, "m³"),
        ("0C FB 20 64000000", GAS, "gas_v", 1.812278181888, "m³"),
        ("0A 2C 3905", ELECTRICITY, "p", 5390, "W"),
        ("0A 35 3600", HEAT, "heat_p", 1000, "W"),
        ("0A 69 3905", WATER, "pressure", 539, "kPa"),
        ("0A FB 5A 1202", HEAT, "temp_flow", 100 * (21.2 - 32) / 180, "°C"),
        ("0A FB 62 1800", HEAT, "temp_diff", 1.0, "K"),
        ("02 22 0200", HEAT, "on_time", 2, "h"),
        ("01 20 3C", HEAT, "on_time", 60 / 3600, "h"),
        ("01 74 3C", HEAT, "actuality_duration", 60, "s"),
    ],
)
def test_values_come_in_the_houses_unit(record, medium, name, value, unit):
    found = values(record, medium)[name]
    assert found.value == pytest.approx(value, rel=1e-12)
    assert found.point.quantity.unit == unit


@pytest.mark.parametrize(
    ("record", "kind", "digits", "is_recorded"),
    [
        ("0C 06 39050000", Kind.COUNTER, 0, True),
        ("0C 03 39050000", Kind.COUNTER, 3, True),
        ("0C 0E 39050000", Kind.COUNTER, 3, True),
        ("4C 06 39050000", Kind.STATE, 0, False),
        ("0B 2B 390500", Kind.INSTANTANEOUS, 0, True),
        ("1B 2B 390500", Kind.INSTANTANEOUS, 0, True),
        ("05 2B 00002041", Kind.INSTANTANEOUS, 1, True),
        ("42 6C 7F1C", Kind.TEXT, 0, False),
        ("02 6C 7F1C", Kind.TEXT, 0, False),
        ("0C 78 39050000", Kind.STATE, 0, False),
        ("01 FD 17 01", Kind.STATE, 0, True),
    ],
)
def test_history_knows_what_counts_and_what_is_only_told(record, kind, digits, is_recorded):
    (found,) = [each for name, each in values(record).items() if name != "mbus_status"]
    assert (found.point.quantity.kind, found.point.quantity.digits, found.point.recorded) == (kind, digits, is_recorded)


def test_of_real_meters_every_value_has_a_name_of_its_own_and_a_label():
    for frame in frames("frames").values():
        found = named([telegram_of(frame)])
        names = [each.point.name for each in found]
        assert len(set(names)) == len(names)
        assert all(name.replace("_", "a").isalnum() and name[0].isalpha() and name.isascii() for name in names)
        assert all(each.point.quantity.label for each in found)
        assert not {"time", "quality", "serial", "model"} & set(names)
        assert all(each.point.quantity.kind is not Kind.TEXT for each in found if each.point.recorded)
