"""concentrator.profile.sunspec_names: the tables are about points that models have, and quantities that we have."""

import pytest
import sunspec2.device

from concentrator.profile.sunspec_models import Model, entries
from concentrator.profile.sunspec_names import CONTROLS, NAMES, POWERS, SPANS, UNITS, quantity_of
from concentrator.profile.units import UnitMismatch, factor


@pytest.mark.parametrize("number", NAMES)
def test_every_name_stands_for_a_point_of_the_model_or_of_its_sisters(number):
    sisters = [other for other, names in NAMES.items() if names is NAMES[number]]
    known = {entry.name for other in sisters for entry in entries(Model(other, 0, 400))}
    assert NAMES[number].keys() <= known


@pytest.mark.parametrize("number", NAMES)
def test_every_value_has_the_dimension_of_its_quantity(number):
    for entry in entries(Model(number, 0, 400)):
        name = NAMES[number].get(entry.name, "").replace("{n}", str(entry.nth or ""))
        quantity = quantity_of(name) if name else None
        if quantity is not None and not entry.encoding.startswith("ascii"):
            try:
                assert factor(UNITS.get(entry.unit, entry.unit), quantity.unit)
            except UnitMismatch:
                pytest.fail(f"model {number}, {entry.name}: {entry.unit} is not {quantity.unit}")


def test_there_are_as_many_inputs_as_there_are_names_for_them():
    assert quantity_of("dc_p24") is not None
    assert quantity_of("dc_p25") is None


def test_only_what_the_definitions_let_be_written_is_a_control():
    writable = {
        NAMES[number][entry.name]
        for number in NAMES
        for entry in entries(Model(number, 0, 400))
        if entry.name in NAMES[number] and entry.is_writable
    }
    assert writable == CONTROLS.keys() == SPANS.keys()


def test_what_is_turned_for_some_makers_is_power_of_meters():
    for number in (201, 213):
        assert set(POWERS) <= set(NAMES[number].values())
    labels = sunspec2.device.get_model_def(203)["group"]["points"]
    assert {point["units"] for point in labels if NAMES[203].get(point["name"]) in POWERS} == {"W"}
