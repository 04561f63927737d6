"""The hub: hands everything of one sort, readings for one, to whoever subscribed, in order and at once. What a
subscriber publishes is handed out after what he is busy with; a subscriber that raises is logged and harms nobody."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from attrs import define, field
from twisted.logger import Logger

T = TypeVar("T")

log = Logger()


@define(eq=False, repr=False)
class Hub(Generic[T]):
    """One stream, without topics and without threads. `subject` names what is handed out, for the log."""

    _subject: Callable[[T], str] = str
    _subscribers: list[Callable[[T], None]] = field(factory=list, init=False)
    _waiting: deque[T] = field(factory=deque, init=False)
    _is_handing_out: bool = field(default=False, init=False)

    def subscribe(self, subscriber: Callable[[T], None]) -> Callable[[], None]:
        """Calls `subscriber` with everything from now on; gives the callable that ends it."""
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

        return unsubscribe

    def publish(self, what: T) -> None:
        """Hands it to all, before it returns unless called from a subscriber."""
        self._waiting.append(what)
        if self._is_handing_out:
            return
        self._is_handing_out = True
        try:
            while self._waiting:
                what = self._waiting.popleft()
                for subscriber in tuple(self._subscribers):
                    self._hand(subscriber, what)
        finally:
            self._is_handing_out = False

    def _hand(self, subscriber: Callable[[T], None], what: T) -> None:
        try:
            subscriber(what)
        except Exception:  # whoever listens must not stop the others
            log.failure("a subscriber failed on {subject}", subject=self._subject(what))
