"""What lives on a welcomed MQTT session: publishes one batch at a time through a window and makes a receipt of the
broker's verdicts. It hides the window, the broker's limits, and a broker that stops confirming."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from concentrator.model.errors import TryLater
from concentrator.model.record import Batch, Receipt, Record
from concentrator.uplink.paho_link import PahoLink, Terms, Verdict
from concentrator.uplink.payload import Message
from concentrator.uplink.window import Window

_QUOTA_EXCEEDED = 0x97  # MQTT 5.0, 2.4: a limit of the broker's, which it may lift
_HEADER = 5 + 2 + 2 + 1  # fixed header, length of the topic, packet identifier, no properties: MQTT 5.0, 3.3


@frozen
class Manners:
    """How a session speaks: what it makes of a record (ValueError where it can make nothing), quality of service,
    how many messages may be unconfirmed, how long the next confirmation may take in seconds."""

    speak: Callable[[Record], Message]
    qos: int
    window: int
    confirmation_s: float


@define
class _Delivery:
    window: Window
    result: Deferred[Receipt]
    trouble: str = ""


class Session:
    """One session, on a link whose broker made these terms."""

    def __init__(self, link: PahoLink, terms: Terms, manners: Manners, clock: IReactorTime) -> None:
        self._link = link
        self._manners = manners
        self._terms = terms
        self._clock = clock
        self._delivery: _Delivery | None = None
        self._overdue: IDelayedCall | None = None
        link.settled = self._settled

    def send(self, batch: Batch) -> Deferred[Receipt]:
        """Publishes a batch; see the uplink. One at a time."""
        if self._delivery is not None:
            raise RuntimeError("a batch is already on its way")
        width = min(self._manners.window, self._terms.window)
        delivery = _Delivery(Window(batch.records, width), Deferred(self._forgotten))
        self._delivery = delivery
        self._fill(delivery)
        return delivery.result

    def say(self, message: Message, qos: int) -> None:
        """Publishes something whose fate nobody waits for."""
        self._link.publish(message, qos)

    def give_up(self, why: str) -> None:
        """Fails the batch in flight, if there is one."""
        if self._delivery is not None:
            window = self._delivery.window
            self._end(self._delivery, TryLater(why, window.receipt, window.in_flight))

    def _settled(self, mid: int, verdict: Verdict) -> None:
        delivery = self._delivery
        if delivery is None or (n := delivery.window.landed(mid)) is None:
            return
        if verdict.code == _QUOTA_EXCEEDED:
            delivery.trouble = f"the broker asks for patience: {verdict.words}"
            delivery.window.stop_sending()
        elif verdict.is_failure:
            delivery.window.reject(n, f"the broker refused it: {verdict.words}")
        else:
            delivery.window.accept(n)
        self._fill(delivery)

    def _fill(self, delivery: _Delivery) -> None:
        window = delivery.window
        while (record := window.next()) is not None:
            try:
                message = self._fitting(self._manners.speak(record))
            except ValueError as why:
                window.reject(record.n, str(why))
            else:
                window.sent(record, self._link.publish(message, self._manners.qos))
        self._watch(False)
        if not window.is_done:
            self._watch(True)
        elif delivery.trouble:
            self._end(delivery, TryLater(delivery.trouble, window.receipt))
        else:
            self._end(delivery, window.receipt)

    def _fitting(self, message: Message) -> Message:
        size, longest = len(message.topic.encode()) + len(message.payload) + _HEADER, self._terms.longest_packet
        if longest and size > longest:
            raise ValueError(f"its message has {size} bytes, the broker takes {longest}")
        return message

    def _watch(self, is_on: bool) -> None:
        if self._overdue is not None and self._overdue.active():
            self._overdue.cancel()
        self._overdue = None
        if is_on:
            seconds = self._manners.confirmation_s
            self._overdue = self._clock.callLater(seconds, self._link.abort, f"nothing confirmed in {seconds:g} s")

    def _end(self, delivery: _Delivery, outcome: Receipt | TryLater) -> None:
        self._forgotten(delivery.result)
        if isinstance(outcome, TryLater):
            delivery.result.errback(outcome)
        else:
            delivery.result.callback(outcome)

    def _forgotten(self, _: Deferred[Receipt]) -> None:
        self._delivery = None
        self._watch(False)
