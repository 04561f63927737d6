"""One MQTT session over one Twisted connection: the protocol plays the socket of a paho client, which lives and dies
with it. It hides paho: its callbacks, its state, its hooks, and what it does not look at.

paho is driven, it drives nothing: bytes that arrive are handed to it, bytes it wants to write go to the transport, and
once a second it may look after its keep-alive. Nothing of ours runs inside its callbacks, where it holds locks: what
they say is noted and told afterwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
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
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from concentrator.model.errors import TryLater
from concentrator.uplink.broker_endpoint import spoken
from concentrator.uplink.payload import Message
from concentrator.uplink.played_socket import PlayedSocket
from concentrator.uplink.sieve import Sieve

LONGEST_RECEIVED = 64 * 1024
"""How many bytes a message to us may have."""
LOOK_AFTER_S = 1.0
GOODBYE_S = 2.0
"""How long a goodbye may take, in seconds."""
_FAILURE = 0x80  # MQTT 5.0, 2.4: reason codes from here on are failures
_LONGEST_PACKET = LONGEST_RECEIVED + 2048  # with its topic and properties

log = Logger()


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


_TAKEN = Verdict(0, "Success")


@implementer(IPushProducer)
class PahoLink(protocol.Protocol):
    """An MQTT session, from the open connection on.

    `welcome` fires with the broker's terms, or fails with TryLater and the reason in words; `gone` fires once, with
    the reason in words; `settled`, when somebody sets it, hears what the broker made of each message, and `received`
    the payload of each message to us, with whether the broker had kept it for us. One that is longer than
    `LONGEST_RECEIVED` is never held: it is counted in `refused`, and told in the log once. `subscribed` hears of each
    subscription whether the broker took it. `refusal`: the reason code (MQTT 5.0, 2.4) with which the broker refused
    the session, None where it did not.
    """

    transport: Any

    def __init__(self, hello: Hello, clock: IReactorTime) -> None:
        self.welcome: Deferred[Terms] = Deferred(lambda _: self.abort("given up"))
        self.gone: Deferred[str] = Deferred()
        self.settled: Callable[[int, Verdict], None] | None = None
        self.received: Callable[[bytes, bool], None] | None = None
        self.subscribed: Callable[[bool], None] | None = None
        self.refusal: int | None = None
        self._clock = clock
        self._sieve = Sieve(_LONGEST_PACKET)
        self._too_long = 0
        self._socket = PlayedSocket()
        self._client = _client_for(hello, self._socket)
        self._client.on_connect = self._on_welcome
        self._client.on_publish = self._on_settled
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribed
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

    def subscribe(self, topic: str) -> None:
        """Has the broker send us what is published to a topic, with quality of service 1 at most; a broker that
        refuses is told of in the log."""
        self._client.subscribe(topic, qos=1)

    @property
    def refused(self) -> int:
        """How many messages to us were too long."""
        return self._sieve.refused + self._too_long

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
        refused = self.refused
        self._socket.inbox += self._sieve.passed(data)
        if self._sieve.acknowledgements:
            self.transport.write(self._sieve.acknowledgements)
            self._sieve.acknowledgements = b""
        while self._socket.inbox and self._client.socket() is not None:
            self._drive(self._client.loop_read)
        if self.refused > refused == 0:
            log.warn("a message to us was longer than {most} bytes and refused; so are others", most=LONGEST_RECEIVED)

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
            self._why, self.refusal = f"the broker refused the session: {reason}", reason.value
            return
        agreed = Terms(
            window=getattr(terms, "ReceiveMaximum", Terms().window),
            longest_packet=getattr(terms, "MaximumPacketSize", 0),
        )
        self._to_tell.append(lambda: None if self.welcome.called else self.welcome.callback(agreed))

    def _on_settled(self, client: Any, user: Any, mid: int, reason: ReasonCode, properties: Any) -> None:
        verdict = _TAKEN if reason.value == 0 else Verdict(reason.value, str(reason))
        self._to_tell.append(lambda: None if self.settled is None else self.settled(mid, verdict))

    def _on_subscribed(self, client: Any, user: Any, mid: int, reasons: Sequence[ReasonCode], properties: Any) -> None:
        for reason in reasons:
            if reason.is_failure:
                log.warn("the broker refused our subscription, so no command reaches us: {reason}", reason=reason)
            self._to_tell.append(partial(self._tell_subscribed, not reason.is_failure))

    def _tell_subscribed(self, is_taken: bool) -> None:
        if self.subscribed is not None:
            self.subscribed(is_taken)

    def _on_message(self, client: Any, user: Any, message: paho.MQTTMessage) -> None:
        payload, is_retained = bytes(message.payload), message.retain
        if len(payload) > LONGEST_RECEIVED:
            self._too_long += 1
        else:
            self._to_tell.append(lambda: None if self.received is None else self.received(payload, is_retained))

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
        self._socket.flush()
        while self._to_tell:
            self._to_tell.popleft()()


_SUCCESS, _NOTHING = ReasonCode(PacketTypes.PUBACK), Properties(PacketTypes.PUBACK)


class _Client(paho.Client):
    """paho with three of its own functions replaced; all are pinned down by tests, and paho by its minor version."""

    played: PlayedSocket

    def _create_socket(self) -> Any:
        return self.played

    def _handle_pubackcomp(self, cmd: Any) -> MQTTErrorCode:
        """A confirmation without a reason code is a success (MQTT 5.0, 3.4.2.1), as are all of 3.1.1: paho makes a
        description of each, which costs more than all the rest of it."""
        packet = self._in_packet["packet"]
        if len(packet) != 2:
            return super()._handle_pubackcomp(cmd)
        mid = int.from_bytes(packet, "big")
        with self._out_message_mutex:
            if mid in self._out_messages:
                return self._do_on_publish(mid, _SUCCESS, _NOTHING)  # type: ignore[no-untyped-call]
        return MQTTErrorCode.MQTT_ERR_SUCCESS

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


def _client_for(hello: Hello, played: PlayedSocket) -> _Client:
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
    limits = None
    if is_v5:
        limits = Properties(PacketTypes.CONNECT)
        limits.MaximumPacketSize = _LONGEST_PACKET
    client.connect_async(
        "broker", keepalive=hello.keepalive_s, properties=limits
    )  # stores its arguments, and the name is never used
    return client
