"""A trial of a broker: everything the MQTT uplink would do with these settings, once, stage by stage, ending with a
message that goes out and comes back. Hides at which moment of one connection which stage is over, and how it is found
out what was wrong with a certificate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectError, ConnectionRefusedError
from twisted.internet.interfaces import (
    IAddress,
    IHandshakeListener,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from concentrator.api import Wall
from concentrator.model.errors import TryLater
from concentrator.uplink.broker_endpoint import (
    NOT_FOR_THIS_HOST,
    Trust,
    broker_endpoint,
    certificate_shown,
    spoken,
)
from concentrator.uplink.paho_link import Hello, PahoLink, Verdict
from concentrator.uplink.payload import Message
from concentrator.uplink.stages import LONGEST_S, Stages, Tell

NAMES = ("name", "port", "tls", "login", "subscribe", "publish", "return")
# MQTT 5.0, 3.2.2.2, which paho makes of the codes of 3.1.1 too: the client id; user or password, no authorisation.
_BAD_ID, _UNAUTHORISED = 0x85, frozenset({0x86, 0x87})


@define(eq=False)
class MqttTrial:
    """A trial of the broker at `host` and `port`, with `trust` where it is to be over TLS. It says `hello`, and
    publishes to `topic`, with quality of service `qos`, what it subscribed to there."""

    _reactor: Any
    _wall: Wall
    _host: str
    _port: int
    _trust: Trust | None
    _hello: Hello
    _topic: str
    _qos: int = 1
    _link: _Link | None = field(default=None, init=False)

    def run(self, tell: Tell) -> Deferred[object]:
        """Fires with the stages when all have passed or one failed; to be cancelled at any time."""
        names = [name for name in NAMES if name != "tls" or self._trust is not None]
        stages = Stages(names, self._reactor.seconds, tell)

        def overdue(result: object, seconds: float) -> object:
            host, port, topic = self._host, self._port, self._topic
            stages.failed("late", seconds=round(seconds), host=host, port=port, topic=topic)
            return stages.as_json()

        going: Deferred[object] = Deferred.fromCoroutine(self._run(stages))
        return going.addTimeout(LONGEST_S, self._reactor, overdue)

    async def _run(self, stages: Stages) -> object:
        try:
            await self._pass(stages)
            if self._link is not None:
                self._link.say_goodbye()
                await self._link.gone
        except CancelledError:
            self._drop()
            raise
        except (ConnectError, TryLater, OSError, ValueError) as why:
            await self._tell_why(stages, Failure(why))
            self._drop()
        return stages.as_json()

    async def _pass(self, stages: Stages) -> None:
        """Goes through the stages; raises as connecting does, or TryLater."""
        reactor = _Watched(self._reactor, lambda: stages.passed("name"))
        endpoint = broker_endpoint(reactor, self._host, self._port, self._trust)
        connecting = endpoint.connect(Factory.forProtocol(lambda: _Link(self._hello, self._reactor, stages)))
        link = self._link = cast(_Link, await connecting)
        await link.welcome
        stages.passed("login")
        link.subscribe(self._topic)
        if not await link.hears("subscribed"):
            stages.failed("subscribe", topic=self._topic)
            return
        stages.passed("subscribe")
        began = self._reactor.seconds()
        link.publish(Message(self._topic, b'{"test":true}'), self._qos)
        verdict: Verdict = await link.hears("settled")
        if verdict.is_failure:
            stages.failed("publish", verdict.words, topic=self._topic)
            return
        stages.passed("publish")
        await link.hears("received")
        stages.facts |= {"topic": self._topic, "ms": max(1, round((self._reactor.seconds() - began) * 1000))}
        stages.passed("return")

    async def _tell_why(self, stages: Stages, failure: Failure) -> None:
        why = failure.value
        said = why.detail if isinstance(why, TryLater) else spoken(failure)
        facts = {"host": self._host, "port": self._port, "user": self._hello.user}
        refusal = self._link.refusal if self._link is not None else None
        if isinstance(why, TryLater) and self._link is None:
            stages.failed("files", said)  # of certificates, which are read before anything else
        elif stages.at == "name":
            stages.failed("name", said, **facts)
        elif stages.at == "port":
            stages.failed("refused" if isinstance(why, ConnectionRefusedError) else "port", said, **facts)
        elif stages.at == "tls":
            reason, more = await self._distrusted(said)
            stages.failed(reason, said, **facts, **more)
        elif refusal in _UNAUTHORISED:
            stages.failed("auth" if self._hello.user else "auth_nobody", said, **facts)
        elif refusal == _BAD_ID:
            stages.failed("client_id", said, id=self._hello.client_id)
        else:
            stages.failed("", said, **facts)

    async def _distrusted(self, said: str) -> tuple[str, dict[str, object]]:
        """Why TLS did not come about, and what the server's certificate says of itself."""
        shown = await certificate_shown(self._reactor, self._host, self._port).addErrback(lambda _: None)
        if shown is None:
            return "tls", {}
        until = datetime.fromtimestamp(shown.until, UTC).date().isoformat()
        facts: dict[str, object] = {"issuer": shown.issuer, "subject": shown.subject, "until": until}
        if said == NOT_FOR_THIS_HOST:
            return "tls_name", facts
        if self._trust is not None and self._trust.pinned_file:
            return "tls_pinned", facts
        if shown.until < self._wall.now():
            return "tls_expired", facts
        if "verify failed" not in said:
            return "tls", facts
        return "tls_authority" if self._trust is not None and self._trust.ca_file else "tls_unknown", facts

    def _drop(self) -> None:
        if self._link is not None:
            self._link.abort("the trial is over")


