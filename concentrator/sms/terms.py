"""What modems and the rest of the short messages promise each other: a message on its way out, one that came in, and
what a driver of a modem offers."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from attrs import define, field, frozen
from twisted.internet.defer import Deferred

VALIDITY_S = 3600
"""How long a message is worth being sent, or obeyed."""


class Kind(StrEnum):
    """What a message is for."""

    ALARM = "alarm"
    ANSWER = "answer"
    TEST = "test"


class Fate(StrEnum):
    """What became of a message. sent: the network has it; delivered, undelivered: the network said what became of it
    there; failed: it was given up here."""

    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


@define(eq=False)
class Outgoing:
    """A message on its way out: to a number in international form without plus. `made_at` and `due_at` are seconds of
    the clock, `at` UTC seconds; `references` are those the modem gave to the parts it has sent, and `reported` those of
    which the network said that they arrived."""

    number: str
    text: str
    kind: Kind
    made_at: float
    at: float
    due_at: float = 0.0
    tries: int = 0
    fate: Fate = Fate.WAITING
    reason: str = ""
    reference: int | None = None
    references: list[int] = field(factory=list)
    reported: set[int] = field(factory=set)


@frozen
class Incoming:
    """A message that came in: from whom (see `wire.sms_pdu.Deliver`), what it says, and when the network took it (UTC
    seconds; None where that is not known)."""

    sender: str
    text: str
    sent_at: float | None = None


@frozen
class ModemStanding:
    """How a modem stands: a word for people, whether it can send now, what is wrong in a sentence, its network and the
    signal in percent (None: not known), and whether it has a SIM (None: not known)."""

    word: str = "Closed"
    is_ready: bool = False
    trouble: str = ""
    operator: str = ""
    signal: int | None = None
    has_sim: bool | None = None


@frozen
class Ears:
    """Whom a driver tells: of a message that came in, that it can send now, and of a reference it gave, whether the
    message has arrived."""

    received: Callable[[Incoming], None]
    ready: Callable[[], None]
    reported: Callable[[int, bool], None]


class SmsGateway(Protocol):
    """A modem, whoever drives it."""

    def start(self) -> None:
        """Begins to look for it, and keeps it ready."""

    def stop(self) -> Deferred[None]:
        """Lets go of it; fires when nothing is left."""

    def standing(self) -> ModemStanding:
        """How it stands now."""

    def send(self, message: Outgoing) -> Deferred[None]:
        """Sends what of the message has not been sent. Fails with TryLater, or with Refused where another try would
        not mend it."""
