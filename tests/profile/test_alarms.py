"""The lists of alarms of a profile file: where they lie, what they become, and what is wrong with one."""

import pytest

from concentrator.model.errors import Fault
from concentrator.model.genset import Alarm
from concentrator.model.profile import Block, Function
from concentrator.profile.decode import compile_block
from tests.support.profiles import faults, load, said, variable

COILS = {"function": "coil", "address": 8, "level": "shutdown", "bits": ["emergency stop", "", "ECU overspeed"]}
WORDS = {"name": "trips", "function": "holding", "address": 40, "level": "trip", "said": "trip"}
CODES = {"2": "warning", "4": "electrical trip", "10": "active indication"}
NIBBLES = {
    "name": "named",
    "function": "holding",
    "address": 50,
    "enum": "condition",
    "warning": "2",
    "trip": "3..5",
    "none": "10",
    "nibbles": ["first", "second", "", "fourth", "fifth"],
}


def loaded(*alarms):
    return load(variable(), alarms=list(alarms), enum={"condition": CODES})


def found(*alarms):
    """What is wrong with lists of alarms, in the words of people."""
    return said(faults(variable(), alarms=list(alarms), enum={"condition": CODES}))


def test_of_coils_each_alarm_is_a_variable():
    profile = loaded(COILS)
    assert [(each.name, each.address) for each in profile.points[1:]] == [("emergency_stop", 8), ("ecu_overspeed", 10)]
    assert all(each.function is Function.COIL and not each.recorded for each in profile.points[1:])
    assert [(word.variable, word.names, word.level) for word in profile.genset.words] == [
        ("emergency_stop", ("emergency stop",), Alarm.SHUTDOWN),
        ("ecu_overspeed", ("ECU overspeed",), Alarm.SHUTDOWN),
    ]


def test_of_registers_each_register_is_a_variable():
    names = [f"a{bit}" for bit in range(16)] + [""] * 16 + ["last"]
    profile = loaded({**WORDS, "bits": names})
    assert [(each.name, each.address) for each in profile.points[1:]] == [("trips_1", 40), ("trips_3", 42)]
    assert profile.genset.words[1].names == ("last",)
    block = Block(Function.HOLDING, 40, 3, profile.points[1:])
    assert compile_block(block)(bytes.fromhex("8001 0000 0001")) == {"trips_1": 0x8001, "trips_3": 1}


def test_a_list_may_be_like_another_one():
    profile = loaded({**WORDS, "bits": ["a", "b"]}, {**WORDS, "name": "warnings", "address": 60, "like": "trips"})
    assert [word.names for word in profile.genset.words] == [("a", "b"), ("a", "b")]


def test_a_code_in_a_nibble_has_its_level_and_its_word():
    first, second = loaded(NIBBLES).genset.words
    assert first.names == ("first", "second", "", "fourth") and second.names == ("fifth",)
    assert first.codes[2] == (Alarm.WARNING, "warning")
    assert first.codes[4] == (Alarm.TRIP, "electrical trip")
    assert first.codes[10] == (Alarm.NONE, "active indication")
    assert set(first.codes) == {2, 3, 4, 5, 10}


def test_nibbles_may_be_like_another_list_too():
    more = {key: value for key, value in NIBBLES.items() if key != "nibbles"} | {"name": "more", "address": 60}
    words = loaded(NIBBLES, {**more, "like": "named"}).genset.words
    assert [(word.variable, word.names) for word in words[2:]] == [
        ("more_1", ("first", "second", "", "fourth")),
        ("more_2", ("fifth",)),
    ]
    assert words[2].codes == words[0].codes


@pytest.mark.parametrize(
    ("alarms", "complaint"),
    [
        ({**COILS, "bits": []}, "bits: found nothing, expected bits, nibbles, or like"),
        ({"function": "coil", "address": 8, "bits": ["a"]}, "level: found nothing"),
        ({"function": "coil", "address": 8, "nibbles": ["a"], "level": "trip"}, "nibbles"),
        ({**WORDS, "like": "none of these"}, "bits: found nothing"),
        ({**WORDS, "name": "Trips", "bits": ["a"]}, "expected a name for its registers"),
        ({"name": "trips", "function": "holding", "address": 40, "bits": ["a"]}, "level: found nothing"),
        ({**NIBBLES, "enum": "unknown"}, "expected the name of an [enum.…] section"),
        ({"name": "n", "function": "holding", "address": 1, "enum": "condition", "nibbles": ["a"]}, "which codes are"),
        ({**WORDS, "bits": ["a"], "level": "bad"}, "expected none, warning, trip or shutdown"),
        ({**COILS, "bits": ["v1"]}, "a name of its own"),
    ],
)
def test_a_wrong_list_is_a_fault(alarms, complaint):
    assert any(complaint in fault for fault in found(alarms)), found(alarms)


def test_a_fault_names_the_list():
    (fault,) = faults(variable(), alarms=[{**COILS, "bits": []}])
    assert isinstance(fault, Fault) and fault.section == "alarms[1]"
