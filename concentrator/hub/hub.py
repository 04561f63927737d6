"""The hub: hands every reading to whoever subscribed, in order and at once. A reading published by a subscriber is
handed out after the one it is busy with; a subscriber that raises is logged and harms nobody."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field
from twisted.logger import Logger

from concentrator.model.reading import Reading

Subscriber = Callable[[Reading], None]

log = Logger()


@define(eq=False, repr=False)
class Hub:
    """One stream of readings, without topics and without threads."""

    _subscribers: list[Subscriber] = field(factory=list, init=False)
    _waiting: deque[Reading] = field(factory=deque, init=False)
    _is_handing_out: bool = field(default=False, init=False)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Calls `subscriber` with every reading from now on; gives the callable that ends it."""
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

        return unsubscribe

    def publish(self, reading: Reading) -> None:
        """Hands a reading to all, before it returns unless called from a subscriber."""
        self._waiting.append(reading)
        if self._is_handing_out:
            return
        self._is_handing_out = True
        try:
            while self._waiting:
                reading = self._waiting.popleft()
                for subscriber in tuple(self._subscribers):
                    self._hand(subscriber, reading)
        finally:
            self._is_handing_out = False

    def _hand(self, subscriber: Subscriber, reading: Reading) -> None:
        try:
            subscriber(reading)
        except Exception:  # whoever listens must not stop the others
            log.failure("a subscriber failed on a reading of {uid}", uid=reading.uid)
