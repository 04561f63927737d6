"""concentrator.line.wire_end: bytes out at once, bytes in when they are wanted."""

import socket

import pytest
from twisted.internet.testing import StringTransport

from concentrator.line.wire_end import WireEnd
from tests.support.lines import Descriptor


@pytest.fixture
def ends():
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    told = []
    wire = WireEnd(lambda end: told.append("open"), told.append, told.append)
    transport = Descriptor(near)
    transport.protocol = wire
    transport.startReading()
    wire.makeConnection(transport)
    assert told.pop() == "open"
    yield wire, transport, far, told
    near.close()
    far.close()


def test_bytes_go_out_at_once(ends):
    wire, transport, far, _ = ends
    wire.send(b"request")
    assert (far.recv(100), transport.left) == (b"request", b"")


def test_what_does_not_fit_is_left_to_the_reactor_in_order(ends):
    wire, transport, far, _ = ends
    much = bytes(10_000_000)
    wire.send(much)
    wire.send(b"next")
    received = 0
    while received + len(transport.left) < len(much) + 4:
        received += len(far.recv(1_000_000))
    assert received > 0
    assert transport.left.endswith(b"next")


def test_bytes_wait_while_it_looks_away_and_can_be_taken(ends):
    wire, transport, far, told = ends
    wire.look_away()
    assert transport.reactor.readers == set()
    far.send(b"reply")
    assert (wire.is_looking, told) == (False, [])
    wire.take()
    wire.take()
    assert told == [b"reply"]
    wire.look()
    assert transport.reactor.readers == {transport}


def test_a_lost_wire_takes_nothing_more(ends):
    wire, _, far, told = ends
    wire.connectionLost()
    assert told == ["Connection was closed cleanly."]
    far.send(b"too late")
    wire.take()
    assert told == ["Connection was closed cleanly."]
    assert not wire.can_take


def test_what_has_no_descriptor_is_asked_to_write_and_to_pause():
    told = []
    wire, transport = WireEnd(lambda end: None, told.append, told.append), StringTransport()
    wire.makeConnection(transport)
    wire.send(b"request")
    wire.look_away()
    wire.take()
    assert (transport.value(), transport.producerState, wire.can_take) == (b"request", "paused", False)
    wire.look()
    assert transport.producerState == "producing"


def test_small_requests_are_not_kept_back_on_a_network():
    class Tcp(StringTransport):
        def setTcpNoDelay(self, enabled):  # noqa: N802
            self.told = [("no delay", enabled)]

        def setTcpKeepAlive(self, enabled):  # noqa: N802
            self.told.append(("keep alive", enabled))

    transport = Tcp()
    WireEnd(lambda end: None, lambda data: None, lambda reason: None).makeConnection(transport)
    assert transport.told == [("no delay", True), ("keep alive", True)]
