"""Quantities: their kinds by name, and the digits worth keeping of a value that has no steps of its own."""

import pytest

from concentrator.model.quantity import Kind, Quantity, unit_digits


@pytest.mark.parametrize(
    ("unit", "digits"),
    [("V", 2), ("A", 3), ("W", 1), ("var", 1), ("VA", 1), ("Hz", 3), ("kWh", 3), ("kvarh", 3), ("", 3), ("°C", 2)],
)
def test_values_without_steps_have_the_usual_digits_of_their_unit(unit, digits):
    assert unit_digits(unit) == digits


def test_a_kind_is_written_as_its_name():
    assert [str(kind) for kind in Kind] == ["instantaneous", "counter", "period_counter", "state", "text"]


def test_quantities_of_one_description_are_one():
    assert {Quantity("v1", "V", Kind.INSTANTANEOUS), Quantity("v1", "V", Kind.INSTANTANEOUS, "", 0)} == {
        Quantity("v1", "V", Kind.INSTANTANEOUS)
    }
