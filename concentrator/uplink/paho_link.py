"""One MQTT session over one Twisted connection: the protocol plays the socket of a paho client, which lives and dies
with it. It hides paho: its callbacks, its state, its two hooks, and what it does not look at.

paho is driven, it drives nothing: bytes that arrive are handed to it, bytes it wants to write go to the transport, and
once a second it may look after its keep-alive. Nothing of ours runs inside its callbacks, where it holds locks: what
they say is noted and told afterwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from attrs import field, frozen
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from twisted.internet import protocol
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from zope.interface import implementer

from concentrator.model.errors import TryLater
from concentrator.uplink.broker_endpoint import spoken
from concentrator.uplink.payload import Message

LOOK_AFTER_S = 1.0
GOODBYE_S = 2.0
"""How long a goodbye may take, in seconds."""
_FAILURE = 0x80  # MQTT 5.0, 2.4: reason codes from here on are failures


@frozen
class Hello:
    """What the broker is told about us: `version` is "3.1.1" or "5"; `will` is published for us when we are lost."""

    client_id: str
    will: Message
    user: str = ""
    password: str = field(default="", repr=False)
    version: str = "3.1.1"
    keepalive_s: int = 60


@frozen
class Terms:
    """What the broker told us: how many messages may be unconfirmed, how many bytes one packet may have (0: any)."""

    window: int = 65535
    longest_packet: int = 0


@frozen
class Verdict:
    """What the broker made of a message: the reason code (MQTT 5.0, 2.4) and its name."""

    code: int = 0
    words: str = ""

    @property
    def is_failure(self) -> bool:
        """Whether the message was refused."""
        return self.code >= _FAILURE


@implementer(IPushProducer)
class PahoLink(protocol.Protocol):
    """An MQTT session, from the open connection on.

    `welcome` fires with the broker's terms, or fails with TryLater and the reason in words; `gone` fires once, with
    the reason in words; `settled`, when somebody sets it, hears what the broker made of each message.
    """

    transport: Any

    def __init__(self, hello: Hello, clock: IReactorTime) -> None:
        self.welcome: Deferred[Terms] = Deferred(lambda _: self.abort("given up"))
        self.gone: Deferred[str] = Deferred()
        self.settled: Callable[[int, Verdict], None] | None = None
        self._clock = clock
        self._socket = _Socket()
        self._client = _client_for(hello, self._socket)
        self._client.on_connect = self._on_welcome
        self._client.on_publish = self._on_settled
        self._client.on_disconnect = self._on_end
        self._client.on_socket_register_write = self._on_wants_to_write
        self._to_tell: deque[Callable[[], None]] = deque()
        self._flush: IDelayedCall | None = None
        self._goodbye: IDelayedCall | None = None
        self._looking_after = LoopingCall(self._drive, self._client.loop_misc)
        self._looking_after.clock = clock
        self._why = ""

    def publish(self, message: Message, qos: int) -> int:
        """Sends a message; gives the number by which `settled` will tell of it, never before this has returned."""
        return self._client.publish(message.topic, message.payload, qos, message.retain).mid

    def say_goodbye(self) -> None:
        """Ends the session in good manners, within a few seconds."""
        if self._goodbye is None and not self._socket.is_over:
            self._goodbye = self._clock.callLater(GOODBYE_S, self.abort, "the goodbye took too long")
            self._socket.is_polite = True
            self._client.disconnect()

    def abort(self, why: str) -> None:
        """Drops the connection at once."""
        self._why = self._why or why
        self._socket.is_polite = False
        self._socket.close()

    def connectionMade(self) -> None:  # noqa: N802
        """The connection is there: the broker is greeted."""
        self._socket.transport = self.transport
        self.transport.registerProducer(self, True)
        self._looking_after.start(LOOK_AFTER_S, now=False)
        self._drive(self._client.reconnect)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Bytes arrived: paho reads until nothing is left."""
        self._socket.inbox += data
        while self._socket.inbox and self._client.socket() is not None:
            self._drive(self._client.loop_read)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """The connection is gone, and the session with it."""
        for call in (self._flush, self._goodbye):
            if call is not None and call.active():
                call.cancel()
        self._looking_after.stop()
        self._socket.end()
        self._drive(self._client.loop_read)  # lets paho see the end
        why = self._why or spoken(reason)
        if not self.welcome.called:
            self.welcome.errback(TryLater(why))
        self.gone.callback(why)

    def pauseProducing(self) -> None:  # noqa: N802
        """The transport has enough for now: paho keeps the rest."""
        self._socket.is_full = True

    def resumeProducing(self) -> None:  # noqa: N802
        """The transport has room again."""
        self._socket.is_full = False
        if self._client.want_write():
            self._drive(self._client.loop_write)

    def stopProducing(self) -> None:  # noqa: N802
        """The transport will never want more."""
        self._socket.is_full = True

    def _on_welcome(self, client: Any, user: Any, flags: Any, reason: ReasonCode, terms: Properties | None) -> None:
        if reason.is_failure:
            self._why = f"the broker refused the session: {reason}"
            return
        agreed = Terms(
            window=getattr(terms, "ReceiveMaximum", Terms().window),
            longest_packet=getattr(terms, "MaximumPacketSize", 0),
        )
        self._to_tell.append(lambda: None if self.welcome.called else self.welcome.callback(agreed))

    def _on_settled(self, client: Any, user: Any, mid: int, reason: ReasonCode, properties: Any) -> None:
        verdict = Verdict(reason.value, str(reason))
        self._to_tell.append(lambda: None if self.settled is None else self.settled(mid, verdict))

    def _on_end(self, client: Any, user: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        if flags.is_disconnect_packet_from_server:
            self._why = self._why or f"the broker ended the session: {reason}"
        elif str(reason) != "Unspecified error":  # paho's word for a connection that just fell
            self._why = self._why or str(reason)

    def _on_wants_to_write(self, client: Any, user: Any, socket: Any) -> None:
        if self._flush is None:
            self._flush = self._clock.callLater(0, self._flushed)

    def _flushed(self) -> None:
        self._flush = None
        self._drive(self._client.loop_write)

    def _drive(self, step: Callable[[], object]) -> None:
        """Lets paho do something, then tells what it noted meanwhile."""
        try:
            step()
        except Exception as why:  # paho is other people's code, fed with a stranger's bytes
            self._socket.inbox.clear()
            self.abort(f"the broker's bytes make no sense: {type(why).__name__}: {why}")
        while self._to_tell:
            self._to_tell.popleft()()


class _Socket:
    """What paho takes for its socket: bytes that have arrived, and the transport."""

    def __init__(self) -> None:
        self.inbox = bytearray()
        self.transport: Any = None
        self.is_full = False
        self.is_over = False
        self.is_polite = False

    def end(self) -> None:
        self.is_over = True
        self.inbox.clear()

    def recv(self, size: int) -> bytes:
        if self.is_over:
            return b""
        if not self.inbox:
            raise BlockingIOError
        taken = bytes(self.inbox[:size])
        del self.inbox[:size]
        return taken

    def send(self, data: bytes | bytearray) -> int:
        if self.is_full:
            raise BlockingIOError
        self.transport.write(bytes(data))
        return len(data)

    def close(self) -> None:
        if self.transport is None or self.is_over:
            return
        if self.is_polite:
            self.transport.unregisterProducer()
            self.transport.loseConnection()
        else:
            self.transport.abortConnection()

    def fileno(self) -> int:
        return -1

    def setblocking(self, flag: bool) -> None:
        pass


class _Client(paho.Client):
    """paho with two of its own functions replaced; both are pinned down by tests, and paho by its minor version."""

    played: _Socket

    def _create_socket(self) -> Any:
        return self.played

    def _handle_pubrec(self) -> MQTTErrorCode:
        """A refusal in the middle of QoS 2 ends the message (MQTT 5.0, 4.3.3); paho would go on and then be told of
        success."""
        packet = bytes(self._in_packet["packet"])
        if self._protocol == MQTTProtocolVersion.MQTTv5 and len(packet) > 2 and packet[2] >= _FAILURE:
            mid = int.from_bytes(packet[:2], "big")
            with self._out_message_mutex:
                if mid in self._out_messages:
                    reason = ReasonCode(PacketTypes.PUBREC, identifier=packet[2])
                    return self._do_on_publish(mid, reason, Properties(PacketTypes.PUBREC))  # type: ignore[no-untyped-call]
        return super()._handle_pubrec()


def _client_for(hello: Hello, played: _Socket) -> _Client:
    is_v5 = hello.version == "5"
    client = _Client(
        CallbackAPIVersion.VERSION2,
        client_id=hello.client_id,
        clean_session=None if is_v5 else True,
        protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
    )
    client.played = played
    client.max_inflight_messages = 0  # the window is kept above
    if hello.user:
        client.username_pw_set(hello.user, hello.password or None)
    client.will_set(hello.will.topic, hello.will.payload, qos=1, retain=hello.will.retain)
    client.connect_async("broker", keepalive=hello.keepalive_s)  # stores its arguments, and the name is never used
    return client
