"""What devices measure of alternating current, from what flows through its phases: every instantaneous variable of an
analyser by its canonical name, all agreeing with each other. Hides the formulas."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, sin

from attrs import frozen

from concentrator.sim.curve import NOMINAL_V, grid_frequency_hz, grid_swing_v

_OFFSETS_V = (0.4, -0.6, 0.9)  # no three phases are alike
_PAIRS = ((12, 0, 1), (23, 1, 2), (31, 2, 0))


@frozen
class Flowing:
    """One phase: volts, and watts and var, which are negative the other way."""

    v: float
    p: float
    q: float

    @property
    def s(self) -> float:
        """VA."""
        return hypot(self.p, self.q)

    @property
    def i(self) -> float:
        """Amperes, whichever way."""
        return self.s / self.v

    @property
    def pf(self) -> float:
        """Power factor, with the sign of the power; 1 where nothing flows."""
        return self.p / self.s if self.s else 1.0


def phases_of(p: float, tan_phi: float, count: int, at: float) -> list[Flowing]:
    """Watts spread evenly over 1 or 3 phases of the mains as they are at `at` (UTC seconds)."""
    share = p / count
    return [Flowing(NOMINAL_V + offset + grid_swing_v(at), share, share * tan_phi) for offset in _OFFSETS_V[:count]]


def shown(phases: Sequence[Flowing], at: float, prefix: str = "") -> dict[str, float]:
    """The variables of 1 or 3 phases, each name behind `prefix`; what a phase has, the first has also without its
    number where it is the only one."""
    p, q = sum(phase.p for phase in phases), sum(phase.q for phase in phases)
    s = hypot(p, q)
    currents, volts = [phase.i for phase in phases], [phase.v for phase in phases]
    values = {
        **_of_power("", p, q),
        "s": s,
        "pf": p / s if s else 1.0,
        "cosphi": p / s if s else 1.0,
        "v": sum(volts) / len(volts),
        "v_ln_avg": sum(volts) / len(volts),
        "i": sum(currents) if len(currents) == 1 else sum(currents) / len(currents),
        "i_sum": sum(currents),
        "i_avg": sum(currents) / len(currents),
        "in": currents[0] if len(currents) == 1 else max(currents) - min(currents),
        "f": grid_frequency_hz(at),
        "thd_v": 1.8 + 0.2 * sin(at / 97),
        "thd_i": 6.0 + 0.8 * sin(at / 61),
    }
    for number, phase in enumerate(phases, 1):
        values |= _of_power(str(number), phase.p, phase.q)
        values |= {f"{name}{number}": getattr(phase, name) for name in ("v", "i", "s", "pf")}
        values |= {f"cosphi{number}": phase.pf}
        values |= {f"thd_{name}{number}": values[f"thd_{name}"] + 0.1 * number for name in "vi"}
    if len(phases) == 3:
        between = {f"v{name}": _between(volts[one], volts[other]) for name, one, other in _PAIRS}
        values |= between | {"v_ll_avg": sum(between.values()) / 3}
    return {prefix + name: value for name, value in values.items()}


def _of_power(number: str, p: float, q: float) -> dict[str, float]:
    """Powers, with their directions and natures as variables of their own."""
    return {
        f"p{number}": p,
        f"p_imp{number}": max(p, 0.0),
        f"p_exp{number}": max(-p, 0.0),
        f"q{number}": q,
        f"q_imp{number}": max(q, 0.0),
        f"q_exp{number}": max(-q, 0.0),
        f"q_ind{number}": max(q, 0.0),
        f"q_cap{number}": max(-q, 0.0),
    }


def _between(one: float, other: float) -> float:
    """Volts between two phases, a third of a turn apart."""
    return (one * one + other * other + one * other) ** 0.5
