"""concentrator.sms.messenger: the table of orders by a simulated modem, alarms, floods, and what people see."""

import pytest
from attrs import evolve

from concentrator.model.errors import TooOften, Unknown
from concentrator.model.genset import Alarm, GensetStatus, Mode
from concentrator.sim.at_modem import AtModem, Ways
from concentrator.sms.messenger import TRIALS_PER_HOUR
from concentrator.sms.outbox import WAITING_MOST
from tests.support.sms import KNOWN, OTHER, STRANGER, Genset, Scene

WELL = GensetStatus(mode=Mode.MANUAL, is_running=False, alarm=Alarm.NONE)


@pytest.fixture
def scene(clock):
    """Makes scenes, and ends them."""
    made = []

    def make(how=WELL, ways=None, **options):
        made.append(Scene(clock, AtModem(Ways() if ways is None else ways), Genset(how), **options))
        return made[-1].start()

    yield make
    for each in made:
        each.stop()


def how(mode, running=False, alarm=Alarm.NONE):
    return evolve(WELL, mode=mode, is_running=running, alarm=alarm)


TABLE = [
    ("SMS GENSET", how(Mode.STOP, False, Alarm.SHUTDOWN), "GENSET ALARM", []),
    ("SMS GENSET", how(Mode.STOP), "SYSTEM IN STOP MODE GENSET AT REST", []),
    ("SMS GENSET", how(Mode.MANUAL), "SYSTEM IN MANUAL MODE GENSET AT REST", []),
    ("SMS GENSET", how(Mode.TEST), "SYSTEM IN TEST MODE GENSET AT REST", []),
    ("SMS GENSET", how(Mode.AUTO), "SYSTEM IN AUTO MODE GENSET AT REST", []),
    ("SMS GENSET", how(Mode.STOP, True), "SYSTEM IN STOP MODE GENSET IS RUNNING", []),
    ("SMS GENSET", how(Mode.MANUAL, True), "SYSTEM IN MANUAL MODE GENSET IS RUNNING", []),
    ("SMS GENSET", how(Mode.TEST, True), "SYSTEM IN TEST MODE GENSET IS RUNNING", []),
    ("SMS GENSET", how(Mode.AUTO, True), "SYSTEM IN AUTO MODE GENSET IS RUNNING", []),
    ("SMS START", how(Mode.MANUAL, False, Alarm.TRIP), "GENSET ALARM", []),
    ("SMS START", how(Mode.STOP), "STOP MODE NOT START", []),
    ("SMS START", how(Mode.MANUAL), "SMS START OK", ["start"]),
    ("SMS START", how(Mode.TEST), "SMS START OK", ["start"]),
    ("SMS START", how(Mode.AUTO), "AUTO MODE NOT START", []),
    ("SMS STOP MODE", how(Mode.AUTO), "SMS STOP OK", ["stop"]),
    ("SMS MANUAL MODE", how(Mode.AUTO), "SMS MANUAL MODE OK", ["manual"]),
    ("SMS TEST MODE", how(Mode.AUTO), "SMS TEST MODE OK", ["test"]),
    ("SMS AUTO MODE", how(Mode.STOP), "SMS AUTO MODE OK", ["auto"]),
    ("SMS DETAIL", how(Mode.AUTO, True), "MODE AUTO, GENSET RUNNING, ALARM NONE", []),
]


@pytest.mark.parametrize(("order", "before", "answer", "commands"), TABLE)
def test_each_order_of_the_manual_is_answered_with_its_words(scene, order, before, answer, commands):
    found = scene(before)
    assert found.say(order) == [(f"+{KNOWN}", answer)]
    assert [command for command, _ in found.genset.asked] == commands


def test_what_the_controller_does_not_confirm_is_an_event_and_no_answer(scene):
    found = scene(how(Mode.AUTO))
    found.genset.refuses = True
    assert found.say("SMS STOP MODE", wait_s=30.0) == []
    (event,) = found.told("sms.order")
    assert event["done"] is False and event["reason"]


def test_a_stranger_gets_nothing(scene):
    found = scene()
    for order, *_ in TABLE:
        assert found.say(order, STRANGER, wait_s=3.0) == []
    assert found.genset.asked == []
    assert {name for name, _ in found.events} == {"sms.refused"}


def test_a_detail_of_many_values_travels_in_parts(scene):
    details = {f"{side}_v{phase}": 230.5 for side in ("mains", "gen") for phase in (1, 2, 3)}
    details |= {"i1": 1.5, "i2": 2.5, "i3": 3.5, "p": 100, "s": 110, "pf": 0.9, "speed": 1500, "run_hours": 1234}
    details |= {"battery_voltage": 27.1, "charger_voltage": 28, "coolant_temp": 80, "oil_pressure": 4.5}
    found = scene(evolve(how(Mode.AUTO, True), details=details, units={"coolant_temp": "°C"}, engine="normal running"))
    ((_, text),) = found.say("SMS DETAIL", wait_s=30.0)
    assert len(text) > 160 and text.endswith("GENSET RUNNING (normal running), ALARM NONE")
    assert "WATER 80 deg C" in text and "  " not in text and "\n" not in text


