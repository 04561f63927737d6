"""The register map as it is read: the newest values of every device in its window. Hides how values become registers,
that too old ones are not there, and that a window is drawn anew only when somebody looks and something has changed.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Protocol

from attrs import define, field, frozen
from twisted.internet.defer import Deferred

from concentrator.model.profile import Function
from concentrator.model.reading import Value
from concentrator.slave.windows import (
    BASE,
    COMMON_LENGTH,
    HEADER_LENGTH,
    LAYOUT,
    MODEL,
    TEXT,
    Slot,
    Type,
    Window,
    Windows,
)
from concentrator.wire.modbus_server import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, Read, Refusal, Write

_MARK = b"SunS"
_COMMON = 1
_END = struct.pack(">HH", 0xFFFF, 0)
_NEVER = 0xFFFFFFFF
_PADDING = 0x8000
_FIXED = struct.Struct(">6HII")
_DRAWN_FOR_S = 1.0  # ages are in seconds
_ROUNDS = 3  # a value that is read more rarely than max_age may be so many of its rounds old

# Each type's code, and what it says where there is no value (SunSpec Device Information Model Specification, 6.4).
_PACKED: Mapping[Type, tuple[struct.Struct, bytes]] = {
    Type.FLOAT32: (struct.Struct(">f"), bytes.fromhex("7FC00000")),
    Type.FLOAT64: (struct.Struct(">d"), bytes.fromhex("7FF8000000000000")),
    Type.INT32: (struct.Struct(">i"), bytes.fromhex("80000000")),
    Type.UINT32: (struct.Struct(">I"), bytes.fromhex("FFFFFFFF")),
}


class State(IntEnum):
    """How the device of a window is. `ABSENT`: it is not configured now; `CONFLICT`: another device answers in its
    place; `SUSPENDED`: its line is not read now."""

    ABSENT = 0
    NEW = 1
    ANSWERING = 2
    DOUBTFUL = 3
    SILENT = 4
    CONFLICT = 5
    SUSPENDED = 6


@frozen
class Shown:
    """What a window shows of a device. `at`: UTC seconds of its newest values, None before the first; `values`: name →
    (value, UTC seconds of its reading); `rounds_s`: how often each is read, in seconds."""

    alias: str = ""
    serial: str = ""
    model: str = ""
    state: State = State.ABSENT
    address: int = 0
    at: float | None = None
    values: Mapping[str, tuple[Value, float]] = field(factory=dict)
    rounds_s: Mapping[str, float] = field(factory=dict)


@frozen
class Introduction:
    """What the common model says of the box."""

    maker: str
    model: str
    version: str
    serial: str


class Devices(Protocol):
    """The devices of the box."""

    def shown(self, uid: str) -> Shown | None:
        """What is known of a device now; None where there is none of that name."""

    def write(self, uid: str, name: str, value: Value, by: str) -> Deferred[object]:
        """Writes a variable, on behalf of somebody; fires when it was read back."""


@frozen(eq=False)
class _Drawn:
    content: bytes
    at: float


@define(eq=False)
class RegisterMap:
    """The map of one unit, as a Content; `now` gives UTC seconds."""

    _windows: Windows
    _devices: Devices
    _now: Callable[[], float]
    _max_age_s: float
    _front: bytes
    _starts: list[int] = field(factory=list, init=False)
    _drawn: dict[str, dict[int, _Drawn]] = field(factory=dict, init=False)

    @classmethod
    def of(
        cls,
        windows: Windows,
        devices: Devices,
        now: Callable[[], float],
        *,
        max_age_s: float,
        introduction: Introduction,
        unit: int,
    ) -> RegisterMap:
        """The map of a box that says this of itself."""
        front = _MARK + struct.pack(">HH", _COMMON, COMMON_LENGTH)
        for words, registers in (
            (introduction.maker, 16),
            (introduction.model, 16),
            ("", 8),
            (introduction.version, 8),
            (introduction.serial, 16),
        ):
            front += _text(words, registers)
        return cls(windows, devices, now, max_age_s, front + struct.pack(">HH", unit, _PADDING))

    def changed(self, uid: str) -> None:
        """Something is known of a device that was not before."""
        self._drawn.pop(uid, None)

    def read(self, wanted: Read) -> bytes:
        """Any registers of the map, as holding and as input registers. Raises Refusal beyond its ends."""
        if wanted.function.is_bits:
            raise Refusal(ILLEGAL_FUNCTION)
        first, last = wanted.address, wanted.address + wanted.count
        windows = self._windows.all()
        if len(self._starts) != len(windows) + 2:
            self._starts = [BASE, *(window.start for window in windows), self._windows.end]
        if first < BASE or last > self._starts[-1] + len(_END) // 2:
            raise Refusal(ILLEGAL_ADDRESS)
        place, content = bisect_right(self._starts, first) - 1, b""
        while first < last:
            start, part = self._starts[place], self._part(windows, place)
            until = min(last, start + len(part) // 2)
            content += part[2 * (first - start) : 2 * (until - start)]
            first, place = until, place + 1
        return content

    def _part(self, windows: Sequence[Window], place: int) -> bytes:
        """A part of the chain: what comes before the windows, each of them, and the end."""
        if not place:
            return self._front
        return self._content(windows[place - 1]) if place <= len(windows) else _END

    def _content(self, window: Window) -> bytes:
        now, own = self._now(), self._drawn.setdefault(window.uid, {})
        drawn = own.get(window.number)
        if drawn is None or not drawn.at <= now < drawn.at + _DRAWN_FOR_S:
            shown = self._devices.shown(window.uid) or Shown()
            drawn = own[window.number] = _Drawn(draw(window, shown, now, self._max_age_s), now)
        return drawn.content

    def write(self, pdu: bytes, wanted: Write, by: str) -> Deferred[object]:
        """Writes one value, which must be written whole. Raises Refusal where the registers are not those of one."""
        if wanted.function is not Function.HOLDING:
            raise Refusal(ILLEGAL_FUNCTION)
        for window in self._windows.all():
            for slot in window.slots if window.start <= wanted.address < window.end else ():
                if window.start + slot.offset == wanted.address and slot.type.registers == len(wanted.values):
                    value = _value(slot, wanted.values)
                    return self._devices.write(window.uid, slot.name, value, by)
        raise Refusal(ILLEGAL_ADDRESS)


def draw(window: Window, shown: Shown, now: float, max_age_s: float) -> bytes:
    """The registers of a window at a moment, UTC seconds."""
    at, age = _NEVER, _NEVER
    if shown.at is not None:
        at, age = min(int(shown.at), _NEVER - 1), min(max(int(now - shown.at), 0), _NEVER - 1)
    content = bytearray(2 * window.length)
    _FIXED.pack_into(
        content, 0, MODEL, window.length - 2, window.number, LAYOUT, shown.state, shown.address & 0xFFFF, at, age
    )
    texts = b"".join(_text(words, TEXT) for words in (window.uid, shown.alias, shown.serial, shown.model))
    content[_FIXED.size : 2 * HEADER_LENGTH] = texts
    for slot in window.slots:
        value, since = shown.values.get(slot.name, (None, 0.0))
        limit_s = max(max_age_s, _ROUNDS * shown.rounds_s.get(slot.name, 0.0))
        is_of_use = shown.state not in (State.ABSENT, State.CONFLICT) and now - since <= limit_s
        registers = packed(slot.type, value if is_of_use else None)
        content[2 * slot.offset : 2 * slot.end] = registers
    return bytes(content)


def packed(type_: Type, value: Value | None) -> bytes:
    """A value in its registers; what they cannot hold is like none."""
    layout, nothing = _PACKED[type_]
    if value is None or isinstance(value, str):
        return nothing
    try:
        if type_ in (Type.INT32, Type.UINT32):
            return layout.pack(round(value))
        return layout.pack(value)
    except (struct.error, OverflowError, ValueError):
        return nothing


def _value(slot: Slot, registers: Sequence[int]) -> Value:
    layout, nothing = _PACKED[slot.type]
    raw = struct.pack(f">{len(registers)}H", *registers)
    value: float | int = layout.unpack(raw)[0]
    if raw == nothing or not math.isfinite(value):
        raise Refusal(ILLEGAL_VALUE)
    if slot.type is Type.FLOAT32:
        return float(f"{value:.7g}")  # the number that was meant, of those this one may stand for
    return value


def _text(words: str, registers: int) -> bytes:
    """As much of a text as there is room for, whole characters only."""
    room = 2 * registers
    return words.encode()[:room].decode(errors="ignore").encode().ljust(room, b"\0")
