"""concentrator.model.effect: a command was followed, was not, or nobody can see it."""

import pytest
from attrs import evolve

from concentrator.model.effect import EFFECTS, Effect, followed
from concentrator.model.genset import Alarm, GensetStatus, Mode

AT_REST = GensetStatus(
    Mode.MANUAL, is_running=False, alarm=Alarm.NONE, mains_on_load=True, gen_on_load=False, engine="standby"
)
NOTHING = GensetStatus()


@pytest.mark.parametrize(
    ("effect", "now", "expected"),
    [
        (Effect.STOP_MODE, {"mode": Mode.STOP}, True),
        (Effect.STOP_MODE, {"mode": Mode.OFF}, True),
        (Effect.STOP_MODE, {"mode": Mode.AUTO}, False),
        (Effect.AUTO_MODE, {"mode": Mode.AUTO}, True),
        (Effect.MANUAL_MODE, {"mode": Mode.TEST}, False),
        (Effect.TEST_MODE, {"mode": Mode.TEST}, True),
        (Effect.TEST_MODE, {"mode": Mode.UNKNOWN}, None),
        (Effect.RUNNING, {"is_running": True}, True),
        (Effect.RUNNING, {}, False),
        (Effect.RUNNING, {"is_running": None}, None),
        (Effect.AT_REST, {}, True),
        (Effect.ENGINE_MOVES, {"engine": "crank"}, True),
        (Effect.ENGINE_MOVES, {}, False),
        (Effect.ENGINE_MOVES, {"engine": ""}, None),
        (Effect.GEN_ON_LOAD, {"gen_on_load": True}, True),
        (Effect.GEN_OFF_LOAD, {"gen_on_load": True}, False),
        (Effect.GEN_SWITCHES, {"gen_on_load": True}, True),
        (Effect.GEN_SWITCHES, {}, False),
        (Effect.MAINS_SWITCHES, {"mains_on_load": False}, True),
        (Effect.MAINS_ON_LOAD, {"mains_on_load": None}, None),
        (Effect.MAINS_OFF_LOAD, {"mains_on_load": False}, True),
        (Effect.NOT_STOPPED, {"alarm": Alarm.WARNING}, True),
        (Effect.NOT_STOPPED, {"alarm": Alarm.SHUTDOWN}, False),
        (Effect.NOT_STOPPED, {"alarm": Alarm.UNKNOWN}, None),
    ],
)
def test_an_effect_shows_does_not_or_cannot_be_seen(effect, now, expected):
    assert effect.shows(AT_REST, evolve(AT_REST, **now)) is expected


@pytest.mark.parametrize("effect", [Effect.GEN_SWITCHES, Effect.MAINS_SWITCHES, Effect.ENGINE_MOVES])
def test_what_moves_is_not_seen_where_it_is_not_known_how_it_was(effect):
    assert effect.shows(NOTHING, AT_REST) is None


@pytest.mark.parametrize("effect", list(Effect))
def test_nothing_is_seen_of_a_controller_that_tells_nothing(effect):
    assert effect.shows(NOTHING, NOTHING) is None


def test_one_of_several_effects_is_enough():
    cranking = evolve(AT_REST, engine="crank")
    assert followed(EFFECTS["start"], AT_REST, cranking) is True
    assert followed(EFFECTS["start"], AT_REST, AT_REST) is False
    assert followed(EFFECTS["start"], AT_REST, evolve(AT_REST, is_running=None)) is False
    assert followed(EFFECTS["start"], NOTHING, NOTHING) is None
    assert followed((), AT_REST, cranking) is None
