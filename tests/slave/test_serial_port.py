"""concentrator.slave.serial_port: a slave answers after the silence, only requests to itself, and never into somebody
else's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from concentrator.model.errors import LineLost
from concentrator.model.profile import Function
from concentrator.slave.serial_port import PATIENCE_S, SerialPort
from concentrator.slave.unit import Unit
from concentrator.wire.modbus import read, rtu, rtu_frame, write_register

SILENCE_S = 0.004
ASKS = rtu(7, read(Function.HOLDING, 0, 1), 1).request
ASKS_LATER = rtu(7, read(Function.HOLDING, 9, 1), 1).request
WRITES = rtu(7, write_register(3, 4), 1).request
OTHER_ASKS = rtu(9, read(Function.HOLDING, 0, 1), 1).request
OTHER_SAYS = rtu_frame(9, bytes.fromhex("03 02 0102"))
ANSWER = rtu_frame(7, bytes.fromhex("03 02 0000"))


class Content:
    def __init__(self):
        self.waiting = []
        self.written = 0

    def read(self, wanted):
        if wanted.address:
            self.waiting.append(Deferred())
            return self.waiting[-1]
        return bytes(2 * wanted.count)

    def write(self, pdu, wanted, by):
        self.written += 1
        return succeed(None)


class Wire:
    """A port that opens at once, and what goes out of it."""

    def __init__(self, clock):
        self.clock, self.content = clock, Content()
        self.trouble = None
        self.transport = StringTransport()
        units = {7: Unit(self.content, clock.seconds, True)}
        self.port = SerialPort("line out", units, clock, self, SILENCE_S)
        self.unit = units[7]

    def connect(self, factory):
        if self.trouble is not None:
            return fail(self.trouble)
        protocol = factory.buildProtocol(None)
        self.transport = StringTransport()
        protocol.makeConnection(self.transport)
        self.end = protocol
        return succeed(protocol)

    def hear(self, *pieces, gap_s=0.0):
        """Bytes come, each piece after the gap; gives what is said to the last one after the silence."""
        for number, piece in enumerate(pieces):
            if number:
                self.clock.advance(gap_s)
            self.end.dataReceived(piece)
        self.clock.advance(SILENCE_S)
        return self.said()

    def said(self):
        data = self.transport.value()
        self.transport.clear()
        return data

    def rest(self):
        self.clock.advance(PATIENCE_S)

    def lose(self):
        self.end.connectionLost(Failure(ConnectionDone()))


@pytest.fixture
def wire(clock):
    made = Wire(clock)
    made.port.start()
    yield made
    made.port.stop()
    made.lose()


def test_the_answer_comes_after_the_silence_and_not_before(wire, clock):
    wire.end.dataReceived(ASKS)
    clock.advance(SILENCE_S - 0.0001)
    assert wire.said() == b""
    clock.advance(0.0001)
    assert wire.said() == ANSWER


def test_a_request_may_come_byte_by_byte(wire):
    assert wire.hear(*(bytes((byte,)) for byte in ASKS), gap_s=SILENCE_S / 3) == ANSWER


@pytest.mark.parametrize("cut", range(1, len(ASKS)))
def test_a_silence_of_the_adapters_own_making_does_no_harm(wire, cut):
    assert wire.hear(ASKS[:cut], ASKS[cut:], gap_s=PATIENCE_S / 2) == ANSWER
    assert wire.port.figures["damaged"] == 0


def test_the_rest_of_a_request_that_comes_too_late_is_none(wire):
    for part in (ASKS[:3], ASKS[3:]):
        assert wire.hear(part) == b""
        wire.rest()
    assert wire.port.figures["damaged"] == 2
    assert wire.hear(ASKS) == ANSWER


def test_a_damaged_request_does_not_spoil_the_next_one(wire):
    assert wire.hear(ASKS[:-1] + b"\0", ASKS, gap_s=SILENCE_S * 2) == ANSWER


def test_others_are_overheard_and_not_answered(wire):
    assert wire.hear(OTHER_ASKS, OTHER_SAYS, gap_s=SILENCE_S) == b""
    assert wire.hear(ASKS) == ANSWER, "whatever was heard shortly before"
    assert wire.hear(OTHER_ASKS) == b""
    wire.rest()
    assert wire.port.figures == {"others": 1, "damaged": 0, "broadcasts": 0, "late": 0}
    assert wire.unit.reads == 1


def test_what_an_adapter_hands_over_in_one_go_is_taken_apart(wire):
    assert wire.hear(OTHER_ASKS + OTHER_SAYS + ASKS) == ANSWER


def test_a_request_that_others_words_end_with_is_not_one(wire):
    inside = rtu_frame(9, b"\x03" + bytes((len(ASKS) + 1,)) + b"\1" + ASKS)
    assert wire.hear(inside) == b""
    wire.rest()
    assert (wire.port.figures["others"], wire.unit.reads) == (1, 0)


def test_a_broadcast_is_not_carried_out(wire):
    assert wire.hear(rtu_frame(0, write_register(3, 4).pdu)) == b""
    assert (wire.port.figures["broadcasts"], wire.content.written) == (1, 0)


def test_an_answer_that_takes_its_time_is_given_while_the_wire_is_silent(wire):
    assert wire.hear(ASKS_LATER) == b""
    wire.clock.advance(0.5)
    wire.content.waiting[0].callback(b"\1\2")
    assert wire.said() == rtu_frame(7, bytes.fromhex("03 02 0102"))


def test_an_answer_is_not_given_into_what_others_say(wire):
    wire.hear(ASKS_LATER)
    assert wire.hear(OTHER_ASKS) == b""
    wire.content.waiting[0].callback(b"\1\2")
    assert wire.said() == b""
    wire.rest()
    assert wire.port.figures["late"] == 1
    assert wire.hear(ASKS) == ANSWER


def test_its_own_echo_is_not_carried_out_again(wire):
    for _ in range(3):
        assert wire.hear(WRITES) == WRITES
        assert wire.hear(WRITES) == b"", "the echo"
        assert wire.hear(ASKS) == ANSWER
        assert wire.hear(ANSWER) == b""
    assert (wire.content.written, wire.port.figures["damaged"]) == (3, 0)


def test_without_an_echo_the_same_write_is_carried_out_each_time(wire):
    assert wire.hear(ASKS) == ANSWER
    for _ in range(3):
        assert wire.hear(WRITES) == WRITES
    assert wire.content.written == 3


def test_endless_noise_takes_no_more_room(wire):
    for _ in range(100):
        wire.end.dataReceived(bytes(range(256)))
    assert len(wire.port._heard) <= 1024
    wire.clock.advance(SILENCE_S)
    wire.rest()
    assert wire.hear(ASKS) == ANSWER


def test_a_port_that_was_lost_is_opened_again(wire, clock):
    wire.trouble = LineLost("/dev/ttyX: the port is not there")
    wire.end.dataReceived(ASKS)
    wire.lose()
    assert not wire.port.is_open and wire.port.trouble.startswith("line out")
    clock.advance(1)
    assert "the port is not there" in wire.port.trouble
    wire.trouble = None
    clock.advance(3)
    assert (wire.port.is_open, wire.port.trouble, wire.port.peers) == (True, "", ())
    assert wire.hear(ASKS) == ANSWER


def test_an_answer_to_a_port_that_was_lost_meanwhile_is_nobodys(wire, clock):
    wire.hear(ASKS_LATER)
    wire.lose()
    clock.advance(3)
    wire.content.waiting[0].callback(b"\1\2")
    assert wire.said() == b"" and wire.port.figures["late"] == 1


@given(st.lists(st.tuples(st.binary(max_size=300), st.sampled_from((0.0, SILENCE_S, SILENCE_S * 3))), max_size=20))
def test_after_whatever_noise_a_request_is_answered(noise):
    wire = Wire(Clock())
    wire.port.start()
    for data, gap_s in noise:
        wire.end.dataReceived(data)
        wire.clock.advance(gap_s)
    wire.clock.advance(SILENCE_S)
    wire.rest()
    wire.said()
    assert wire.hear(ASKS) == ANSWER
