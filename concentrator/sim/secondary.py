"""Secondaries: meters on a bus of their own, read through the registers of their principal. Hides where the principal
keeps them: a table that tells who they are, and a copy of its own measuring registers for each."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from concentrator.model.profile import DeviceProfile
from concentrator.model.reading import Value
from concentrator.sim.measuring import Kind, Measuring
from concentrator.sim.registers import RegisterMap

CCM1_C = Kind(101, 0x2823, 1, prefix=1)
CCM3_C = Kind(103, 0x2A11, 3, prefix=3)
MOST = 32
_CLOCK_IS_VALID = 1 << 2
_LONGEST_UNHEARD_S = 0xFFFF


@define(eq=False)
class Secondary:
    """One secondary: its ten digits, what it is and measures. One without power keeps its last values with its
    principal, which tells how long it has not been heard."""

    serial: str
    kind: Kind
    measuring: Measuring
    _gone_at: float | None = field(init=False, default=None)

    def power(self, is_on: bool, at: float) -> None:
        """The power comes or goes."""
        if is_on and self._gone_at is not None:
            self.measuring.go_on(at)
            self._gone_at = None
        elif not is_on and self._gone_at is None:
            self.measuring.stop(at)
            self._gone_at = at

    def values(self, at: float) -> dict[str, Value]:
        """What it measured when it was last heard."""
        return self.measuring.values(at if self._gone_at is None else self._gone_at)

    def told(self, at: float) -> dict[str, Value]:
        """What its principal tells of it."""
        unheard_s = 0 if self._gone_at is None else int(at - self._gone_at)
        return {
            "serial": self.serial,
            "model": self.kind.model,
            "firmware": f"0X{self.kind.firmware:04X}",
            "status_word": _CLOCK_IS_VALID,
            "heard_before": max(0, min(unheard_s, _LONGEST_UNHEARD_S)),
            "phases": self.kind.phases,
        }


class SecondaryBus:
    """The secondaries of a principal, in the order of their numbers, as registers of that principal."""

    def __init__(self, profile: DeviceProfile, secondaries: Sequence[Secondary] = ()) -> None:
        self.secondaries = tuple(secondaries)
        if not secondaries:
            return
        table, self._entry_size, self._from, self._base, self._stride = (
            int(str(profile.settings[f"secondary_{key}"])) for key in ("table", "entry", "from", "base", "stride")
        )
        self._first_entry = table + self._entry_size
        self._entry = RegisterMap(profile.secondary_points)
        measured = range(self._from, self._from + self._stride)
        self._measured = RegisterMap(
            (point for point in profile.points if point.address in measured),
            (block for block in profile.blocks if block.address in measured),
        )

    def holds(self, address: int) -> bool:
        """Whether a register belongs to one of the secondaries."""
        return bool(self.secondaries) and (
            self._base <= address < self._base + len(self.secondaries) * self._stride
            or self._first_entry <= address < self._first_entry + len(self.secondaries) * self._entry_size
        )

    def read(self, address: int, count: int, at: float) -> Sequence[int]:
        """The contents of `count` registers from one that it holds; all of one secondary."""
        if address >= self._base:
            n, place = divmod(address - self._base, self._stride)
            return self._measured.contents(self._from + place, count, self.secondaries[n].values(float(int(at))))
        n, place = divmod(address - self._first_entry, self._entry_size)
        return self._entry.contents(place, count, self.secondaries[n].told(at))
