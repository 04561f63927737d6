"""The MQTT uplink: keeps a session with a broker for ever, and is there to be asked. It hides connecting, waiting,
birth and goodbye, and the way to an inbox; what is sent on a session is the session's."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.logger import Logger

from concentrator.api import Inbox, Standing, Wall
from concentrator.model.errors import TryLater
from concentrator.model.record import Batch, Receipt, Record
from concentrator.uplink.backoff import Backoff, Jitter
from concentrator.uplink.connection import Road, connection_on
from concentrator.uplink.meter import Meter
from concentrator.uplink.paho_link import Hello, PahoLink, Terms
from concentrator.uplink.payload import Message, Voice
from concentrator.uplink.session import Manners, Session

log = Logger()


@frozen
class MqttLimits:
    """How many messages may be unconfirmed; how long in seconds a connection attempt may take until the broker's
    welcome, and the next confirmation; shortest and longest pause between attempts, likewise."""

    window: int = 100
    welcome_s: float = 20.0
    confirmation_s: float = 60.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0


class MqttUplink:
    """Publishes records, as `voice` says them and with quality of service `qos`, to the broker behind `endpoint`.

    `address` is what people see of the broker; `version` is "3.1.1" or "5"; `software` stands in the birth message;
    `alias` gives a device's name by its uid. The client id is `ccmaster-` and the box's serial number where none is
    given. With QoS 0 a record counts as delivered when our write buffer has taken it. What is published to the topic
    of `inbox` goes to it, from the broker's welcome on. `meter` counts what the connection carries.
    """

    kind = "mqtt"

    def __init__(
        self,
        *,
        endpoint: IStreamClientEndpoint,
        address: str,
        voice: Voice,
        alias: Callable[[str], str],
        clock: IReactorTime,
        wall: Wall,
        jitter: Jitter,
        name: str = "mqtt",
        client_id: str = "",
        user: str = "",
        password: str = "",
        version: str = "3.1.1",
        keepalive_s: int = 60,
        qos: int = 1,
        software: str = "",
        inbox: Inbox | None = None,
        meter: Meter | None = None,
        limits: MqttLimits = MqttLimits(),
    ) -> None:
        self.name = name
        self.address = address
        self._voice = voice
        self._alias = alias
        self._clock = clock
        self._wall = wall
        self._software = software
        self._inbox = inbox
        self._qos = qos
        self._meter = meter
        self._manners = Manners(self._spoken, qos, limits.window, limits.confirmation_s)
        hello = Hello(
            client_id=client_id or f"ccmaster-{voice.box}",
            will=voice.offline(),
            user=user,
            password=password,
            version=version,
            keepalive_s=keepalive_s,
        )
        road = Road(
            endpoint=endpoint,
            hello=hello,
            clock=clock,
            backoff=Backoff(jitter, limits.first_pause_s, limits.longest_pause_s),
            patience_s=limits.welcome_s,
            on_there=self._there,
            on_away=self._away,
            on_goodbye=self._goodbye,
            on_ended=self._ended,
        )
        self._connection = connection_on(road)
        self._session: Session | None = None
        self._standing = Standing()
        self._waiters: list[Deferred[None]] = []
        self._leavers: list[Deferred[None]] = []

    def start(self) -> None:
        """Begins connecting, and connects again for ever."""
        if self._meter is not None:
            self._meter.start()
        self._connection.begin()

    def stop(self) -> Deferred[None]:
        """Says that the box goes offline, and goes."""
        leaver: Deferred[None] = Deferred()
        self._leavers.append(leaver)
        self._connection.end()
        return leaver

    def when_ready(self) -> Deferred[None]:
        """Fires when the broker has welcomed us."""
        if self._session is not None:
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._waiters.remove)
        self._waiters.append(waiter)
        return waiter

    def standing(self) -> Standing:
        """Up while the broker has us."""
        return self._standing if self._meter is None else evolve(self._standing, traffic=self._meter.traffic)

    def send(self, batch: Batch) -> Deferred[Receipt]:
        """Publishes a batch. Fails with TryLater where there is no session, when it falls, or when the broker asks for
        patience; what was confirmed before is in the error's receipt."""
        if self._session is None:
            return fail(TryLater(f"{self.address}: {self._standing.trouble or 'not connected yet'}"))
        return self._session.send(batch)

    def _spoken(self, record: Record) -> Message:
        return self._voice.record(record, self._alias(record.draft.uid), self._wall.now())

    def _there(self, link: PahoLink, terms: Terms) -> None:
        log.info("{name}: connected to {address}", name=self.name, address=self.address)
        self._session = Session(link, terms, self._manners, self._clock)
        if self._inbox is not None:
            # Before the birth message, so that whoever answers it reaches us.
            link.received = self._received
            link.subscribe(self._inbox.topic)
        self._standing = self._standing.turned(self._wall.now(), is_up=True)
        self._session.say(self._voice.online(self._software, self._wall.now()), qos=1)
        self._waiters, waiters = [], self._waiters
        for waiter in waiters:
            waiter.callback(None)

    def _received(self, payload: bytes, is_retained: bool) -> None:
        assert self._inbox is not None
        self._inbox.received(payload, is_retained, self._answer)

    def _answer(self, payload: bytes) -> Deferred[bool]:
        if self._session is None:
            log.warn("{name}: an answer was dropped, for {address} is away", name=self.name, address=self.address)
            return succeed(False)
        return self._session.say(self._voice.response(payload), min(self._qos, 1))

    def _away(self, why: str) -> None:
        if why != self._standing.trouble:
            log.warn("{name}: {address}: {why}", name=self.name, address=self.address, why=why)
        self._drop(why)

    def _goodbye(self) -> None:
        if self._session is not None:
            self._session.say(self._voice.offline(), qos=0)  # 0: no answer that could cross our leaving
        self._drop("stopped")

    def _drop(self, why: str) -> None:
        self._standing = self._standing.turned(self._wall.now(), why)
        session, self._session = self._session, None
        if session is not None:
            session.give_up(why)

    def _ended(self) -> None:
        if self._meter is not None:
            self._meter.stop()
        self._leavers, leavers = [], self._leavers
        for leaver in leavers:
            leaver.callback(None)
