"""The SunSpec models as pysunspec2 ships them: which values lie in a model of a number and a length, and where. Hides
the files of its definitions, how groups in them repeat, and how each type says "not implemented".

Source: SunSpec Device Information Model Specification, and the definitions in the pysunspec2 package (Apache-2.0).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attrs import field, frozen

HEADER = 2
"""The registers before a model's content: its number and its length."""

_TYPES: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "int16": ("s16", (-0x8000,)),
    "int32": ("s32", (-0x8000_0000,)),
    "int64": ("s64", (-0x8000_0000_0000_0000,)),
    "uint16": ("u16", (0xFFFF,)),
    "uint32": ("u32", (0xFFFF_FFFF,)),
    "uint64": ("u64", (0xFFFF_FFFF_FFFF_FFFF,)),
    "count": ("u16", (0xFFFF,)),
    "enum16": ("u16", (0xFFFF,)),
    "enum32": ("u32", (0xFFFF_FFFF,)),
    "bitfield16": ("u16", (0xFFFF,)),
    "bitfield32": ("u32", (0xFFFF_FFFF,)),
    "bitfield64": ("u64", (0xFFFF_FFFF_FFFF_FFFF,)),
    "acc16": ("u16", (0,)),
    "acc32": ("u32", (0,)),
    "acc64": ("u64", (0,)),
    "float32": ("f32", ()),
    "float64": ("f64", ()),
}
"""The encoding of each type, and the raw values that mean "not implemented" (of a float it is NaN, of a text nothing).
Scale factors, addresses and padding are no values of their own."""


@frozen
class Model:
    """A model as it was found in a device: `address` is where its number stands, `length` how many registers follow
    its header."""

    number: int
    address: int
    length: int

    @property
    def end(self) -> int:
        """The address after its last register."""
        return self.address + HEADER + self.length


@frozen
class Entry:
    """One value of a model at its place: `address` on the wire, `count` registers, `encoding` and `sentinels` as a
    Point has them, the definition's `unit`; times 10^`power` where the definition says that, times 10^sf where
    `sf_address` is a register that holds sf; `symbols`: number → the definition's word; `nth`: which repetition of its
    group it belongs to, from 1 on, None outside of groups."""

    name: str
    address: int
    count: int
    encoding: str
    sentinels: tuple[int, ...] = ()
    unit: str = ""
    power: int = 0
    sf_address: int | None = None
    symbols: Mapping[int, str] = field(factory=dict, hash=False)
    is_writable: bool = False
    nth: int | None = None

    @property
    def end(self) -> int:
        """The address after its last register, and after its scale factor where that comes later."""
        return max(self.address + self.count, 0 if self.sf_address is None else self.sf_address + 1)


@frozen
class _Group:
    """Points in a row, each with the registers before it in the group; `size` is that of them all."""

    points: tuple[tuple[int, Mapping[str, Any]], ...]
    size: int

    @classmethod
    def of(cls, points: Sequence[Mapping[str, Any]]) -> _Group:
        placed, size = [], 0
        for point in points:
            placed.append((size, point))
            size += int(point["size"])
        return cls(tuple(placed), size)

    def places(self) -> dict[str, int]:
        return {str(point["name"]): place for place, point in self.points}


@frozen
class _Definition:
    """What a model holds: the fixed part, header included, and what comes after it again and again; `times`: how often,
    None where that goes on to the model's end."""

    fixed: _Group
    repeated: _Group | None = None
    times: int | None = None


def entries(model: Model) -> tuple[Entry, ...]:
    """The values of a model that was found, in the order of its registers, as far as they lie within it; none where
    nobody has defined it."""
    definition = _definition(model.number)
    return () if definition is None else tuple(_placed(definition, model))


def _placed(definition: _Definition, model: Model) -> Iterator[Entry]:
    factors = definition.fixed.places()
    shared = {name: model.address + place for name, place in factors.items()}
    yield from _entries(definition.fixed, model.address, shared, model.end, None)
    group = definition.repeated
    if group is None or not group.size:
        return
    start = model.address + definition.fixed.size
    times = max(model.end - start, 0) // group.size
    if definition.times is not None:
        times = min(times, definition.times)
    for nth in range(1, times + 1):
        own = {name: start + place for name, place in group.places().items()}
        yield from _entries(group, start, {**shared, **own}, model.end, nth)
        start += group.size


def _entries(group: _Group, start: int, factors: Mapping[str, int], end: int, nth: int | None) -> Iterator[Entry]:
    for place, point in group.points:
        size, kind = int(point["size"]), str(point["type"])
        encoding, sentinels = (f"ascii{2 * size}", ()) if kind == "string" else _TYPES.get(kind, ("", ()))
        power, sf_address = _factor(point.get("sf"), factors)
        entry = Entry(
            str(point["name"]),
            start + place,
            size,
            encoding,
            sentinels,
            str(point.get("units") or "").strip(),
            power,
            sf_address,
            {int(each["value"]): str(each["name"]) for each in point.get("symbols", ()) if kind.startswith("enum")},
            point.get("access") == "RW",
            nth,
        )
        if encoding and entry.end <= end:
            yield entry


def _factor(said: object, factors: Mapping[str, int]) -> tuple[int, int | None]:
    """The power of ten of a point, fixed or as the address of the register that holds it."""
    if said is None:
        return 0, None
    if isinstance(said, str) and said in factors:
        return 0, factors[said]
    return int(str(said)), None


@lru_cache(maxsize=64)
def _definition(number: int) -> _Definition | None:
    file = _folder() / f"model_{number}.json"
    try:
        group = json.loads(file.read_bytes())["group"]
    except FileNotFoundError:
        return None
    fixed = _Group.of(group.get("points", ()))
    repeated = [each for each in group.get("groups", ()) if not each.get("groups")]
    if len(repeated) != 1 or len(group["groups"]) != 1:
        # Where groups follow one another or lie in one another, their places depend on what the device says.
        return _Definition(fixed)
    count = repeated[0].get("count", 1)
    return _Definition(
        fixed, _Group.of(repeated[0].get("points", ())), count or None if isinstance(count, int) else None
    )


@lru_cache(maxsize=1)
def _folder() -> Path:
    """Where the definitions lie. The package is not imported for that: only its data are wanted."""
    package = find_spec("sunspec2")
    places = package.submodule_search_locations if package is not None else None
    if not places:
        raise ModuleNotFoundError("pysunspec2, which has the definitions of SunSpec models, is not installed")
    return Path(next(iter(places))) / "models" / "json"
