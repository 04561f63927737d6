"""What the value information of an M-Bus record means: the tables of EN 13757-3 as data. A meaning is a word for what
is measured, the SI unit of its record, and the power of ten by which its number is multiplied. Hides how the tables are
packed into bits.

Sources: EN 13757-3, 6.4 and tables 10 to 15; EN 1434-3 for the units of the fixed structure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen


@frozen
class Meaning:
    """`word`: what it is, such as "flow temperature"; `unit`: an SI symbol, or empty; its number times 10^`exponent`
    times `factor` is in that unit. `form`: how its number is to be read where it is none, "date"."""

    word: str
    unit: str = ""
    exponent: int = 0
    factor: int = 1
    form: str = ""


def _decades(first: int, count: int, word: str, unit: str, exponent: int) -> Iterator[tuple[int, Meaning]]:
    return ((first + n, Meaning(word, unit, exponent + n)) for n in range(count))


_SPANS = (("s", 1), ("min", 60), ("h", 3600), ("d", 86400))


def _durations(first: int, word: str, spans: tuple[str, ...] = ("s", "min", "h", "d")) -> Iterator[tuple[int, Meaning]]:
    return ((first + n, Meaning(word, "s", 0, dict(_SPANS)[span])) for n, span in enumerate(spans))


def _plain(first: int, *words: str) -> Iterator[tuple[int, Meaning]]:
    return ((first + n, Meaning(word)) for n, word in enumerate(words) if word)


def _long_spans(first: int, word: str) -> Iterator[tuple[int, Meaning]]:
    """Hours and days in seconds, months and years as they are, for nobody knows how long those are."""
    yield from _durations(first, word, ("h", "d"))
    yield first + 2, Meaning(word, "months")
    yield first + 3, Meaning(word, "years")


MAIN: Mapping[int, Meaning] = dict(
    (
        *_decades(0x00, 8, "energy", "Wh", -3),
        *_decades(0x08, 8, "energy", "J", 0),
        *_decades(0x10, 8, "volume", "m³", -6),
        *_decades(0x18, 8, "mass", "kg", -3),
        *_durations(0x20, "on time"),
        *_durations(0x24, "operating time"),
        *_decades(0x28, 8, "power", "W", -3),
        *_decades(0x30, 8, "power", "J/h", 0),
        *_decades(0x38, 8, "volume flow", "m³/h", -6),
        *((0x40 + n, Meaning("volume flow", "m³/h", n - 7, 60)) for n in range(8)),
        *((0x48 + n, Meaning("volume flow", "m³/h", n - 9, 3600)) for n in range(8)),
        *_decades(0x50, 8, "mass flow", "kg/h", -3),
        *_decades(0x58, 4, "flow temperature", "°C", -3),
        *_decades(0x5C, 4, "return temperature", "°C", -3),
        *_decades(0x60, 4, "temperature difference", "K", -3),
        *_decades(0x64, 4, "external temperature", "°C", -3),
        *_decades(0x68, 4, "pressure", "bar", -3),
        (0x6C, Meaning("date", form="date")),
        (0x6D, Meaning("date and time", form="date")),
        (0x6E, Meaning("heat cost allocation")),
        *_durations(0x70, "averaging duration"),
        *_durations(0x74, "actuality duration"),
        (0x78, Meaning("fabrication number")),
        (0x79, Meaning("enhanced identification")),
        (0x7A, Meaning("bus address")),
        (0x7E, Meaning("any")),
        (0x7F, Meaning("manufacturer specific")),
    )
)
"""The first byte, without its extension bit."""

FIRST_EXTENSION: Mapping[int, Meaning] = dict(
    (
        *_decades(0x00, 2, "energy", "Wh", 5),
        *_decades(0x02, 2, "reactive energy", "varh", 3),
        *_decades(0x04, 2, "apparent energy", "VAh", 3),
        *_decades(0x08, 2, "energy", "J", 8),
        *_decades(0x0C, 4, "energy", "cal", 5),
        *_decades(0x10, 2, "volume", "m³", 2),
        *_decades(0x14, 4, "reactive power", "var", 0),
        *_decades(0x18, 2, "mass", "kg", 5),
        *_decades(0x1A, 2, "relative humidity", "%", -1),
        (0x20, Meaning("volume", "ft³")),
        (0x21, Meaning("volume", "ft³", -1)),
        (0x22, Meaning("volume", "gal", -1)),
        (0x23, Meaning("volume", "gal")),
        (0x24, Meaning("volume flow", "gal/min", -3)),
        (0x25, Meaning("volume flow", "gal/min")),
        (0x26, Meaning("volume flow", "gal/h")),
        *_decades(0x28, 2, "power", "W", 5),
        (0x2A, Meaning("phase between voltages", "°", -1)),
        (0x2B, Meaning("phase of voltage and current", "°", -1)),
        *_decades(0x2C, 4, "frequency", "Hz", -3),
        *_decades(0x30, 2, "power", "J/h", 8),
        *_decades(0x34, 4, "apparent power", "VA", 0),
        *_decades(0x58, 4, "flow temperature", "°F", -3),
        *_decades(0x5C, 4, "return temperature", "°F", -3),
        *_decades(0x60, 4, "temperature difference", "°F", -3),
        *_decades(0x64, 4, "external temperature", "°F", -3),
        *_decades(0x70, 4, "temperature limit", "°F", -3),
        *_decades(0x74, 4, "temperature limit", "°C", -3),
        *_decades(0x78, 8, "cumulated maximum power", "W", -3),
    )
)
"""The byte after FB."""

SECOND_EXTENSION: Mapping[int, Meaning] = dict(
    (
        *_decades(0x00, 4, "credit", "", -3),
        *_decades(0x04, 4, "debit", "", -3),
        *_plain(0x08, "access number", "medium", "manufacturer", "parameter set", "model and version"),
        *_plain(0x0D, "hardware version", "firmware version", "software version", "customer location", "customer"),
        *_plain(0x12, "access code of user", "access code of operator", "access code of system operator"),
        *_plain(0x15, "access code of developer", "password", "error flags", "error mask"),
        *_plain(0x1A, "digital output", "digital input", "baud rate"),
        (0x1D, Meaning("response delay", "bit times")),
        *_plain(0x1E, "retry", "remote control"),
        *_plain(0x20, "first cyclic storage", "last cyclic storage", "size of storage block"),
        *_durations(0x24, "storage interval"),
        (0x28, Meaning("storage interval", "months")),
        (0x29, Meaning("storage interval", "years")),
        *_plain(0x2A, "operator data", "second of time point"),
        *_durations(0x2C, "duration since readout"),
        (0x30, Meaning("start of tariff", form="date")),
        *_durations(0x31, "duration of tariff", ("min", "h", "d")),
        *_durations(0x34, "period of tariff"),
        (0x38, Meaning("period of tariff", "months")),
        (0x39, Meaning("period of tariff", "years")),
        *_plain(0x3A, "dimensionless", "wireless container"),
        *_durations(0x3C, "period of transmissions"),
        *_decades(0x40, 16, "voltage", "V", -9),
        *_decades(0x50, 16, "current", "A", -12),
        *_plain(0x60, "reset counter", "cumulation counter", "control signal", "day of week", "week number"),
        *_plain(0x65, "day change", "parameter activation", "supplier information"),
        *_long_spans(0x68, "duration since cumulation"),
        *_long_spans(0x6C, "battery operating time"),
        (0x70, Meaning("battery change", form="date")),
        (0x71, Meaning("radio level", "dBm")),
        *_plain(0x72, "daylight saving", "listening window"),
        (0x74, Meaning("battery life left", "s", 0, 86400)),
        *_plain(0x75, "stops", "container"),
    )
)
"""The byte after FD."""

RECORD_ERRORS: Mapping[int, str] = {
    0x01: "too many DIFE",
    0x02: "storage number not implemented",
    0x03: "unit number not implemented",
    0x04: "tariff number not implemented",
    0x05: "function not implemented",
    0x06: "data class not implemented",
    0x07: "data size not implemented",
    0x0B: "too many VIFE",
    0x0C: "illegal VIF group",
    0x0D: "illegal VIF exponent",
    0x0E: "VIF and DIF do not fit",
    0x0F: "action not implemented",
    0x15: "no data",
    0x16: "overflow",
    0x17: "underflow",
    0x18: "data error",
    0x1C: "premature end of record",
}
"""What a meter says of a record with a VIFE in place of its value."""


def _limits() -> Iterator[tuple[int, str]]:
    for side, bit in (("lower", 0), ("upper", 8)):
        yield 0x40 | bit, f"{side} limit"
        yield 0x41 | bit, f"exceeds of the {side} limit"
        for edge, low in (("begin", 2), ("end", 3)):
            for which, late in (("first", 0), ("last", 4)):
                yield 0x40 | bit | low | late, f"date of {edge} of {which} exceed of the {side} limit"
        for which, late in (("first", 0), ("last", 4)):
            for n, (span, _) in enumerate(_SPANS):
                yield 0x50 | bit | late | n, f"duration of {which} exceed of the {side} limit, {span}"
    for which, late in (("first", 0), ("last", 4)):
        for n, (span, _) in enumerate(_SPANS):
            yield 0x60 | late | n, f"duration of {which}, {span}"
        yield 0x6A | late, f"date of begin of {which}"
        yield 0x6B | late, f"date of end of {which}"


VIFE_NOTES: Mapping[int, str] = dict(
    (
        *((0x20 + n, f"per {word}") for n, word in enumerate(("s", "min", "h", "d", "week", "month", "year"))),
        (0x27, "per revolution"),
        (0x28, "per pulse of input 0"),
        (0x29, "per pulse of input 1"),
        (0x2A, "per pulse of output 0"),
        (0x2B, "per pulse of output 1"),
        *((0x2C + n, f"per {w}") for n, w in enumerate(("l", "m³", "kg", "K", "kWh", "GJ", "kW", "K l", "V", "A"))),
        (0x36, "times s"),
        (0x37, "times s/V"),
        (0x38, "times s/A"),
        (0x39, "start date"),
        (0x3A, "uncorrected"),
        (0x3B, "positive only"),
        (0x3C, "negative only"),
        (0x3D, "not metric"),
        (0x3E, "at base conditions"),
        *_limits(),
        (0x68, "value at exceed of the lower limit"),
        (0x6C, "value at exceed of the upper limit"),
        (0x69, "leakage"),
        (0x6D, "overflow value"),
        (0x7E, "future"),
    )
)
"""What a VIFE adds to the meaning. 70–77 multiply by 10^(n−6), 78–7B add 10^(n−3), 7D multiplies by 1000, and after 7F
the maker's own follow."""

