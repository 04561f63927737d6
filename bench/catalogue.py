"""The device catalogue: how long the first look into it takes, in a process of its own each time, beside the standard
library's tomllib, which only parses the same files; and what decoding costs for each value beside pymodbus's own
conversion of the same registers, which it leaves unscaled and unnamed."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from timeit import timeit

from attrs import frozen
from pymodbus.client.mixin import ModbusClientMixin

from bench.table import Column, table
from concentrator.model.profile import Block, DeviceProfile, Point
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.decode import compile_block
from concentrator.profile.plan import plan_blocks

PEER = "pymodbus"
PARSER = "tomllib"
DECODED = ("eastron/sdm630", "carlo-gavazzi/em24-e1", "goodwe/et", "abb/a-b-series")
"""Floating point; whole numbers, low word first; an inverter's mixture; values that may be missing."""
WHOLE = "every profile, checked whole"
_ROUNDS = 2000
_AT_START = 3  # devices of a small box
_PEER_TYPES = {
    "u16": ModbusClientMixin.DATATYPE.UINT16,
    "s16": ModbusClientMixin.DATATYPE.INT16,
    "u32": ModbusClientMixin.DATATYPE.UINT32,
    "s32": ModbusClientMixin.DATATYPE.INT32,
    "u64": ModbusClientMixin.DATATYPE.UINT64,
    "f32": ModbusClientMixin.DATATYPE.FLOAT32,
}


@frozen
class Figure:
    """One figure of a run: a time to have something of the catalogue, or the processor time of one value."""

    master: str
    bus: str
    ms: float | None = None
    value_us: float | None = None


_LOAD = (Column("ms", lambda figure: figure.ms, ".1f", has_ratio=True),)
_DECODE = (Column("us a value", lambda figure: figure.value_us, ".3f", has_ratio=True),)

_FIRST_USE = """
import tomllib
from time import perf_counter
from concentrator.profile.catalogue import Catalogue
files = [Catalogue().file(key) for key in Catalogue().keys()]
start = perf_counter()
{act}
print((perf_counter() - start) * 1e3)
"""


def measured(repetitions: int, told: Callable[[str], None]) -> list[Figure]:
    """Everything in turn, as often as asked for."""
    figures: list[Figure] = []
    for number in range(repetitions):
        told(f"{number + 1} of {repetitions}")
        some = f"c = Catalogue(); [c.get(key) for key in {DECODED[:_AT_START]}]"
        figures += [
            Figure("ccmaster", "nothing asked for", _first_use("Catalogue()")),
            Figure("ccmaster", f"{_AT_START} devices' profiles", _first_use(some)),
            Figure("ccmaster", "every profile to choose from", _first_use("Catalogue().headings()")),
            Figure("ccmaster", WHOLE, _first_use("Catalogue().faults()")),
            Figure(PARSER, WHOLE, _first_use("[tomllib.loads(file.read_text()) for file in files]")),
        ]
        for key in DECODED:
            block = _widest(Catalogue().get(key))
            values = f"{key}, {len(block.points)} values"
            figures += [
                Figure("ccmaster", values, value_us=_ours(block)),
                Figure(PEER, values, value_us=_theirs(block)),
            ]
    return figures


def _first_use(act: str) -> float:
    """Milliseconds of a statement in a new process."""
    command = [sys.executable, "-c", _FIRST_USE.format(act=act)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _widest(profile: DeviceProfile) -> Block:
    """The read of a profile that brings most values which both can convert."""
    plain = [(block, [point for point in block.points if _is_plain(point)]) for block in plan_blocks(profile)]
    block, points = max(plain, key=lambda each: len(each[1]))
    return Block(block.function, block.address, block.count, tuple(points))


def _is_plain(point: Point) -> bool:
    return point.encoding in _PEER_TYPES and not (point.words or point.is_sum or point.sf_address)


def _content(block: Block) -> bytes:
    return struct.pack(f">{block.count}H", *(0x4000 + n for n in range(block.count)))


def _ours(block: Block) -> float:
    decode, data = compile_block(block), _content(block)
    assert len(decode(data)) == len(block.points)
    return timeit(lambda: decode(data), number=_ROUNDS) / _ROUNDS / len(block.points) * 1e6


def _theirs(block: Block) -> float:
    convert, registers = ModbusClientMixin.convert_from_registers, struct.unpack(f">{block.count}H", _content(block))
    places = [
        (
            point.address - block.address,
            point.count,
            _PEER_TYPES[point.encoding],
            "little" if point.little_word else "big",
        )
        for point in block.points
    ]

    def act() -> list[object]:
        return [
            convert(list(registers[at : at + count]), kind, word_order=order)  # type: ignore[arg-type]
            for at, count, kind, order in places
        ]

    assert len(act()) == len(block.points)
    return timeit(act, number=_ROUNDS) / _ROUNDS / len(block.points) * 1e6


def report(figures: list[Figure]) -> str:
    """The medians, and how they stand to the peer's."""
    load = [figure for figure in figures if figure.ms is not None]
    decode = [figure for figure in figures if figure.value_us is not None]
    return (
        f"The catalogue on first use. Ratios to {PARSER}, which only parses the same files.\n\n"
        f"{table(load, _LOAD, PARSER)}\n\n"
        f"Decoding. Ratios to {PEER}.\n\n{table(decode, _DECODE, PEER)}"
    )
