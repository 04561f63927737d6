import pytest
from twisted.internet.task import Clock

from concentrator.model.errors import TryLater
from concentrator.model.record import Receipt
from concentrator.uplink.paho_link import Terms, Verdict
from concentrator.uplink.payload import Message
from concentrator.uplink.session import GATHER_S, Manners, Session
from tests.support.records import batch, interval

FINE, DENIED, PATIENCE = Verdict(0, "Success"), Verdict(0x87, "Not authorized"), Verdict(0x97, "Quota exceeded")


class Link:
    """Writes down what is published; mids count from 101."""

    def __init__(self):
        self.published = []
        self.aborted = []

    def publish(self, message, qos):
        self.published.append((message, qos))
        return 100 + len(self.published)

    def abort(self, why):
        self.aborted.append(why)


class Desk:
    """A session on a link that is the test's."""

    def __init__(self, window=50, terms=None, speak=lambda record: Message("t", b"%d" % record.n)):
        self.clock = Clock()
        self.link = Link()
        self.session = Session(self.link, terms or Terms(), Manners(speak, 1, window, 60.0), self.clock)
        self.outcome = []

    def send(self, *numbers):
        self.session.send(batch(*map(interval, numbers))).addBoth(self.outcome.append)

    @property
    def payloads(self):
        return [message.payload for message, _ in self.link.published]


@pytest.mark.parametrize(("own", "theirs"), [(6, 65535), (50, 6)])
def test_a_batch_takes_its_share_of_our_window_or_the_brokers_whichever_is_narrower(own, theirs):
    desk = Desk(own, Terms(window=theirs))
    desk.send(1, 2, 3)
    assert desk.payloads == [b"1", b"2"]
    desk.link.settled(102, FINE)
    assert desk.payloads == [b"1", b"2", b"3"]


@pytest.mark.parametrize("width", range(1, 8))
def test_the_brokers_window_is_never_exceeded_whatever_is_sent_and_said(width):
    desk = Desk(50, Terms(window=width))
    desk.session.say(Message("status", b"birth"), 1)
    for numbers in ((1, 2, 3, 4), (11, 12, 13, 14), (21,), (31, 32)):
        desk.send(*numbers)
        desk.session.say(Message("rsp", b"answer"), 1)
    confirmed = 0
    while confirmed < len(desk.payloads):
        assert len(desk.payloads) - confirmed <= width
        confirmed += 1
        desk.link.settled(100 + confirmed, FINE)
    assert (len(desk.payloads), len(desk.outcome)) == (16, 4)
    assert not desk.clock.getDelayedCalls()


def test_what_comes_last_has_its_place_while_other_batches_are_on_their_way():
    desk = Desk(window=6)
    desk.send(*range(1, 50))
    desk.send(*range(51, 100))
    assert desk.payloads == [b"1", b"2", b"51", b"52"]
    desk.send(100)
    assert desk.payloads[-1] == b"100"


def test_a_batch_sent_by_whoever_hears_of_one_is_sent_at_once_and_told_once():
    desk = Desk()
    told = []
    for numbers in ((1,), (2,)):
        desk.session.send(batch(*map(interval, numbers))).addCallback(told.append).addCallback(lambda _: desk.send(3))
    desk.link.settled(101, FINE)
    desk.link.settled(102, FINE)
    assert desk.payloads == [b"1", b"2", b"3", b"3"]
    assert len(told) == 2


def test_who_says_something_hears_whether_the_broker_took_it():
    desk, heard = Desk(window=2), []
    for _ in range(4):
        desk.session.say(Message("rsp", b"answer"), 1).addCallback(heard.append)
    desk.link.settled(101, FINE)
    desk.link.settled(102, DENIED)
    assert heard == [True, False]
    desk.session.give_up("gone")
    assert heard == [True, False, False, False]


def test_the_receipt_comes_with_the_last_verdict_and_tells_taken_from_refused():
    desk = Desk()
    desk.send(7, 8, 9)
    desk.link.settled(102, DENIED)
    desk.link.settled(103, FINE)
    assert desk.outcome == []
    desk.link.settled(101, FINE)
    assert desk.outcome == [Receipt(frozenset({7, 9}), {8: "the broker refused it: Not authorized"})]
    assert not desk.clock.getDelayedCalls()


def test_a_broker_that_asks_for_patience_keeps_the_record_with_us():
    desk = Desk(window=6)
    desk.send(1, 2, 3)
    desk.link.settled(101, FINE)
    desk.link.settled(102, PATIENCE)
    desk.link.settled(103, FINE)
    failure = desk.outcome[0]
    assert failure.check(TryLater)
    assert failure.value.receipt == Receipt(frozenset({1, 3}))
    assert failure.value.in_flight == frozenset()


def test_when_the_session_falls_what_was_in_flight_is_named_and_what_was_taken_is_told():
    desk = Desk(window=6)
    desk.send(1, 2, 3)
    desk.link.settled(101, FINE)
    desk.session.give_up("gone")
    failure = desk.outcome[0].value
    assert (failure.detail, failure.receipt.accepted, failure.in_flight) == ("gone", {1}, {2, 3})
    assert not desk.clock.getDelayedCalls()


def test_a_record_that_cannot_be_said_or_is_too_long_for_the_broker_is_rejected_with_the_reason():
    def speak(record):
        if record.n == 1:
            raise ValueError("serial: found '', expected letters")
        return Message("topic", b"x" * record.n)

    desk = Desk(terms=Terms(longest_packet=40), speak=speak)
    desk.send(1, 2, 26)
    desk.link.settled(101, FINE)
    assert desk.outcome == [
        Receipt(
            frozenset({2}),
            {1: "serial: found '', expected letters", 26: "its message has 41 bytes, the broker takes 40"},
        )
    ]


def test_a_broker_that_stops_confirming_is_left_after_a_minute_of_silence():
    desk = Desk()
    desk.send(1, 2)
    desk.clock.pump([30, 29])
    desk.link.settled(101, FINE)
    desk.clock.pump([GATHER_S, 30, 29])
    assert desk.link.aborted == []
    desk.clock.advance(1)
    assert desk.link.aborted == ["nothing confirmed in 60 s"]


def test_an_empty_batch_has_an_empty_receipt():
    desk = Desk()
    desk.send()
    assert desk.outcome == [Receipt(frozenset())]


def test_verdicts_on_other_messages_change_nothing():
    desk = Desk()
    desk.session.say(Message("status", b""), 1)
    desk.link.settled(101, FINE)
    desk.send(1)
    desk.link.settled(101, DENIED)
    assert desk.outcome == []


def test_a_batch_nobody_waits_for_any_more_is_forgotten():
    desk = Desk()
    waiting = desk.session.send(batch(interval(1)))
    waiting.addErrback(lambda _: None)
    waiting.cancel()
    assert not desk.clock.getDelayedCalls()
    desk.link.settled(101, FINE)
    desk.send(2)
    desk.link.settled(102, FINE)
    assert desk.outcome == [Receipt(frozenset({2}))]
