"""The [status] of a profile file: conditions in words become rules, and wrong words are faults."""

import pytest

from concentrator.model.genset import Alarm, Mode
from concentrator.model.genset_rules import Sign
from tests.support.profiles import faults, load, said, variable

STATE = variable("engine_state", unit="", enum="state")
SPEED = variable("speed", unit="rpm", address=1)
ENUM = {"state": {"0": "at rest", "3": "runs"}}


def rules(**status):
    return load(STATE, SPEED, status=status, enum=ENUM).genset


def test_a_condition_is_a_variable_and_its_numbers():
    assert rules(running="engine_state 3, 5..7").running == ((Sign("engine_state", ((3, 3), (5, 7))),),)


def test_or_is_between_variables():
    (condition,) = rules(gen_on_load="engine_state 3 or speed 100..200").gen_on_load
    assert [sign.variable for sign in condition] == ["engine_state", "speed"]


def test_a_list_is_of_conditions_one_after_the_other():
    assert [condition[0].variable for condition in rules(running=["engine_state 3", "speed 1"]).running] == [
        "engine_state",
        "speed",
    ]


def test_modes_and_levels_are_named():
    found = rules(mode={"stop": "engine_state 0", "auto": "speed 9"}, alarm={"trip": "speed 7"})
    assert [mode for mode, _ in found.mode] == [Mode.STOP, Mode.AUTO]
    assert found.alarm == ((Alarm.TRIP, (Sign("speed", ((7, 7),)),)),)


def test_the_engine_speaks_by_the_words_of_its_variable():
    found = rules(engine="engine_state")
    assert (found.engine, found.engine_words) == ("engine_state", {0: "at rest", 3: "runs"})


def test_a_profile_without_status_has_no_rules():
    assert load(STATE, SPEED, enum=ENUM).genset is None


@pytest.mark.parametrize(
    ("status", "complaint"),
    [
        ({"running": "engine_state"}, "expected a variable and numbers or spans"),
        ({"running": "engine_stat 3"}, "did you mean engine_state?"),
        ({"running": []}, "expected a condition"),
        ({"engine": "sped"}, "did you mean speed?"),
        ({"mode": {"automatic": "speed 1"}}, "expected a table of conditions by stop, manual"),
        ({"alarm": {"trip": 1}}, "expected a table of conditions by none, warning"),
        ({"runing": "speed 1"}, "an unknown key"),
    ],
)
def test_wrong_words_are_a_fault(status, complaint):
    told = said(faults(STATE, SPEED, status=status, enum=ENUM))
    assert any(complaint in fault for fault in told), told
