"""A gateway without a network: clients are the test's, and so are the line's far end and the clock."""

from __future__ import annotations

from ipaddress import ip_network

from twisted.internet.address import IPv4Address
from twisted.internet.defer import fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from concentrator.mbusgate.doorman import Opening
from concentrator.mbusgate.gateway import Gateway
from concentrator.mbusgate.terms import Terms
from concentrator.model.errors import Busy
from tests.support.lines import Wire, close_line, open_line

HERE = (ip_network("127.0.0.0/8"),)


class Entrance:
    """An endpoint that listens in memory; `refusal` makes it fail."""

    def __init__(self):
        self.factory = None
        self.refusal = None
        self.closed = 0

    def listen(self, factory):
        if self.refusal is not None:
            return fail(self.refusal)
        self.factory = factory
        return succeed(self)

    def stopListening(self):  # noqa: N802
        self.closed += 1
        return succeed(None)


class Polling:
    """Own reading: whether it stands aside, and how often it went on."""

    def __init__(self):
        self.suspended = ""
        self.went_on = 0

    def suspend(self, reason):
        if self.suspended:
            return fail(Busy(self.suspended))
        self.suspended = reason
        return succeed(None)

    def go_on(self):
        self.suspended = ""
        self.went_on += 1


class Guest:
    """A client, seen from the network: what it `heard`, and whether it was shown out (`is_out`)."""

    def __init__(self, entrance, host="127.0.0.1", in_kernel=None):
        self.protocol = entrance.factory.buildProtocol(IPv4Address("TCP", host, 4321))
        self.is_denied = self.protocol is None
        self.transport = StringTransport(peerAddress=IPv4Address("TCP", host, 4321))
        if not self.is_denied:
            self.protocol.makeConnection(self.transport)

    def say(self, data):
        assert self.transport.producerState == "producing", "nobody takes that now"
        self.protocol.dataReceived(data)

    def end(self):
        self.protocol.readConnectionLost()

    def leave(self):
        self.protocol.connectionLost(Failure(ConnectionLost()))

    def heard(self):
        data = self.transport.value()
        self.transport.clear()
        return data

    @property
    def is_out(self):
        return self.transport.disconnecting

    @property
    def is_taken_from(self):
        return self.transport.producerState == "producing"


class House:
    """A gateway on a line at 9600 8N1, started."""

    def __init__(self, make=Wire, **terms):
        self.line, self.wire, self.clock = open_line(make)
        self.entrance, self.polling = Entrance(), Polling()
        openings = [Opening(self.entrance, "tcp:10001")]
        given = Terms(**{"networks": HERE, **terms})
        self.gateway = Gateway("main", self.line, given, openings, self.polling, self.clock)
        self.gateway.start()
        self.run(0.01)

    def guest(self, host="127.0.0.1"):
        """Somebody connects, and is given the time to get the wire."""
        guest = Guest(self.entrance, host)
        self.run(0.005)
        return guest

    def run(self, seconds, step=0.0005):
        self.wire.run(seconds, step)

    def sent(self):
        """What came to the wire, all of it."""
        return b"".join(data for _, data in self.wire.sent)

    def answer(self, request, answer, within_s=2.0):
        """Answers as soon as something that ends so has come to the wire."""
        end = self.clock.seconds() + within_s
        while not self.sent().endswith(request):
            assert self.clock.seconds() < end, f"nobody asked {request!r}"
            self.run(0.001)
        self.wire.answer(answer)

    def figures(self):
        return self.gateway.state().statistics

    def close(self):
        self.gateway.stop()
        self.run(2)
        close_line(self.line, self.clock)
