"""One `[[variable]]` or `[[identify]]` table of a profile file as a Point: its quantity, its exact scale in the
quantity's unit, its sentinels, its cadence. Hides every spelling the format allows for the same thing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from attrs import frozen

from concentrator.model.latency import parse_duration
from concentrator.model.profile import Function, Point, Rate, Traits
from concentrator.model.quantities import QUANTITIES
from concentrator.model.quantity import Kind, Quantity, unit_digits
from concentrator.model.words import nearest
from concentrator.profile.encodings import ENCODINGS, Encoding, Form, encoding_of
from concentrator.profile.match import beginnings, spans
from concentrator.profile.schema import Faults, shown
from concentrator.profile.sentinels import sentinels
from concentrator.profile.units import KNOWN, UnitMismatch, factor, house_unit

Table = Mapping[str, Any]
"""A table of the file that `Faults.checked` has found right."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ENERGIES = ("kWh", "kvarh", "kVAh")
_PERIOD = re.compile(r"_(day|week|month|year)$")
_NOT_RECORDED = ("info", "clock", "setpoint", "link")
_IDENTIFYING = ("serial", "model", "firmware", "hardware")
WRITABLE = (Function.HOLDING, Function.COIL)
"""The tables that can be written (Modbus Application Protocol V1.1b3, 4.3)."""
_ODD_PLACES = frozenset(("writable", "bit", "order", "word_order", "words", "plus", "less", "folded"))
_KINDS = frozenset(Kind)
_MOST_DIGITS = 6  # finer steps would only lengthen what is stored

_WHAT = (
    (re.compile(r"(meter |gx )?serial\b"), "serial"),
    (re.compile(r"(meter |inverter |product )?(model|name)( name)?( \(.*\))?$"), "model"),
    (re.compile(r"(firmware|software)( version)?\b|version( \(.*\))?$"), "firmware"),
    (re.compile(r"hardware\b"), "hardware"),
)
"""How `[[identify]]` names what tells a device from others."""


@frozen
class Surroundings:
    """What a variable is read against: the file's enums, its raw values for "no data" and how many of the highest ones
    are such too, what its device can bear."""

    enums: Mapping[str, Mapping[int, str]]
    no_data: Sequence[int]
    traits: Traits
    no_data_top: int = 0


def cadence(table: Table, default: Rate, section: str, faults: Faults) -> tuple[Rate, float | None]:
    """The `rate` or `every` of a table: the rate, and the seconds where those decide."""
    rate = Rate(table["rate"]) if "rate" in table else default
    if "every" not in table:
        return rate, None
    if "rate" in table:
        faults.note(section, "every", shown(table["every"]), "either rate or every")
    try:
        every_s = parse_duration(table["every"])
    except ValueError:
        faults.note(section, "every", shown(table["every"]), 'a duration such as "5 s"')
        return rate, None
    if every_s <= 0:
        faults.note(section, "every", shown(table["every"]), "a duration above 0")
    return rate, every_s


def identifying_point(
    table: Table, section: str, around: Surroundings, taken: set[str], faults: Faults
) -> Point | None:
    """The point of a checked `[[identify]]` table, under a name not in `taken`, which it joins; None on a fault."""
    encoding = _encoding(table, section, faults)
    function = Function(table["function"])
    if function.is_bits:
        faults.note(section, "function", function, "holding or input")
    if encoding is None or not _fits(table["address"], encoding.registers, section, around, faults):
        return None
    _check_match(table, encoding, section, faults)
    what = table["what"]
    name = next((name for pattern, name in _WHAT if pattern.match(what.lower())), "") or _slug(what)
    while name in taken:
        stem, _, number = name.rpartition("_")
        name = f"{stem}_{int(number) + 1}" if stem and number.isdigit() else f"{name}_2"
    taken.add(name)
    own = Quantity(name, "", Kind.TEXT if encoding.form in (Form.TEXT, Form.HEX) else Kind.STATE, what)
    return Point(
        QUANTITIES.get(name, own),
        function,
        table["address"],
        encoding.registers,
        encoding.name,
        recorded=False,
        polled=False,
        identifies=True,
        match=table.get("match", ""),
        note=table.get("note", ""),
    )


