"""concentrator.slave.network: clients are answered in order, and none of them can take the box from the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from concentrator.slave.network import AT_ONCE, IDLE_S, TcpServer
from concentrator.slave.unit import Unit

READ = bytes.fromhex("0000 0006 01 03 0000 0001")
ANSWER = bytes.fromhex("0000 0005 01 03 02 0000")


class Transport(StringTransport):
    """The server's end of a connection."""

    is_aborted = False

    def setTcpNoDelay(self, enabled):  # noqa: N802 - Twisted's name, as below
        pass

    def setTcpKeepAlive(self, enabled):  # noqa: N802
        pass

    def abortConnection(self):  # noqa: N802
        self.is_aborted = True


class Content:
    def __init__(self):
        self.waiting = []
        self.asked = 0
        self.by = []

    def read(self, wanted):
        self.asked += 1
        if wanted.address:
            self.waiting.append(Deferred())
            return self.waiting[-1]
        return bytes(2 * wanted.count)

    def write(self, pdu, wanted, by):
        self.by.append(by)
        return succeed(None)


class Port:
    stopped = 0

    def stopListening(self):  # noqa: N802 - Twisted's name
        self.stopped += 1


class Home:
    def __init__(self, clock, most=2, units=(1,)):
        self.clock, self.content = clock, Content()
        units = {number: Unit(self.content, clock.seconds, True) for number in units}
        self.port = Port()
        self.server = TcpServer("tcp:502", units, clock, self, lambda address: address.startswith("10."), most)
        self.server.start()
        self.transports = []

    def listen(self, factory):
        self.factory = factory
        return succeed(self.port)

    def client(self, host="10.0.0.5"):
        address = IPv4Address("TCP", host, 40000)
        protocol = self.factory.buildProtocol(address)
        if protocol is not None:
            protocol.makeConnection(Transport(peerAddress=address))
        return protocol


def numbered(*numbers, body=READ):
    return b"".join(number.to_bytes(2) + body for number in numbers)


def said(client):
    data = client.transport.value()
    client.transport.clear()
    return data


@pytest.fixture
def home(clock):
    return Home(clock)


def test_requests_are_answered_in_their_order_with_their_numbers(home):
    client = home.client()
    client.dataReceived(numbered(7, 8)[:-3])
    assert said(client) == numbered(7, body=ANSWER)
    client.dataReceived(numbered(8)[-3:])
    assert said(client) == numbered(8, body=ANSWER)


def test_an_answer_that_takes_its_time_holds_its_own_client_only(home):
    slow, other = home.client(), home.client()
    later = bytes.fromhex("0000 0006 01 03 0009 0001")
    slow.dataReceived(numbered(1) + numbered(2, body=later) + numbered(3))
    assert said(slow) == numbered(1, body=ANSWER)
    assert slow.transport.producerState == "paused"
    other.dataReceived(numbered(4))
    assert said(other) == numbered(4, body=ANSWER)
    home.content.waiting[0].callback(b"\1\2")
    assert said(slow) == numbered(2, body=bytes.fromhex("0000 0005 01 03 02 0102")) + numbered(3, body=ANSWER)
    assert slow.transport.producerState == "producing"


def test_an_answer_for_somebody_who_has_gone_is_nobodys(home):
    client = home.client()
    client.dataReceived(numbered(2, body=bytes.fromhex("0000 0006 01 03 0009 0001")) + numbered(3))
    client.connectionLost()
    home.content.waiting[0].callback(b"\1\2")
    assert said(client) == b"" and home.content.asked == 1


def test_many_requests_at_once_leave_everybody_else_his_turn(home, clock):
    client = home.client()
    client.dataReceived(numbered(*range(AT_ONCE * 2 + 1)))
    assert home.content.asked == AT_ONCE
    assert client.transport.producerState == "paused"
    clock.advance(0)
    clock.advance(0)
    assert home.content.asked == AT_ONCE * 2 + 1
    assert said(client) == numbered(*range(AT_ONCE * 2 + 1), body=ANSWER)
    assert client.transport.producerState == "producing"


def test_who_does_not_take_answers_is_not_read(home):
    client = home.client()
    client.transport.producer.pauseProducing()
    assert client.transport.producerState == "paused"
    client.transport.producer.resumeProducing()
    assert client.transport.producerState == "producing"


def test_who_comes_from_elsewhere_is_not_let_in(home):
    assert home.client("192.0.2.1") is None
    assert home.server.figures == {"denied": 1, "crowded": 0, "strange": 0}


def test_who_speaks_something_else_is_thrown_out_after_what_was_right(home):
    client = home.client()
    client.dataReceived(numbered(1) + b"GET / HTTP/1.1\r\n\r\n")
    assert client.transport.is_aborted
    assert home.server.figures["strange"] == 1


def test_the_idlest_goes_when_there_are_too_many_and_only_if_it_is_idle(home, clock):
    first, second = home.client(), home.client()
    clock.advance(IDLE_S - 1)
    assert home.client() is None
    second.dataReceived(numbered(1))
    clock.advance(1)
    third = home.client()
    assert first.transport.is_aborted and not second.transport.is_aborted
    assert home.server.clients == [second, third]
    assert home.server.figures["crowded"] == 2
    first.connectionLost()
    assert home.server.peers == ["10.0.0.5", "10.0.0.5"]


def test_the_server_itself_is_its_only_unit(home, clock):
    client = home.client()
    for unit in (0, 255):
        client.dataReceived(numbered(1, body=READ[:4] + bytes((unit,)) + READ[5:]))
        assert said(client)[-4:] == bytes.fromhex("03 02 0000")
    client.dataReceived(numbered(1, body=READ[:4] + bytes((9,)) + READ[5:]))
    assert said(client)[-2:] == bytes.fromhex("83 0B")
    two = Home(clock, units=(1, 2)).client()
    two.dataReceived(numbered(1, body=READ[:4] + bytes((255,)) + READ[5:]))
    assert said(two)[-2:] == bytes.fromhex("83 0B")


def test_whoever_writes_is_known_by_his_address(home):
    client = home.client("10.9.8.7")
    client.dataReceived(numbered(1, body=bytes.fromhex("0000 0006 01 06 0001 0002")))
    assert home.content.by == ["10.9.8.7"]
    assert said(client) == numbered(1, body=bytes.fromhex("0000 0006 01 06 0001 0002"))


def test_it_stops_when_everybody_has_gone(home):
    client, gone = home.client(), []
    home.server.stop().addCallback(gone.append)
    assert client.transport.is_aborted and home.port.stopped == 1 and not gone
    client.connectionLost()
    assert gone


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_whatever_a_client_says_the_others_are_served(pieces):
    clock = Clock()
    home = Home(clock)
    hostile, other = home.client(), home.client()
    for piece in pieces:
        if not hostile.transport.is_aborted:
            hostile.dataReceived(piece)
        clock.advance(0)
        other.dataReceived(numbered(1))
        assert said(other) == numbered(1, body=ANSWER)
    assert len(hostile._requests._received) <= 300
