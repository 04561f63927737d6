"""A CcM meter: what its registers hold at any moment, and what it does when one is written. Where a value lies comes
from the device profile, what it is from the premises it is mounted in. Hides the rules of its configuration block:
what may be written, what is locked, when it is busy.

The loads only consume and the meters are mounted the right way round, so `direction_mode` is kept and changes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field, frozen

from concentrator.model.profile import DeviceProfile, Function, Point
from concentrator.model.reading import Value
from concentrator.profile.encode import encode
from concentrator.sim.curve import Supply, grid_frequency_hz, neutral_a
from concentrator.sim.premises import supplies
from concentrator.sim.slave import BUSY, ILLEGAL_ADDRESS, ILLEGAL_VALUE, Refusal

UNLOCK = 0x5AA5
_UNLOCKED_S = 60.0
_STORING_S = 0.1
_MAGIC, _MAP_VERSION, _HARDWARE = 0x434D, 0x0100, 0x0102
_CLOCK_IS_VALID = 1 << 2
_WINDOW_MS = 1000
_CT_RANGE_A = 63


@frozen
class Kind:
    """A model of the family: its number in the map and in serial numbers, its firmware word, its phases."""

    model: int
    firmware: int
    phases: int


CCM4 = Kind(4, 0x2C06, 3)
CCM2 = Kind(2, 0x3504, 1)


@define(eq=False)
class CcmMeter:
    """One meter. `unit`: the Modbus ID it listens to now; `serial`: its ten digits; `powered_at`: UTC seconds since
    which it runs. Everything it measures is a function of time alone; only its configuration has a memory."""

    profile: DeviceProfile
    unit: int
    serial: str
    kind: Kind
    installed: tuple[Supply, ...]
    powered_at: float
    direction_mode: int = 0
    identify_until: float = 0.0
    unlocked_until: float = 0.0
    busy_until: float = 0.0
    clock_offset_s: float = 0.0
    _points: dict[int, Point] = field(init=False)
    _mapped: frozenset[int] = field(init=False)
    _window: dict[str, Value] = field(init=False, factory=dict)
    _window_at: int | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        points = [point for point in self.profile.points if point.function is Function.HOLDING]
        self._points = {point.address: point for point in points}
        spans = [(block.address, block.count) for block in self.profile.blocks]
        spans += [(point.address, point.count) for point in points]
        self._mapped = frozenset(address for start, count in spans for address in range(start, start + count))

    def read(self, address: int, count: int, at: float) -> Sequence[int]:
        """The contents of registers; a meter shows one and the same measuring window for a whole second."""
        if count > self.profile.traits.longest_read:
            raise Refusal(ILLEGAL_VALUE)
        wanted = range(address, address + count)
        if not self._mapped.issuperset(wanted):
            raise Refusal(ILLEGAL_ADDRESS)
        if self._window_at != int(at):
            self._window, self._window_at = self.values(float(int(at))), int(at)
        registers = dict.fromkeys(wanted, 0)
        for point in self._points.values():
            if point.name in self._window and not registers.keys().isdisjoint(point.addresses):
                registers.update(zip(point.addresses, encode(point, self._window[point.name]), strict=True))
        return [registers[n] for n in wanted]

    def write(self, address: int, values: Sequence[int], at: float) -> None:
        """Takes settings: whole ones, that may be written, and only when none is being stored."""
        taken: list[tuple[_Setting, int]] = []
        place = 0
        while place < len(values):
            point = self._points.get(address + place)
            setting = None if point is None else _SETTINGS.get(point.name)
            if point is None or setting is None or place + point.count > len(values):
                raise Refusal(ILLEGAL_ADDRESS)
            raw = 0
            for word in values[place : place + point.count]:
                raw = raw << 16 | word
            taken.append((setting, raw))
            place += point.count
        if at < self.busy_until:
            raise Refusal(BUSY)
        self._window_at = None
        for setting, raw in taken:
            setting(self, raw, at)

    def values(self, at: float) -> dict[str, Value]:
        """Every value by its name, in the unit of its quantity; what a single-phase meter lacks is not there."""
        phases = [supply.seen(at) for supply in self.installed]
        p, q = round(sum(phase.p for phase in phases), 1), round(sum(phase.q for phase in phases), 1)
        s = (p * p + q * q) ** 0.5
        values: dict[str, Value] = {
            "p": p,
            "q": q,
            "s": s,
            "pf": p / s if s else 1.0,
            "f": grid_frequency_hz(at),
            "in": neutral_a(phases) if len(phases) > 1 else phases[0].i,
            "ea_imp": sum(phase.energy_wh for phase in phases) / 1000,
            "er_imp": sum(phase.reactive_varh for phase in phases) / 1000,
        }
        for number, phase in enumerate(phases, 1):
            values |= {f"{name}{number}": getattr(phase, name) for name in ("i", "v", "pf", "p", "q", "s")}
            values |= {f"ea_imp{number}": phase.energy_wh / 1000, f"er_imp{number}": phase.reactive_varh / 1000}
        return values | self._identity(at)

    def _identity(self, at: float) -> dict[str, Value]:
        """What it is and how it is set."""
        clock = int(at + self.clock_offset_s) & 0xFFFFFFFF
        return {
            "map_magic": _MAGIC,
            "map_version": _MAP_VERSION,
            "serial": self.serial,
            "model": self.kind.model,
            "firmware": f"0X{self.kind.firmware:04X}",
            "hardware": f"0X{_HARDWARE:04X}",
            "phases": self.kind.phases,
            "status_word": _CLOCK_IS_VALID,
            "uptime": max(0, int(at - self.powered_at)),  # the wall clock may have been set back
            "measured_at": clock,
            "window": _WINDOW_MS,
            "modbus_id": self.unit,
            "direction_mode": self.direction_mode,
            "ct_range": _CT_RANGE_A,
            "identify": max(0, round(self.identify_until - at)),
            "unlock": UNLOCK if at < self.unlocked_until else 0,
            "clock_set": clock,
            "link_serial": self.serial,
            "link_stored_id": self.unit,
        }

    def _set_modbus_id(self, raw: int, at: float) -> None:
        if not 1 <= raw <= 246 or at >= self.unlocked_until:
            raise Refusal(ILLEGAL_VALUE)
        self.unit = raw
        self.busy_until = at + _STORING_S

    def _set_direction_mode(self, raw: int, at: float) -> None:
        if raw > 2:
            raise Refusal(ILLEGAL_VALUE)
        self.direction_mode = raw
        self.busy_until = at + _STORING_S

    def _set_identify(self, raw: int, at: float) -> None:
        self.identify_until = at + raw

    def _set_unlock(self, raw: int, at: float) -> None:
        if raw != UNLOCK:
            raise Refusal(ILLEGAL_VALUE)
        self.unlocked_until = at + _UNLOCKED_S

    def _set_clock(self, raw: int, at: float) -> None:
        self.clock_offset_s = raw - at


_Setting = Callable[[CcmMeter, int, float], None]

_SETTINGS: Mapping[str, _Setting] = {
    "modbus_id": CcmMeter._set_modbus_id,
    "direction_mode": CcmMeter._set_direction_mode,
    "identify": CcmMeter._set_identify,
    "unlock": CcmMeter._set_unlock,
    "clock_set": CcmMeter._set_clock,
}


def ccm_meters(profile: DeviceProfile, count: int, seed: str, at: float) -> list[CcmMeter]:
    """`count` meters at the addresses from 1 on, switched on at `at` (UTC seconds): every third a single-phase CcM2,
    the others CcM4; the third of each ten in a shop, the others in houses."""
    meters = []
    for unit in range(1, count + 1):
        draw = random.Random(f"{seed}/{unit}")
        kind = CCM2 if unit % 3 == 2 else CCM4
        installed = supplies("shop" if unit % 10 == 3 else "house", f"{seed}/{unit}", kind.phases)
        number = (81 + 137 * (unit - 1)) % 10_000  # 137 has no factor in common: no two meters share a number
        month = 2 if unit == 1 else draw.randrange(1, 13)
        meters.append(CcmMeter(profile, unit, f"{kind.model:02}20{month:02}{number:04}", kind, installed, at))
    return meters
