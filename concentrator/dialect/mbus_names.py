"""What M-Bus records are called: each becomes a value of one of our quantities, in the house's unit, under a name that
is the same at every read. Hides which quantity a meaning is with which medium, units, and telling records of one
quantity apart.

Theory. A name is made of what the record says of itself: its meaning and the meter's medium give the quantity
(`heat_e`), its tariff, subunit, storage, function and VIFE are appended in that order (`heat_e_t2`, `heat_v_u1`,
`heat_e_s1`, `heat_p_max`). So a record keeps its name whatever stands before it in the telegram. Only records that are
alike in all of that are told apart by their order (`v`, `v_2`, `v_3`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction

from attrs import evolve, frozen

from concentrator.model.profile import Function as Table
from concentrator.model.profile import Point
from concentrator.model.quantities import QUANTITIES
from concentrator.model.quantity import Kind, Quantity, unit_digits
from concentrator.model.reading import Value
from concentrator.profile.units import into_house
from concentrator.wire.mbus_record import Function, Record, Telegram

_HEAT, _COOL = (0x04, 0x0C, 0x0D), (0x0A, 0x0B)
_ELECTRICITY, _GAS, _HOT, _COLD, _WATER = (0x02,), (0x03,), (0x06, 0x15), (0x16,), (0x07, 0x17, 0x28)

_BY_MEDIUM: Mapping[str, tuple[tuple[tuple[int, ...], str], ...]] = {
    "energy": ((_ELECTRICITY, "ea_total"), (_HEAT, "heat_e"), (_COOL, "cool_e"), (_GAS, "gas_e"), ((), "metered_e")),
    "power": ((_ELECTRICITY, "p"), (_HEAT, "heat_p"), (_COOL, "cool_p"), ((), "metered_p")),
    "volume": (
        (_WATER, "water_v"),
        (_HOT, "hot_water_v"),
        (_COLD, "cold_water_v"),
        (_GAS, "gas_v"),
        (_HEAT, "heat_v"),
        (_COOL, "cool_v"),
        ((), "metered_v"),
    ),
}
_NAMES = {
    "reactive energy": "er_total",
    "apparent energy": "es",
    "reactive power": "q",
    "apparent power": "s",
    "voltage": "v",
    "current": "i",
    "frequency": "f",
    "mass": "mass",
    "volume flow": "flow",
    "mass flow": "mass_flow",
    "flow temperature": "temp_flow",
    "return temperature": "temp_return",
    "temperature difference": "temp_diff",
    "external temperature": "temp_ext",
    "temperature": "temp",
    "pressure": "pressure",
    "relative humidity": "humidity",
    "heat cost allocation": "hca",
    "on time": "on_time",
    "operating time": "op_time",
    "error flags": "error_flags",
    "firmware version": "firmware",
    "hardware version": "hardware",
}
_IN_HOURS = ("on time", "operating time", "battery operating time", "battery life left")
_FUNCTIONS = {
    Function.MAXIMUM: ("max", "most"),
    Function.MINIMUM: ("min", "least"),
    Function.ERROR: ("err", "at error"),
}
_ONE_WAY = {"positive only": ("pos", "ea_imp"), "negative only": ("neg", "ea_exp")}
_ABOUT = (
    "fabrication number",
    "enhanced identification",
    "bus address",
    "access number",
    "medium",
    "manufacturer",
    "parameter set",
    "model and version",
    "hardware version",
    "firmware version",
    "software version",
    "customer location",
    "customer",
    "baud rate",
    "response delay",
    "averaging duration",
    "actuality duration",
)
"""What tells of the meter and not of what it measures, and is in no interval."""
_DATED = "date"
_MOST_DIGITS = 6
_STATUS = "mbus_status"


@frozen
class Named:
    """A record as a value: where it belongs, and what it is now (None where the meter has none to tell)."""

    point: Point
    value: Value | None
    record: Record | None = None


def named(telegrams: Iterable[Telegram]) -> list[Named]:
    """The values of a meter's telegrams, all of one read, each under its name; its status among them."""
    taken: dict[str, int] = {}
    found: list[Named] = []
    for telegram in telegrams:
        if not found:
            found.append(Named(_point(evolve(QUANTITIES[_STATUS], digits=0), 0), telegram.header.status))
        medium = telegram.header.address.medium if telegram.header.address else 0
        for record in telegram.records:
            quantity, factor = _quantity(record, medium)
            number = taken[quantity.name] = taken.get(quantity.name, 0) + 1
            if number > 1:
                quantity = evolve(quantity, name=f"{quantity.name}_{number}", label=f"{quantity.label} ({number})")
            found.append(Named(_point(quantity, len(found), record), _in_house(record, factor), record))
    return found


