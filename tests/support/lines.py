"""A line without a wire: the test is the far end and turns the clock."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from concentrator.line.line import Line
from concentrator.model.errors import Garbled
from concentrator.wire.conversation import Need, Transaction

CHARACTER_S = 10 / 9600
SILENCE_S = 3.5 * CHARACTER_S


class Wire:
    """An endpoint whose far end is the test: `sent` are the requests with their moments, `answer` plays a reply."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.sent: list[tuple[float, bytes]] = []
        self.attended = 0  # how many of them `attend` has seen
        self.protocol = None
        self.refusal: Exception | None = None

    def connect(self, factory):
        if self.refusal is not None:
            failed: Deferred[None] = Deferred()
            failed.errback(self.refusal)
            return failed
        self.protocol = factory.buildProtocol(None)
        wire = self

        class Transport(StringTransport):
            def write(self, data: bytes) -> None:
                wire.sent.append((wire.clock.seconds(), data))

            def loseConnection(self) -> None:  # noqa: N802
                wire.lose()

        self.pending: list[bytes] = []
        self.transport = Transport()
        self.protocol.makeConnection(self.transport)
        return succeed(self.protocol)

    def deliver(self, data: bytes) -> None:
        """Bytes arrive: seen at once where the line looks, later where it looks away."""
        self.pending.append(data)
        self.flush()

    def flush(self) -> None:
        """Hands over what has arrived, if the line looks."""
        while self.pending and self.transport.producerState == "producing":
            data = b"".join(self.pending)
            self.pending.clear()
            self.protocol.dataReceived(data)

    def answer(self, data: bytes) -> None:
        """Bytes arrive, and time enough passes for the line to see them and to be silent."""
        self.deliver(data)
        self.run(0.02)

    def lose(self) -> None:
        self.protocol.connectionLost(Failure(ConnectionLost("unplugged")))

    def run(self, seconds: float, step: float = 0.0005) -> None:
        """Lets time pass in small steps, arrived bytes being handed over as soon as the line looks."""
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end - 1e-9:
            self.clock.advance(step)
            if self.protocol is not None:
                self.flush()

    def attend(self, reply: Callable[[bytes], bytes], seconds: float, slice_s: float) -> None:
        """Lets time pass in slices; after each, every request that came is given its `reply`, unless that is empty."""
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            self.run(slice_s, step=slice_s / 2)
            for _, request in self.sent[self.attended :]:
                self.attended += 1
                if said := reply(request):
                    self.deliver(said)

    def play(self, reply: bytes, after: float = 0.005, lump: int = 1) -> None:
        """Schedules a reply, byte by byte at the line's speed, beginning `after` seconds from now."""
        for start in range(0, len(reply), lump):
            part = reply[start : start + lump]
            self.clock.callLater(after + (start + len(part)) * CHARACTER_S, self.deliver, part)


class Readers:
    """The part of a reactor that a descriptor needs: who is to be told of bytes, and of room. `woken` counts how often
    one was told of bytes."""

    def __init__(self) -> None:
        self.readers: set[FileDescriptor] = set()
        self.writers: set[FileDescriptor] = set()
        self.woken = 0

    def addReader(self, reader: FileDescriptor) -> None:  # noqa: N802
        self.readers.add(reader)

    def removeReader(self, reader: FileDescriptor) -> None:  # noqa: N802
        self.readers.discard(reader)

    def addWriter(self, writer: FileDescriptor) -> None:  # noqa: N802
        self.writers.add(writer)

    def removeWriter(self, writer: FileDescriptor) -> None:  # noqa: N802
        self.writers.discard(writer)


class Descriptor(FileDescriptor):
    """A transport around one end of a pair of sockets; `left` is what the reactor has to send."""

    connected = 1

    def __init__(self, near, reactor=None):
        super().__init__(reactor or Readers())
        self.near, self.left = near, b""

    def fileno(self):
        return self.near.fileno()

    def write(self, data):
        self.left += data


class Port(Wire):
    """A wire with a descriptor of the kernel's at its end, as serial ports have one: bytes wait in it until the line
    takes them, or looks and is told."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.reactor = Readers()

    def connect(self, factory):
        near, self.far = socket.socketpair()
        near.setblocking(False)
        self.far.setblocking(False)
        port = self

        class Transport(FileDescriptor):
            connected = 1

            def fileno(self) -> int:
                return near.fileno()

            def writeSomeData(self, data: bytes) -> int:  # noqa: N802
                return os.write(near.fileno(), data)

            def loseConnection(self) -> None:  # noqa: N802
                port.lose()

        self.near = near
        self.transport = Transport(self.reactor)
        self.transport.protocol = self.protocol = factory.buildProtocol(None)
        self.transport.startReading()
        self.protocol.makeConnection(self.transport)
        return succeed(self.protocol)

    def deliver(self, data: bytes) -> None:
        if self.protocol is not None:
            self.far.send(data)
            self.flush()

    def flush(self) -> None:
        while True:
            try:
                self.sent.append((self.clock.seconds(), self.far.recv(1000)))
            except BlockingIOError:
                break
        if self.transport in self.reactor.writers:
            self.transport.doWrite()
        if self.transport in self.reactor.readers:
            try:
                data = self.near.recv(1000)
            except BlockingIOError:
                return
            self.reactor.woken += 1
            self.transport.protocol.dataReceived(data)

    def lose(self) -> None:
        protocol, self.protocol = self.protocol, None
        self.near.close()
        self.far.close()
        protocol.connectionLost(Failure(ConnectionLost("unplugged")))


def open_port(**options) -> tuple[Line, Port, Clock]:
    """The same as `open_line`, with a port that has a descriptor."""
    return open_line(Port, **options)


def open_line(make: type[Wire] = Wire, **options) -> tuple[Line, Wire, Clock]:
    """A line at 9600 8N1 that is open, its far end and its clock."""
    clock = Clock()
    clock.advance(1000.0)
    wire = make(clock)
    line = Line("native", wire, clock, CHARACTER_S, SILENCE_S, **options)
    line.start()
    return line, wire, clock


def close_line(line: Line, clock: Clock) -> None:
    """Stops the line and sees that no timer is left."""
    line.stop()
    assert clock.getDelayedCalls() == []


def echo(request: bytes, length: int | None = None, wait_s: float = 0.3, **options) -> Transaction:
    """A transaction whose reply is `length` bytes ending in "."."""
    length = length or len(request)

    def expect(buffer: bytes, ended: bool):
        if buffer and not buffer.startswith(request[:1]):
            raise Garbled("foreign", buffer)
        if len(buffer) < length:
            if ended:
                raise Garbled("short", buffer)
            return Need(length)
        if not buffer.endswith(b"."):
            raise Garbled("damaged", buffer)
        return buffer

    return Transaction(request, expect, wait_s, **options)


def ask(*transactions: Transaction):
    """A conversation that asks one thing after another and returns the replies."""
    replies = []
    for transaction in transactions:
        replies.append((yield transaction))
    return replies
