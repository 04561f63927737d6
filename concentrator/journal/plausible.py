"""What a device's values can be. Keeps nonsense out of the intervals: a value that cannot be true is held out until it
was read three times in a row, for then it is what the device says. Also knows for how long each reading speaks.

Theory. An instantaneous value really jumps: a motor starts, a cloud passes, the mains fail. So only what is beyond
anything in its unit is doubted, and a number whose bits are all ones or one short of it (65535, 32767 …: a register
that holds nothing) where the value before was not near it. A counter is doubted when it falls, or rises by more than
`_RATES` allows for the time since its last value; less by a last digit that trembles is no fall. Once a value beyond
the bound is confirmed the bound is wide enough for it. Before the first value of a run nothing is known: a counter is
believed then, and what is beyond its bound waits for its confirmation without a word.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from attrs import define, field

from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Value

CONFIRMED_AFTER = 3
"""So many readings in a row make a value true."""

_BOUNDS = {
    "V": 2e3,  # low voltage and strings of modules end at 1,500 V
    "A": 20e3,
    "W": 50e6,
    "var": 50e6,
    "VA": 50e6,
    "Hz": 500.0,
    "°C": 1500.0,  # exhaust gas
    "%": 3000.0,  # distortion of next to no current
    "°": 720.0,
    "rpm": 30e3,
}
"""What no instantaneous value of an ordinary device exceeds, by unit; one that does is believed once it is confirmed.
No unit, no bound."""

_WIDER = 4
"""A confirmed value beyond its bound makes the bound so many times as wide as itself."""

_RATES = {"kWh": 10e3 / 3600, "kvarh": 10e3 / 3600, "kVAh": 10e3 / 3600, "h": 2 / 3600}
"""By how much a counter rises in a second at most: ten megawatts, and twice as fast as the time."""

_RATE_WINDOW_S = 900.0
"""Devices bring their counters up to date every quarter of an hour or more often."""

_TREMBLE_SHARE = 2.0**-21
"""Two steps of a 32 bit float, as a share of it (IEEE 754)."""

_MARKS = frozenset(
    sign * 2**bits - less for bits in (15, 16, 31, 32, 63, 64) for sign, less in ((1, 1), (1, 2), (-1, 0))
)
_ANYTHING = 2.0**70


@define(eq=False)
class _Doubt:
    """A value that is held out: how often it was read in a row, and when last."""

    steps: int
    at: float
    readings: int = 1


@define(eq=False)
class Watch:
    """What is known of one device in this run. `columns`: the quantities of its intervals; `began`: when it is known
    to have been asked from on (monotonic seconds), None where that is not known. `withheld`: how many values of the
    last reading were held out; `held`: those to be told, by name; `told_at`: when some were told last (monotonic);
    `beat_s`: the longest pause between two readings, lately."""

    columns: tuple[Quantity, ...]
    began: float | None = None
    held: dict[str, float] = field(factory=dict, init=False)
    told_at: float = field(default=-math.inf, init=False)
    beat_s: float = field(default=0.0, init=False)
    withheld: int = field(default=0, init=False)
    _plan: tuple[tuple[int, str, int, bool], ...] = field(init=False)
    _low: list[float] = field(init=False)
    _high: list[float] = field(init=False)
    _leaps: list[float] = field(init=False)
    _falls: list[bool] = field(init=False)
    _last: list[int | None] = field(init=False)
    _at: list[float] = field(init=False)
    _doubts: dict[int, _Doubt] = field(factory=dict, init=False)
    _heard_at: float | None = field(default=None, init=False)
    _was_heard: bool = field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        self._heard_at = self.began
        self._plan = tuple(
            (i, column.name, 10**column.digits, column.kind in (Kind.COUNTER, Kind.PERIOD_COUNTER))
            for i, column in enumerate(self.columns)
            if column.kind is not Kind.TEXT
        )
        self._high = [_bound(column) for column in self.columns]
        self._low = [-bound for bound in self._high]
        self._leaps = [_leap(column, 0.0) for column in self.columns]
        self._falls = [column.kind is not Kind.COUNTER for column in self.columns]
        self._last = [None] * len(self.columns)
        self._at = [0.0] * len(self.columns)

    def lasted(self, now: float, is_heard: bool) -> float:
        """The seconds that a reading which came at `now` (monotonic) speaks for: those since the one before, none
        where it brought no values, and no more than usual after one that brought none."""
        before, self._heard_at = self._heard_at, now
        was_heard, self._was_heard = self._was_heard, is_heard
        if before is None or not is_heard:
            return 0.0
        gap = now - before
        if not was_heard:
            return min(gap, self.beat_s)
        self.beat_s = max(gap, self.beat_s / 2)
        return gap

    def sifted(self, values: Mapping[str, Value], now: float) -> list[int | None]:
        """The values in steps of their columns, None where there is none that counts: text, what is no number, and
        what is held out, which `held` has then."""
        sifted: list[int | None] = [None] * len(self.columns)
        self.withheld = 0
        low, high, last, doubts, get = self._low, self._high, self._last, self._doubts, values.get
        for i, name, scale, is_counter in self._plan:
            value = get(name)
            if value is None or isinstance(value, str):
                continue
            scaled = value * scale
            # False for what is no number, too.
            if low[i] <= scaled <= high[i] and (steps := round(scaled)) not in _MARKS:
                sifted[i] = last[i] = steps
                if is_counter:
                    self._count(i, steps, now)
                if doubts:
                    doubts.pop(i, None)
            elif math.isfinite(value):
                sifted[i] = self._doubted(i, round(scaled), value, now)
        return sifted

    def _count(self, i: int, steps: int, now: float) -> None:
        """A counter stands there now: what it may say next without a second look."""
        self._at[i] = now
        if self._falls[i]:
            self._high[i] = steps + self._leaps[i]
        else:
            self._low[i], self._high[i] = steps, steps + self._leaps[i]

    def _doubted(self, i: int, steps: int, value: float, now: float) -> int | None:
        """A value that may be none, after a second look: in steps, None while it is held out."""
        column, last, doubt = self.columns[i], self._last[i], self._doubts.get(i)
        is_counter = column.kind in (Kind.COUNTER, Kind.PERIOD_COUNTER)
        if is_counter and last is not None and _follows(column, last, steps, now - self._at[i]):
            believed = max(steps, last) if column.kind is Kind.COUNTER else steps
        elif column.kind is Kind.STATE or (
            not is_counter and self._low[i] <= steps <= self._high[i] and _is_near(steps, last)
        ):
            believed = steps
        else:
            goes_on = doubt is not None and (not is_counter or _follows(column, doubt.steps, steps, now - doubt.at))
            readings = doubt.readings + 1 if doubt is not None and goes_on else 1
            if readings < CONFIRMED_AFTER:
                self._doubts[i] = _Doubt(steps, now, readings)
                self.withheld += 1
                if last is not None:
                    self.held[column.name] = value
                return None
            believed = steps
        self._doubts.pop(i, None)
        self._last[i] = believed
        if is_counter:
            self._count(i, believed, now)
        elif not self._low[i] <= believed <= self._high[i]:
            self._high[i] = float(_WIDER * abs(believed))
            self._low[i] = -self._high[i]
        return believed


def _bound(column: Quantity) -> float:
    bound = _BOUNDS.get(column.unit) if column.kind is Kind.INSTANTANEOUS else None
    return _ANYTHING if bound is None else bound * 10**column.digits


def _leap(column: Quantity, seconds: float) -> float:
    """By how many steps a counter may rise in so many seconds."""
    rate = _RATES.get(column.unit)
    return _ANYTHING if rate is None else max(2.0, rate * (seconds + _RATE_WINDOW_S) * 10**column.digits)


def _follows(column: Quantity, before: int, steps: int, seconds: float) -> bool:
    """Whether a counter may stand at `steps` so many seconds after it stood at `before`."""
    tremble = max(2.0, before * _TREMBLE_SHARE)
    least = before - tremble if column.kind is Kind.COUNTER else -_ANYTHING
    return least <= steps <= before + _leap(column, seconds)


def _is_near(steps: int, last: int | None) -> bool:
    """Whether a number that looks like a mark may be a value all the same."""
    return last is not None and abs(steps) <= 2 * abs(last)