def point(table: Table, section: str, around: Surroundings, faults: Faults) -> Point | None:
    """The point of a checked `[[variable]]` table; None where the file has a fault that leaves none."""
    before = len(faults.found)
    name, function = table["name"], Function[table["function"].upper()]
    if not _NAME.fullmatch(name):
        faults.note(section, "name", shown(name), "a small letter, then small letters, digits and _")
    encoding = _encoding(table, section, faults)
    scale = _exact(table.get("scale", 1))
    if not scale or not scale.is_finite():
        faults.note(section, "scale", shown(table["scale"]), "a number other than 0")
    if "enum" in table and table["enum"] not in around.enums:
        expected = "the name of an [enum.…] section"
        faults.note(section, "enum", shown(table["enum"]), expected, nearest(table["enum"], around.enums))
    if "sf" in table and "sf_address" not in table:
        faults.note(section, "sf_address", "nothing", f"the address of the scale factor {table['sf']}")
    unit = _unit(table, section, faults)
    if encoding is None:
        return None
    _check_place(table, encoding, function, section, around, faults)
    if "match" in table:
        _check_match(table, encoding, section, faults)
    unavailable = sentinels(table, encoding, around.no_data, section, faults, around.no_data_top)
    if unit is None or len(faults.found) > before:
        return None
    scale *= factor(table["unit"], unit)
    quantity = _quantity(table, encoding, unit, scale, section, faults)
    rate, every_s = cadence(table, _usual_rate(quantity, table.get("kind")), section, faults)
    words, is_little = _words(table, encoding)
    kind = table.get("kind")
    return Point(
        quantity,
        function,
        min(words, default=table["address"]),
        1 if function.is_bits else encoding.registers,
        encoding.name,
        scale=float(scale),
        offset=float(table.get("offset", 0.0)),
        bit=table.get("bit"),
        little_word=is_little,
        words=words,
        plus=tuple(table.get("plus", ())),
        less=tuple(table.get("less", ())),
        is_folded=table.get("folded", False),
        sf_address=table.get("sf_address"),
        sentinels=unavailable,
        enum=around.enums[table["enum"]] if "enum" in table else {},
        rate=rate,
        every_s=every_s,
        unit_id=table.get("unit_id"),
        writable=table.get("writable", False),
        span=_span(table, unit, encoding, section, faults),
        stays=table.get("stays", True),
        recorded=table.get("recorded", kind not in _NOT_RECORDED) and quantity.kind is not Kind.TEXT,
        checked=table.get("checked", False),
        identifies=kind == "info" or name in _IDENTIFYING,
        match=table.get("match", ""),
        note=table.get("note", ""),
    )


def _check_match(table: Table, encoding: Encoding, section: str, faults: Faults) -> None:
    """A number that must match something needs numbers to do so, a text its beginnings."""
    match = table.get("match", "")
    if encoding.form is Form.TEXT and match and not beginnings(match):
        faults.note(section, "match", shown(match), 'how the text begins, such as "B21|B23"')
    elif encoding.form is not Form.TEXT and match and not spans(match):
        faults.note(section, "match", shown(match), 'numbers or spans, such as "101..103, 113"')


def _encoding(table: Table, section: str, faults: Faults) -> Encoding | None:
    name = table["type"]
    if name == "string":
        if "len" not in table:
            faults.note(section, "len", "nothing", "the registers a string takes")
            return None
        name = f"ascii{2 * table['len']}"
    elif "len" in table:
        faults.note(section, "len", shown(table["len"]), 'nothing, but with type "string"')
    encoding = encoding_of(name)
    if encoding is None:
        faults.note(section, "type", shown(name), "an encoding", nearest(name, (*ENCODINGS, "string", "ascii10")))
    return encoding


