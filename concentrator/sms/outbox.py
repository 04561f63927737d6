"""What waits to be sent, one after another: alarms first, each until it is sent, given up, or too old. Hides pauses
between tries, what goes when there is too much, and which report belongs to which message."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from concentrator.model.errors import ConcentratorError, Refused
from concentrator.sms.terms import VALIDITY_S, Fate, Kind, Outgoing

WAITING_MOST = 50
REMEMBERED = 40
"""Messages that are remembered after they have gone, for people and for reports."""
PAUSE_S, PAUSE_MOST_S = 15.0, 300.0


@define(eq=False)
class Outbox:
    """Sends by `send` whenever `is_ready()`; `went` hears of each message when it was sent, failed, or the network said
    what became of it."""

    _clock: IReactorTime
    _send: Callable[[Outgoing], Deferred[None]]
    _is_ready: Callable[[], bool]
    _went: Callable[[Outgoing], None]
    _waiting: list[Outgoing] = field(factory=list, init=False)
    _remembered: deque[Outgoing] = field(factory=lambda: deque(maxlen=REMEMBERED), init=False)
    _on_its_way: Outgoing | None = field(default=None, init=False)
    _early: deque[tuple[int, bool]] = field(factory=lambda: deque(maxlen=REMEMBERED), init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _is_over: bool = field(default=False, init=False)

    @property
    def waiting(self) -> int:
        """How many are not sent yet."""
        return len(self._waiting)

    def recent(self) -> Iterable[Outgoing]:
        """Those that wait and those that went lately."""
        return [*self._remembered, *self._waiting]

    def put(self, message: Outgoing) -> None:
        """Takes one more; where that is too many, the oldest that is no alarm is given up for it, or the oldest."""
        if self._is_over:
            return
        self._waiting.append(message)
        if len(self._waiting) > WAITING_MOST:
            others = [each for each in self._waiting if each is not self._on_its_way]
            lesser = [each for each in others if each.kind is not Kind.ALARM]
            self._end(next(iter(lesser or others)), Fate.FAILED, "too many wait")
        self.go()

    def go(self) -> None:
        """Sends the next one, if there is one and it can be sent."""
        self._expire()
        if self._is_over or self._on_its_way is not None:
            return
        now = self._clock.seconds()
        due = [each for each in self._waiting if each.due_at <= now]
        if due and self._is_ready():
            message = min(due, key=lambda each: (each.kind is not Kind.ALARM, each.made_at))
            self._on_its_way = message
            message.tries += 1
            self._send(message).addCallbacks(lambda _: self._sent(message), self._failed, errbackArgs=(message,))
        else:
            self._wait()

    def reported(self, reference: int, is_delivered: bool) -> None:
        """The network said of a message under a reference of the modem's whether it arrived."""
        of_it = (each for each in reversed(self._remembered) if reference in each.references)
        message = next((each for each in of_it if each.fate is Fate.SENT), None)
        if message is None:
            if self._on_its_way is not None:
                self._early.append((reference, is_delivered))
            return
        message.reported.add(reference)
        if not is_delivered:
            self._tell(message, Fate.UNDELIVERED, "the network could not deliver it")
        elif message.reported >= set(message.references):
            self._tell(message, Fate.DELIVERED)

    def stop(self) -> None:
        """Sends nothing more."""
        self._is_over = True
        self._waiting.clear()
        self._set_timer(None)

    def _sent(self, message: Outgoing) -> None:
        self._on_its_way = None
        if message in self._waiting:
            self._end(message, Fate.SENT)
        early, self._early = self._early, deque(maxlen=REMEMBERED)
        for reference, is_delivered in early:  # its first parts may have arrived before its last was sent
            self.reported(reference, is_delivered)
        self.go()

    def _failed(self, failure: Failure, message: Outgoing) -> None:
        self._on_its_way = None
        why = failure.value.detail if isinstance(failure.value, ConcentratorError) else failure.getErrorMessage()
        message.reason = why
        if message in self._waiting and failure.check(Refused):
            self._end(message, Fate.FAILED, why)
        else:
            pause_s = min(PAUSE_S * 2 ** min(message.tries - 1, 8), PAUSE_MOST_S)
            message.due_at = self._clock.seconds() + pause_s
        self.go()

    def _expire(self) -> None:
        now = self._clock.seconds()
        for message in [each for each in self._waiting if now - each.made_at >= VALIDITY_S]:
            if message is not self._on_its_way:
                why = f"not sent within {VALIDITY_S // 60} min"
                self._end(message, Fate.FAILED, f"{why}: {message.reason}" if message.reason else why)

    def _end(self, message: Outgoing, fate: Fate, reason: str = "") -> None:
        self._waiting.remove(message)
        self._remembered.append(message)
        self._tell(message, fate, reason)

    def _tell(self, message: Outgoing, fate: Fate, reason: str = "") -> None:
        message.fate, message.reason = fate, reason
        self._went(message)

    def _wait(self) -> None:
        """Until the next one is due, or too old."""
        moments = [each.made_at + VALIDITY_S for each in self._waiting]
        if self._is_ready():
            moments += [each.due_at for each in self._waiting]
        self._set_timer(min(moments, default=None))

    def _set_timer(self, moment: float | None) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if moment is not None:
            self._timer = self._clock.callLater(max(moment - self._clock.seconds(), 0.0), self.go)