@implementer(IHandshakeListener)
class _Link(PahoLink):
    """A session that notes which stage of a trial it has passed, and remembers what the broker said until somebody
    waits for it."""

    def __init__(self, hello: Hello, clock: Any, stages: Stages) -> None:
        super().__init__(hello, clock)
        self._stages = stages
        self._heard: dict[str, Any] = {}
        self._waiting: tuple[str, Deferred[Any]] | None = None
        self._fell = ""
        self.subscribed = lambda is_taken: self._hear("subscribed", is_taken)
        self.settled = lambda mid, verdict: self._hear("settled", verdict)
        self.received = lambda payload, is_retained: self._hear("received", payload)
        self.gone.addCallback(self._end)

    def connectionMade(self) -> None:  # noqa: N802
        """The port is open; over TLS the handshake comes now."""
        self._stages.passed("port")
        super().connectionMade()

    def handshakeCompleted(self) -> None:  # noqa: N802
        """TLS is there."""
        self._stages.passed("tls")

    def hears(self, what: str) -> Deferred[Any]:
        """What the broker said by that hook, now or soon; TryLater where the connection falls before."""
        if what in self._heard:
            return succeed(self._heard[what])
        if self._fell:
            return fail(TryLater(self._fell))
        self._waiting = what, Deferred()
        return self._waiting[1]

    def _hear(self, what: str, said: Any) -> None:
        self._heard[what] = said
        if self._waiting is not None and self._waiting[0] == what:
            (_, waiting), self._waiting = self._waiting, None
            waiting.callback(said)

    def _end(self, why: str) -> str:
        self._fell = why
        if self._waiting is not None:
            (_, waiting), self._waiting = self._waiting, None
            waiting.errback(TryLater(why))
        return why


@implementer(IReactorPluggableNameResolver)
class _Watched:
    """The reactor for an endpoint, and `known` is called when it has an address for its name."""

    def __init__(self, reactor: Any, known: Callable[[], None]) -> None:
        self._reactor = reactor
        self.nameResolver = _WatchedNames(reactor.nameResolver, known)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:  # noqa: N802
        """As the reactor does."""
        found: IHostnameResolver = self._reactor.installNameResolver(resolver)
        return found


@implementer(IHostnameResolver)
@frozen
class _WatchedNames:
    _names: IHostnameResolver
    _known: Callable[[], None]

    def resolveHostName(  # noqa: N802 - Twisted's name, and those of its arguments
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[Any]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        receiver = _WatchedReceiver(resolutionReceiver, self._known)
        return self._names.resolveHostName(receiver, hostName, portNumber, addressTypes, transportSemantics)


@implementer(IResolutionReceiver)
@define
class _WatchedReceiver:
    _receiver: IResolutionReceiver
    _known: Callable[[], None]
    _has_address: bool = False

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:  # noqa: N802, N803
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        self._has_address = True
        self._receiver.addressResolved(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        if self._has_address:
            self._known()
        self._receiver.resolutionComplete()
