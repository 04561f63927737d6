"""A CcM meter: what its registers hold at any moment, and what it does when one is written. Where a value lies comes
from the device profile, what it is from the premises it is mounted in. Hides the rules of its configuration block
(what may be written, what is locked, when it is busy), and which of its lives it is in: normal operation, link mode,
or without power.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field

from concentrator.model.profile import DeviceProfile, Function
from concentrator.model.reading import Value
from concentrator.sim.link import FACTORY_ID, Led, MeterLink, Stage
from concentrator.sim.link_block import LinkBlock, LinkBroadcast, block, is_commit
from concentrator.sim.measuring import BIDIRECTIONAL, REVERSE, UNIDIRECTIONAL, Kind, Measuring
from concentrator.sim.premises import supplies
from concentrator.sim.registers import RegisterMap
from concentrator.sim.secondary import CCM1_C, CCM3_C, MOST, Secondary, SecondaryBus
from concentrator.sim.slave import BROADCAST, BUSY, ILLEGAL_ADDRESS, ILLEGAL_VALUE, Refusal, answer, is_exception

UNLOCK = 0x5AA5
_UNLOCKED_S = 60.0
_STORING_S = 0.1
_MAGIC, _MAP_VERSION, _HARDWARE = 0x434D, 0x0100, 0x0102
_LINK_MODE, _CLOCK_IS_VALID = 1 << 0, 1 << 2
_WINDOW_MS = 1000
_CT_RANGE_A = 63

CCM4 = Kind(4, 0x2C06, 3, prefix=4)
CCM2 = Kind(2, 0x3504, 1, prefix=2)


@define(eq=False)
class CcmMeter:
    """One meter. `link`: its serial, its Modbus ID and how it gets another one; `powered_at`: UTC seconds since which
    it runs; `behind`: its secondaries. Everything it measures is a function of time; its configuration has a memory,
    and what of it is not stored is lost with the power."""

    profile: DeviceProfile
    link: MeterLink
    kind: Kind
    measuring: Measuring
    powered_at: float
    behind: SecondaryBus
    is_powered: bool = True
    identify_until: float = 0.0
    unlocked_until: float = 0.0
    busy_until: float = 0.0
    clock_offset_s: float = 0.0
    _map: RegisterMap = field(init=False)
    _window: dict[str, Value] = field(init=False, factory=dict)
    _window_at: int | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        points = [point for point in self.profile.points if point.function is Function.HOLDING]
        self._map = RegisterMap(points, self.profile.blocks)

    @property
    def unit(self) -> int:
        """The Modbus ID it has for good."""
        return self.link.stored_id

    @property
    def serial(self) -> str:
        """Its ten digits."""
        return self.link.serial

    def listens(self, at: float) -> int | None:
        """The one ID at which it answers now, None without power."""
        return self.link.listens(at) if self.is_powered else None

    def led(self, at: float) -> Led:
        """What its blue LED does: link mode goes before a wish to identify it."""
        if not self.is_powered:
            return Led.OFF
        led = self.link.led(at)
        return Led.SLOW if led is Led.OFF and at < self.identify_until else led

    def press(self, at: float) -> None:
        """Its button is released; without power nothing happens."""
        if self.is_powered:
            self.link.press(at)

    def power(self, is_on: bool, at: float) -> None:
        """The power comes or goes. What is not stored is lost, and meanwhile nothing is counted."""
        if is_on and not self.is_powered:
            self.powered_at = at
            self.measuring.go_on(at)
        elif not is_on and self.is_powered:
            self.measuring.stop(at)
            self._forget()
        self.is_powered = is_on

    def reset(self, at: float) -> None:
        """Its counters begin again at zero."""
        self.measuring.reset(at)
        self._window_at = None

    def replace(self, serial: str, at: float) -> None:
        """Another meter of its kind is mounted in its place and set to its ID: the serial is another one, the counters
        begin at zero, and nothing else is remembered."""
        self._forget()
        self.link = MeterLink(serial, self.unit, self.link.seed)
        self.measuring.turn(UNIDIRECTIONAL, at)
        self.reset(at)
        self.powered_at, self.clock_offset_s = at, 0.0

    def move(self, unit: int) -> None:
        """Somebody has given it another ID, elsewhere and unasked. ValueError for one that no meter can have."""
        if not 1 <= unit <= 246:
            raise ValueError(f"a Modbus ID: found {unit}, expected 1 to 246")
        self.link.stored_id = unit

    def reply(self, frame: bytes, at: float) -> bytes | None:
        """Its reply to an intact request, None where it says nothing: at 247 that is its answer to whatever is not
        meant for it alone."""
        if not self.is_powered:
            return None
        stage = self.link.stage(at)
        if frame[0] == BROADCAST:
            answer(LinkBroadcast(self.link), frame, at)
            if stage in (Stage.NORMAL, Stage.COMMITTED):
                answer(self, frame, at)
            return None
        if frame[0] != self.link.listens(at):
            return None
        if stage is Stage.WAITING:
            reply = answer(LinkBlock(self.link), frame, at)
            return None if is_exception(reply) else reply
        return answer(self, frame, at)

    def read(self, address: int, count: int, at: float) -> Sequence[int]:
        """The contents of registers; a meter shows one and the same measuring window for a whole second."""
        if count > self.profile.traits.longest_read:
            raise Refusal(ILLEGAL_VALUE)
        if self.behind.holds(address):
            return self.behind.read(address, count, at)
        if self._window_at != int(at):
            self._window, self._window_at = self.measuring.values(at), int(at)
        return self._map.contents(address, count, self._window | self._identity(at))

    def write(self, address: int, values: Sequence[int], at: float) -> None:
        """Takes settings: whole ones, that may be written, and only when none is being stored; or, in link mode, the
        word that its ID is its own from now on."""
        stage = self.link.stage(at)
        if is_commit(address, values) and stage in (Stage.PROVISIONAL, Stage.COMMITTED):
            if not self.link.commit(values[0], at):
                raise Refusal(ILLEGAL_VALUE)
            return
        taken: list[tuple[_Setting, int]] = []
        place = 0
        while place < len(values):
            point = self._map.point(address + place)
            setting = None if point is None else _SETTINGS.get(point.name)
            if point is None or setting is None or place + point.count > len(values):
                raise Refusal(ILLEGAL_ADDRESS)
            raw = 0
            for word in values[place : place + point.count]:
                raw = raw << 16 | word
            taken.append((setting, raw))
            place += point.count
        if stage is Stage.PROVISIONAL:
            raise Refusal(ILLEGAL_VALUE)
        if at < self.busy_until:
            raise Refusal(BUSY)
        self._window_at = None
        for setting, raw in taken:
            setting(self, raw, at)

    def _forget(self) -> None:
        """What lives in its memory and not in its store."""
        self.link.cut()
        self.identify_until = self.unlocked_until = self.busy_until = 0.0
        self._window_at = None

    def _identity(self, at: float) -> dict[str, Value]:
        """What it is and how it is set."""
        clock = int(int(at) + self.clock_offset_s) & 0xFFFFFFFF
        state, seconds_left, *_, stored_id, nonce = block(self.link, at)
        secondaries = len(self.behind.secondaries)
        return {
            "map_magic": _MAGIC,
            "map_version": _MAP_VERSION,
            "serial": self.serial,
            "model": self.kind.model,
            "firmware": f"0X{self.kind.firmware:04X}",
            "hardware": f"0X{_HARDWARE:04X}",
            "phases": self.kind.phases,
            "secondary_count": secondaries,
            "status_word": _CLOCK_IS_VALID | (_LINK_MODE if state == Stage.PROVISIONAL else 0),
            "uptime": max(0, int(at - self.powered_at)),  # the wall clock may have been set back
            "measured_at": clock,
            "window": _WINDOW_MS,
            "modbus_id": self.link.listens(at),
            "direction_mode": self.measuring.mode,
            "ct_range": _CT_RANGE_A,
            "identify": max(0, round(self.identify_until - at)),
            "unlock": UNLOCK if at < self.unlocked_until else 0,
            "clock_set": clock,
            "secondaries": secondaries,
            "link_state": state,
            "link_seconds_left": seconds_left,
            "link_serial": self.serial,
            "link_stored_id": stored_id,
            "link_nonce": nonce,
        }

    def _set_modbus_id(self, raw: int, at: float) -> None:
        if not 1 <= raw <= 246 or at >= self.unlocked_until:
            raise Refusal(ILLEGAL_VALUE)
        self.link.stored_id = raw
        self.busy_until = at + _STORING_S

    def _set_direction_mode(self, raw: int, at: float) -> None:
        if raw > REVERSE:
            raise Refusal(ILLEGAL_VALUE)
        self.measuring.turn(raw, at)
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


def ccm_meters(profile: DeviceProfile, count: int, seed: str, at: float, secondaries: int = 0) -> list[CcmMeter]:
    """`count` meters at the addresses from 1 on, switched on at `at` (UTC seconds): every third a single-phase CcM2,
    the others CcM4; the third of each ten in a shop, the ninth at the feed of a roof with panels and set for it, the
    others in houses. Every three-phase one has so many `secondaries`, from a single-phase and a three-phase kind in
    turn."""
    return [_meter(profile, unit, unit, seed, at, secondaries) for unit in range(1, count + 1)]


def ccm_meter(profile: DeviceProfile, unit: int, seed: str, at: float) -> CcmMeter:
    """One meter at an address, the same that `ccm_meters` puts there."""
    return _meter(profile, unit, unit, seed, at, 0)


def unlinked_meters(profile: DeviceProfile, count: int, seed: str, at: float, after: int = 0) -> list[CcmMeter]:
    """`count` more meters as they come from the factory, all at ID 1; those of `ccm_meters` are `after` others."""
    return [_meter(profile, number, FACTORY_ID, seed, at, 0) for number in range(after + 1, after + count + 1)]


def _meter(profile: DeviceProfile, number: int, unit: int, seed: str, at: float, secondaries: int) -> CcmMeter:
    draw = random.Random(f"{seed}/{number}")
    kind = CCM2 if number % 3 == 2 else CCM4
    mounted = {3: "shop", 9: "roof"}.get(number % 10, "house")
    measuring = Measuring(supplies(mounted, f"{seed}/{number}", kind.phases))
    if mounted == "roof":
        measuring.is_feed, measuring.mode = True, BIDIRECTIONAL
    month = 2 if number == 1 else draw.randrange(1, 13)
    serial = _serial(kind, month, 81 + 137 * (number - 1))
    behind = range(secondaries if kind.phases == 3 else 0)
    return CcmMeter(
        profile,
        MeterLink(serial, unit, seed),
        kind,
        measuring,
        at,
        SecondaryBus(profile, [_secondary(number, n, seed, month) for n in behind]),
    )


def _secondary(number: int, n: int, seed: str, month: int) -> Secondary:
    kind = CCM3_C if n % 2 else CCM1_C
    serial = _serial(kind, month, 72 + 137 * (MOST * number + n))
    return Secondary(serial, kind, Measuring(supplies("house", f"{seed}/{number}.{n}", kind.phases)))


def _serial(kind: Kind, month: int, number: int) -> str:
    # 137 has no factor in common with 10,000: no two meters of a bus share a number
    return f"{kind.prefix:02}20{month:02}{number % 10_000:04}"
