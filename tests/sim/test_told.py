"""A device says that it is what its profile expects, and that all is well."""

import pytest

from concentrator.model.profile import DeviceProfile, Function, Point
from concentrator.model.quantity import Kind, Quantity
from concentrator.profile.recognise import is_match
from concentrator.sim.told import anything, identity, state

NOW = 1_795_262_400.0
BATTERY = {0: "idle", 1: "charging", 2: "discharging"}
STATUS = {0: "standby", 2: "normal", 4: "fault"}


def point(name, encoding="u16", match="", unit="", kind=Kind.STATE, **options):
    return Point(Quantity(name, unit, kind), Function.HOLDING, 0, 1, encoding, match=match, **options)


def told(subject, unit=5):
    profile = DeviceProfile("acme/a3", "meter", "Acmé", "c", "A3", ("A3-100 GOLD", "A3"), (subject,))
    return identity(profile, subject, unit, "123456789")


@pytest.mark.parametrize(
    ("encoding", "match", "said"),
    [
        ("u16", "71..73", 71),
        ("u16", "101..103", 103),
        ("u16", "101 or 103", 103),
        ("u16", "0..2", 0),
        ("u64", "0x0053004F0043004F", 0x0053004F0043004F),
        ("ascii4", "B21 |B23 ", "B21"),
        ("ascii40", "Schneider Electric", "Schneider Electric"),
        ("hex16", "0x2C06", "0X2C06"),
        ("u16", "1=one phase 3=three phases", 1),
    ],
)
def test_it_says_what_it_is_to_be_recognised_by(encoding, match, said):
    subject = point("model_code", encoding, match)
    assert told(subject) == said
    assert is_match(subject, told(subject))


@pytest.mark.parametrize(
    ("name", "encoding", "said"),
    [
        ("serial", "ascii16", "123456789"),
        ("serial", "ascii4", "1234"),
        ("serial", "u32", 123456789),
        ("model", "ascii16", "A3-100 GOLD"),
        ("manufacturer", "ascii8", "Acm"),
        ("firmware", "ascii8", "1.04"),
        ("firmware", "u16", 104),
        ("firmware", "hex16", "0X0068"),
        ("modbus_id", "f32", 5),
        ("options", "u16", 1),
    ],
)
def test_it_says_who_it_is_as_far_as_there_is_room(name, encoding, said):
    assert told(point(name, encoding)) == said


def test_its_modbus_id_is_its_own_where_any_would_match():
    assert told(point("modbus_id", match="1..247"), 19) == 19


@pytest.mark.parametrize(("power", "word"), [(0.2, "idle"), (-300.0, "charging"), (300.0, "discharging")])
def test_the_battery_does_what_its_power_says(power, word):
    number = state(point("bat_status", enum=BATTERY), {"bat_p": power})
    assert BATTERY[number] == word
    assert BATTERY[state(point("bat_status"), {"bat_p": power})] == word


def test_an_inverter_rests_without_the_sun_and_all_else_is_well():
    status = point("status", enum=STATUS)
    assert state(status, {"pv_p": 0.0}) == 0
    assert state(status, {"pv_p": 12.0}) == state(status, {}) == 2
    assert state(point("odd", enum={7: "purple", 9: "green"}), {}) == 7
    assert state(point("alarm"), {}) == state(point("fault", enum={}), {}) == 0
    assert state(point("grid_relay"), {}) == 1


def test_what_nobody_has_is_something_usual_and_a_counter_rises():
    assert anything(point("coolant_temp", unit="°C", kind=Kind.INSTANTANEOUS), NOW) == 31.0
    assert anything(point("x", unit="parsec", kind=Kind.INSTANTANEOUS), NOW) == 1.0
    assert anything(point("y", "ascii8", kind=Kind.TEXT), NOW) == "-"
    fuel = point("fuel_total", unit="L", kind=Kind.COUNTER)
    assert 0 < anything(fuel, NOW) < anything(fuel, NOW + 3600)
    assert anything(fuel, 0.0) == 0
