"""Whose turn it is on a wire: urgent conversations first, then in order; those whose station may still answer an
earlier request, or wants to be left alone for a while, stand aside until then. Pure: moments are handed in."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred

from concentrator.wire.conversation import Conversation, Transaction

STRAY_PAUSE_S = 0.1
"""How long a wire must have been silent, after something that nobody waited for, before it is lent: as long as an
answer may pause (EN 13757-2, 5.5, and what converters make of it)."""


@define(eq=False)
class Hold:
    """A conversation that waits for the wire or has it; `since` is when it got it."""

    station: Hashable
    conversation: Conversation[Any]
    is_urgent: bool
    result: Deferred[Any] = field(init=False)
    since: float = 0.0


@define(eq=False)
class Turns:
    """The conversations that wait, which stations owe an answer of which shape until when, and which rest."""

    _waiting: list[Hold] = field(factory=list, init=False)
    _owed: dict[Hashable, tuple[Hashable, float]] = field(factory=dict, init=False)
    _resting: dict[Hashable, float] = field(factory=dict, init=False)
    _late_until: float = field(default=0.0, init=False)
    is_idle: bool = field(default=True, init=False)
    """Whether nobody waits or rests and nothing is owed: the usual case, to be known at a glance."""

    def join(self, hold: Hold) -> None:
        """Queues a conversation; an urgent one goes behind the urgent ones only."""
        ahead = sum(other.is_urgent for other in self._waiting) if hold.is_urgent else len(self._waiting)
        self._waiting.insert(ahead, hold)
        self.is_idle = False

    def leave(self, hold: Hold) -> None:
        """Forgets a conversation that waits."""
        self._waiting.remove(hold)
        self._glance()

    def give_up(self, result: Deferred[Any]) -> Hold:
        """Forgets the conversation that waits with that result, and gives it."""
        hold = next(hold for hold in self._waiting if hold.result is result)
        self.leave(hold)
        return hold

    def take(self, now: float) -> Hold | None:
        """The next that may go, taken out of the queue; None when there is none now."""
        if self._resting:
            self._resting = {station: until for station, until in self._resting.items() if until > now}
            self._glance()
        for hold in self._waiting:
            if self.clear_at(hold.station) <= now:
                self.leave(hold)
                return hold
        return None

    def wake_at(self) -> float | None:
        """The earliest moment at which somebody who waits may go; None when nobody waits."""
        return min((self.clear_at(hold.station) for hold in self._waiting), default=None)

    def is_urgent_waiting(self, now: float) -> bool:
        """Whether an urgent conversation could go now."""
        return any(hold.is_urgent and self.clear_at(hold.station) <= now for hold in self._waiting)

    def unanswered(self, station: Hashable, shape: Hashable, until: float) -> None:
        """A request of that shape may still be answered until then. Without a shape nothing here can be taken for its
        answer, and the station owes nothing; whoever is lent the wire would take it for his all the same."""
        self._late_until = max(self._late_until, until)
        if shape is not None:
            self._owed[station] = (shape, until)
            self.is_idle = False

    def strayed(self, now: float) -> None:
        """Something came that nobody waited for, and may go on."""
        self._late_until = max(self._late_until, now + STRAY_PAUSE_S)

    def after(self, station: Hashable, transaction: Transaction, silent_at: float) -> float:
        """From when on others may go after a transaction, whose wire is silent again at that moment. The station itself
        rests for as long as it wants to; after a broadcast everybody does."""
        if transaction.expect is None:
            return silent_at + transaction.quiet_s
        if transaction.quiet_s:
            self._resting[station] = silent_at + transaction.quiet_s
            self.is_idle = False
        return silent_at

    def answered(self, station: Hashable) -> None:
        """The station owes nothing."""
        if not self.is_idle:
            self._owed.pop(station, None)
            self._glance()

    def clear_at(self, station: Hashable, shape: Hashable = None) -> float:
        """From when on a request of that shape (None: of any shape) cannot get an earlier one's answer, and the station
        has rested."""
        if self.is_idle:
            return 0.0
        owed, until = self._owed.get(station, (None, 0.0))
        rested = self._resting.get(station, 0.0)
        return max(until, rested) if shape is None or shape == owed else rested

    def all_clear_at(self) -> float:
        """From when on nobody can answer an earlier request, and all have rested."""
        return max(*self._resting.values(), self._late_until, 0.0)

    def debtor(self, now: float) -> Hashable | None:
        """The only station that may still answer an earlier request; None where there is none, or several."""
        owing = [station for station, (_, until) in self._owed.items() if until > now]
        return owing[0] if len(owing) == 1 else None

    def clear(self) -> list[Hold]:
        """Forgets everything; gives those who waited."""
        waiting, self._waiting = self._waiting, []
        self._owed.clear()
        self._resting.clear()
        self.is_idle = True
        return waiting

    def _glance(self) -> None:
        self.is_idle = not self._waiting and not self._owed and not self._resting