def alarm(level="shutdown", *names, device="gen", active=True):
    return "genset.alarm", {"device": device, "level": level, "active": active, "alarms": list(names), "text": "…"}


def test_an_alarm_goes_to_every_number_once(scene):
    found = scene()
    found.messenger.happened(*alarm("shutdown", "overspeed"))
    found.messenger.happened(*alarm("shutdown", "low oil pressure"))
    found.port.run(30.0)
    text = "Genset gen: SHUTDOWN ALARM: overspeed, low oil pressure"
    assert [(sent.number, sent.text) for sent in found.modem.sent] == [(f"+{KNOWN}", text), (f"+{OTHER}", text)]
    assert [facts["kind"] for facts in found.told("sms.sent")] == ["alarm", "alarm"]
    assert len(found.told("sms.delivered")) == 2


def test_an_alarm_waits_for_the_network(scene):
    found = scene(ways=Ways(registers_after_s=300.0))
    found.messenger.happened(*alarm())
    found.port.run(60.0)
    assert found.modem.sent == [] and found.messenger.state().waiting == 2
    found.port.run(300.0)
    assert len(found.modem.sent) == 2


def test_an_alarm_that_no_network_takes_within_an_hour_is_given_up_and_told(scene):
    found = scene(ways=Ways(registers_after_s=1e9))
    found.messenger.happened(*alarm())
    found.port.run(3700.0)
    assert found.modem.sent == [] and found.messenger.state().waiting == 0
    assert [facts["text"] for facts in found.told("sms.failed")] == [
        "a message to …666 is failed, for not sent within 60 min",
        "a message to …678 is failed, for not sent within 60 min",
    ]


def test_a_thousand_messages_of_strangers_are_bounded(scene):
    found = scene(ways=Ways(places=10))
    for number in range(1000):
        found.modem.receive(f"+1555{number:07}", "SMS START", found.clock.seconds())
    found.port.run(200.0)
    state = found.messenger.state()
    assert (state.received, state.refused, state.answered) == (1000, 1000, 0)
    assert found.modem.sent == [] and found.genset.asked == []
    assert len(found.events) <= 20 and len(state.messages) <= 60


def test_a_thousand_orders_of_a_known_number_are_bounded(scene):
    orders = [order for order, *_ in TABLE if order != "SMS START"]
    found = scene(how(Mode.AUTO), ways=Ways(places=10))
    for number in range(1000):
        found.modem.receive(f"+{KNOWN}", orders[number % len(orders)], found.clock.seconds())
    found.port.run(1800.0)
    state = found.messenger.state()
    assert state.received == 1000
    assert len(found.modem.sent) <= 20 and len(found.genset.asked) <= 20
    assert state.waiting <= WAITING_MOST and len(found.events) <= 20 * 4


def test_two_machines_that_answer_each_other_come_to_an_end(scene):
    found = scene()
    found.modem.on_sent = lambda sent: found.modem.receive(sent.number, "SMS GENSET", found.clock.seconds())
    found.say("SMS GENSET", wait_s=2 * 3600.0)
    assert len(found.modem.sent) <= 40  # 20 an hour


def test_a_trial_goes_to_configured_numbers_only(scene):
    found = scene()
    with pytest.raises(Unknown, match="only configured ones"):
        found.messenger.send_test("hello", "15550001111")
    found.messenger.send_test("hello", OTHER)
    found.messenger.send_test("to all")
    found.port.run(10.0)
    assert [(sent.number, sent.text) for sent in found.modem.sent] == [
        (f"+{OTHER}", "hello"),
        (f"+{KNOWN}", "to all"),
        (f"+{OTHER}", "to all"),
    ]


def test_people_see_how_it_stands_and_no_number(scene):
    found = scene()
    found.say("SMS GENSET")
    found.say("buy this", STRANGER)
    state = found.messenger.state()
    assert (state.standing, state.is_ready, state.numbers) == ("Ready", True, ["…666", "…678"])
    assert (state.received, state.refused, state.answered) == (2, 1, 1)
    assert [(each.direction, each.number, each.text, each.fate, each.kind) for each in state.messages] == [
        ("in", "…111", "", "received", ""),
        ("out", "…666", "SYSTEM IN MANUAL MODE GENSET AT REST", "delivered", "answer"),
        ("in", "…666", "SMS GENSET", "received", ""),
    ]
    assert KNOWN not in str(state) + str(found.events) and STRANGER not in str(state) + str(found.events)
    assert found.messenger.has_sim() is True


def test_an_order_that_was_read_is_not_obeyed_again_after_a_start(scene):
    found = scene(how(Mode.AUTO))
    found.say("SMS STOP MODE")
    again = Scene(found.clock, found.modem, Genset(how(Mode.AUTO))).start(70.0)
    assert again.genset.asked == []
    again.stop()


def test_trials_are_few_an_hour(scene):
    found = scene()
    for _ in range(TRIALS_PER_HOUR):
        found.messenger.send_test("hello", OTHER)
    with pytest.raises(TooOften):
        found.messenger.send_test("hello", OTHER)
    found.clock.advance(3600)
    found.messenger.send_test("hello", OTHER)
