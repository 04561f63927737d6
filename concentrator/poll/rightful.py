"""Whether the device that answers at a Modbus ID is the one that is expected there. Hides how long a doubt lasts: one
wrong serial begins a conflict, several right ones in a row end it.

Theory. Two devices with one Modbus ID answer together. Where one is faster or louder its serial is read, now this one's
and now the other's; mostly their answers damage each other, every time, while a disturbed line damages some. So both a
foreign serial and a long row of damaged answers, none of them good or missing, are a conflict.
"""

from __future__ import annotations

from attrs import Factory, define, field

from concentrator.model.trouble import Trouble, facts_of

GOOD = 3
"""Times in a row that the expected device must have said who it is before a conflict is over."""
DAMAGED = 6
"""Damaged answers in a row that no noise explains."""


@define(eq=False)
class Rightful:
    """One device's claim to its Modbus ID `address`, or to another `place`, in words. `conflict`: why its values are
    not used now, else empty."""

    uid: str
    address: int
    place: str = field(default=Factory(lambda self: f"Modbus ID {self.address}", takes_self=True))
    conflict: str = field(default="", init=False)
    _good: int = field(default=0, init=False)
    _damaged: int = field(default=0, init=False)

    def identified(self, said: str) -> None:
        """A device has said who it is: the expected one, where `said` is empty, else `said` is what is wrong."""
        self._damaged = 0
        if said:
            self._good = 0
            self.conflict = Trouble(
                f"{said}; either two devices have {self.place}, or the meter was replaced: in that case "
                f"put the new serial number into the configuration of {self.uid}",
                "foreign",
                **facts_of(said),
            )
        elif self.conflict:
            self._good += 1
            if self._good >= GOOD:
                self._good, self.conflict = 0, ""

    def answered(self) -> None:
        """An answer was understood."""
        self._damaged = 0

    def failed(self, is_damaged: bool) -> None:
        """No answer was understood; `is_damaged`: though there was one."""
        self._good = 0
        self._damaged = self._damaged + 1 if is_damaged else 0
        if self._damaged >= DAMAGED and not self.conflict:
            self.conflict = Trouble(
                f"every answer of {self.place} is damaged, as they are when two devices have this ID",
                "twice",
            )
