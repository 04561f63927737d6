"""One whole read of a device that may not be configured yet: who it says it is, and every value of its profile. Hides
that every block is a turn of its own, that what a device refuses is cut smaller as polling does, and when it is not
worth asking on."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field, frozen

from concentrator.api import Station, Taken
from concentrator.model.errors import NoReply, Refused, WireError
from concentrator.model.profile import Block, DeviceProfile, Point
from concentrator.model.reading import Value
from concentrator.poll.enquiry import BEHIND_GATEWAY, Enquiry, said
from concentrator.profile.recognise import PLAIN, is_match, marks

LONGEST_S = 30.0
"""After this time what was not read is missing."""
SILENT_MOST = 3
"""After as many blocks in a row without an answer to be understood the rest is not asked for."""
FIRST = ("p", "v1", "i1", "f", "ea_imp", "e_total", "dc_p", "grid_p", "bat_soc", "p1", "q", "pf")
"""The values people look at first."""

_NOT_THERE = (1, 2, 3)  # Modbus Application Protocol V1.1b3, 7: illegal function, address, value


@frozen
class Probed:
    """What a device of a profile has said: its values by name, the names of those it did not give, the rules of the
    profile that it does not keep, in words, and how long it took, in seconds."""

    profile: DeviceProfile
    values: Mapping[str, Value]
    missing: tuple[str, ...]
    misfits: tuple[str, ...]
    took_s: float

    def as_json(self) -> dict[str, object]:
        """The same as JSON carries it: the values in the profile's order, and those to look at `first`."""
        points = {point.name: point for point in self.profile.points}
        told = [
            {
                "name": name,
                "label": point.quantity.label,
                "value": _plain(self.values[name]),
                "unit": point.quantity.unit,
            }
            for name, point in points.items()
            if name in self.values
        ]
        likely = [name for name in FIRST if name in self.values]
        measured = [name for name in points if name in self.values and name not in likely and points[name].recorded]
        return {
            "profile": self.profile.key,
            "passes_through": not self.profile.points,
            **self.who(),
            "values": told,
            "first": [*likely, *measured][: len(FIRST)],
            "missing": list(self.missing),
            "rules": len(_rules(self.profile)),
            "misfits": list(self.misfits),
            "took_s": round(self.took_s, 3),
        }

    def who(self) -> dict[str, str]:
        """Serial, model and firmware in the profile's words, empty where it did not say."""
        return {name: said(self.profile, name, self.values) for name in ("serial", "model", "firmware")}


@define(eq=False)
class Probe:
    """One whole read of the station at a Modbus ID, or whatever else its line tells it by. `seconds` tells the time;
    `tell` hears which share was read."""

    enquiry: Enquiry
    station: Station
    unit: int | str
    seconds: Callable[[], float]
    tell: Callable[[float], None] = lambda done: None
    _values: dict[str, Value] = field(factory=dict, init=False)
    _missing: list[str] = field(factory=list, init=False)

    async def over(self) -> Probed:
        """Reads who it is, then every block once. Raises NoReply, WireError or LineLost where nobody answers to the
        first, NotOfProfile where the device has not what its profile is read by. What is only passed through to is
        asked nothing."""
        began = self.seconds()
        if self.station.profile.points:
            await self._who()
        waiting, silent = deque(self.station.blocks), 0
        done, of = 0, len(waiting)
        while waiting and silent < SILENT_MOST and self.seconds() - began < LONGEST_S:
            self.tell(done / max(of, 1))
            block = waiting.popleft()
            done += 1
            try:
                await self._read(self.station.read(block), block)
            except Refused as refusal:
                silent = 0
                pieces = self._pieces(block, refusal.code)
                of += len(pieces)
                waiting.extendleft(reversed(pieces))
            except (WireError, NoReply):
                silent += 1
                self._lacks(block)
            else:
                silent = 0
        for block in waiting:
            self._lacks(block)
        profile = self.station.profile
        missing = tuple(name for name in dict.fromkeys(self._missing) if name not in self._values)
        return Probed(profile, self._values, missing, _misfits(profile, self._values), self.seconds() - began)

    async def _who(self) -> None:
        for is_last in (False, True):  # what is no answer may be the late one of another station
            try:
                await self._read(self.station.identify())
            except Refused as refusal:
                if refusal.code in BEHIND_GATEWAY:
                    raise NoReply(f"the gateway says that nobody answers ({refusal.detail})") from refusal
            except (WireError, NoReply):
                if is_last:
                    raise
                continue
            return

    async def _read(self, conversation: Any, block: Block | None = None) -> None:
        unit = self.unit if block is None or block.unit_id is None else block.unit_id
        taken: Taken = await self.enquiry.turn(unit, conversation)
        self._values.update(taken.values)
        self._missing.extend(taken.missing)

    def _pieces(self, block: Block, code: int) -> tuple[Block, ...]:
        """What to read in place of a block that was refused; nothing, and its values are missing, where there is
        nothing smaller."""
        pieces = tuple(self.station.refused(block, code)) if code in _NOT_THERE else (block,)
        if len(pieces) == 1 and pieces[0].count >= block.count:
            self._lacks(block)
            return ()
        return pieces

    def _lacks(self, block: Block) -> None:
        self._missing.extend(point.name for point in block.points)


def _misfits(profile: DeviceProfile, values: Mapping[str, Value]) -> tuple[str, ...]:
    """The rules of a profile that the values break, in words; what was not said breaks one too."""
    found = []
    for point in _rules(profile):
        value = values.get(point.name)
        if not is_match(point, value):
            shown = "nothing" if value is None else repr(value) if isinstance(value, str) else f"{value:.12g}"
            found.append(f"{point.quantity.label}: found {shown}, expected {point.match}")
    return tuple(found)


def _rules(profile: DeviceProfile) -> tuple[Point, ...]:
    """The rules at addresses of its own; a device that is found by its models keeps the others by being found."""
    return marks(profile) if profile.dialect == PLAIN else ()


def _plain(value: Value) -> Value | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
