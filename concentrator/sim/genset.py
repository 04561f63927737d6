"""A genset with its controller: what the engine does in which order, what the controller makes of its mode, of the
mains and of what it is told, and what is measured meanwhile. Hides how long each step takes.

Theory. The engine goes through its phases one after the other, each of which lasts a fixed time or until it is wanted
otherwise. It is wanted while the mains are away in mode auto, in mode test, and from a start to a stop in manual; on
load, when it is wanted and the mains are away, in mode test, or when its breaker was closed by hand. What happened
between two looks is played back step by step, so that it does not depend on who looked when.
"""

from __future__ import annotations

import random
from enum import StrEnum
from math import hypot, pi, sin, sqrt

from attrs import define, field

from concentrator.model.genset import Alarm, Mode


class Phase(StrEnum):
    """What the engine does."""

    REST = "at rest"
    PREHEAT = "preheat"
    CRANK = "crank"
    WARM_UP = "warming up"
    READY = "running"
    LOADED = "on load"
    COOLING = "cooling"
    STOPPING = "stopping"
    LOCKED = "locked by an alarm"


RUNNING = frozenset((Phase.WARM_UP, Phase.READY, Phase.LOADED, Phase.COOLING))
LASTS_S = {Phase.PREHEAT: 1.0, Phase.CRANK: 2.0, Phase.WARM_UP: 4.0, Phase.COOLING: 8.0, Phase.STOPPING: 3.0}
"""How long the phases last that end by themselves, in seconds."""
_AFTER = {
    Phase.PREHEAT: Phase.CRANK,
    Phase.CRANK: Phase.WARM_UP,
    Phase.WARM_UP: Phase.READY,
    Phase.COOLING: Phase.STOPPING,
    Phase.STOPPING: Phase.REST,
}
MAINS_DELAY_S = 2.0
"""How long the mains must be away before the engine starts, and be back before it is relieved, in seconds."""

MODES = {"stop": Mode.STOP, "auto": Mode.AUTO, "auto_manual_restore": Mode.AUTO, "manual": Mode.MANUAL}
MODES |= {"test": Mode.TEST}
"""The commands that choose a mode."""
_BY_HAND = (Mode.MANUAL, Mode.TEST)
_RATED_W, _RATED_V, _RATED_HZ, _RATED_RPM = 100e3, 230.0, 50.0, 1500.0
_PF = 0.92
_FROM = 1_700_000_000.0  # when its counters were at nothing, UTC seconds


