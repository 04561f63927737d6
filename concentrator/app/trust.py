"""Whether the machine's clock can be believed. The rule is pure; what it is asked about is read from the kernel here.

Theory. Many boxes have no clock that goes on while they are off. They come up in 1970, or, worse, with the time at
which they went down, which looks like a time and is hours or months old. A time is believed for a reason only: the
kernel says that something keeps it right (NTP, a receiver, a mobile network), or the machine has a clock of its own
that goes on and agrees with it, or it was set while this program watched, or it was believed before in this start of
the machine. A machine with a clock of its own so never waits for a network. No reason makes a time believable at which
this program did not exist, for a clock whose battery is flat begins at some date long ago.

Not a reason: that the newest record is older. One record of a clock that was years ahead for a moment would have the
box wait for years.
"""

from __future__ import annotations

import ctypes
import platform
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from twisted.logger import Logger

from concentrator.app.clocks import BELIEVED_FROM, MachineStart
from concentrator.system.files import write_whole

AGREES_S = 60.0
"""A hardware clock that is no further off is where the time came from."""

SET_S = 60.0
"""A clock that moved so far against the seconds since the start was set by somebody."""

CLOCK_FILE = "clock"
"""In the state folder: the start of the machine in which the time was believed."""

_ALWAYS_CLOCKED = ("x86_64", "i686", "AMD64")
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMEX = struct.Struct("@illlli")  # its beginning: modes, offset, freq, maxerror, esterror, status
_TIMEX_BYTES = 512  # more than it has
_UNSYNCHRONISED = 0x40  # STA_UNSYNC

log = Logger()


@frozen
class Reasons:
    """What speaks for the time `now` (UTC seconds): it is kept right; the machine has a clock that goes on while it is
    off, and that agrees; it was set since the program began; it was believed before in this start of the machine."""

    now: float
    is_synchronised: bool = False
    has_own_clock: bool = False
    was_set: bool = False
    was_believed: bool = False


def is_believable(reasons: Reasons) -> bool:
    """Whether a time can be believed for these reasons."""
    has_any = reasons.is_synchronised or reasons.has_own_clock or reasons.was_set or reasons.was_believed
    return has_any and reasons.now >= BELIEVED_FROM


def is_synchronised(adjtimex: Callable[[Any], int] | None = None) -> bool:
    """Whether the kernel says that its clock is kept right. `adjtimex`: its call, see adjtimex(2)."""
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    state = (adjtimex or ctypes.CDLL(None).adjtimex)(timex)
    *_, status = _TIMEX.unpack_from(timex)
    return state not in (-1, _TIME_ERROR) and not status & _UNSYNCHRONISED


def has_own_clock(now: float, clocks: Path = Path("/sys/class/rtc"), machine: str = "") -> bool:
    """Whether the machine has a clock that goes on while it is off and agrees with `now` (UTC seconds). Every PC has
    one, and every virtual one is given its host's; elsewhere the kernel shows those there are."""
    if (machine or platform.machine()) in _ALWAYS_CLOCKED:
        return True
    for shown in clocks.glob("rtc*/since_epoch"):
        try:
            own = int(shown.read_text())
        except (OSError, ValueError):
            continue
        if abs(own - now) <= AGREES_S:
            return True
    return False


@define(eq=False)
class Trust:
    """Whether the wall clock can be believed, asked as often as one likes: once it is, it stays so while it does not
    show a time that cannot be. `memory`: the file that outlives this program, if not this start of the machine; None
    for none. `synchronised` and `clocked` are the facts of the machine."""

    boot: MachineStart = field(factory=MachineStart)
    memory: Path | None = None
    synchronised: Callable[[], bool] = is_synchronised
    clocked: Callable[[float], bool] = has_own_clock
    _lead: float | None = field(default=None, init=False)
    _is_believed: bool = field(default=False, init=False)
    _is_told: bool = field(default=False, init=False)

    def told(self) -> None:
        """The wall clock was just set, however little, to what somebody said whom the operator trusts."""
        self._is_told = True

    def has(self, now: float) -> bool:
        """Whether the wall clock, which says `now` (UTC seconds), can be believed."""
        lead = now - self.boot.seconds()
        if self._lead is None:
            self._lead = lead
        if self._is_believed or now < BELIEVED_FROM:
            return self._is_believed and now >= BELIEVED_FROM
        was_set, was_believed = self._is_told or abs(lead - self._lead) >= SET_S, self._was_believed()
        reasons = Reasons(now, self.synchronised(), self.clocked(now), was_set, was_believed)
        self._is_believed = is_believable(reasons)
        if self._is_believed and not was_believed and not reasons.has_own_clock:
            self._remember()
        return self._is_believed

    def _was_believed(self) -> bool:
        try:
            return self.memory is not None and self.memory.read_text().strip() == self.boot.id
        except (OSError, ValueError):
            return False

    def _remember(self) -> None:
        """Notes it for the next run: what keeps the clock right may be out of reach by then, and the time as good."""
        if self.memory is not None:
            try:
                write_whole(self.memory, self.boot.id.encode())
            except OSError as error:
                log.warn("that the time is known cannot be noted: {error}", error=error)
