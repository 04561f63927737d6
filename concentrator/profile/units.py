"""Units as profile files write them, and the exact factor into the one unit the house uses for each kind of
quantity. This is the only place, with the uplinks, where a unit is converted; it hides every spelling."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from concentrator.model.errors import ConcentratorError

_HOUSE = {
    "V": {"mV": "0.001", "V": "1", "kV": "1000"},
    "A": {"mA": "0.001", "A": "1", "kA": "1000"},
    "W": {"mW": "0.001", "W": "1", "kW": "1000", "MW": "1000000"},
    "var": {"mvar": "0.001", "var": "1", "VAr": "1", "kvar": "1000", "kVAr": "1000", "Mvar": "1000000"},
    "VA": {"mVA": "0.001", "VA": "1", "kVA": "1000", "MVA": "1000000"},
    "Hz": {"mHz": "0.001", "Hz": "1"},
    "kWh": {"mWh": "0.000001", "Wh": "0.001", "kWh": "1", "MWh": "1000", "GWh": "1000000"},
    "kvarh": {"varh": "0.001", "VArh": "0.001", "kvarh": "1", "kVArh": "1", "Mvarh": "1000"},
    "kVAh": {"VAh": "0.001", "kVAh": "1", "MVAh": "1000"},
    "°C": {"°C": "1", "degC": "1"},
    "kPa": {"Pa": "0.001", "hPa": "0.1", "mbar": "0.1", "kPa": "1", "bar": "100", "MPa": "1000"},
    "°": {"°": "1", "deg": "1"},
    "rpm": {"rpm": "1", "1/min": "1"},
    "L": {"L": "1", "l": "1"},
    "L/h": {"L/h": "1", "l/h": "1"},
    "m³": {"m³": "1", "m3": "1"},
    "m³/h": {"m³/h": "1", "m3/h": "1"},
    "W/m²": {"W/m²": "1", "W/m2": "1"},
    "m/s": {"m/s": "1"},
    "kg": {"kg": "1"},
    "kg/h": {"kg/h": "1"},
    "K": {"K": "1"},
}
"""House unit → every way to write it or a multiple of it → the factor into it."""

_KEPT = (
    {"": "1", "%": "0.01", "‰": "0.001"},
    {"ms": "0.001", "s": "1", "min": "60", "h": "3600", "d": "86400"},
    {"mΩ": "0.001", "Ω": "1", "Ohm": "1", "kΩ": "1000", "kOhm": "1000", "MΩ": "1000000", "MOhm": "1000000"},
)
"""Families whose members are all in use: a value stays in the one it has, unless its quantity wants another."""

_SPELLINGS = {"Ohm": "Ω", "kOhm": "kΩ", "MOhm": "MΩ"}


def _table() -> Mapping[str, tuple[str, Decimal]]:
    families = [(house, members) for house, members in _HOUSE.items()] + [(next(iter(m)), m) for m in _KEPT]
    return {unit: (family, Decimal(factor)) for family, members in families for unit, factor in members.items()}


_UNITS = _table()

KNOWN = tuple(_UNITS)
"""Every way to write a unit that a profile may use."""


_FOREIGN = {
    "J": ("kWh", Fraction(1, 3_600_000)),
    "cal": ("kWh", Fraction(41868, 10_000) / 3_600_000),  # the international steam table's
    "J/h": ("W", Fraction(1, 3600)),
    "ft³": ("m³", Fraction(28_316_846_592, 10**12)),
    "gal": ("m³", Fraction(3_785_411_784, 10**12)),  # of the United States
    "gal/min": ("m³/h", Fraction(3_785_411_784, 10**12) * 60),
    "gal/h": ("m³/h", Fraction(3_785_411_784, 10**12)),
    "°F": ("°C", Fraction(5, 9)),
}
"""Units that meters speak of and no profile file does: the house's unit and the exact factor into it, 0 °F not being
0 °C."""


class UnitMismatch(ConcentratorError):
    """One unit cannot be turned into the other."""


def house_unit(unit: str) -> str:
    """The unit the house keeps a quantity in, of its own where a file gives `unit`; KeyError on an unknown one."""
    family, _factor = _UNITS[unit]
    return family if family in _HOUSE else _SPELLINGS.get(unit, unit)


def into_house(unit: str) -> tuple[str, Fraction]:
    """The house's unit for what a meter gives in `unit`, and the exact factor into it; an unknown one is kept."""
    if unit in _FOREIGN:
        return _FOREIGN[unit]
    if unit not in _UNITS:
        return unit, Fraction(1)
    house = house_unit(unit)
    return house, Fraction(factor(unit, house))


def factor(unit: str, into: str) -> Decimal:
    """What a number in `unit` is multiplied with to be one in `into`, exactly; KeyError on an unknown unit, raises
    UnitMismatch where they do not measure the same."""
    (family, own), (wanted, other) = _UNITS[unit], _UNITS[into]
    if family != wanted:
        raise UnitMismatch(f"{unit} → {into}")
    return own / other
