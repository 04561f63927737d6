"""A device of any profile: what its registers hold at any moment, and what can be written. Where a value lies comes
from the profile, what it is from the place the device is mounted at. Hides who is asked where a device has several
Modbus IDs, and what a device makes of what is written."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from attrs import define, field, frozen

from concentrator.model.profile import DeviceProfile, Function, Point
from concentrator.model.quantity import Kind
from concentrator.model.reading import Value
from concentrator.profile.decode import encoding_at
from concentrator.profile.encodings import Form
from concentrator.sim.genset import Genset
from concentrator.sim.genset_control import GensetControl
from concentrator.sim.profile_map import Content, Place, ProfileMap, Values, decoded, tables_of
from concentrator.sim.site import Shop, Site, SolarRoof
from concentrator.sim.slave import (
    BROADCAST,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    Refusal,
    answer_pdu,
    framed,
    is_exception,
)
from concentrator.sim.told import anything, identity, state

T = TypeVar("T")


@define(eq=False)
class ProfileDevice:
    """One device. `unit`: its Modbus ID; `serial`: its digits; `site`: where it is mounted; `control`: the genset that
    it controls, where it does. What it measures is a function of time; what was written stays."""

    layout: ProfileMap
    unit: int
    serial: str
    site: Site
    control: GensetControl | None = None
    _written: dict[Place, int] = field(init=False, factory=dict)
    _shown: Content = field(init=False, factory=Content)
    _shown_at: int | None = field(init=False, default=None)
    _others: frozenset[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._others = frozenset(tables_of(self.profile))

    @property
    def profile(self) -> DeviceProfile:
        """What it is a device of."""
        return self.layout.profile

    def values(self, at: float) -> Values:
        """What it says at `at` (UTC seconds), every variable and what tells who it is."""
        return self._content(at).says

    def look_again(self) -> None:
        """Something happened to what it measures, which it shows before the second is over."""
        self._shown_at = None

    def answers(self, unit: int) -> bool:
        """Whether a Modbus ID is one of its own."""
        return unit == self.unit or unit in self._others

    def reply(self, frame: bytes, at: float) -> bytes | None:
        """Its reply to an intact request, None where it says nothing."""
        if frame[0] == BROADCAST:
            answer_pdu(_Tables(self, None), frame[1:-2], at)
            return None
        if not self.answers(frame[0]):
            return None
        tables = _Tables(self, None if frame[0] == self.unit else frame[0])
        if self.control is not None and (said := self.control.other_word(frame, at)) is not None:
            self.look_again()
            return said
        reply = framed(frame[0], answer_pdu(tables, frame[1:-2], at))
        is_silent = self.control is not None and self.control.is_taciturn and is_exception(reply)
        return None if is_silent else reply

    def read(self, unit_id: int | None, function: Function, address: int, count: int, at: float) -> Sequence[int]:
        """The contents of a table of its own (None) or of its other Modbus ID. Raises Refusal."""
        if not function.is_bits and count > self.profile.traits.longest_read:
            raise Refusal(ILLEGAL_VALUE)
        if not self.layout.has((unit_id, function), address, count):
            raise Refusal(ILLEGAL_ADDRESS)
        content = self._content(at)
        by_itself = content.alone.get(((unit_id, function, address), count))
        if by_itself is not None:
            return by_itself
        return [content.words.get((unit_id, function, each), 0) for each in range(address, address + count)]

    def write(self, unit_id: int | None, function: Function, address: int, values: Sequence[int], at: float) -> None:
        """Takes whole variables that can be written, or a command. Raises Refusal."""
        if self.control is not None and unit_id is None:
            changed = self.control.write(function, address, values, at)
            if changed is not None:
                self._keep({(None, Function.HOLDING, each): word for each, word in changed.items()})
                return
        for command in self.profile.commands:
            if (unit_id, function, address, tuple(values)) == (None, command.function, command.address, command.values):
                if command.result_address is not None:
                    self._keep({(None, Function.HOLDING, command.result_address): command.result_ok or 0})
                return
        span = range(address, address + len(values))
        points = [
            point
            for point in self.profile.points
            if point.writable and (point.unit_id, point.function) == (unit_id, function) and _within(point, span)
        ]
        if {each for point in points for each in point.addresses} != set(span):
            raise Refusal(ILLEGAL_ADDRESS)
        words = {(unit_id, function, each): word for each, word in zip(span, values, strict=True)}
        self._check(points, Content(words={**self._content(at).words, **words}))
        kept = {each for point in points if point.stays for each in point.addresses}
        self._keep({place: word for place, word in words.items() if place[2] in kept})

    def _check(self, points: Sequence[Point], content: Content) -> None:
        for point in points:
            value = decoded(point, content).get(point.name)
            if (point.enum and value not in point.enum) or value != _within_span(point, value):
                raise Refusal(ILLEGAL_VALUE)

    def _keep(self, words: dict[Place, int]) -> None:
        self._written |= words
        self._shown_at = None

    def _content(self, at: float) -> Content:
        """One and the same for a whole second."""
        if self._shown_at != int(at):
            self._shown, self._shown_at = self.layout.content(self._values(float(int(at)))), int(at)
            self._shown.words |= self._written
            for point in self.profile.points:
                places = [(point.unit_id, point.function, each) for each in point.addresses]
                if any(place in self._written for place in places):
                    self._shown.says |= decoded(point, self._shown)
                    if (places[0], point.count) in self._shown.alone:
                        self._shown.alone[places[0], point.count] = [self._shown.words[place] for place in places]
        return self._shown

    def _values(self, at: float) -> Values:
        measured: dict[str, Value] = dict(self.site.values(at))
        if self.control is not None:
            shown = self.control.shown(at)
            return {point.name: self._of_genset(point, {**measured, **shown}, at) for point in self.profile.points}
        return {point.name: self._value(point, measured, at) for point in self.profile.points}

    def _of_genset(self, point: Point, shown: Values, at: float) -> Value:
        """What a controller says: what it shows of the genset, and nothing wrong elsewhere."""
        if point.name in shown:
            return shown[point.name]
        return 0 if encoding_at(point).form is Form.BITS else self._value(point, shown, at)

    def _value(self, point: Point, measured: Values, at: float) -> Value:
        if point.identifies:
            return identity(self.profile, point, self.unit, self.serial)
        is_state = point.quantity.kind is Kind.STATE and (point.enum or not point.quantity.unit)
        if is_state or encoding_at(point).form is Form.BITS:
            return state(point, measured)
        value = measured[point.name] if point.name in measured else anything(point, at)
        return _within_span(point, value)


@frozen
class _Tables:
    """The tables of a device at one of its Modbus IDs."""

    device: ProfileDevice
    unit_id: int | None

    def read_table(self, table: Function, address: int, count: int, at: float) -> Sequence[int]:
        return self.device.read(self.unit_id, table, address, count, at)

    def write_table(self, table: Function, address: int, values: Sequence[int], is_single: bool, at: float) -> None:
        if is_single and table is Function.HOLDING and self.device.profile.traits.writes_many:
            raise Refusal(ILLEGAL_FUNCTION)
        self.device.write(self.unit_id, table, address, values, at)


def _within_span(point: Point, value: T) -> T | float:
    """The value, or the nearest that may be written where that is said."""
    if point.span is None or not isinstance(value, (int, float)):
        return value
    least, most = point.span
    return min(max(value, least), most)


def _within(point: Point, span: range) -> bool:
    return all(each in span for each in point.addresses)


def profile_device(layout: ProfileMap, unit: int, seed: str) -> ProfileDevice:
    """A device at a Modbus ID; the seed decides its serial number and its place: an inverter's is a roof with panels,
    with as many strings and phases as the profile has, a controller's a genset, anybody else's a shop."""
    profile, place = layout.profile, f"{seed}/{layout.profile.key}/{unit}"
    names = {point.name for point in profile.points}
    phases = 3 if names & {"v2", "i2", "p2", "grid_v2", "inv_v2", "grid_p2", "e_total2"} else 1
    serial = f"{random.Random(place).randrange(10**8, 10**9)}"
    if profile.genset is not None:
        genset = Genset(place)
        return ProfileDevice(layout, unit, serial, genset, GensetControl(profile, genset))
    if profile.type != "inverter":
        return ProfileDevice(layout, unit, serial, Shop(place, phases))
    strings = max((n for n in range(1, 25) for kind in "vip" if f"dc_{kind}{n}" in names), default=1)
    has_battery = any(name.startswith(("bat_", "soc")) for name in names)
    return ProfileDevice(layout, unit, serial, SolarRoof(place, phases, strings, has_battery))
