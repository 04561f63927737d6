"""concentrator.line.arrivals: many wires behind one descriptor."""

import os
import select
import socket

import pytest

from concentrator.line.arrivals import Arrivals
from concentrator.line.wire_end import WireEnd
from tests.support.lines import Descriptor, Readers


class Wired:
    """A wire end on one end of a pair of sockets; `told` is what it said."""

    def __init__(self, reactor, arrivals):
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.told = []
        self.transport = Descriptor(self.near, reactor)
        self.end = WireEnd(lambda end: None, self.told.append, self.told.append, arrivals)
        self.transport.protocol = self.end
        self.transport.startReading()
        self.end.makeConnection(self.transport)

    def close(self):
        self.near.close()
        self.far.close()


@pytest.fixture
def reactor():
    return Readers()


@pytest.fixture
def arrivals(reactor):
    return Arrivals(reactor)


@pytest.fixture
def wires(reactor, arrivals):
    wires = [Wired(reactor, arrivals) for _ in range(40)]
    yield wires
    for wire in wires:
        wire.close()


def is_readable(arrivals):
    return bool(select.select([arrivals], [], [], 0)[0])


def serve(arrivals):
    """What the reactor does with it."""
    turns = 0
    while is_readable(arrivals):
        arrivals.doRead()
        turns += 1
        assert turns < 100
    return turns


def test_each_wire_gets_its_own_bytes_and_the_reactor_sees_one_descriptor(reactor, arrivals, wires):
    assert reactor.readers == {arrivals}
    for number, wire in enumerate(wires):
        wire.far.send(b"%d" % number)
    assert serve(arrivals) == 2  # 40 wires, the reactor's timers between
    assert [wire.told for wire in wires] == [[b"%d" % number] for number in range(40)]


def test_an_end_is_left_to_the_reactor(reactor, arrivals, wires):
    ended = wires[3]
    ended.far.send(b"last words")
    ended.far.close()
    serve(arrivals)
    assert ended.told == [b"last words"]
    assert reactor.readers == {arrivals, ended.transport}


def test_a_wire_that_looks_away_is_not_watched(arrivals, wires):
    wires[0].end.look_away()
    wires[0].far.send(b"late")
    assert not is_readable(arrivals)
    wires[0].end.look()
    serve(arrivals)
    assert wires[0].told == [b"late"]


def test_what_is_too_much_at_once_goes_through_the_reactor_and_so_does_what_comes_back(reactor, arrivals, wires):
    wire = wires[0]
    much = bytes(10_000_000)
    wire.end.send(much)
    assert 0 < len(wire.transport.left) < len(much)
    assert reactor.readers == {arrivals, wire.transport}


def test_the_last_wire_to_go_takes_the_descriptor_with_it(reactor, arrivals, wires):
    for wire in wires:
        wire.near.close()  # as Twisted does before it tells
        wire.end.connectionLost()
    assert reactor.readers == set()


def test_a_descriptor_that_is_used_again_is_watched_again(reactor, arrivals):
    first = Wired(reactor, arrivals)
    number = first.near.fileno()
    first.close()
    first.end.connectionLost()
    second = Wired(reactor, arrivals)
    assert second.near.fileno() == number
    second.far.send(b"new")
    serve(arrivals)
    assert (first.told[1:], second.told) == ([], [b"new"])
    second.close()


def test_a_wire_forgotten_by_the_one_before_it_is_not_called(arrivals):
    pairs = [socket.socketpair() for _ in range(2)]
    called = []

    def arrived(mine, other):
        called.append(mine)
        os.read(mine, 10)
        arrivals.forget(other)

    (a, far_a), (b, far_b) = pairs
    arrivals.watch(a.fileno(), lambda: arrived(a.fileno(), b.fileno()))
    arrivals.watch(b.fileno(), lambda: arrived(b.fileno(), a.fileno()))
    far_a.send(b"x")
    far_b.send(b"x")
    serve(arrivals)
    assert len(called) == 1
    for one in (a, far_a, b, far_b):
        one.close()


def test_one_wires_fault_is_not_anothers(arrivals):
    (a, far_a), (b, far_b) = pairs = [socket.socketpair() for _ in range(2)]
    told = []
    arrivals.watch(a.fileno(), lambda: a.recv(10) and 1 / 0)
    arrivals.watch(b.fileno(), lambda: told.append(b.recv(10)))
    far_a.send(b"x")
    far_b.send(b"y")
    serve(arrivals)
    assert told == [b"y"]
    for pair in pairs:
        for one in pair:
            one.close()
