"""Looking for a controller that does not answer: at every port and baud rate that exists, one after the other, until
one of them brings an answer. It hides whose turn it is, and the growing pauses between two searches.

What a controller answers, a refusal among it, is the only proof that it is there. Where none of the pairs brings one,
everything is as it was before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from concentrator.wire.smartgen_fields import Wiring

PAUSE_S = (60.0, 900.0)
"""Shortest and longest pause between two searches; each is twice as long as the one before."""


class Ports(Protocol):
    """The ports and baud rates that exist."""

    @property
    def wiring(self) -> Wiring:
        """The pair in force."""

    def pairs(self) -> Sequence[Wiring]:
        """Those at which a controller may be, the one in force first."""

    def use(self, wiring: Wiring) -> bool:
        """Goes over to a pair; whether there is such a one."""


class Gain:
    """The searches for one controller. `probe()` asks it something at the pair in force and fires with whether anything
    was answered; `found(pair)` hears where it was found, `lost()` that it was nowhere."""

    def __init__(
        self,
        ports: Ports,
        probe: Callable[[], Deferred[bool]],
        clock: IReactorTime,
        found: Callable[[Wiring], None],
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._ports = ports
        self._probe = probe
        self._clock = clock
        self._found = found
        self._lost = lost
        self._searches = 0
        self._again_at = 0.0
        self._before: Wiring | None = None
        self._is_over = False
        self.is_searching = False
        """Whether it is being looked for now: nobody else asks it anything then."""

    def search(self) -> None:
        """Looks for it, unless that is going on, was done a moment ago, or there is one pair only."""
        if self.is_searching or self._is_over or self._clock.seconds() < self._again_at or len(self._ports.pairs()) < 2:
            return
        self.is_searching = True
        Deferred.fromCoroutine(self._search())

    def answered(self) -> None:
        """It answers where it is: the next search, should there be one, need not wait."""
        self._searches = 0
        self._again_at = 0.0

    def stop(self) -> None:
        """Looks no more; a search under way ends at once, and where the controller was: what is probed still is none
        of its business."""
        self._is_over = True
        if self.is_searching and self._before is not None:
            self._ports.use(self._before)
            self.is_searching = False

    async def _search(self) -> None:
        before = self._before = self._ports.wiring
        for pair in self._ports.pairs():
            if not self._ports.use(pair):
                continue
            is_there = await self._probe()
            if self._is_over:
                return
            if self._ports.wiring != pair:  # somebody has wired it otherwise meanwhile, and his word counts
                self.is_searching = False
                return
            if is_there:
                self.is_searching = False
                self.answered()
                if pair != before:
                    self._found(pair)
                return
        self._ports.use(before)
        self.is_searching = False
        shortest, longest = PAUSE_S
        self._again_at = self._clock.seconds() + min(shortest * 2 ** min(self._searches, 10), longest)
        self._searches += 1
        self._lost()
