"""Where every device has its window in the register map, and every value its place in the window: given once, kept for
good. Hides how room is found for values that a device turns out to have later. Pure.

Theory. The map is a chain of SunSpec models: the mark, the common model, one model for each window, the end. A window,
once given, neither moves nor changes its length: whoever configured a SCADA by it stays right. It is given some room to
spare; values that need more get a further window of the same device at the end of the chain. A device that was removed
leaves its window empty, and finds it again when it comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from math import ceil
from typing import Any

from attrs import define, evolve, field, frozen

from concentrator.model.profile import Point
from concentrator.model.quantity import Kind
from concentrator.profile.encodings import Form, encoding_of

BASE = 40000
"""The first register of the map, 0-based: where SunSpec devices are looked for first (SunSpec Device Information Model
Specification, 6.2)."""
MODEL = 64801
"""What windows are called among SunSpec models: 64000 and beyond are the makers' own."""
COMMON_LENGTH = 66
FIRST = BASE + 2 + 2 + COMMON_LENGTH
"""Where the windows begin: after the mark and the common model."""
LAYOUT = 1
"""Which layout a window has; another one would have another number."""

TEXT = 16  # registers of a text
HEADER: Sequence[tuple[str, int, str, str]] = (
    ("ID", 1, "uint16", f"{MODEL}: a window of this map"),
    ("L", 1, "uint16", "registers of the window after this one"),
    ("Window", 1, "uint16", "its number, from 1 on"),
    ("Layout", 1, "uint16", f"{LAYOUT}: what is said here"),
    ("State", 1, "enum16", "of the device: see below"),
    ("Address", 1, "uint16", "the device's own Modbus ID or primary address"),
    ("At", 2, "uint32", "when it last said anything, UTC seconds since 1970; 0xFFFFFFFF: not yet"),
    ("Age", 2, "uint32", "the same in seconds before now; 0xFFFFFFFF: not yet"),
    ("Uid", TEXT, "string", "the device's short id"),
    ("Alias", TEXT, "string", "the name people see"),
    ("Serial", TEXT, "string", "its serial number"),
    ("Model", TEXT, "string", "what it says it is"),
)
"""What every window begins with: name, registers, type and meaning."""
HEADER_LENGTH = sum(count for _, count, _, _ in HEADER)

_SPARE = 1.25  # of the registers that its values need
_STEP = 10  # what rooms are rounded up to
_LEAST_ROOM = 40  # some devices say only later what they have
_END = 2  # registers of the end of the chain


class Type(StrEnum):
    """How a value lies in its registers, high byte and high word first."""

    FLOAT32 = "float32"
    FLOAT64 = "float64"
    INT32 = "int32"
    UINT32 = "uint32"

    @property
    def registers(self) -> int:
        """How many it takes."""
        return 4 if self is Type.FLOAT64 else 2


def type_of(point: Point) -> Type:
    """What is measured is a float32; what counts a float64, which is exact to a thousandth beyond any meter's end; a
    state that is a plain number of the device's an integer."""
    kind = point.quantity.kind
    if kind is Kind.INSTANTANEOUS:
        return Type.FLOAT32
    encoding = encoding_of(point.encoding)
    is_plain = (point.scale, point.offset, point.sf_address) == (1.0, 0.0, None)
    is_short = encoding is not None and encoding.width <= 32 and encoding.form not in (Form.FLOAT, Form.TEXT)
    if kind is not Kind.STATE or not is_plain or not is_short or point.is_sum or encoding is None:
        return Type.FLOAT64
    return Type.INT32 if encoding.is_signed else Type.UINT32


def shown_points(points: Iterable[Point]) -> list[Point]:
    """The points that a map has places for: numbers that are read again and again, and are kept or can be written; not
    what only tells who a device is."""
    return [
        point
        for point in points
        if point.polled and (point.recorded or point.writable) and point.quantity.kind is not Kind.TEXT
    ]


