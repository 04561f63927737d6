import math

import pytest

from concentrator.portal.scale import needle_of, range_of
from tests.support.web import device

POINTS = tuple(
    (name, "", unit)
    for name, unit in (
        ("v1", "V"),
        ("v12", "V"),
        ("f", "Hz"),
        ("pf", ""),
        ("soc", "%"),
        ("p", "W"),
        ("p_max", "W"),
        ("ea_imp", "kWh"),
    )
)


def state(**values):
    return device(points=POINTS, values=values)


@pytest.mark.parametrize(
    ("name", "value", "needle"),
    [
        ("v1", 230.0, "50"),
        ("v1", 300.0, "100"),
        ("v1", 0.0, "0"),
        ("v12", 400.0, "50"),
        ("f", 50.0, "50"),
        ("pf", -1, "0"),
        ("soc", 25, "25"),
        ("ea_imp", 5.0, ""),
        ("p", 100.0, ""),
        ("v1", None, ""),
        ("v1", math.nan, ""),
        ("v1", "text", ""),
    ],
)
def test_a_value_stands_where_it_is_within_what_is_usual(name, value, needle):
    assert needle_of(state(**{name: value}), name, value) == needle


def test_a_power_stands_within_what_the_device_can_do_either_way():
    assert needle_of(state(p=1250.0, p_max=5000.0), "p", 1250.0) == "25"
    assert needle_of(state(p=-1250.0, p_max=5000.0), "p", -1250.0) == "38"
    assert range_of(state(p=1.0, p_max=0.0), "p") is None and range_of(state(p_max=5000.0), "p_max") is None
