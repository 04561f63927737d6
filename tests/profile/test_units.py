"""Units: every spelling is known, and factors are exact."""

from decimal import Decimal

import pytest

from concentrator.model.quantities import QUANTITIES
from concentrator.profile.units import KNOWN, UnitMismatch, factor, house_unit


def test_every_unit_of_the_table_of_quantities_is_a_house_unit():
    for quantity in QUANTITIES.values():
        assert house_unit(quantity.unit) == quantity.unit


@pytest.mark.parametrize(
    ("unit", "into", "expected"),
    [
        ("kW", "W", "1000"),
        ("Wh", "kWh", "0.001"),
        ("degC", "°C", "1"),
        ("bar", "kPa", "100"),
        ("kOhm", "Ω", "1000"),
        ("%", "", "0.01"),
        ("min", "s", "60"),
    ],
)
def test_factors_are_exact(unit, into, expected):
    assert factor(unit, into) == Decimal(expected)


def test_what_measures_something_else_is_refused():
    for unit, into in (("V", "A"), ("kW", "kWh"), ("W", "VA"), ("", "s")):
        with pytest.raises(UnitMismatch):
            factor(unit, into)


def test_an_unknown_unit_is_a_key_error():
    with pytest.raises(KeyError):
        house_unit("furlong")


@pytest.mark.parametrize("unit", KNOWN)
def test_a_house_unit_stays_as_it_is(unit):
    house = house_unit(unit)
    assert house_unit(house) == house
    assert factor(unit, house) > 0


@pytest.mark.parametrize(("unit", "house"), [("MWh", "kWh"), ("Ohm", "Ω"), ("kOhm", "kΩ"), ("h", "h"), ("%", "%")])
def test_the_house_has_one_spelling(unit, house):
    assert house_unit(unit) == house