def _unit(table: Table, section: str, faults: Faults) -> str | None:
    """The unit the values will have, or None on a fault."""
    written, canonical = table["unit"], QUANTITIES.get(table["name"])
    if written not in KNOWN:
        faults.note(section, "unit", shown(written), "a unit", nearest(written, KNOWN))
        return None
    if canonical is None:
        return house_unit(written)
    try:
        factor(written, canonical.unit)
    except UnitMismatch:
        expected = f"{canonical.unit or 'none'}, the unit of {canonical.name}, or a multiple of it"
        faults.note(section, "unit", shown(written), expected)
        return None
    return canonical.unit


def _fits(address: int, count: int, section: str, around: Surroundings, faults: Faults) -> bool:
    """Whether registers lie in the table, and one read of the device can bring them."""
    before = len(faults.found)
    if address + count > 0x10000:
        faults.note(section, "address", f"{address} with {count} registers", "the last register at 65535 at most")
    if count > around.traits.longest_read:
        expected = f"{around.traits.longest_read} at most, the device's longest read"
        faults.note(section, "type", f"{count} registers", expected)
    for barrier in around.traits.barriers:
        if address < barrier < address + count:
            found = f"registers {address} to {address + count - 1}"
            faults.note(section, "address", found, f"none across the barrier at {barrier}")
    return len(faults.found) == before


def _check_place(
    table: Table, encoding: Encoding, function: Function, section: str, around: Surroundings, faults: Faults
) -> None:
    if _ODD_PLACES.isdisjoint(table) and not function.is_bits and encoding.form is not Form.BITS:
        _fits(table["address"], encoding.registers, section, around, faults)
        return
    if function.is_bits and (encoding.name != "bool" or "bit" in table):
        found = f"{encoding.name} at bit {table['bit']}" if "bit" in table else encoding.name
        faults.note(section, "type", found, f"bool without a bit, all a {function} can be")
    if table.get("writable") and function not in WRITABLE:
        faults.note(section, "writable", f"true, of {function}", f"true only of {' or '.join(WRITABLE)}")
    if encoding.form is not Form.BITS and "bit" in table:
        faults.note(section, "bit", str(table["bit"]), f"no bit: {encoding.name} takes the whole register")
    if encoding.form is Form.BITS and encoding.name == "u4" and "bit" not in table:
        faults.note(section, "bit", "nothing", "the lowest bit of the nibble")
    if encoding.form is Form.BITS and table.get("bit", 0) + encoding.bits > 16:
        faults.note(section, "bit", str(table["bit"]), f"{16 - encoding.bits} at most, for {encoding.name}")
    if "order" in table and "word_order" in table:
        faults.note(section, "word_order", shown(table["word_order"]), "either order or word_order")
    if encoding.form is Form.TEXT and _is_little(table):
        faults.note(section, "order", "low word first", "big, for a text")
    words = table.get("words", ())
    if table.get("writable") and words and max(words) - min(words) >= len(words):
        faults.note(section, "words", shown(words), "neighbours, for one request must write them all")
    if "words" in table and (len(words) != encoding.registers or len(set(words)) != len(words)):
        faults.note(section, "words", shown(words), f"{encoding.registers} different addresses, for {encoding.name}")
    count = 1 if function.is_bits else encoding.registers
    others = (*table.get("plus", ()), *table.get("less", ()))
    _check_sum(table, encoding, others, section, faults)
    start = min(words, default=min((table["address"], *others)))
    end = max(words, default=max((table["address"], *others)) + count - 1) + 1
    _fits(start, end - start, section, around, faults)


def _check_sum(table: Table, encoding: Encoding, others: Sequence[int], section: str, faults: Faults) -> None:
    key = "plus" if "plus" in table else "less"
    if others and (encoding.form not in (Form.INTEGER, Form.FLOAT) or "words" in table or "offset" in table):
        faults.note(section, key, shown(table[key]), "no other parts: only plain numbers without an offset are summed")
    if others and table.get("writable"):
        faults.note(section, key, shown(table[key]), "no other parts, for what is written lies in one place")
    if len({table["address"], *others}) != 1 + len(others):
        faults.note(section, key, shown(table[key]), "every address once")
    if table.get("folded") and (encoding.form not in (Form.INTEGER, Form.FLOAT) or table.get("writable")):
        faults.note(section, "folded", "true", "true only of a number that is not written")


