"""How a genset is, told from the values of its controller: what is known, what is not, and what is worst."""

import pytest

from concentrator.model.genset import Alarm, GensetStatus, Mode
from concentrator.model.genset_rules import AlarmWord, GensetRules, Sign
from concentrator.profile.genset_status import active_alarms, genset_status, level_of, mode_of, needs, severity, worst


def sign(variable, first, last=None):
    return Sign(variable, ((first, first if last is None else last),))


STATE = GensetRules(
    mode=((Mode.STOP, (sign("stop", 1),)), (Mode.AUTO, (sign("auto", 1), sign("code", 4)))),
    running=((sign("state", 5, 11),), (sign("speed", 101, 65535),)),
    mains_ok=((sign("mains", 1),),),
    alarm=((Alarm.WARNING, (sign("common_warning", 1),)), (Alarm.SHUTDOWN, (sign("common_shutdown", 1),))),
    engine="state",
    engine_words={9: "normal running"},
    amf_models=("A2",),
)
CODES = {2: (Alarm.WARNING, "warning"), 3: (Alarm.SHUTDOWN, "shutdown"), 10: (Alarm.NONE, "active indication")}
NAMED = AlarmWord("named_1", ("emergency stop", "low oil pressure", "", "overspeed"), codes=CODES)
BITS = AlarmWord("trips_1", ("a", "", "c"), Alarm.TRIP, "trip")


def test_of_what_nothing_is_known_nothing_is_said():
    assert genset_status(STATE, {}) == GensetStatus()


def test_the_first_condition_that_can_be_told_decides():
    assert genset_status(STATE, {"state": 9, "speed": 0}).is_running is True
    assert genset_status(STATE, {"state": 0, "speed": 1500}).is_running is False
    assert genset_status(STATE, {"speed": 1500}).is_running is True
    assert genset_status(STATE, {"speed": 12.5}).is_running is False


def test_any_sign_of_a_condition_will_do():
    assert mode_of(STATE, {"code": 4}) is Mode.AUTO
    assert mode_of(STATE, {"auto": 1, "code": 0}) is Mode.AUTO
    assert mode_of(STATE, {"auto": 0, "code": 0}) is Mode.UNKNOWN


def test_the_engine_says_it_in_its_own_word():
    assert genset_status(STATE, {"state": 9}).engine == "normal running"
    assert genset_status(STATE, {"state": 77}).engine == ""


@pytest.mark.parametrize(
    ("values", "level"),
    [
        ({}, Alarm.UNKNOWN),
        ({"common_warning": 0}, Alarm.NONE),
        ({"common_warning": 1}, Alarm.WARNING),
        ({"common_warning": 1, "common_shutdown": 1}, Alarm.SHUTDOWN),
        ({"common_shutdown": 0, "state": 9}, Alarm.UNKNOWN),
        ({"state": 9}, Alarm.UNKNOWN),
    ],
)
def test_the_alarm_is_the_worst_there_is_and_none_only_where_that_is_told(values, level):
    assert genset_status(STATE, values).alarm is level


def test_who_tells_only_of_shutdowns_cannot_say_that_all_is_well():
    rules = GensetRules(alarm=((Alarm.SHUTDOWN, (sign("state", 12),)),))
    assert genset_status(rules, {"state": 12}).alarm is Alarm.SHUTDOWN
    assert genset_status(rules, {"state": 1}).alarm is Alarm.UNKNOWN
    assert level_of(rules, {"state": 1}, ()) is Alarm.NONE


def test_nibbles_are_read_from_the_highest_on():
    rules = GensetRules(words=(NAMED,))
    status = genset_status(rules, {"named_1": 0x1302})
    assert status.alarms == ("low oil pressure shutdown", "overspeed warning")
    assert status.alarm is Alarm.SHUTDOWN


def test_what_only_indicates_is_named_and_is_nothing_wrong():
    status = genset_status(GensetRules(words=(NAMED,)), {"named_1": 0x1A11})
    assert (status.alarms, status.alarm) == (("low oil pressure active indication",), Alarm.NONE)


def test_a_code_that_means_nothing_is_none():
    assert genset_status(GensetRules(words=(NAMED,)), {"named_1": 0xF101}).alarms == ()


def test_bits_are_read_from_the_lowest_on():
    status = genset_status(GensetRules(words=(BITS,)), {"trips_1": 0b111})
    assert (status.alarms, status.alarm) == (("a trip", "c trip"), Alarm.TRIP)
    assert genset_status(GensetRules(words=(BITS,)), {"trips_1": 0}).alarm is Alarm.NONE


def test_a_model_without_mains_has_none_whatever_it_says():
    values = {"mains": 0, "mains_v1": 0, "gen_v1": 230}
    assert genset_status(STATE, values).mains_ok is False
    assert genset_status(STATE, values, "A2").mains_ok is False
    assert genset_status(STATE, values, "A1").mains_ok is None
    assert genset_status(STATE, values, "A1").details == {"gen_v1": 230}


def test_what_is_measured_has_its_unit():
    status = genset_status(STATE, {"p": 28000.0, "speed": 1500, "nothing_of_a_genset": 1})
    assert status.details == {"p": 28000.0, "speed": 1500}
    assert status.units == {"p": "W", "speed": "rpm"}


def test_what_a_status_follows_from_is_known():
    rules = GensetRules(words=(NAMED,), running=((sign("speed", 1),),), engine="state")
    assert needs(rules) == {"named_1", "speed", "state"}
    assert needs(STATE) >= {"stop", "auto", "code", "mains", "common_warning"}


def test_levels_have_an_order():
    assert worst([Alarm.WARNING, Alarm.SHUTDOWN, Alarm.TRIP]) is Alarm.SHUTDOWN
    assert worst([]) is Alarm.UNKNOWN
    assert [severity(level) for level in (Alarm.UNKNOWN, Alarm.NONE, Alarm.WARNING)] == [0, 1, 2]


def test_alarms_come_in_the_order_of_the_profile():
    found = active_alarms(GensetRules(words=(BITS, NAMED)), {"named_1": 0x2000, "trips_1": 1})
    assert [(each.name, each.level) for each in found] == [
        ("a trip", Alarm.TRIP),
        ("emergency stop warning", Alarm.WARNING),
    ]