MEDIA: Mapping[int, str] = {
    0x00: "other",
    0x01: "oil",
    0x02: "electricity",
    0x03: "gas",
    0x04: "heat (outlet)",
    0x05: "steam",
    0x06: "hot water",
    0x07: "water",
    0x08: "heat cost allocator",
    0x09: "compressed air",
    0x0A: "cooling (outlet)",
    0x0B: "cooling (inlet)",
    0x0C: "heat (inlet)",
    0x0D: "heat and cooling",
    0x0E: "bus or system",
    0x0F: "unknown",
    0x14: "calorific value",
    0x15: "hot water (90 °C)",
    0x16: "cold water",
    0x17: "dual water",
    0x18: "pressure",
    0x19: "AD converter",
    0x1A: "smoke detector",
    0x1B: "room sensor",
    0x1C: "gas detector",
    0x20: "breaker",
    0x21: "valve",
    0x25: "customer unit",
    0x28: "waste water",
    0x29: "garbage",
    0x31: "communication controller",
    0x36: "radio converter",
    0x37: "radio converter (meter)",
}
"""What is measured, by the code in the header."""


def _fixed() -> Iterator[tuple[int, Meaning]]:
    families = (
        (0x02, 9, "energy", "Wh", 0),
        (0x0B, 9, "energy", "J", 3),
        (0x14, 9, "power", "W", 0),
        (0x1D, 9, "power", "J/h", 3),
        (0x26, 9, "volume", "m³", -6),
        (0x2F, 9, "volume flow", "m³/h", -6),
    )
    for first, count, word, unit, exponent in families:
        yield from _decades(first, count, word, unit, exponent)
    yield 0x38, Meaning("temperature", "°C", -3)
    yield 0x39, Meaning("heat cost allocation")
    yield 0x3F, Meaning("dimensionless")


FIXED_UNITS: Mapping[int, Meaning] = dict(_fixed())
"""The units of the fixed structure; 3E says that the second counter is a former value of the first."""
HISTORIC = 0x3E
FIXED_MEDIA = (0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x0F, 0x03, 0x04, 0x06, 0x07, 0x08, 0x0F)
"""The media of the fixed structure as codes of the variable one; from 0A on, those of counters in mode 2."""
