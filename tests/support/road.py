"""A road between the program and a server that can be bad: it swallows everything without a word, or is cut. Runs in
the test's own reactor. On the way to an FTP server the data connections take the same road: their ports, which the
server names in its replies, are exchanged for such of our own."""

from __future__ import annotations

import re
from typing import Any

from attrs import define
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

_LOOPBACK = "127.0.0.1"
_PASSIVE = re.compile(rb"^227 .*?(\d+),(\d+)\)?\.?\r\n", re.MULTILINE)  # RFC 959, 4.1.2: … p1,p2
_EXTENDED = re.compile(rb"^229 .*\(\|\|\|(\d+)\|\)", re.MULTILINE)  # RFC 2428, 3


class Road(Factory):
    """Leads from `port`, its own, to `target` on the loopback interface. `is_ftp`: data connections follow."""

    noisy = False

    def __init__(self, target: int, is_ftp: bool = False) -> None:
        self.target = target
        self.is_ftp = is_ftp
        self.swallowed = 0
        self._is_hole = False
        self._ends: set[_End] = set()
        self._side_roads: list[IListeningPort] = []
        self._listening = reactor.listenTCP(0, self, interface=_LOOPBACK)
        self.port: int = self._listening.getHost().port

    def hole(self) -> None:
        """From now on whatever is said on it, either way, is never heard, and who comes new waits for ever."""
        self._is_hole = True

    def mend(self) -> None:
        """A good road again. Connections that met the hole are gone for good."""
        if self._is_hole:
            self._is_hole = False
            self.cut()

    def cut(self) -> None:
        """Ends all connections at once, and what was on its way is lost."""
        for end in tuple(self._ends):
            end.transport.abortConnection()

    def close(self) -> Any:
        """Is there no more; fires when nothing listens."""
        self.cut()
        for side_road in self._side_roads:
            side_road.stopListening()
        return self._listening.stopListening()

    def buildProtocol(self, addr: object) -> Protocol:  # noqa: N802 - Twisted's name
        return self._near_end(self.target, self.is_ftp)

    def _near_end(self, target: int, is_ftp: bool) -> _End:
        near = _End(self, True, is_ftp)
        if not self._is_hole:
            far = _End(self, False, is_ftp, near)
            near.other = far
            met = TCP4ClientEndpoint(reactor, _LOOPBACK, target).connect(Factory.forProtocol(lambda: far))
            met.addErrback(lambda _: near.transport and near.transport.abortConnection())
        return near

    def side_road(self, target: int) -> int:
        """The port of a way to a data port, for one connection."""
        factory = Factory.forProtocol(lambda: self._near_end(target, False))
        factory.noisy = False
        listening = reactor.listenTCP(0, factory, interface=_LOOPBACK)
        self._side_roads.append(listening)
        while len(self._side_roads) > 20:
            self._side_roads.pop(0).stopListening()
        return listening.getHost().port

    def passes(self, content: bytes) -> bool:
        """Whether it gets through."""
        if self._is_hole:
            self.swallowed += len(content)
        return not self._is_hole

    def joined(self, end: _End) -> None:
        self._ends.add(end)

    def left(self, end: _End) -> bool:
        """Whether anybody may be told that this end is gone."""
        self._ends.discard(end)
        return not self._is_hole


@define(eq=False)
class _End(Protocol):
    """One end of a connection through the road; what comes in here goes out at the `other`."""

    road: Road
    is_near: bool
    is_ftp: bool
    other: _End | None = None
    _kept: bytes = b""
    _is_over: bool = False

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        self.road.joined(self)
        if self.is_near:
            return
        assert self.other is not None
        kept, self.other._kept = self.other._kept, b""
        self.transport.write(kept)
        if self.other._is_over:
            self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        if not self.road.passes(data):
            return
        if self.is_ftp and not self.is_near:
            data = self._led_past(data)
        if self.other is not None and self.other.transport is not None and self.other.connected:
            self.other.transport.write(data)
        else:
            self._kept += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        self._is_over = True
        if self.road.left(self) and self.other is not None and self.other.connected:
            self.other.transport.loseConnection()

    def _led_past(self, replies: bytes) -> bytes:
        """Replies with the data ports exchanged. Whole lines come at once: pyftpdlib and vsftpd write each in one."""

        def passive(found: re.Match[bytes]) -> bytes:
            high, low = divmod(self.road.side_road(int(found[1]) * 256 + int(found[2])), 256)
            return found[0][: found.start(1) - found.start()] + b"%d,%d).\r\n" % (high, low)

        def extended(found: re.Match[bytes]) -> bytes:
            return found[0].replace(found[1], b"%d" % self.road.side_road(int(found[1])))

        return _EXTENDED.sub(extended, _PASSIVE.sub(passive, replies))
