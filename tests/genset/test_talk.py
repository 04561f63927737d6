"""One connection: one thing said at a time, and left when the server is not to be borne."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from concentrator.genset.talk import MOST_BYTES, MOST_MESSAGES, MOST_WAITING, Talk
from concentrator.wire.smartgen import Changes, Heartbeat, LongCon, Timing
from concentrator.wire.smartgen_server import Acknowledged, Reset, TimeTold, WriteConfig


class Made:
    """A talk, what it heard, why it ended, and what it wrote."""

    def __init__(self, clock):
        self.orders, self.lost = [], []
        self.clock = clock
        self.talk = Talk(clock, self.orders.append, self.lost.append)
        self.transport = StringTransport()
        self.talk.makeConnection(self.transport)

    def written(self):
        found = self.transport.value()
        self.transport.clear()
        return found


@pytest.fixture
def made(clock):
    made = Made(clock)
    yield made
    made.talk.close()


BEAT, LONG, CHANGE = Heartbeat("A"), LongCon("A"), Changes("A")


def test_a_thing_is_said_when_the_one_before_is_answered(made):
    made.talk.say(LONG, "longcon")
    made.talk.say(BEAT, "hb")
    assert made.written() == LONG.written()
    made.talk.dataReceived(Acknowledged("hb").written())
    assert made.written() == b""
    made.talk.dataReceived(Acknowledged("longcon").written())
    assert made.written() == BEAT.written()


def test_without_an_answer_it_is_said_a_second_later(made):
    made.talk.say(LONG, "longcon")
    made.talk.say(BEAT)
    made.clock.pump([0.1] * 9)
    assert made.written() == LONG.written()
    made.clock.pump([0.1] * 2)
    assert made.written() == BEAT.written()


def test_what_is_urgent_goes_first_and_waits_a_moment_only(made):
    for saying in (LONG, BEAT, BEAT):
        made.talk.say(saying, "hb")
    made.talk.say(CHANGE, "reqdatachange", is_urgent=True)
    made.written()
    made.clock.advance(0.1)
    assert made.written() == CHANGE.written()


def test_an_answer_without_a_name_is_the_one_that_is_due(made):
    made.talk.say(Timing("A"), "timing")
    made.talk.dataReceived(b'{"retcode":"000000","result":"1497811080077"}{"dance":1}')
    assert made.orders == [TimeTold(1497811080.077)]


def test_orders_are_heard_in_any_pieces(made):
    stream = WriteConfig("00", uid="1").written() + Reset().written()
    for at in range(len(stream)):
        made.talk.dataReceived(stream[at : at + 1])
    assert made.orders == [WriteConfig("00", uid="1"), Reset()]


def test_a_message_that_does_not_end_is_dropped_after_10_s(made):
    made.talk.dataReceived(b'{"method":"writeConfig",{"method":"reset"}')
    made.clock.pump([1.0] * 9)
    assert made.orders == []
    made.clock.advance(1.0)
    assert made.orders == [Reset()]


@pytest.mark.parametrize(
    ("flood", "why"),
    [
        (Reset().written() * (MOST_MESSAGES + 1), "the server says too much"),
        (b" " * (MOST_BYTES + 1), "the server says too much"),
        (b"{1}" * 5, "the server cannot be understood: 5 faults, expected JSON"),
        (b'{"\xff":1}', "the server cannot be understood: text that is no UTF-8"),
    ],
)
def test_a_hostile_server_is_left(made, flood, why):
    made.talk.dataReceived(flood)
    assert (made.lost, made.transport.disconnected) == ([why], True)
    assert len(made.orders) <= MOST_MESSAGES
    made.talk.dataReceived(Reset().written())
    assert len(made.orders) <= MOST_MESSAGES


def test_a_server_may_say_much_in_the_course_of_time(made):
    for _ in range(20):
        made.talk.dataReceived(Reset().written() * (MOST_MESSAGES - 1))
        made.clock.advance(1.0)
    assert made.lost == []


def test_a_server_that_says_nothing_is_left(made):
    made.clock.pump([1.0] * 29)
    assert made.lost == []
    made.clock.pump([1.0] * 2)
    assert made.lost == ["the server said nothing for 30 s"]


def test_nothing_is_said_to_a_server_that_does_not_take_what_it_was_told(made):
    made.talk.say(LONG)
    made.transport.producer.pauseProducing()  # as a connection does whose buffer is full
    made.written()
    for _ in range(MOST_WAITING):
        made.talk.say(BEAT)
        made.clock.advance(1.0)
        made.talk.dataReceived(Acknowledged("hb").written())
    assert (made.written(), made.talk.is_behind, made.lost) == (b"", True, [])
    made.transport.producer.resumeProducing()
    assert made.written() == BEAT.written()
    made.transport.producer.pauseProducing()
    for _ in range(2):
        made.talk.say(BEAT)
    assert made.lost == ["the server answers too slowly"]


@pytest.mark.parametrize("is_held", [False, True])
def test_a_connection_whose_server_takes_nothing_is_not_kept_for_what_is_left_to_say(clock, is_held):
    made = Made(clock)
    if is_held:
        made.transport.producer.pauseProducing()
    made.talk.close()
    assert (made.transport.disconnecting, made.transport.disconnected) == (True, is_held)
    assert made.transport.producer is None


def test_a_server_that_takes_nothing_is_left_before_memory_fills(made):
    for _ in range(MOST_WAITING + 2):
        made.talk.say(BEAT, "hb")
    assert made.lost == ["the server answers too slowly"]


def test_who_closes_says_one_last_thing_and_hears_no_more(made):
    made.talk.say(LONG, "longcon")
    made.written()
    made.talk.close(BEAT)
    assert (made.written(), made.transport.disconnecting, made.lost) == (BEAT.written(), True, [])
    made.talk.say(LONG)
    assert made.written() == b""


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=30), st.sampled_from([b"{", b'{"method":"reset"}', b'"', b"}", b"\xff"]))))
def test_any_bytes_are_heard_or_end_the_connection(pieces):
    made = Made(Clock())
    for piece in pieces:
        made.talk.dataReceived(piece)
    made.clock.pump([1.0] * 40)
    assert len(made.lost) == 1
    assert not made.clock.getDelayedCalls()
