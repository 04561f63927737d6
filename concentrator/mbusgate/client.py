"""One client of a gateway: its TCP connection, with or without TLS. Hides how it is kept alive, that it may end its
side first, that a TLS client is nobody before its handshake is over, and where its bytes wait."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IHalfCloseableProtocol, IHandshakeListener
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from concentrator.line.outlet import Outlet, outlet_of

MOST = 4096
"""Bytes taken of a client at once; no more are taken while some of them wait for the line."""
_PROBES = 3


def _nothing(*_: object) -> None:
    """Nobody listens."""


@implementer(IHalfCloseableProtocol, IHandshakeListener)
class Client(Protocol):
    """A connection. `on_there` is called with it when it can be spoken to; then `on_bytes` with what it says,
    `on_ended` when it says no more, `on_left` when it is gone. `keepalive_s`: after how long a silence TCP asks whether
    it is still there, 0: never."""

    transport: Any  # Twisted names no interface that has all of what is asked of it

    def __init__(self, keepalive_s: float, is_tls: bool, on_there: Callable[[Client], None]) -> None:
        self._keepalive_s = keepalive_s
        self._is_tls = is_tls
        self._on_there = on_there
        self.on_bytes: Callable[[bytes], None] = _nothing
        self.on_ended: Callable[[], None] = _nothing
        self.on_left: Callable[[], None] = _nothing
        self.has_ended = False
        self.address = ""
        self._outlet: Outlet | None = None

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name, as below
        """It has connected."""
        self.address = str(getattr(self.transport.getPeer(), "host", ""))
        bottom = self.transport
        while not isinstance(bottom, FileDescriptor) and hasattr(bottom, "transport"):
            bottom = bottom.transport
        if isinstance(bottom, FileDescriptor):
            bottom.bufferSize = MOST
            self._keep_alive(bottom)
        if not self._is_tls:
            self._on_there(self)

    def _keep_alive(self, bottom: Any) -> None:
        bottom.setTcpNoDelay(True)
        bottom.setTcpKeepAlive(self._keepalive_s > 0)
        if self._keepalive_s > 0:
            handle, idle_s = bottom.getHandle(), math.ceil(self._keepalive_s)
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle_s)
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, math.ceil(idle_s / _PROBES))
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)

    def handshakeCompleted(self) -> None:  # noqa: N802
        """TLS knows who it is."""
        self._on_there(self)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """It says something."""
        self.on_bytes(data)

    def readConnectionLost(self) -> None:  # noqa: N802
        """It says no more, and may still listen."""
        self.has_ended = True
        self.on_ended()

    def writeConnectionLost(self) -> None:  # noqa: N802
        """We never end our side alone."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """It is gone."""
        self._outlet = None
        on_left = self.on_left
        self._forget()
        on_left()

    def send(self, data: bytes, on_room: Callable[[], None]) -> int:
        """Sends what there is room for and gives how much that is; where it is not all, `on_room` is called when there
        is room again."""
        if self._outlet is None:
            self._outlet = outlet_of(self.transport)
        return self._outlet.send(data, on_room)

    def pause(self) -> None:
        """Leaves what it says in its connection, until `go_on`."""
        self.transport.pauseProducing()

    def go_on(self) -> None:
        """Listens again."""
        if not self.has_ended:
            self.transport.resumeProducing()

    def close(self) -> None:
        """Ends the connection; nobody hears of it any more."""
        self._forget()
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            outlet.close()
        if self._is_tls:
            self.transport.resumeProducing()  # TLS ends when the other side says so too
        self.transport.loseConnection()

    def _forget(self) -> None:
        self._on_there = self.on_bytes = _nothing
        self.on_ended = self.on_left = _nothing
