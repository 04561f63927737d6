"""concentrator.sms.desk: who may order, how often, and what is told of it."""

import pytest

from concentrator.model.genset import Alarm, GensetStatus, Mode
from concentrator.sms.desk import REPEATED_S, TOLD_PER_HOUR, WAITING_MOST, Desk, DeskTerms
from concentrator.sms.terms import VALIDITY_S, Incoming
from tests.support.sms import KNOWN, NOW, OTHER, STRANGER, Genset, Wall


class Office:
    def __init__(self, clock, genset=None, obeys=True, per_hour=20, has_genset=True):
        self.clock, self.wall = clock, Wall(clock)
        self.genset = genset if genset is not None else Genset()
        self.events, self.answers = [], []
        terms = DeskTerms((KNOWN, OTHER), obeys, ("mode",), per_hour)
        self.desk = Desk(
            terms,
            self.genset if has_genset else None,
            clock,
            self.wall,
            lambda name, facts: self.events.append((name, facts)),
            lambda number, text: self.answers.append((number, text)),
        )

    def hear(self, text="SMS GENSET", sender=f"+{KNOWN}", sent_at=NOW):
        self.desk.received(Incoming(sender, text, sent_at))

    def reasons(self):
        return [facts["text"] for name, facts in self.events if name == "sms.refused"]


@pytest.fixture
def office(clock):
    return Office(clock)


REST = "SYSTEM IN MANUAL MODE GENSET AT REST"


def test_a_known_number_is_answered_at_the_number_that_is_configured(office):
    office.hear(sender="1366666666")
    assert office.answers == [(KNOWN, REST)]
    (event,) = office.events
    assert event == (
        "sms.order",
        {
            "number": "…666",
            "order": "SMS GENSET",
            "done": True,
            "answer": REST,
            "reason": "",
            "text": f"SMS GENSET of …666: {REST}",
        },
    )


def test_a_stranger_gets_nothing_but_an_event_without_his_number(office):
    office.hear("SMS START", STRANGER)
    office.hear("SMS START", '"861366666666"')
    assert office.answers == [] and office.genset.asked == []
    assert office.reasons() == [
        "a message of …111 is not heard, for the number is not one of those configured",
        "a message of a name of 12 characters is not heard, for the number is not one of those configured",
    ]
    assert STRANGER not in str(office.events)


def test_what_is_no_order_is_not_answered(office):
    office.hear("sms start")
    office.hear("hello")
    assert office.answers == [] and office.genset.asked == []
    assert office.reasons()[0] == "a message of …666 is not heard, for it is no order"


def test_orders_can_be_switched_off(clock):
    office = Office(clock, obeys=False)
    office.hear("SMS GENSET")
    assert office.answers == []
    assert office.reasons() == ["SMS GENSET of …666 is not heard, for orders are not obeyed"]


def test_without_a_genset_nothing_is_obeyed(clock):
    office = Office(clock, has_genset=False)
    office.hear("SMS GENSET")
    assert office.answers == [] and "orders are not obeyed" in office.reasons()[0]


def test_the_same_order_within_a_minute_is_left_alone(office):
    office.hear("SMS AUTO MODE")
    office.clock.advance(REPEATED_S - 1)
    office.hear("SMS AUTO MODE")
    office.hear("SMS AUTO MODE", f"+{OTHER}")
    assert [command for command, _ in office.genset.asked] == ["auto", "auto"]
    assert office.reasons() == ["SMS AUTO MODE of …666 is not heard, for the same came less than 60 s ago"]
    office.clock.advance(1)
    office.hear("SMS AUTO MODE")
    assert len(office.genset.asked) == 3


def test_an_order_that_lay_about_is_not_obeyed(office):
    office.hear("SMS START", sent_at=NOW - VALIDITY_S - 1)
    assert office.genset.asked == []
    assert office.reasons() == ["SMS START of …666 is not heard, for it is too old"]


