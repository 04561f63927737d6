"""Who takes the messages that come in: judges who may order what, has it carried out one order after another, and
answers. Hides the rules that keep strangers, echoes and floods away.

The rules. Only known numbers are heard, and nobody else gets an answer. An order is exactly one of the table. One that
is too old, or the same from the same number within a minute, is left alone. Answers are few: two machines that answer
each other come to an end. What the controller does not confirm is not answered; it is an event.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import Report, Wall
from concentrator.model.errors import ConcentratorError
from concentrator.model.genset import GensetStatus
from concentrator.sms.budget import Budget
from concentrator.sms.detail import detail
from concentrator.sms.numbers import is_same, masked
from concentrator.sms.orders import Answer, Order, decided, needs_status, order_of
from concentrator.sms.terms import VALIDITY_S, Incoming

REPEATED_S = 60.0
WAITING_MOST = 5
"""Orders that wait behind the one that is carried out."""
TOLD_PER_HOUR = 20
"""Events of refused messages an hour; the next one says how many there were besides."""

log = Logger()


class Genset(Protocol):
    """The genset that is ordered about."""

    def status(self, who: str) -> Deferred[GensetStatus]:
        """How it is."""

    def command(self, command: str, who: str) -> Deferred[object]:
        """Has its controller carry out a command; fires when it has confirmed it."""


@frozen
class DeskTerms:
    """Whose orders are obeyed, whether any are, what DETAIL tells, and how many answers there may be an hour."""

    numbers: Sequence[str]
    obeys: bool
    items: Sequence[str]
    per_hour: int


@define
class DeskCounts:
    """What came in: all, those that were refused, and orders that were answered."""

    received: int = 0
    refused: int = 0
    answered: int = 0


@define(eq=False)
class Desk:
    """Takes messages, and answers by `answer(number, text)`. `genset` is None where none is configured."""

    _terms: DeskTerms
    _genset: Genset | None
    _clock: IReactorTime
    _wall: Wall
    _report: Report
    _answer: Callable[[str, str], None]
    counts: DeskCounts = field(factory=DeskCounts, init=False)
    _answers: Budget = field(init=False)
    _told: Budget = field(factory=lambda: Budget(TOLD_PER_HOUR), init=False)
    _untold: int = field(default=0, init=False)
    _last: dict[tuple[str, Order], float] = field(factory=dict, init=False)
    _waiting: deque[tuple[str, Order]] = field(factory=deque, init=False)
    _under_way: Deferred[None] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._answers = Budget(self._terms.per_hour)

    def received(self, message: Incoming) -> None:
        """A message came in."""
        self.counts.received += 1
        number = next((each for each in self._terms.numbers if is_same(each, message.sender)), None)
        order = order_of(message.text)
        if number is None:
            self._refuse(message.sender, "stranger", "the number is not one of those configured")
        elif order is None:
            self._refuse(number, "no_order", "it is no order")
        elif not self._terms.obeys or self._genset is None:
            self._refuse(number, "off", "orders are not obeyed", order)
        elif self._is_old(message):
            self._refuse(number, "old", "it is too old", order)
        else:
            self._take(number, order)

    def stop(self) -> None:
        """Forgets the orders that wait; the one under way is not answered any more."""
        self._waiting.clear()
        if self._under_way is not None:
            self._under_way.cancel()

    def _is_old(self, message: Incoming) -> bool:
        """Whether it lay about for so long that nobody means it any more. Without a clock that can be believed nobody
        knows, and it counts."""
        if message.sent_at is None or not self._wall.is_trusted():
            return False
        return self._wall.now() - message.sent_at > VALIDITY_S

    def _take(self, number: str, order: Order) -> None:
        now = self._clock.seconds()
        last = self._last.get((number, order))
        if last is not None and now - last < REPEATED_S:
            self._refuse(number, "repeated", f"the same came less than {REPEATED_S:g} s ago", order)
        elif len(self._waiting) >= WAITING_MOST:
            self._refuse(number, "waiting", "too many orders wait", order)
        elif not self._answers.has_some(now):
            self._refuse(number, "often", f"{self._terms.per_hour} an hour are answered", order)
        else:
            self._last[number, order] = now
            self._answers.spend(now)
            self._waiting.append((number, order))
            self._go_on()

    def _go_on(self) -> None:
        if self._under_way is None and self._waiting:
            number, order = self._waiting.popleft()
            self._under_way = Deferred.fromCoroutine(self._carry_out(number, order))
            self._under_way.addErrback(_broke_down).addCallback(lambda _: self._done())

    def _done(self) -> None:
        self._under_way = None
        self._go_on()

    async def _carry_out(self, number: str, order: Order) -> None:
        try:
            text, reason = await self._answer_to(order, f"sms {masked(number)}")
        except ConcentratorError as error:
            text, reason = "", str(error)
        if text:
            self.counts.answered += 1
            self._answer(number, text)
        why = "" if text else _begun_small(reason)
        facts = {
            "number": masked(number),
            "order": str(order),
            "done": bool(text),
            "answer": text,
            "reason": why,
            "text": f"{order} of {masked(number)}: {text or f'no answer, for {why}'}",
        }
        self._report("sms.order", facts)

    async def _answer_to(self, order: Order, who: str) -> tuple[str, str]:
        """The answer, empty where there is none, and why then."""
        genset = self._genset
        assert genset is not None
        status = await genset.status(who) if needs_status(order) else GensetStatus()
        if order is Order.DETAIL:
            return detail(status, self._terms.items), ""
        decision = decided(order, status)
        if isinstance(decision, Answer):
            return decision.text, decision.reason
        await genset.command(decision.command, who)
        return decision.text, ""

    def _refuse(self, sender: str, why: str, words: str, order: Order | None = None) -> None:
        """Leaves a message alone; `why` in a word for programs, and in words."""
        self.counts.refused += 1
        now = self._clock.seconds()
        if not self._told.has_some(now):
            self._untold += 1
            return
        self._told.spend(now)
        more = f"; {self._untold} more before it" if self._untold else ""
        what = f"{order} of {masked(sender)}" if order is not None else f"a message of {masked(sender)}"
        facts: Mapping[str, object] = {
            "number": masked(sender),
            "why": why,
            "more": self._untold,
            "text": f"{what} is not heard, for {words}{more}",
        }
        self._untold = 0
        self._report("sms.refused", facts)


def _broke_down(failure: Failure) -> None:
    if not failure.check(CancelledError):
        log.failure("an order broke down", failure)


def _begun_small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
