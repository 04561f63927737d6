"""Looks for several meters in link mode one by one: each answers in one of the protocol's slots, and draws another one
when told to. Hides rounds, and where the search was left to give a meter its ID."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, inlineCallbacks

from concentrator.api import LinkProtocol
from concentrator.model.errors import WireError
from concentrator.wire.conversation import Conversation
from concentrator.wire.modbus import BROADCAST

ROUNDS = 8
"""After as many rounds with a shared slot it is given up; two meters share one that often once in 4 thousand million
times."""


@define(eq=False)
class SlotSearch:
    """One search, for as long as meters answer over one another. `ask(unit, conversation)` runs a conversation on the
    line; `slot` is where the last meter was found, None between rounds; `rounds` is how many there were."""

    protocol: LinkProtocol
    ask: Callable[[int, Conversation[Any]], Deferred[Any]]
    slot: int | None = field(default=None, init=False)
    rounds: int = field(default=0, init=False)
    _is_shared: bool = field(default=False, init=False)
    _is_over: bool = field(default=False, init=False)

    @property
    def is_given_up(self) -> bool:
        """Whether there were rounds enough."""
        return self.rounds >= ROUNDS

    def stop(self) -> None:
        """Ends it after the slot that is being looked into."""
        self._is_over = True

    @inlineCallbacks
    def next(self) -> Generator[Deferred[Any], Any, Any]:
        """Goes on from where it was left; fires with the next meter that answers by itself, with None after a round in
        which no slot was shared, or the last one. Fails with LineLost."""
        while not self._is_over:
            if self.slot is None:
                self._is_shared = False
            start, self.slot = 0 if self.slot is None else self.slot + 1, None
            for slot in range(start, self.protocol.slots):
                try:
                    candidate = yield self.ask(self.protocol.link_id, self.protocol.look(slot))
                except WireError:
                    self._is_shared = True
                    continue
                if candidate is not None:
                    self.slot = slot
                    return candidate
                if self._is_over:
                    return None
            self.rounds += 1
            if not self._is_shared:
                return None
            yield self.ask(BROADCAST, self.protocol.draw_again())
            if self.is_given_up:
                return None
        return None
