"""What a session uploads of the past: the whole set of answers, with its time, every so often, to the address that the
server named for history. It hides the short connections that carry it, and what waits while there is none.

How history travels is not in SmartGen's documents, only that it has an address and an interval: this is a proposal, a
full set (4.4) with `time` in seconds since 1970, answered like any other.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory

from concentrator.genset.talk import Talk
from concentrator.genset.terms import Surroundings
from concentrator.wire.smartgen import FullSet
from concentrator.wire.smartgen_server import Acknowledged, Order

MOST_KEPT, MOST_BYTES = 500, 2**20
"""Sets that wait for the server, and bytes of answers in them; of more, the newest."""
MOST_TRIES = 3
"""How often a server may refuse a set before it is dropped, so that the others get through."""


class History:
    """The sets of one session, oldest first."""

    def __init__(self, hostid: str, around: Surroundings) -> None:
        self._hostid = hostid
        self._around = around
        self._waiting: deque[FullSet] = deque()
        self._bytes = 0
        self._talk: Talk | None = None
        self._attempt: Deferred[Any] | None = None
        self._said: FullSet | None = None
        self._refusals = 0
        self.sent = 0
        """Sets that the server has taken."""

    @property
    def waiting(self) -> int:
        """Sets that it has not taken yet."""
        return len(self._waiting)

    def keep(self, frames: tuple[bytes, ...], place: tuple[str, int] | None) -> None:
        """These are the answers of now, and that is where history goes. Where nobody knows what time it is, or nowhere
        takes history, there is none."""
        now = self._around.now()
        if frames and now is not None and place is not None:
            self._waiting.append(FullSet(self._hostid, frames, int(now)))
            self._bytes += sum(map(len, frames))
            while len(self._waiting) > MOST_KEPT or self._bytes > MOST_BYTES:
                self._drop()
            if self._talk is None:
                self._call(place)

    def stop(self) -> None:
        """Leaves; what waits is kept."""
        talk, attempt = self._talk, self._attempt
        self._talk = self._attempt = None
        if talk is not None:
            talk.close()
        if attempt is not None:
            attempt.cancel()

    def _call(self, place: tuple[str, int]) -> None:
        talk = Talk(self._around.clock, self._heard, lambda why: self._lost(talk))
        self._talk = talk
        self._attempt = self._around.reach(*place).connect(Factory.forProtocol(lambda: talk))
        self._attempt.addCallbacks(lambda _: self._say_next(), lambda failure: self._lost(talk))

    def _lost(self, talk: Talk) -> None:
        if talk is self._talk:
            self._talk = self._attempt = None  # what waits goes with the next set

    def _say_next(self) -> None:
        if self._talk is None:
            return
        if self._waiting:
            self._said = self._waiting[0]
            self._talk.say(self._said, "reqdata")
        else:
            self.stop()

    def _heard(self, order: Order) -> None:
        if not isinstance(order, Acknowledged) or not order.answers("reqdata") or self._said is None:
            return
        said, self._said = self._said, None
        self._refusals = 0 if order.is_success else self._refusals + 1
        if order.is_success or self._refusals >= MOST_TRIES:
            self._refusals = 0
            self.sent += order.is_success
            if self._waiting and self._waiting[0] is said:
                self._drop()
        if order.is_success:
            self._say_next()
        else:
            self.stop()

    def _drop(self) -> None:
        self._bytes -= sum(map(len, self._waiting.popleft().frames))