def test_without_a_clock_that_can_be_believed_an_order_counts(office):
    office.wall.trusted = False
    office.hear("SMS START", sent_at=0.0)
    office.hear("SMS AUTO MODE", sent_at=None)
    assert [command for command, _ in office.genset.asked] == ["start", "auto"]


def test_what_the_controller_does_not_confirm_is_not_answered_but_told(clock):
    office = Office(clock, Genset(refuses=True))
    office.hear("SMS STOP MODE")
    assert office.answers == []
    (event,) = office.events
    assert event[0] == "sms.order" and event[1]["done"] is False
    assert event[1]["text"] == (
        "SMS STOP MODE of …666: no answer, for the device did not confirm what was written: the mode did not follow"
    )


def test_what_nobody_knows_is_not_answered_but_told(clock):
    office = Office(clock, Genset(GensetStatus(alarm=Alarm.NONE)))
    office.hear("SMS GENSET")
    assert office.answers == []
    assert office.events[0][1]["text"] == "SMS GENSET of …666: no answer, for the controller's mode is unknown"


def test_the_controller_knows_who_ordered_by_the_last_digits(office):
    office.hear("SMS START")
    assert office.genset.asked == [("start", "sms …666")]


def test_orders_are_carried_out_one_after_another(clock):
    office = Office(clock, Genset(is_slow=True))
    office.hear("SMS GENSET")
    office.hear("SMS DETAIL")
    assert len(office.genset.waiting) == 1
    office.genset.waiting[0].callback(GensetStatus(mode=Mode.AUTO, is_running=True, alarm=Alarm.NONE))
    assert len(office.genset.waiting) == 2
    office.genset.waiting[1].callback(GensetStatus(mode=Mode.AUTO))
    assert [text for _, text in office.answers] == ["SYSTEM IN AUTO MODE GENSET IS RUNNING", "MODE AUTO"]


def test_too_many_orders_do_not_wait(clock):
    office = Office(clock, Genset(is_slow=True))
    for sender in (KNOWN, OTHER):
        for order in ("GENSET", "START", "STOP MODE", "AUTO MODE"):
            office.hear(f"SMS {order}", f"+{sender}")
    assert len(office.genset.waiting) == 1
    assert len(office.reasons()) == 8 - 1 - WAITING_MOST
    office.desk.stop()


def test_answers_are_few_so_that_two_machines_come_to_an_end(clock):
    office = Office(clock, per_hour=3)
    for _ in range(10):
        office.hear("SMS GENSET")
        clock.advance(REPEATED_S)
    assert len(office.answers) == 3
    assert "3 an hour are answered" in office.reasons()[0]
    clock.advance(3600)
    office.hear("SMS GENSET", sent_at=None)
    assert len(office.answers) == 4


def test_why_a_message_is_refused_is_told_in_a_word_too(office):
    office.hear("SMS GENSET", STRANGER)
    office.hear("free money")
    office.hear("SMS GENSET", sent_at=NOW - 2 * VALIDITY_S)
    office.hear("SMS GENSET")
    office.hear("SMS GENSET")
    assert [facts["why"] for name, facts in office.events if name == "sms.refused"] == [
        "stranger",
        "no_order",
        "old",
        "repeated",
    ]


def test_a_thousand_refused_messages_are_a_few_events(office):
    for _ in range(1000):
        office.hear("free money", STRANGER)
    assert len(office.events) == TOLD_PER_HOUR
    assert office.desk.counts.refused == office.desk.counts.received == 1000
    office.clock.advance(3600)
    office.hear("free money", STRANGER)
    assert office.events[-1][1]["more"] == 980
    assert office.reasons()[-1].endswith("; 980 more before it")


def test_at_the_end_what_waits_is_forgotten(clock):
    office = Office(clock, Genset(is_slow=True))
    office.hear("SMS GENSET")
    office.hear("SMS DETAIL")
    office.desk.stop()
    assert office.answers == [] and len(office.genset.waiting) == 1
