"""The box as a Modbus TCP server: its clients, each with its requests in their order. Hides that somebody may ask
faster than it listens, or than the box has time for, and who has to go when there are too many.

Source: Modbus Messaging on TCP/IP Implementation Guide V1.0b, 4.2 and 4.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IPushProducer, IReactorTime, IStreamServerEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from concentrator.slave.listening import Listening
from concentrator.slave.unit import Reply, Unit
from concentrator.wire.modbus_server import TARGET_SILENT, Asked, NoModbus, Requests, exception

IDLE_S = 60.0
"""A client that has asked nothing for so long may be let go for another one."""
AT_ONCE = 32
"""Requests of one client that are answered before everybody else's turn."""
_ITSELF = (0, 0xFF)  # the server, not a unit behind it (Modbus Messaging on TCP/IP V1.0b, 4.4.2.2)


@implementer(IPushProducer)
class Client(Protocol):
    """A connection. It is not read while an answer takes its time, while what was answered is not taken, and while it
    is everybody else's turn."""

    transport: Any  # Twisted names no interface that has all of what is asked of it

    def __init__(self, server: TcpServer) -> None:
        self._server = server
        self._requests = Requests()
        self._is_waiting = self._is_full = False
        self.address = ""
        self.last_at = server.clock.seconds()

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name, as below
        """It is there."""
        self.address = str(getattr(self.transport.getPeer(), "host", ""))
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        self.transport.registerProducer(self, True)
        self._server.clients.append(self)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """It says something."""
        self._requests.take(data)
        self.last_at = self._server.clock.seconds()
        self._go_on()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """It has gone."""
        if self in self._server.clients:
            self._server.clients.remove(self)
        self._server.left()

    def close(self) -> None:
        """Ends it at once."""
        self.transport.abortConnection()

    def _go_on(self) -> None:
        """Answers what is there, as far as it is its turn."""
        if self._is_waiting or self not in self._server.clients:
            return
        said = bytearray()
        try:
            for count, asked in enumerate(self._requests, 1):
                reply = self._server.answer(asked, self.address)
                if isinstance(reply, Deferred):
                    self._wait()
                    reply.addCallback(self._answered, asked)
                    break
                said += asked.framed(reply)
                if count == AT_ONCE:
                    self._wait()
                    self._server.clock.callLater(0, self._turn)
                    break
        except NoModbus:
            self._server.strange += 1
            self.close()
            return
        if said:
            self.transport.write(bytes(said))

    def _wait(self) -> None:
        self._is_waiting = True
        self._look()

    def _answered(self, reply: bytes, asked: Asked) -> None:
        if self in self._server.clients:
            self.transport.write(asked.framed(reply))
        self._turn()

    def _turn(self) -> None:
        self._is_waiting = False
        self._look()
        self._go_on()

    def _look(self) -> None:
        """Reads the connection, or not."""
        if self not in self._server.clients:
            return
        if self._is_waiting or self._is_full:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()

    def pauseProducing(self) -> None:  # noqa: N802
        """What was answered is not taken."""
        self._is_full = True
        self._look()

    def resumeProducing(self) -> None:  # noqa: N802
        """It is."""
        self._is_full = False
        self._look()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is gone."""


class _Entrance(Factory):
    """What Twisted asks for a protocol."""

    noisy = False

    def __init__(self, server: TcpServer) -> None:
        self._server = server

    def buildProtocol(self, addr: Any) -> Client | None:  # noqa: N802 - Twisted's name
        return self._server.client_for(str(getattr(addr, "host", "")))


@define(eq=False)
class TcpServer:
    """The units at one TCP port. `may_come` says of an address whether it is let in; `most` clients are. Its figures:
    clients `denied` for where they come from, `crowded` out, and `strange`, which speak something else."""

    label: str
    units: dict[int, Unit]
    clock: IReactorTime
    _endpoint: IStreamServerEndpoint
    _may_come: Callable[[str], bool]
    _most: int
    clients: list[Client] = field(factory=list, init=False)
    denied: int = field(default=0, init=False)
    crowded: int = field(default=0, init=False)
    strange: int = field(default=0, init=False)
    _listening: Listening = field(init=False)
    _emptied: Deferred[None] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._listening = Listening(self._endpoint, _Entrance(self), self.label, self.clock)

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._listening.is_open

    @property
    def trouble(self) -> str:
        """Why it does not, in a sentence; empty where it does."""
        return self._listening.trouble

    @property
    def peers(self) -> Sequence[str]:
        """The addresses of its clients."""
        return [client.address for client in self.clients]

    @property
    def figures(self) -> Mapping[str, int]:
        """What it has counted."""
        return {"denied": self.denied, "crowded": self.crowded, "strange": self.strange}

    def start(self) -> None:
        """Begins to listen."""
        self._listening.start()

    def stop(self) -> Deferred[Any]:
        """Lets nobody in any more, and everybody go; fires when they have gone and the port is free."""
        emptied: Deferred[None] = Deferred()
        self._emptied = emptied
        for client in tuple(self.clients):
            client.close()
        self.left()
        return DeferredList([emptied, self._listening.stop()])

    def left(self) -> None:
        """A client has gone."""
        if not self.clients and self._emptied is not None:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    def client_for(self, address: str) -> Client | None:
        """Somebody connects; None where that is not for him."""
        if not self._may_come(address):
            self.denied += 1
            return None
        if len(self.clients) >= self._most:
            self.crowded += 1
            idlest = min(self.clients, key=lambda client: client.last_at)
            if self.clock.seconds() - idlest.last_at < IDLE_S:
                return None
            self.clients.remove(idlest)
            idlest.close()
        return Client(self)

    def answer(self, asked: Asked, by: str) -> Reply:
        """The answer to a request; where there is one unit only, it is the server itself too."""
        unit = self.units.get(asked.unit)
        if unit is None and asked.unit in _ITSELF and len(self.units) == 1:
            (unit,) = self.units.values()
        return exception(asked.pdu, TARGET_SILENT) if unit is None else unit.answer(asked.pdu, by)
