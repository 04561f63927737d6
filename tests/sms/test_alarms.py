"""concentrator.sms.alarms: which alarms become messages, and how often."""

import pytest
from twisted.internet.task import Clock

from concentrator.sms.alarms import GATHER_S, PER_HOUR, Alarms, AlarmTerms, written


class Teller:
    def __init__(self, clock, **terms):
        self.clock, self.texts = clock, []
        self.alarms = Alarms(AlarmTerms(**terms), clock, lambda uid: f"Genset {uid}", self.texts.append)

    def genset(self, level="shutdown", *names, device="gen", active=True):
        facts = {"device": device, "level": level, "active": active, "alarms": list(names), "text": "…"}
        self.alarms.happened("genset.alarm", facts)

    def input(self, active=True, text="input 1: fire alarm"):
        facts = {"input": 1, "function": "fire", "active": active, "text": text}
        self.alarms.happened("input.alarm", facts)

    def wait(self, seconds=GATHER_S):
        self.clock.pump([1.0] * int(seconds))
        told, self.texts[:] = list(self.texts), []
        return told


@pytest.mark.parametrize("level", ["shutdown", "trip"])
def test_shutdowns_and_trips_are_always_told(clock, level):
    teller = Teller(clock)
    teller.genset(level, "overspeed")
    assert teller.wait() == [f"Genset gen: {level.upper()} ALARM: overspeed"]


def test_warnings_are_told_where_that_is_set(clock):
    told, untold = Teller(clock, has_warnings=True), Teller(clock)
    for each in (told, untold):
        each.genset("warning", "fuel low")
    assert told.wait() == ["Genset gen: WARNING ALARM: fuel low"]
    assert untold.wait() == []


def test_the_end_of_an_alarm_is_told_where_that_is_set(clock):
    told, untold = Teller(clock, has_ends=True), Teller(clock)
    for each in (told, untold):
        each.genset("trip", "overload", active=False)
        each.input(active=False, text="input 1: fire alarm is over")
    assert told.wait() == ["Genset gen: TRIP ALARM OVER: overload; input 1: fire alarm is over"]
    assert untold.wait() == []


def test_alarms_of_inputs_are_told(clock):
    teller = Teller(clock, device="gen")
    teller.input()
    assert teller.wait() == ["input 1: fire alarm"]


def test_alarms_of_another_genset_are_not_told(clock):
    teller = Teller(clock, device="other")
    teller.genset()
    assert teller.wait() == []


def test_nothing_is_told_where_alarms_are_off_and_of_what_is_no_alarm(clock):
    teller, other = Teller(clock, is_on=False), Teller(clock)
    teller.genset()
    teller.input()
    other.alarms.happened("genset.state", {"device": "gen", "mode": "auto"})
    assert teller.wait() == [] and other.wait() == []


def test_alarms_within_ten_seconds_are_one_message_each_name_once(clock):
    teller = Teller(clock)
    teller.genset("shutdown", "overspeed")
    clock.advance(4.0)
    teller.genset("shutdown", "low oil pressure", "overspeed")
    teller.genset("trip", "overload")
    assert teller.wait(5.0) == []
    assert teller.wait(2.0) == [
        "Genset gen: SHUTDOWN ALARM: overspeed, low oil pressure; Genset gen: TRIP ALARM: overload"
    ]
    teller.genset("shutdown", "overspeed")
    assert teller.wait() == ["Genset gen: SHUTDOWN ALARM: overspeed"]


def test_an_alarm_that_comes_and_goes_all_day_is_told_twenty_times_an_hour_and_never_lost():
    clock = Clock()
    teller = Teller(clock)
    for _ in range(360):
        teller.genset("shutdown", "overspeed")
        clock.pump([1.0] * 10)
    assert len(teller.texts) == PER_HOUR
    teller.genset("trip", "overload")
    clock.pump([1.0] * 3600)
    assert teller.texts[PER_HOUR] == "Genset gen: SHUTDOWN ALARM: overspeed; Genset gen: TRIP ALARM: overload"
    assert not clock.getDelayedCalls()


def test_a_message_is_one_line_of_one_message(clock):
    teller = Teller(clock)
    teller.genset("shutdown", *(f"alarm number {number}" for number in range(500)))
    (text,) = teller.wait()
    assert len(text) == 160 and text.endswith("..")


def test_what_is_not_told_yet_is_forgotten_at_the_end(clock):
    teller = Teller(clock)
    teller.genset()
    teller.alarms.stop()
    assert teller.wait() == []


@pytest.mark.parametrize(
    ("text", "is_plain", "is_cut", "line"),
    [
        (" a\n b\t c ", True, True, "a b c"),
        ("90 °C", True, True, "90 deg C"),
        ("90 °C", False, True, "90 °C"),
        ("柴" * 100, False, True, "柴" * 70),
        ("柴" * 100, False, False, "柴" * 100),
        ("a" * 200, True, False, "a" * 200),
        ("a" * 200, False, True, "a" * 158 + ".."),
        ("🔥" * 100, False, True, "🔥" * 35),
        ("a\0b\x1bc\ud800d\u2028e", False, True, "a b c d e"),
    ],
)
def test_texts_are_written_as_they_are_wanted(text, is_plain, is_cut, line):
    assert written(text, is_plain, is_cut) == line
