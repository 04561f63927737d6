"""The MQTT uplink: keeps a session with a broker for ever, and is there to be asked. It hides connecting, waiting,
birth and goodbye; what is sent on a session is the session's."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen
from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from concentrator.api import Standing, Wall
from concentrator.model.errors import TryLater
from concentrator.model.record import Batch, Receipt, Record
from concentrator.uplink.backoff import Backoff, Jitter
from concentrator.uplink.greeting import Greeting
from concentrator.uplink.paho_link import Hello, Terms
from concentrator.uplink.payload import Message, Voice
from concentrator.uplink.session import Manners, Session

STEADY_S = 30.0
"""A session that lasted this long, in seconds, makes the next reconnection begin with the shortest pause again: two
boxes that throw each other out with one client id get slower and slower."""

log = Logger()


@frozen
class MqttLimits:
    """How many messages may be unconfirmed; how long in seconds a connection attempt may take until the broker's
    welcome, and the next confirmation; shortest and longest pause between attempts, likewise."""

    window: int = 50
    welcome_s: float = 20.0
    confirmation_s: float = 60.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0


class MqttUplink:
    """Publishes records, as `voice` says them and with quality of service `qos`, to the broker behind `endpoint`.

    `address` is what people see of the broker; `version` is "3.1.1" or "5"; `software` stands in the birth message;
    `alias` gives a device's name by its uid. The client id is `ccmaster-` and the box's serial number where none is
    given. With QoS 0 a record counts as delivered when our write buffer has taken it.
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
        limits: MqttLimits = MqttLimits(),
    ) -> None:
        self.name = name
        self.address = address
        self._voice = voice
        self._alias = alias
        self._clock = clock
        self._wall = wall
        self._software = software
        self._manners = Manners(self._spoken, qos, limits.window, limits.confirmation_s, self._made, self._lost)
        hello = Hello(
            client_id=client_id or f"ccmaster-{voice.box}",
            will=voice.offline(),
            user=user,
            password=password,
            version=version,
            keepalive_s=keepalive_s,
        )
        self._greeting = Greeting(endpoint, hello, clock, limits.welcome_s, self._agreed, self._unreachable)
        self._backoff = Backoff(jitter, limits.first_pause_s, limits.longest_pause_s)
        factory = Factory.forProtocol(lambda: Session(self._manners, self._terms, clock))
        self._service = ClientService(self._greeting, factory, lambda _: self._backoff.pause_s(), clock)
        self._session: Session | None = None
        self._terms = Terms()
        self._standing = Standing()
        self._made_at = 0.0
        self._waiters: list[Deferred[None]] = []
        self._waking: IDelayedCall | None = None

    def start(self) -> None:
        """Begins connecting, and connects again for ever."""
        self._service.startService()

    def stop(self) -> Deferred[None]:
        """Says that the box goes offline, and goes."""
        if self._session is not None:
            self._session.give_up("stopped")
            self._session.say(self._voice.offline(), qos=0)  # 0: no answer that could cross our leaving
        return self._service.stopService()

    def when_ready(self) -> Deferred[None]:
        """Fires when the broker has welcomed us."""
        if self._session is not None:
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._waiters.remove)
        self._waiters.append(waiter)
        return waiter

    def standing(self) -> Standing:
        """Up while the broker has us."""
        return self._standing

    def send(self, batch: Batch) -> Deferred[Receipt]:
        """Publishes a batch. Fails with TryLater where there is no session, when it falls, or when the broker asks for
        patience; what was confirmed before is in the error's receipt."""
        if self._session is None:
            return fail(TryLater(f"{self.address}: {self._standing.trouble or 'not connected yet'}"))
        return self._session.send(batch)

    def _spoken(self, record: Record) -> Message:
        return self._voice.record(record, self._alias(record.draft.uid), self._wall.now())

    def _agreed(self, terms: Terms) -> None:
        self._terms = terms

    def _made(self, session: Session) -> None:
        log.info("{name}: connected to {address}", name=self.name, address=self.address)
        self._session = session
        self._made_at = self._clock.seconds()
        self._standing = self._standing.turned(self._wall.now(), is_up=True)
        session.say(self._voice.online(self._software, self._wall.now()), qos=1)
        # Not at once: ClientService is in the middle of a step, and whoever wakes may want to stop it.
        self._waking = self._clock.callLater(0, self._wake)

    def _wake(self) -> None:
        self._waking = None
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(None)

    def _lost(self, why: str) -> None:
        self._session = None
        self._sleep_on()
        if self._clock.seconds() - self._made_at >= STEADY_S:
            self._backoff.reset()
        self._unreachable(why)

    def _sleep_on(self) -> None:
        waking, self._waking = self._waking, None
        if waking is not None:
            waking.cancel()

    def _unreachable(self, why: str) -> None:
        if why != self._standing.trouble and self._service.running:
            log.warn("{name}: {address}: {why}", name=self.name, address=self.address, why=why)
        self._standing = self._standing.turned(self._wall.now(), why)