@frozen
class Slot:
    """The place of a value: its name, registers after the beginning of its window, and its type."""

    name: str
    offset: int
    type: Type

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.offset + self.type.registers


@frozen
class Window:
    """A window: its number, the device it is for, where it begins, how many registers it has in all, and the places of
    its values in order."""

    number: int
    uid: str
    start: int
    length: int
    slots: tuple[Slot, ...] = ()

    @property
    def end(self) -> int:
        """The register after it."""
        return self.start + self.length

    @property
    def free(self) -> int:
        """The offset from which on it has room."""
        return self.slots[-1].end if self.slots else HEADER_LENGTH


@define(eq=False)
class Windows:
    """All windows. `left_out` are the values, as "uid name", that the 16 bits of an address leave no room for."""

    _windows: list[Window] = field(factory=list)
    left_out: set[str] = field(factory=set, init=False)

    def all(self) -> Sequence[Window]:
        """Every window, in the order of the chain."""
        return self._windows

    def of(self, uid: str) -> Sequence[Window]:
        """The windows of a device."""
        return [window for window in self._windows if window.uid == uid]

    @property
    def end(self) -> int:
        """Where the end of the chain stands."""
        return self._windows[-1].end if self._windows else FIRST

    def make_room(self, uid: str, points: Iterable[Point]) -> bool:
        """Gives a device its window, and every point the place it has none of yet. Whether that changed anything."""
        own = self.of(uid)
        placed = {slot.name for window in own for slot in window.slots}
        new = [(point.name, type_of(point)) for point in shown_points(points) if point.name not in placed]
        rest = self._filled(own[-1], new) if own else new
        if own and not rest:
            return bool(new)
        room = sum(type_.registers for _, type_ in rest) * _SPARE
        length = HEADER_LENGTH + max(_LEAST_ROOM, ceil(room / _STEP) * _STEP)
        if self.end + length + _END > 0x10000:
            self.left_out.update(f"{uid} {name}" for name, _ in rest)
            return len(rest) < len(new)
        window = Window(len(self._windows) + 1, uid, self.end, length)
        self._windows.append(window)
        self._filled(window, rest)
        return True

    def _filled(self, window: Window, new: Sequence[tuple[str, Type]]) -> Sequence[tuple[str, Type]]:
        """Puts as many values as there is room for into a window, in their order; gives the rest."""
        slots, free = list(window.slots), window.free
        for count, (name, type_) in enumerate(new):
            if free + type_.registers > window.length:
                rest = new[count:]
                break
            slots.append(Slot(name, free, type_))
            free += type_.registers
        else:
            rest = ()
        self._windows[window.number - 1] = evolve(window, slots=tuple(slots))
        return rest


def as_kept(windows: Windows) -> list[dict[str, Any]]:
    """The windows as a file keeps them."""
    return [
        {
            "uid": window.uid,
            "start": window.start,
            "length": window.length,
            "values": {slot.name: [slot.offset, slot.type.value] for slot in window.slots},
        }
        for window in windows.all()
    ]


def as_they_were(kept: Sequence[Mapping[str, Any]]) -> Windows:
    """The windows that a file has kept. Raises ValueError, KeyError or TypeError where it is damaged."""
    found: list[Window] = []
    start = FIRST
    for number, each in enumerate(kept, 1):
        slots = tuple(Slot(name, int(offset), Type(type_)) for name, (offset, type_) in each["values"].items())
        window = Window(number, str(each["uid"]), int(each["start"]), int(each["length"]), slots)
        spans = [(HEADER_LENGTH, HEADER_LENGTH), *((slot.offset, slot.end) for slot in slots)]
        is_whole = all(before[1] <= after[0] for before, after in pairwise(spans))
        if window.start != start or window.free > window.length or not is_whole:
            raise ValueError(f"window {number} does not fit the one before it")
        found.append(window)
        start = window.end
    return Windows(found)
