"""What a meter measures: the values of the premises it is mounted in, with the sign its direction mode gives them, and
counters that never fall. Hides how counters live through settings, resets and power cuts.

The theory. Premises are a pure function of time, so their energies are known for any moment. A counter shows what it
carried at its last change plus what has been counted since a mark set then; the change itself (another direction mode,
a reset, the power going and coming) only moves the mark. So no counter falls, but by a reset.

The direction modes are those of the user manual, 7.1. Mode 0 is for loads: what flows the other way is not counted, and
shown as 0. Mode 1 counts both, mode 2 does so for a meter mounted the other way round. A feed, the line of a plant, is
seen the other way from the start.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field, frozen

from concentrator.model.reading import Value
from concentrator.sim.curve import Phase, Supply, grid_frequency_hz, neutral_a

WINDOW_S = 1
"""Seconds of a measuring window; what is shown is that of the last whole one."""

UNIDIRECTIONAL, BIDIRECTIONAL, REVERSE = 0, 1, 2


@frozen
class Kind:
    """A model of the family: its number in the map, its firmware word, its phases, and how its serial numbers begin."""

    model: int
    firmware: int
    phases: int
    prefix: int


@define
class _Counted:
    """The counters of one phase, each of active (Wh) and reactive energy (varh): imported and exported so far, and what
    the premises had taken when counting went on last."""

    imported: tuple[int, int] = (0, 0)
    exported: tuple[int, int] = (0, 0)
    mark: tuple[int, int] = (0, 0)


@define(eq=False)
class Measuring:
    """What is measured of some phases. `is_feed`: energy comes from there; `mode`: the direction mode."""

    installed: tuple[Supply, ...]
    is_feed: bool = False
    mode: int = UNIDIRECTIONAL
    _counted: list[_Counted] = field(init=False)
    _is_counting: bool = field(init=False, default=True)

    def __attrs_post_init__(self) -> None:
        self._counted = [_Counted() for _ in self.installed]

    def values(self, at: float) -> dict[str, Value]:
        """Every value by its name, in the unit of its quantity; a phase that is not there has none."""
        phases = self._seen(at)
        p, q = round(sum(phase.p for phase in phases), 1), round(sum(phase.q for phase in phases), 1)
        s = (p * p + q * q) ** 0.5
        values: dict[str, Value] = {
            "p": self._signed(p),
            "q": self._signed(q),
            "s": s,
            "pf": self._signed(p / s if s else 1.0),
            "f": grid_frequency_hz(at),
            "in": neutral_a(phases) if len(phases) > 1 else phases[0].i,
        }
        totals = dict.fromkeys(("ea_imp", "er_imp", "ea_exp", "er_exp"), 0)
        for number, (phase, counted) in enumerate(zip(phases, self._shown(phases), strict=True), 1):
            values |= {f"{name}{number}": getattr(phase, name) for name in ("i", "v", "s")}
            values |= {f"{name}{number}": self._signed(getattr(phase, name)) for name in ("p", "q", "pf")}
            for name, whole in zip(totals, (*counted.imported, *counted.exported), strict=True):
                values[f"{name}{number}"] = whole / 1000
                totals[name] += whole
        return values | {name: whole / 1000 for name, whole in totals.items()}

    def turn(self, mode: int, at: float) -> None:
        """Another direction mode from now on."""
        self._carry(at)
        self.mode = mode

    def reset(self, at: float) -> None:
        """Every counter begins again at zero."""
        self._counted = [_Counted(mark=_energies(phase)) for phase in self._seen(at)]

    def stop(self, at: float) -> None:
        """Nothing is counted from now on: the power has gone."""
        self._carry(at)
        self._is_counting = False

    def go_on(self, at: float) -> None:
        """Counting goes on where it stopped."""
        self._carry(at)
        self._is_counting = True

    def _seen(self, at: float) -> Sequence[Phase]:
        return [supply.seen(float(at // WINDOW_S * WINDOW_S)) for supply in self.installed]

    @property
    def _sign(self) -> int:
        """1 where what flows into the premises is import, -1 where it is export, 0 where it does not count."""
        sign = -1 if self.is_feed is not (self.mode == REVERSE) else 1
        return 0 if sign < 0 and self.mode == UNIDIRECTIONAL else sign

    def _signed(self, amount: float) -> float:
        return amount if self._sign > 0 else -amount if self._sign < 0 else 0.0

    def _shown(self, phases: Sequence[Phase]) -> list[_Counted]:
        """The counters as they are now, with the mark set to now."""
        shown = []
        for counted, phase in zip(self._counted, phases, strict=True):
            now = _energies(phase)
            gained = tuple(max(0, amount - before) for amount, before in zip(now, counted.mark, strict=True))
            is_import, is_export = (self._is_counting and self._sign == sign for sign in (1, -1))
            shown.append(
                _Counted(
                    _sum(counted.imported, gained) if is_import else counted.imported,
                    _sum(counted.exported, gained) if is_export else counted.exported,
                    now,
                )
            )
        return shown

    def _carry(self, at: float) -> None:
        self._counted = self._shown(self._seen(at))


def _energies(phase: Phase) -> tuple[int, int]:
    return phase.energy_wh, phase.reactive_varh


def _sum(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, int]:
    active, reactive = (a + b for a, b in zip(one, other, strict=True))
    return active, reactive
