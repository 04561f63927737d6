"""A broker of MQTT 3.1.1 that a test plays on a clock: it welcomes and confirms when it is told to."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

CONNACK = b"\x20\x02\x00\x00"
PUBLISH, PUBACK = 0x30, b"\x40\x02"


class _Transport(StringTransport):
    """Tells the broker of each write, and falls a little after it was told to."""

    def __init__(self, broker: PlayedBroker, protocol) -> None:
        super().__init__()
        self._broker = broker
        self._protocol = protocol

    def write(self, data: bytes) -> None:
        super().write(data)
        self._broker.heard(data)

    def abortConnection(self) -> None:  # noqa: N802
        self._broker.clock.callLater(0, self._fall)

    loseConnection = abortConnection  # noqa: N815

    def _fall(self) -> None:
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.connectionLost(Failure(ConnectionDone()))


@implementer(IStreamClientEndpoint)
class PlayedBroker:
    """The endpoint of a broker; `published`: topic and payload of what it was sent."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.published: list[tuple[str, bytes]] = []
        self._unconfirmed: list[tuple[bytes, str, bytes]] = []
        self._protocol = None
        self._confirms = False

    def connect(self, factory) -> Deferred:
        """Takes a connection."""
        self._protocol = protocol = factory.buildProtocol(None)
        protocol.makeConnection(_Transport(self, protocol))
        return succeed(protocol)

    def welcome(self) -> None:
        """Answers the greeting."""
        self.clock.advance(0)
        self._protocol.dataReceived(CONNACK)
        self.clock.advance(0)
        self.confirm()

    def confirm(self) -> None:
        """Confirms all it was sent."""
        taken, self._unconfirmed = self._unconfirmed, []
        if taken:
            self._protocol.dataReceived(b"".join(PUBACK + mid for mid, _, _ in taken))

    def confirm_for_ever(self) -> None:
        """Confirms all it was sent, and from now on at once."""
        self._confirms = True
        if self._protocol is not None:
            self.confirm()

    def unconfirmed(self) -> list[tuple[str, bytes]]:
        """Topic and payload of what it was sent and has not confirmed."""
        return [(topic, payload) for _, topic, payload in self._unconfirmed]

    def heard(self, data: bytes) -> None:
        """Bytes came, whole packets of them."""
        while data:
            kind, length, at = data[0], 0, 1
            while True:
                length += (data[at] & 127) << 7 * (at - 1)
                at += 1
                if not data[at - 1] & 128:
                    break
            body, data = data[at : at + length], data[at + length :]
            if kind & 0xF0 == PUBLISH:
                end = 2 + int.from_bytes(body[:2], "big")
                topic = body[2:end].decode()
                payload = body[end + 2 :] if kind & 0x06 else body[end:]
                self.published.append((topic, payload))
                if kind & 0x06:
                    self._unconfirmed.append((body[end : end + 2], topic, payload))
        if self._confirms:
            self.clock.callLater(0.001, self.confirm)
