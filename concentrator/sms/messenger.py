"""One section's short messages: a modem, what waits for it, who may order, and which alarms are told. Hides how these
parts know each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from concentrator.actions.messages import MessageState, SmsState
from concentrator.api import Report, Wall
from concentrator.model.errors import TooOften, Unknown
from concentrator.sms.alarms import Alarms, AlarmTerms, written
from concentrator.sms.budget import Budget
from concentrator.sms.desk import Desk, DeskTerms, Genset
from concentrator.sms.numbers import is_same, masked
from concentrator.sms.outbox import Outbox
from concentrator.sms.terms import Ears, Fate, Incoming, Kind, Outgoing, SmsGateway

RECEIVED_REMEMBERED = 20
TRIALS_PER_HOUR = 20
"""How often a text is sent because somebody wants to try it: messages cost, and alarms must not wait behind them."""
_TEXT_SHOWN = 80
_FATES = {
    Fate.SENT: "sms.sent",
    Fate.DELIVERED: "sms.delivered",
    Fate.UNDELIVERED: "sms.failed",
    Fate.FAILED: "sms.failed",
}


@frozen
class MessengerTerms:
    """The terms of one section: its name and driver in words, the numbers, those of alarms and of orders."""

    name: str
    driver: str
    numbers: Sequence[str]
    alarms: AlarmTerms
    desk: DeskTerms


@frozen
class Around:
    """What a messenger has around it: its clock, the wall clock, whom to tell, and what a device is called."""

    clock: IReactorTime
    wall: Wall
    report: Report
    alias: Callable[[str], str]


@define(eq=False)
class Messenger:
    """From `start` to `stop`. `make(ears)` gives the driver of its modem."""

    _terms: MessengerTerms
    _around: Around
    _genset: Genset | None
    _make: Callable[[Ears], SmsGateway]
    _modem: SmsGateway = field(init=False)
    _outbox: Outbox = field(init=False)
    _desk: Desk = field(init=False)
    _alarms: Alarms = field(init=False)
    _trials: Budget = field(factory=lambda: Budget(TRIALS_PER_HOUR), init=False)
    _received: deque[MessageState] = field(factory=lambda: deque(maxlen=RECEIVED_REMEMBERED), init=False)

    def __attrs_post_init__(self) -> None:
        terms, around = self._terms, self._around
        self._modem = self._make(Ears(self._heard, self._ready, self._reported))
        self._outbox = Outbox(around.clock, self._modem.send, lambda: self._modem.standing().is_ready, self._went)
        self._desk = Desk(terms.desk, self._genset, around.clock, around.wall, around.report, self._answer)
        self._alarms = Alarms(terms.alarms, around.clock, around.alias, self._post_alarm)

    def start(self) -> None:
        """Begins to look for the modem."""
        self._modem.start()

    def stop(self) -> Deferred[None]:
        """Ends; what waits is not sent any more. Fires when the modem is let go."""
        self._alarms.stop()
        self._desk.stop()
        self._outbox.stop()
        return self._modem.stop()

    def happened(self, name: str, facts: Mapping[str, object]) -> None:
        """Something happened in the box."""
        self._alarms.happened(name, facts)

    def has_sim(self) -> bool | None:
        """Whether the modem has a SIM; None where that is not known."""
        return self._modem.standing().has_sim

    def send_test(self, text: str, number: str = "") -> None:
        """Sends a text to all numbers, or to one of them. Raises Unknown for one that is not configured, TooOften where
        there were too many of late."""
        chosen = [each for each in self._terms.numbers if not number or is_same(each, number)]
        if not chosen:
            raise Unknown(f"the number {masked(number)}: only configured ones are sent to")
        now = self._around.clock.seconds()
        if not self._trials.has_some(now):
            raise TooOften(f"{TRIALS_PER_HOUR} trials an hour")
        self._trials.spend(now)
        for each in chosen:
            self._put(each, text, Kind.TEST)

    def state(self) -> SmsState:
        """What people see of it."""
        standing, counts = self._modem.standing(), self._desk.counts
        sent = [_shown(each) for each in self._outbox.recent()]
        recent = sorted([*sent, *self._received], key=lambda each: each.at, reverse=True)
        return SmsState(
            name=self._terms.name,
            driver=self._terms.driver,
            standing=standing.word,
            is_ready=standing.is_ready,
            trouble=standing.trouble,
            operator=standing.operator,
            signal=standing.signal,
            numbers=[masked(each) for each in self._terms.numbers],
            waiting=self._outbox.waiting,
            received=counts.received,
            refused=counts.refused,
            answered=counts.answered,
            messages=recent,
        )

    def _post_alarm(self, text: str) -> None:
        for number in self._terms.numbers:
            self._put(number, text, Kind.ALARM)

    def _answer(self, number: str, text: str) -> None:
        self._put(number, text, Kind.ANSWER)

    def _put(self, number: str, text: str, kind: Kind) -> None:
        is_cut = kind is not Kind.ANSWER  # DETAIL takes as many parts as it takes
        said = written(text, self._terms.alarms.is_plain, is_cut=is_cut)
        now = self._around.clock.seconds()
        self._outbox.put(Outgoing(number, said, kind, now, self._around.wall.now()))

    def _ready(self) -> None:
        self._outbox.go()

    def _reported(self, reference: int, is_delivered: bool) -> None:
        self._outbox.reported(reference, is_delivered)

    def _heard(self, message: Incoming) -> None:
        is_known = any(is_same(each, message.sender) for each in self._terms.numbers)
        text = message.text[:_TEXT_SHOWN] if is_known else ""
        shown = MessageState(self._around.wall.now(), "in", masked(message.sender), text, "received", "")
        self._received.append(shown)
        self._desk.received(message)

    def _went(self, message: Outgoing) -> None:
        number, fate = masked(message.number), message.fate
        why = f", for {message.reason}" if message.reason else ""
        text = f"a message to {number} is {fate}{why}"
        facts = {"number": number, "kind": str(message.kind), "reason": message.reason, "text": text}
        self._around.report(_FATES[fate], facts)


def _shown(message: Outgoing) -> MessageState:
    return MessageState(
        message.at, "out", masked(message.number), message.text, str(message.fate), message.reason, str(message.kind)
    )
