"""Load curves: what a house or a shop takes from the grid, second by second, as a pure function of a seed and of UTC.

The theory. A load has a known mean power for every quarter of an hour of the week. The energy of a quarter is therefore
known in advance; only its spread over the fifteen minutes, and over the seconds of each minute, is drawn from the
seed. So the energy taken since the first week is exact for any moment at the cost of a table look-up, never falls, and
does not depend on when anybody began to look. Power is the difference of two energies, as in a real meter, and the
counters are its exact integral. This hides how plausible consumers are made up.
"""

from __future__ import annotations

import random
from cmath import rect
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import hypot, pi, sin

from attrs import field, frozen

QUARTER_S = 900
WEEK_S = 7 * 86400
_QUARTERS = WEEK_S // QUARTER_S

WEEK_0 = 1_577_660_400
"""The Monday midnight from which energies count: 2019-12-30 in UTC+1, whose hours the daily curves follow."""

NOMINAL_V = 230.0
NOMINAL_HZ = 50.0
_DROP_OHM = 0.25  # a plausible supply cable


@lru_cache(maxsize=2048)
def _shares(seed: str, slot: int, parts: int, steady: float, peak: float) -> tuple[float, ...]:
    """How an amount spreads over the parts of a slot: rising fractions from 0 to 1."""
    draw = random.Random(f"{seed}/{parts}/{slot}").random
    sums = list(accumulate((steady + draw() ** peak for _ in range(parts)), initial=0.0))
    return tuple(part / sums[-1] for part in sums)


@frozen
class Load:
    """A kind of consumer on one phase.

    `quarters_w`: its mean power in watts for each quarter of an hour of the week; `tan_phi`: var it takes per watt;
    `steady`: how even it is within a quarter (0: all in a few minutes; 10: hardly a ripple); `shift_s`: how much
    later than the table it lives, in seconds.
    """

    seed: str
    quarters_w: tuple[float, ...]
    tan_phi: float
    steady: float
    shift_s: float = 0.0
    _sums_j: tuple[float, ...] = field(init=False, repr=False, eq=False)

    @_sums_j.default
    def _accumulated(self) -> tuple[float, ...]:
        return tuple(accumulate((mean * QUARTER_S for mean in self.quarters_w), initial=0.0))

    def energy_j(self, at: float) -> float:
        """Joules taken from the first week until `at` (UTC seconds); never falls."""
        quarter, seconds = divmod(at - self.shift_s - WEEK_0, QUARTER_S)
        week, index = divmod(int(quarter), _QUARTERS)
        minute, seconds = divmod(seconds, 60)
        second = int(seconds)
        by_minute = _shares(self.seed, int(quarter), 15, self.steady, 8.0)
        by_second = _shares(self.seed, int(quarter) * 15 + int(minute), 60, 15.0, 1.0)
        within = by_second[second] + (by_second[second + 1] - by_second[second]) * (seconds - second)
        low, high = by_minute[int(minute)], by_minute[int(minute) + 1]
        taken = self.quarters_w[index] * QUARTER_S * (low + (high - low) * within)
        return week * self._sums_j[-1] + self._sums_j[index] + taken


@frozen
class Phase:
    """What is seen of one phase over one second: volts, amperes, watts, var, VA, power factor, and the counters in
    Wh and varh, whole, as a meter keeps them."""

    v: float
    i: float
    p: float
    q: float
    s: float
    pf: float
    energy_wh: int
    reactive_varh: int


@frozen
class Supply:
    """One phase of an installation: its loads, the energies it began with (Wh, varh), and how far its voltage lies
    from the nominal one."""

    loads: tuple[Load, ...]
    start_wh: float
    start_varh: float
    offset_v: float

    def seen(self, at: float) -> Phase:
        """What a meter shows of it at `at` (UTC seconds): means over the second before, counters at its end."""
        ends = [load.energy_j(at) for load in self.loads]
        powers = [end - load.energy_j(at - 1.0) for end, load in zip(ends, self.loads, strict=True)]
        p = round(sum(powers), 1)
        q = round(sum(power * load.tan_phi for power, load in zip(powers, self.loads, strict=True)), 1)
        s = hypot(p, q)
        v = NOMINAL_V + self.offset_v + grid_swing_v(at) - _DROP_OHM * s / NOMINAL_V
        reactive_j = sum(end * load.tan_phi for end, load in zip(ends, self.loads, strict=True))
        return Phase(
            v=v,
            i=s / v,
            p=p,
            q=q,
            s=s,
            pf=p / s if s else 1.0,
            energy_wh=int(self.start_wh + sum(ends) / 3600),
            reactive_varh=int(self.start_varh + reactive_j / 3600),
        )


def grid_swing_v(at: float) -> float:
    """How far the grid lifts every voltage at a moment, in volts; the same for all who hang on it."""
    return 2.1 * sin(2 * pi * at / 86400) + 0.8 * sin(at / 611) + 0.25 * sin(at / 17.3) + 0.1 * sin(at / 2.9)


def grid_frequency_hz(at: float) -> float:
    """The grid's frequency at a moment, in hertz."""
    return NOMINAL_HZ + 0.018 * sin(at / 307) + 0.009 * sin(at / 41) + 0.003 * sin(at / 3.7)


def neutral_a(phases: Sequence[Phase]) -> float:
    """The current in the neutral conductor: the sum of the phase currents as vectors."""
    # from S = V conj(I): each phase's current is (p - jq) / v, turned to its place
    return abs(sum(complex(phase.p, -phase.q) / phase.v * rect(1, -2 * pi * n / 3) for n, phase in enumerate(phases)))
