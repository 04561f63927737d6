"""The table of quantities: every family of names, with unit, kind and label."""

import re

import pytest

from concentrator.model.quantities import QUANTITIES
from concentrator.model.quantity import Kind, Quantity


def test_names_are_short_and_safe_everywhere():
    for name, quantity in QUANTITIES.items():
        assert name == quantity.name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)


def test_no_two_variables_have_one_label():
    labels = {}
    for quantity in QUANTITIES.values():
        assert "{" not in quantity.label
        labels.setdefault(quantity.label, []).append(quantity.name)
    twice = {label: names for label, names in labels.items() if len(names) > 1}
    assert twice == {}


@pytest.mark.parametrize(
    ("name", "unit", "kind", "label"),
    [
        ("v1", "V", Kind.INSTANTANEOUS, "voltage L1"),
        ("v31", "V", Kind.INSTANTANEOUS, "voltage L3-L1"),
        ("i3", "A", Kind.INSTANTANEOUS, "current L3"),
        ("in", "A", Kind.INSTANTANEOUS, "current of the neutral"),
        ("p", "W", Kind.INSTANTANEOUS, "active power"),
        ("p2", "W", Kind.INSTANTANEOUS, "active power L2"),
        ("q", "var", Kind.INSTANTANEOUS, "reactive power"),
        ("s1", "VA", Kind.INSTANTANEOUS, "apparent power L1"),
        ("pf", "", Kind.INSTANTANEOUS, "power factor"),
        ("f", "Hz", Kind.INSTANTANEOUS, "frequency"),
        ("thd_v1", "%", Kind.INSTANTANEOUS, "distortion of voltage L1"),
        ("ea_imp", "kWh", Kind.COUNTER, "active energy imported"),
        ("ea_imp3", "kWh", Kind.COUNTER, "active energy imported L3"),
        ("ea_imp_t1", "kWh", Kind.COUNTER, "active energy imported, tariff 1"),
        ("er_exp2_t4", "kvarh", Kind.COUNTER, "reactive energy exported L2, tariff 4"),
        ("er_q3", "kvarh", Kind.COUNTER, "reactive energy, quadrant 3"),
        ("es", "kVAh", Kind.COUNTER, "apparent energy"),
        ("e_day", "kWh", Kind.PERIOD_COUNTER, "energy generated today"),
        ("e_total", "kWh", Kind.COUNTER, "energy generated"),
        ("dc_v24", "V", Kind.INSTANTANEOUS, "DC voltage 24"),
        ("grid_p", "W", Kind.INSTANTANEOUS, "grid power"),
        ("bat_e_chg_day", "kWh", Kind.PERIOD_COUNTER, "energy into the battery today"),
        ("soc", "%", Kind.INSTANTANEOUS, "state of charge"),
        ("status", "", Kind.STATE, "status"),
        ("serial", "", Kind.TEXT, "serial number"),
        ("oil_pressure", "kPa", Kind.INSTANTANEOUS, "oil pressure"),
        ("run_hours", "h", Kind.COUNTER, "running time, hours"),
    ],
)
def test_a_variable_is_found_by_its_name(name, unit, kind, label):
    found = QUANTITIES[name]
    assert (found.unit, found.kind, found.label) == (unit, kind, label)


@pytest.mark.parametrize("name", ["v4", "v13", "dc_v25", "ea_imp4", "ea_imp_t9", "e_week", "V1", ""])
def test_what_is_in_no_family_is_not_found(name):
    assert name not in QUANTITIES


def test_energies_are_counters():
    for quantity in QUANTITIES.values():
        if quantity.unit in ("kWh", "kvarh", "kVAh") and quantity.name[:2] in ("ea", "er", "es"):
            assert quantity.kind in (Kind.COUNTER, Kind.STATE)


def test_a_row_of_the_table_is_a_whole_quantity():
    assert QUANTITIES["v1"] == Quantity("v1", "V", Kind.INSTANTANEOUS, "voltage L1", 2)
    assert QUANTITIES["serial"].digits == 0


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        QUANTITIES["v1"] = None
