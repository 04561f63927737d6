"""One moment at which something is to be done. It may be put off as often as one likes: that costs nothing, as the
clock's call is left where it is and finds out when it comes.

Theory. A sleeping process takes a while to wake up, a tenth of a millisecond or so: at 9600 bit/s a tenth of a
character, twice in each exchange. The least it took lately is slept less. What comes too early all the same is put off
again: nothing is ever done before its moment.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from twisted.internet.interfaces import IDelayedCall, IReactorTime

_EARLY_S = 1e-6  # clocks add and subtract: a moment may come back a little smaller
_RISE_S = 5e-7  # by how much what is slept less may rise each time
_WAKING_MAX_S = 1e-4


class Alarm:
    """Calls what was set last at the moment that was set last."""

    __slots__ = ("_call", "_clock", "_comes_at", "_goes_off", "_moment", "_waking_s")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._goes_off: Callable[[], None] = self.off
        self._moment = inf
        self._call: IDelayedCall | None = None
        self._comes_at = inf
        self._waking_s = 0.0

    def set(self, moment: float, goes_off: Callable[[], None]) -> None:
        """In place of what was set before; clock seconds."""
        self._moment = moment
        self._goes_off = goes_off
        if moment < self._comes_at:
            self._sleep_until(moment, self._waking_s)

    def off(self) -> None:
        """Nothing is to be done any more, for now."""
        self._moment = inf

    def close(self) -> None:
        """Nothing is to be done any more, and no call is left behind."""
        self._moment = self._comes_at = inf
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _sleep_until(self, moment: float, less_s: float) -> None:
        self._comes_at = moment
        delay_s = max(moment - less_s - self._clock.seconds(), 0.0)
        if self._call is None:
            self._call = self._clock.callLater(delay_s, self._came)
        else:
            self._call.reset(delay_s)

    def _came(self) -> None:
        now, waking_s = self._clock.seconds(), self._waking_s
        late_s = now - self._comes_at + waking_s
        self._waking_s = max(min(late_s, waking_s + _RISE_S, _WAKING_MAX_S), 0.0)
        self._call = None
        self._comes_at = inf
        if now + _EARLY_S < self._moment:
            if self._moment < inf:
                self._sleep_until(self._moment, 0.0)
            return
        self._moment = inf
        self._goes_off()
