"""What lives on a welcomed MQTT session: publishes batches through a window and makes a receipt of each from the
broker's verdicts. It hides the window, the broker's limits, and a broker that stops confirming.

A few batches may be on their way at once, so that what is urgent need not wait for the rest: each may take no more than
its share of the window, and of what has room the batch that came last goes first.
"""

from __future__ import annotations

from collections import deque
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
GATHER_S = 0.002
"""How long single confirmations are gathered before what they made room for is sent, in seconds."""
_SHARES = 3
"""Parts of the window: for events, fresh intervals and backlog."""
_HEADER = 5 + 2 + 2 + 1  # fixed header, length of the topic, packet identifier, no properties: MQTT 5.0, 3.3


@frozen
class Manners:
    """How a session speaks: what it makes of a record (ValueError where it can make nothing), quality of service,
    how many messages may be unconfirmed, how long the next confirmation may take in seconds."""

    speak: Callable[[Record], Message]
    qos: int
    window: int
    confirmation_s: float


@define(eq=False)
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
        self._width = min(manners.window, terms.window)
        self._deliveries: list[_Delivery] = []
        self._unsaid: deque[tuple[Message, int, Deferred[bool]]] = deque()
        self._sayings: dict[int, Deferred[bool]] = {}
        self._overdue: IDelayedCall | None = None
        self._filling: IDelayedCall | None = None
        link.settled = self._settled

    def send(self, batch: Batch) -> Deferred[Receipt]:
        """Publishes a batch; see the uplink."""
        window = Window(batch.records, max(1, self._width // _SHARES))
        delivery = _Delivery(window, Deferred(lambda _: self._forgotten(delivery)))
        self._deliveries.append(delivery)
        self._fill()
        return delivery.result

    def say(self, message: Message, qos: int) -> Deferred[bool]:
        """Publishes something that is in no batch; fires with whether the broker has taken it (QoS 0: our write
        buffer), or will never be heard of again."""
        said: Deferred[bool] = Deferred()
        self._unsaid.append((message, qos, said))
        self._speak()
        return said

    def give_up(self, why: str) -> None:
        """Fails what is in flight."""
        sayings = [*self._sayings.values(), *(said for _, _, said in self._unsaid)]
        self._sayings.clear()
        self._unsaid.clear()
        for said in sayings:
            said.callback(False)
        for delivery in tuple(self._deliveries):
            self._end(delivery, TryLater(why, delivery.window.receipt, delivery.window.in_flight))

    def _settled(self, mid: int, verdict: Verdict) -> None:
        if said := self._sayings.pop(mid, None):
            said.callback(not verdict.is_failure)
            self._speak()
            self._fill()
            return
        for delivery in self._deliveries:
            if (n := delivery.window.landed(mid)) is not None:
                self._judged(delivery, n, verdict)
                self._speak()
                if self._is_worth_filling:
                    self._fill()
                else:
                    self._fill_soon()
                return

    def _judged(self, delivery: _Delivery, n: int, verdict: Verdict) -> None:
        if verdict.code == _QUOTA_EXCEEDED:
            delivery.trouble = f"the broker asks for patience: {verdict.words}"
            delivery.window.stop_sending()
        elif verdict.is_failure:
            delivery.window.reject(n, f"the broker refused it: {verdict.words}")
        else:
            delivery.window.accept(n)

    def _fill(self) -> None:
        """Sends what there is room for, and tells what is done."""
        for delivery in reversed(self._deliveries):
            self._send_of(delivery.window)
        if self._filling is not None and self._filling.active():
            self._filling.cancel()
        self._watch(any(not delivery.window.is_done for delivery in self._deliveries))
        # Whoever is told may send the next batch at once.
        while done := next((delivery for delivery in self._deliveries if delivery.window.is_done), None):
            trouble, receipt = done.trouble, done.window.receipt
            self._end(done, TryLater(trouble, receipt) if trouble else receipt)

    def _fill_soon(self) -> None:
        """Sends what there is room for in a moment, with what there is room for then. Not to wait for half of a share:
        the broker's kernel may keep its confirmations until it hears from us."""
        self._watch(True)
        if self._filling is None or not self._filling.active():
            self._filling = self._clock.callLater(GATHER_S, self._fill)

    def _speak(self) -> None:
        """Says what is unsaid as far as there is room; what needs no confirmation needs none."""
        while self._unsaid and (self._has_room or self._unsaid[0][1] == 0):
            message, qos, said = self._unsaid.popleft()
            self._sayings[self._link.publish(message, qos)] = said

    def _send_of(self, window: Window) -> None:
        while self._has_room and (record := window.next()) is not None:
            try:
                message = self._fitting(self._manners.speak(record))
            except ValueError as why:
                window.reject(record.n, str(why))
            else:
                window.sent(record, self._link.publish(message, self._manners.qos))

    @property
    def _is_worth_filling(self) -> bool:
        """Whether some batch has half of its share free, or is done: what is sent together goes out in one write."""
        return any(delivery.window.wants_more for delivery in self._deliveries)

    @property
    def _has_room(self) -> bool:
        return len(self._sayings) + sum(delivery.window.flying for delivery in self._deliveries) < self._width

    def _fitting(self, message: Message) -> Message:
        size, longest = len(message.topic.encode()) + len(message.payload) + _HEADER, self._terms.longest_packet
        if longest and size > longest:
            raise ValueError(f"its message has {size} bytes, the broker takes {longest}")
        return message

    def _watch(self, is_on: bool) -> None:
        """Waits for the next confirmation, from now on, or for none."""
        seconds = self._manners.confirmation_s
        waiting = self._overdue if self._overdue is not None and self._overdue.active() else None
        if waiting is None and is_on:
            self._overdue = self._clock.callLater(seconds, self._link.abort, f"nothing confirmed in {seconds:g} s")
        elif waiting is not None and is_on:
            waiting.reset(seconds)
        elif waiting is not None:
            waiting.cancel()

    def _end(self, delivery: _Delivery, outcome: Receipt | TryLater) -> None:
        self._forgotten(delivery)
        if isinstance(outcome, TryLater):
            delivery.result.errback(outcome)
        else:
            delivery.result.callback(outcome)

    def _forgotten(self, delivery: _Delivery) -> None:
        self._deliveries = [each for each in self._deliveries if each is not delivery]
        if not self._deliveries:
            self._watch(False)
            if self._filling is not None and self._filling.active():
                self._filling.cancel()