def _is_little(table: Table) -> bool:
    return table.get("order") == "little-word" or table.get("word_order") == "little"


def _words(table: Table, encoding: Encoding) -> tuple[tuple[int, ...], bool]:
    """The spread words, high first, and whether what is not spread has its low word first."""
    is_little = _is_little(table) and encoding.registers > 1
    words = tuple(table.get("words", ()))
    return (words[::-1] if is_little else words), is_little and not words


def _span(table: Table, unit: str, encoding: Encoding, section: str, faults: Faults) -> tuple[float, float] | None:
    """The least and the most that may be written, in the unit the values will have."""
    if "range" not in table:
        return None
    if not table.get("writable") or "enum" in table or encoding.form not in (Form.INTEGER, Form.FLOAT):
        faults.note(section, "range", shown(table["range"]), "nothing, but of a plain number that is writable")
    least, most = (float(_exact(end) * factor(table["unit"], unit)) for end in table["range"])
    return least, most


def _digits(table: Table, encoding: Encoding, unit: str, scale: Decimal) -> int:
    """The decimals of a value's steps, or the usual ones of its unit where the steps are not known."""
    if encoding.form in (Form.TEXT, Form.HEX):
        return 0
    if encoding.form is Form.FLOAT or "sf_address" in table:
        return unit_digits(unit)
    return _decimals(scale, table.get("offset", 0))


@lru_cache(maxsize=256)
def _decimals(scale: Decimal, offset: int | float) -> int:
    """The decimals of the steps that a scale and an offset make."""
    steps = scale.normalize(), (_exact(offset) * scale).normalize()
    return min(_MOST_DIGITS, max(0, *(-int(step.as_tuple().exponent) for step in steps)))


@lru_cache(maxsize=256, typed=True)
def _exact(number: int | float) -> Decimal:
    """A number of a file as it was written; the same few are in all of them."""
    return Decimal(repr(number))


def _quantity(table: Table, encoding: Encoding, unit: str, scale: Decimal, section: str, faults: Faults) -> Quantity:
    name, said = table["name"], table.get("kind", "")
    digits, canonical = _digits(table, encoding, unit, scale), QUANTITIES.get(name)
    if encoding.form in (Form.TEXT, Form.HEX):
        kind = Kind.TEXT
    elif canonical is not None:
        kind = canonical.kind
    elif said in _KINDS:
        kind = Kind(said)
    else:
        kind = _own_kind(table, encoding, unit, scale)
    if canonical is None:
        return Quantity(name, unit, kind, table.get("label") or name.replace("_", " "), digits)
    if said in _KINDS and said != kind:
        faults.note(section, "kind", shown(said), f"{kind}, the kind of {name}")
    return Quantity(name, canonical.unit, kind, table.get("label") or canonical.label, digits)


def _own_kind(table: Table, encoding: Encoding, unit: str, scale: Decimal) -> Kind:
    """The kind of a variable that is not in the table of quantities and does not say it."""
    is_code = encoding.form is Form.INTEGER and not unit and scale == 1 and "offset" not in table
    if "kind" in table or "enum" in table or encoding.form is Form.BITS or (is_code and "sf_address" not in table):
        return Kind.STATE
    if unit in _ENERGIES:
        return Kind.PERIOD_COUNTER if _PERIOD.search(table["name"]) else Kind.COUNTER
    return Kind.INSTANTANEOUS


def _usual_rate(quantity: Quantity, said: str | None) -> Rate:
    """How often a variable is wanted when its file does not say: what changes by the second at the device's
    interval, counters every minute, what is set once every ten minutes."""
    if said in ("setpoint", "info") or quantity.kind is Kind.TEXT:
        return Rate.SLOW
    return Rate.NORMAL if quantity.kind in (Kind.COUNTER, Kind.PERIOD_COUNTER) or said == "clock" else Rate.FAST


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"\(.*?\)", "", text.lower())).strip("_") or "identity"
