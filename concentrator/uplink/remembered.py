"""Which commands came by a road already, so that none is carried out twice: not when its sender repeats it, not when a
broker delivers it again, and not when the box was switched off in the middle of it. Hides how much is remembered, and
that what only reads is not worth a write to the disk."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import define
from twisted.internet.defer import Deferred, succeed

from concentrator.model.errors import Repeated
from concentrator.uplink.order import Order

MOST = 1000
"""How many commands are remembered, the newest."""
ANSWER_MOST = 2048
"""Bytes of an answer that is worth remembering."""

Say = Callable[[bytes], object]
"""`say(payload)` publishes an answer. Where it gives a Deferred, that fires with whether the far side has it."""


Row = tuple[str, str, bytes | None]
"""A command as it was noted: its id's key, what it asked for (its digest), and the answer, None while there is none."""


class Ledger(Protocol):
    """Where commands that change something are noted; each Deferred fires when that is on the disk."""

    def rows(self) -> Deferred[list[Row]]:
        """What was noted, oldest first."""

    def begin(self, id: str, digest: str, keep: int) -> Deferred[None]:
        """Notes that a command is begun, and forgets all but the newest `keep`."""

    def end(self, id: str, answer: bytes | None) -> Deferred[None]:
        """Notes what was answered."""


@define
class _Known:
    """A command that came; `say` is there while it is under way, and whoever asked last hears of it."""

    digest: str
    is_lasting: bool
    say: Say | None = None
    answer: bytes | None = None


class Remembered:
    """The commands of one road, over its ledger."""

    def __init__(self, ledger: Ledger, most: int = MOST) -> None:
        self._ledger = ledger
        self._most = most
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._is_loaded = False

    def when_loaded(self) -> Deferred[None]:
        """Fires when what was noted before the box started is known. Fails with JournalError, and may be asked
        again."""
        if self._is_loaded:
            return succeed(None)
        return self._ledger.rows().addCallback(self._load)

    def look(self, order: Order, say: Say) -> bytes | None:
        """What is to be said of an order that came before: its answer, or nothing yet, for it is under way and will
        answer through `say`. Raises KeyError for one that is new, Repeated where neither is possible."""
        known = self._known[order.key]
        if known.digest != order.digest:
            raise Repeated(f"id {order.key} was given to another command; every command needs an id of its own")
        if known.say is not None:
            known.say = say
            return None
        if known.answer is None:
            raise Repeated(
                f"id {order.key}: its answer is not known any more; look how things are, and ask under another id"
            )
        return known.answer

    def begin(self, order: Order, say: Say, *, is_lasting: bool) -> Deferred[None]:
        """Takes an order as begun; fires when it may be: one that changes something when that is on the disk."""
        self._known[order.key] = _Known(order.digest, is_lasting, say)
        over = [key for key, known in self._known.items() if known.say is None]
        for key in over[: max(0, len(self._known) - self._most)]:
            del self._known[key]
        return self._ledger.begin(order.key, order.digest, self._most) if is_lasting else succeed(None)

    def say(self, order: Order) -> Say:
        """Who is to hear of an order that is under way."""
        say = self._known[order.key].say
        assert say is not None, "it was begun"
        return say

    def forget(self, order: Order) -> None:
        """Nothing was done about it: it may come again."""
        self._known.pop(order.key, None)

    def end(self, order: Order, answer: bytes | None) -> tuple[Say, Deferred[None]]:
        """It was carried out, well or not, and that is its answer where it is short enough to keep. Gives who is to
        hear it, and a Deferred that fires when it is noted."""
        say, known = self.say(order), self._known[order.key]
        known.say = None
        known.answer = answer if answer is not None and len(answer) <= ANSWER_MOST else None
        return say, self._ledger.end(order.key, known.answer) if known.is_lasting else succeed(None)

    def _load(self, rows: Sequence[Row]) -> None:
        if not self._is_loaded:
            self._is_loaded = True
            for key, digest, answer in rows:
                self._known.setdefault(key, _Known(digest, True, None, answer))