@define(eq=False)
class Genset:
    """One genset. `seed` decides how long it has been there; `has_stop_mode`: whether `stop` is a mode, or only ends
    what `start` began; `at` is UTC seconds everywhere, and never goes back."""

    seed: str
    has_stop_mode: bool = True
    mode: Mode = Mode.AUTO
    alarm: Alarm = Alarm.NONE
    alarm_name: str = ""
    is_mains_ok: bool = True
    phase: Phase = Phase.REST
    _since: float = field(default=0.0, init=False)
    _at: float = field(default=0.0, init=False)
    _mains_since: float = field(default=float("-inf"), init=False)
    _are_mains_away: bool = field(default=False, init=False)
    _is_started: bool = field(default=False, init=False)
    _is_closed: bool = field(default=False, init=False)
    _is_mains_open: bool = field(default=False, init=False)
    _starts: int = field(default=0, init=False)
    _ran_s: float = field(default=0.0, init=False)
    _gave_j: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        dice = random.Random(self.seed)
        self._starts, self._ran_s = dice.randrange(80, 300), dice.randrange(1, 2000) * 3600.0
        self._gave_j = self._ran_s * 0.4 * _RATED_W

    # -- what happens to it

    def order(self, name: str, at: float) -> bool:
        """Does what it is told, by the name profiles give commands; says whether it can."""
        self.advance(at)
        if name == "stop" and not self.has_stop_mode:
            self._is_started = self._is_closed = False
            return self.mode in _BY_HAND
        if name in MODES:
            self._turn_to(MODES[name], at)
        elif name == "start":
            if self.mode not in _BY_HAND or self.alarm.is_stopping:
                return False
            self._is_started = True
        elif name in ("telemetry_start", "remote_start", "telemetry_stop", "remote_stop"):
            if self.mode is not Mode.AUTO:
                return False
            self._is_started = name.endswith("start")
        elif name in ("reset", "reset_button"):
            self.raise_alarm(Alarm.NONE, at)
        elif "breaker" in name or name.startswith("transfer"):
            return self._switch(name)
        self._settle(at)
        return True

    def set_mains(self, is_ok: bool, at: float) -> None:
        """The mains go away, or come back."""
        self.advance(at)
        if is_ok is not self.is_mains_ok:
            self.is_mains_ok, self._mains_since = is_ok, at
        self._settle(at)

    def raise_alarm(self, level: Alarm, at: float, name: str = "") -> None:
        """Something is wrong from now on, and it is called so; with the level none, nothing is any more."""
        self.advance(at)
        self.alarm, self.alarm_name = level, name
        if level is Alarm.NONE and self.phase is Phase.LOCKED:
            self._enter(Phase.REST, at)
        self._settle(at)

    def advance(self, at: float) -> None:
        """Plays what has happened until now."""
        if not self._at:
            self._at = self._since = at
        while self._at < at:
            self._settle(self._at)
            ends = self._since + LASTS_S.get(self.phase, float("inf"))
            turns = self._mains_since + MAINS_DELAY_S
            then = min(each for each in (ends, turns, at) if each > self._at)
            self._count(then - self._at)
            self._at = then
            if then == ends:
                self._enter(_AFTER[self.phase], then)
        self._settle(at)

    # -- what is to be seen

    @property
    def is_running(self) -> bool:
        """Whether the engine turns by itself."""
        return self.phase in RUNNING

    @property
    def is_gen_on_load(self) -> bool:
        """Whether the genset feeds the load."""
        return self.phase is Phase.LOADED

    @property
    def is_mains_on_load(self) -> bool:
        """Whether the mains do."""
        return self.is_mains_ok and not self.is_gen_on_load and not self._is_mains_open

    def values(self, at: float) -> dict[str, float]:
        """What its controller measures."""
        self.advance(at)
        swing = sin(at * 2 * pi / 600)
        turning = 1.0 if self.is_running else 0.05 if self.phase is Phase.CRANK else 0.0
        p = _RATED_W * (0.45 + 0.1 * swing) if self.is_gen_on_load else 0.0
        gen_v = _RATED_V * self.is_running
        bus_v = gen_v if self.is_gen_on_load else _RATED_V * self.is_mains_on_load
        s = p / _PF
        values = {
            **_three_phases("mains", (_RATED_V + swing) * self.is_mains_ok, _RATED_HZ * self.is_mains_ok),
            **_three_phases("gen", gen_v, _RATED_HZ * turning if self.is_running else 0.0),
            **_three_phases("bus", bus_v, _RATED_HZ if bus_v else 0.0),
            **{f"i{n}": s / 3 / _RATED_V for n in (1, 2, 3)},
            **{f"p{n}": p / 3 for n in (1, 2, 3)},
            **{f"q{n}": sqrt(s * s - p * p) / 3 for n in (1, 2, 3)},
            **{f"pf{n}": _PF if p else 1.0 for n in (1, 2, 3)},
            "p": p,
            "q": sqrt(s * s - p * p),
            "s": hypot(p, sqrt(s * s - p * p)),
            "pf": _PF if p else 1.0,
            "load": 100 * p / _RATED_W,
            "p_percent": 100 * p / _RATED_W,
            "bus_p": p,
            "bus_i": s / 3 / _RATED_V,
            "i_earth": 0.0,
            "speed": _RATED_RPM * turning,
            "coolant_temp": 82.0 if self.is_running else 35.0,
            "oil_temp": 88.0 if self.is_running else 34.0,
            "oil_pressure": 420.0 if self.is_running else 0.0,
            "fuel_level": 74.0,
            "battery_voltage": 27.6 if self.is_running else 25.9,
            "charger_voltage": 27.8 if self.is_running else 0.0,
            "energy": self._gave_j / 3.6e6,
            "starts": float(self._starts),
            "run_hours": self._ran_s // 3600,
            "run_minutes": self._ran_s // 60 % 60,
            "run_seconds": self._ran_s % 60,
            "clock": at,
            "energy_export": 0.0,
            "alarm_count": float(self.alarm is not Alarm.NONE),
        }
        return values

    # -- how

    def _turn_to(self, mode: Mode, at: float) -> None:
        self.mode, self._is_started, self._is_closed = mode, mode is Mode.TEST, False
        if mode is Mode.STOP:
            self.raise_alarm(Alarm.NONE, at)  # as on SmartGen's: stop resets too

    def _switch(self, name: str) -> bool:
        """A breaker is worked by hand."""
        if name.startswith("transfer"):
            self._is_closed = name.endswith("gen")
        elif name.startswith("mains"):
            self._is_mains_open = name.endswith("open") or (name.endswith("toggle") and not self._is_mains_open)
        else:
            self._is_closed = name.endswith("close") or (name.endswith("toggle") and not self.is_gen_on_load)
        can = self.is_mains_ok if name.startswith("mains") else self.phase in (Phase.READY, Phase.LOADED)
        self._settle(self._at)
        return can

    def _is_wanted(self) -> bool:
        if self.alarm.is_stopping or self.mode in (Mode.STOP, Mode.OFF):
            return False
        return self._is_started or (self.mode is Mode.AUTO and self._are_mains_away)

    def _is_load_wanted(self) -> bool:
        is_for_mains = self.mode is Mode.AUTO and self._are_mains_away
        return is_for_mains or self.mode is Mode.TEST or self._is_closed

    def _settle(self, at: float) -> None:
        """Takes the engine from phases that last as long as they are wanted; the mains are taken to be away, or back,
        after a while only."""
        if at - self._mains_since >= MAINS_DELAY_S:
            self._are_mains_away = not self.is_mains_ok
        if self.alarm.is_stopping and self.phase is not Phase.REST:
            self._enter(Phase.LOCKED, at)
        elif self._is_wanted():
            if self.phase is Phase.REST:
                self._starts += 1
                self._enter(Phase.PREHEAT, at)
            elif self.phase is Phase.COOLING:
                self._enter(Phase.READY, at)
            if self.phase in (Phase.READY, Phase.LOADED):
                self._enter(Phase.LOADED if self._is_load_wanted() else Phase.READY, at)
        elif self.phase in (Phase.READY, Phase.LOADED, Phase.WARM_UP):
            self._enter(Phase.STOPPING if self.mode is Mode.STOP else Phase.COOLING, at)
        elif self.phase in (Phase.PREHEAT, Phase.CRANK) or (self.phase is Phase.COOLING and self.mode is Mode.STOP):
            self._enter(Phase.STOPPING, at)

    def _enter(self, phase: Phase, at: float) -> None:
        if phase is not self.phase:
            self.phase, self._since = phase, at

    def _count(self, seconds: float) -> None:
        if self.is_running:
            self._ran_s += seconds
        if self.is_gen_on_load:
            self._gave_j += seconds * 0.45 * _RATED_W


def _three_phases(of: str, v: float, hz: float) -> dict[str, float]:
    values = {f"{of}_v{n}": v for n in (1, 2, 3)} | {f"{of}_v{n}": v * sqrt(3) for n in (12, 23, 31)}
    return values | {f"{of}_frequency": hz}