def _point(quantity: Quantity, place: int, record: Record | None = None) -> Point:
    """A point without registers: its `address` is the record's number, and how it lies there the telegram says. What
    is stored, and what is told of a time of errors, is of another time than the interval's."""
    is_of_now = record is None or (record.storage == 0 and record.function is not Function.ERROR)
    is_about = record is not None and record.meaning.word in _ABOUT
    is_recorded = is_of_now and quantity.kind is not Kind.TEXT and not is_about
    return Point(quantity, Table.INPUT, place, 0, "", recorded=is_recorded)


def _quantity(record: Record, medium: int) -> tuple[Quantity, Fraction]:
    """The quantity of a record, named without regard to others, and the exact factor into its unit."""
    meaning = record.meaning
    is_dated = meaning.form == _DATED
    unit, factor = into_house(meaning.unit)
    if meaning.word in _IN_HOURS and unit == "s":
        unit, factor = "h", Fraction(1, 3600)
    if meaning.word == "temperature difference" and unit == "°C":
        unit = "K"
    base, notes = _base(meaning.word, medium), list(record.notes)
    for note, (_, one_way) in _ONE_WAY.items():
        if base == "ea_total" and note in notes:
            base = one_way
            notes.remove(note)
    if is_dated and notes:
        unit = ""
    canonical = QUANTITIES.get(base)
    ends, words = _endings(record, notes)
    name = "_".join((base, *ends))
    label = ", ".join((canonical.label if canonical else meaning.word, *words))
    known = QUANTITIES.get(name, canonical if canonical and not is_dated and canonical.unit == unit else None)
    kind = _kind(record, known, unit)
    return Quantity(name, unit, kind, label, 0 if kind is Kind.TEXT else _digits(record, unit, factor)), factor


def _base(word: str, medium: int) -> str:
    for media, name in _BY_MEDIUM.get(word, ()):
        if not media or medium in media:
            return name
    return _NAMES.get(word) or _slug(word)


def _slug(words: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", words.lower().replace("%", "percent ").replace("³", "3")).strip("_")
    return plain if plain[:1].isalpha() else f"x_{plain}".rstrip("_")


def _endings(record: Record, notes: Iterable[str]) -> tuple[list[str], list[str]]:
    """What is appended to the name and to the label."""
    ends, words = [], []
    for number, letter, word in (
        (record.tariff, "t", "tariff"),
        (record.subunit, "u", "subunit"),
        (record.storage, "s", "storage"),
    ):
        if number:
            ends.append(f"{letter}{number}")
            words.append(f"{word} {number}")
    if record.function in _FUNCTIONS:
        end, word = _FUNCTIONS[record.function]
        ends.append(end)
        words.append(word)
    for note in notes:
        ends.append(_ONE_WAY[note][0] if note in _ONE_WAY else _slug(note))
        words.append(note)
    return ends, words


def _kind(record: Record, known: Quantity | None, unit: str) -> Kind:
    if record.meaning.form == _DATED or isinstance(record.value, str):
        return Kind.TEXT
    if known is not None and known.kind is Kind.TEXT:
        return Kind.STATE  # a version, say, that is told as a number
    if record.storage or record.function is not Function.INSTANT or known is None:
        # What was at some day may be less the next time, and nobody knows how what has no name behaves.
        return Kind.STATE if record.storage or not unit or record.function is Function.ERROR else Kind.INSTANTANEOUS
    return known.kind


def _digits(record: Record, unit: str, factor: Fraction) -> int:
    """The decimals of its steps in the house's unit; where it has none, or endless ones, those worth keeping."""
    number = record.number
    if number.steps is None:
        return unit_digits(unit)
    step = factor * Fraction(10) ** number.exponent
    digits = next((n for n in range(_MOST_DIGITS + 1) if (step * 10**n).denominator == 1), None)
    return max(unit_digits(unit), 3) if digits is None else digits


def _in_house(record: Record, factor: Fraction) -> Value | None:
    value, exact = record.value, record.number.exact
    if value is None or isinstance(value, str):
        return value
    less = 32 if record.meaning.unit == "°F" and record.meaning.word != "temperature difference" else 0
    if exact is None:
        return (value - less) * float(factor)
    found = (exact - less) * factor
    return int(found) if found.denominator == 1 else float(found)
