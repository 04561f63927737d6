"""concentrator.sms.outbox: what waits to be sent, and what becomes of it."""

from itertools import pairwise

import pytest
from twisted.internet.defer import Deferred

from concentrator.model.errors import Refused, TryLater
from concentrator.sms.outbox import PAUSE_S, WAITING_MOST, Outbox
from concentrator.sms.terms import VALIDITY_S, Fate, Kind, Outgoing


class Sender:
    """A modem that takes what the test wants: `calls` are the messages given to it, with what to fire."""

    def __init__(self, clock):
        self.clock = clock
        self.is_ready = True
        self.calls = []
        self.went = []
        self.box = Outbox(clock, self.send, lambda: self.is_ready, self.heard)

    def send(self, message):
        self.calls.append((message, Deferred()))
        return self.calls[-1][1]

    def heard(self, message):
        self.went.append((message.text, message.fate, message.reason))

    def put(self, text, kind=Kind.ALARM):
        message = Outgoing("861366666666", text, kind, self.clock.seconds(), 0.0)
        self.box.put(message)
        return message

    def texts(self):
        return [message.text for message, _ in self.calls]


@pytest.fixture
def sender(clock):
    made = Sender(clock)
    yield made
    made.box.stop()


def test_messages_go_one_after_another(sender):
    sender.put("a")
    sender.put("b")
    assert sender.texts() == ["a"]
    sender.calls[0][1].callback(None)
    assert sender.texts() == ["a", "b"]
    assert sender.went == [("a", Fate.SENT, "")]


def test_an_alarm_goes_before_answers_that_came_first(sender):
    sender.is_ready = False
    sender.put("answer", Kind.ANSWER)
    sender.put("alarm")
    sender.is_ready = True
    sender.box.go()
    assert sender.texts() == ["alarm"]


def test_a_message_that_could_not_go_is_tried_again_after_longer_and_longer(sender):
    sender.put("a")
    moments = [sender.clock.seconds()]
    for _ in range(3):
        sender.calls[-1][1].errback(TryLater("busy"))
        while len(sender.calls) == len(moments):
            sender.clock.advance(1.0)
        moments.append(sender.clock.seconds())
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert pauses == [PAUSE_S, 2 * PAUSE_S, 4 * PAUSE_S]
    assert sender.went == []


def test_a_message_that_waits_for_its_next_try_does_not_hold_up_others(sender):
    sender.put("a")
    sender.calls[0][1].errback(TryLater("busy"))
    sender.put("b")
    assert sender.texts() == ["a", "b"]


def test_a_message_that_is_refused_for_good_is_given_up(sender):
    sender.put("a")
    sender.calls[0][1].errback(Refused(1, "the number is not assigned"))
    assert sender.went == [("a", Fate.FAILED, "the number is not assigned")]
    assert sender.box.waiting == 0


def test_after_an_hour_a_message_is_worth_nothing(sender):
    sender.put("a")
    sender.calls[0][1].errback(TryLater("there is no network"))
    sender.is_ready = False
    sender.clock.pump([60.0] * (VALIDITY_S // 60))
    assert sender.went == [("a", Fate.FAILED, "not sent within 60 min: there is no network")]


def test_of_too_many_the_oldest_answer_goes_and_alarms_stay(sender):
    sender.is_ready = False
    for number in range(WAITING_MOST):
        sender.put(f"alarm {number}", Kind.ANSWER if number == 3 else Kind.ALARM)
    sender.put("one more")
    assert sender.went == [("alarm 3", Fate.FAILED, "too many wait")]
    sender.put("and another")
    assert sender.went[1:] == [("alarm 0", Fate.FAILED, "too many wait")]
    assert sender.box.waiting == WAITING_MOST


def test_the_one_on_its_way_is_not_given_up_for_others(sender):
    first = sender.put("first")
    for number in range(WAITING_MOST):
        sender.put(str(number))
    assert sender.went == [("0", Fate.FAILED, "too many wait")]
    sender.calls[0][1].callback(None)
    assert first.fate is Fate.SENT


def test_a_message_is_delivered_when_all_its_parts_are(sender):
    message = sender.put("long")
    message.references += [7, 8]
    sender.calls[0][1].callback(None)
    sender.box.reported(8, True)
    sender.box.reported(99, True)
    assert message.fate is Fate.SENT
    sender.box.reported(7, True)
    assert message.fate is Fate.DELIVERED
    sender.box.reported(7, False)
    assert message.fate is Fate.DELIVERED


def test_a_part_may_arrive_before_the_last_one_was_sent(sender):
    message = sender.put("long")
    message.references += [7]
    sender.box.reported(7, True)
    message.references += [8]
    sender.calls[0][1].callback(None)
    assert message.fate is Fate.SENT
    sender.box.reported(8, True)
    assert message.fate is Fate.DELIVERED


def test_a_part_that_does_not_arrive_is_the_end_of_its_message(sender):
    message = sender.put("long")
    message.references += [7, 8]
    sender.calls[0][1].callback(None)
    sender.box.reported(8, False)
    assert message.fate is Fate.UNDELIVERED
    assert sender.went[-1] == ("long", Fate.UNDELIVERED, "the network could not deliver it")


def test_a_reference_given_again_means_the_newer_message(sender):
    older, newer = sender.put("older"), sender.put("newer")
    for message, call in ((older, 0), (newer, 1)):
        message.references.append(7)
        sender.calls[call][1].callback(None)
    sender.box.reported(7, True)
    assert (older.fate, newer.fate) == (Fate.SENT, Fate.DELIVERED)


def test_after_the_end_nothing_is_taken_or_sent(sender):
    sender.put("a")
    sender.put("b")
    sender.box.stop()
    sender.calls[0][1].callback(None)
    sender.put("c")
    assert sender.texts() == ["a"] and sender.box.waiting == 0
