"""concentrator.sms.orders: the table of the manual (CMM365-2G, 6.2), row by row."""

import pytest
from attrs import evolve

from concentrator.model.genset import Alarm, GensetStatus, Mode
from concentrator.sms.orders import Act, Answer, Order, decided, needs_status, order_of

WELL = GensetStatus(mode=Mode.MANUAL, is_running=False, alarm=Alarm.NONE)


def standing(mode, running, alarm=Alarm.NONE):
    return evolve(WELL, mode=mode, is_running=running, alarm=alarm)


TABLE = [
    ("SMS GENSET", standing(Mode.STOP, False, Alarm.SHUTDOWN), Answer("GENSET ALARM")),
    ("SMS GENSET", standing(Mode.AUTO, True, Alarm.TRIP), Answer("GENSET ALARM")),
    ("SMS GENSET", standing(Mode.STOP, False), Answer("SYSTEM IN STOP MODE GENSET AT REST")),
    ("SMS GENSET", standing(Mode.MANUAL, False), Answer("SYSTEM IN MANUAL MODE GENSET AT REST")),
    ("SMS GENSET", standing(Mode.TEST, False), Answer("SYSTEM IN TEST MODE GENSET AT REST")),
    ("SMS GENSET", standing(Mode.AUTO, False), Answer("SYSTEM IN AUTO MODE GENSET AT REST")),
    ("SMS GENSET", standing(Mode.STOP, True), Answer("SYSTEM IN STOP MODE GENSET IS RUNNING")),
    ("SMS GENSET", standing(Mode.MANUAL, True), Answer("SYSTEM IN MANUAL MODE GENSET IS RUNNING")),
    ("SMS GENSET", standing(Mode.TEST, True), Answer("SYSTEM IN TEST MODE GENSET IS RUNNING")),
    ("SMS GENSET", standing(Mode.AUTO, True), Answer("SYSTEM IN AUTO MODE GENSET IS RUNNING")),
    ("SMS GENSET", standing(Mode.AUTO, True, Alarm.WARNING), Answer("SYSTEM IN AUTO MODE GENSET IS RUNNING")),
    ("SMS START", standing(Mode.MANUAL, False, Alarm.SHUTDOWN), Answer("GENSET ALARM")),
    ("SMS START", standing(Mode.STOP, False, Alarm.TRIP), Answer("GENSET ALARM")),
    ("SMS START", standing(Mode.STOP, False), Answer("STOP MODE NOT START")),
    ("SMS START", standing(Mode.MANUAL, False), Act("start", "SMS START OK")),
    ("SMS START", standing(Mode.TEST, False), Act("start", "SMS START OK")),
    ("SMS START", standing(Mode.AUTO, False), Answer("AUTO MODE NOT START")),
    ("SMS STOP MODE", GensetStatus(), Act("stop", "SMS STOP OK")),
    ("SMS MANUAL MODE", GensetStatus(), Act("manual", "SMS MANUAL MODE OK")),
    ("SMS TEST MODE", GensetStatus(), Act("test", "SMS TEST MODE OK")),
    ("SMS AUTO MODE", GensetStatus(), Act("auto", "SMS AUTO MODE OK")),
]


@pytest.mark.parametrize(("text", "status", "decision"), TABLE)
def test_each_row_of_the_table(text, status, decision):
    assert decided(order_of(text), status) == decision


@pytest.mark.parametrize("text", ["SMS GENSET", "SMS START"])
@pytest.mark.parametrize("mode", [Mode.UNKNOWN, Mode.OFF])
def test_nothing_is_answered_of_a_mode_that_the_table_has_not(text, mode):
    decision = decided(order_of(text), standing(mode, False))
    assert decision == Answer("", f"the controller's mode is {mode}")


def test_nothing_is_answered_where_nobody_knows_whether_it_runs():
    assert decided(Order.GENSET, standing(Mode.AUTO, None)).text == ""


@pytest.mark.parametrize(
    ("text", "order"),
    [
        *((each.value, each) for each in Order),
        ("SMS START  ", Order.START),
        ("SMS START\r\n", Order.START),
        (" SMS START", None),
        ("sms start", None),
        ("Sms Start", None),
        ("SMS  START", None),
        ("SMS START NOW", None),
        ("SMS STOP", None),
        ("SMS STOP OK", None),  # an answer that comes back is no order
        ("", None),
        ("ＳＭＳ START", None),
    ],
)
def test_an_order_is_exactly_one_of_the_table_in_capitals(text, order):
    assert order_of(text) is order


def test_a_mode_is_ordered_without_asking_how_it_is():
    assert [each for each in Order if needs_status(each)] == [Order.GENSET, Order.START, Order.DETAIL]
