"""concentrator.sim.genset: the engine goes through its phases as its controller wants."""

import pytest

from concentrator.model.genset import Alarm, Mode
from concentrator.sim.genset import LASTS_S, MAINS_DELAY_S, Genset, Phase

NOON = 1_795_000_000.0
TO_RUN_S = LASTS_S[Phase.PREHEAT] + LASTS_S[Phase.CRANK] + LASTS_S[Phase.WARM_UP]
TO_REST_S = LASTS_S[Phase.COOLING] + LASTS_S[Phase.STOPPING]


@pytest.fixture
def genset():
    made = Genset("seed", mode=Mode.MANUAL)
    made.advance(NOON)
    return made


def after(genset, seconds, at=NOON):
    genset.advance(at + seconds)
    return genset.phase


def test_a_start_by_hand_takes_the_engine_through_all_its_phases(genset):
    assert genset.order("start", NOON)
    phases = [after(genset, second / 2) for second in range(20)]
    assert list(dict.fromkeys(phases)) == [Phase.PREHEAT, Phase.CRANK, Phase.WARM_UP, Phase.READY]
    assert not genset.is_gen_on_load


def test_what_is_seen_does_not_depend_on_who_looked_when():
    seen = []
    for steps in (1, 7, 200):
        genset = Genset("seed")
        genset.set_mains(False, NOON)
        for step in range(steps + 1):
            genset.advance(NOON + 60.0 * step / steps)
        values = genset.values(NOON + 60)
        seen.append((genset.phase, values["starts"], pytest.approx(values["energy"]), values["run_seconds"]))
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize(("mode", "does"), [(Mode.AUTO, False), (Mode.STOP, False), (Mode.MANUAL, True)])
def test_a_start_is_taken_by_hand_only(mode, does):
    genset = Genset("seed", mode=mode)
    assert genset.order("start", NOON) is does
    assert (after(genset, TO_RUN_S + 0.1) is Phase.READY) is does


def test_a_stop_by_a_controller_without_that_mode_leaves_the_mode_and_cools_first():
    genset = Genset("seed", has_stop_mode=False, mode=Mode.MANUAL)
    genset.order("start", NOON)
    after(genset, 20)
    assert genset.order("stop", NOON + 20)
    assert (genset.mode, after(genset, 21)) == (Mode.MANUAL, Phase.COOLING)
    assert after(genset, 20 + TO_REST_S + 0.1) is Phase.REST
    genset.order("auto", NOON + 60)
    assert not genset.order("stop", NOON + 61)


def test_stop_mode_stops_at_once_and_resets(genset):
    genset.order("start", NOON)
    after(genset, 20)
    genset.order("stop", NOON + 20)
    assert (genset.mode, genset.phase) == (Mode.STOP, Phase.STOPPING)
    genset.raise_alarm(Alarm.WARNING, NOON + 21)
    genset.order("stop", NOON + 22)
    assert genset.alarm is Alarm.NONE


def test_in_auto_the_genset_takes_over_when_the_mains_fail_and_gives_back_when_they_return():
    genset = Genset("seed")
    genset.set_mains(False, NOON)
    assert after(genset, MAINS_DELAY_S - 0.1) is Phase.REST
    assert after(genset, MAINS_DELAY_S + TO_RUN_S + 0.1) is Phase.LOADED
    assert (genset.is_mains_on_load, genset.is_gen_on_load) == (False, True)
    genset.set_mains(True, NOON + 30)
    assert after(genset, 30 + MAINS_DELAY_S - 0.1) is Phase.LOADED
    assert after(genset, 30 + MAINS_DELAY_S + 0.1) is Phase.COOLING
    assert (genset.is_mains_on_load, genset.is_gen_on_load) == (True, False)
    assert after(genset, 30 + MAINS_DELAY_S + TO_REST_S + 0.2) is Phase.REST


def test_a_short_dip_of_the_mains_starts_nothing():
    genset = Genset("seed")
    genset.set_mains(False, NOON)
    genset.set_mains(True, NOON + MAINS_DELAY_S / 2)
    for second in range(20):
        assert after(genset, second) is Phase.REST


def test_a_test_runs_on_load_and_auto_ends_it():
    genset = Genset("seed")
    genset.order("test", NOON)
    assert after(genset, TO_RUN_S + 0.1) is Phase.LOADED
    genset.order("auto", NOON + 20)
    assert genset.phase is Phase.COOLING


@pytest.mark.parametrize("level", [Alarm.TRIP, Alarm.SHUTDOWN])
def test_an_alarm_stops_and_locks_the_engine_until_it_is_reset(genset, level):
    genset.order("start", NOON)
    after(genset, 20)
    genset.raise_alarm(level, NOON + 20)
    assert genset.phase is Phase.LOCKED
    assert not genset.order("start", NOON + 21)
    assert genset.order("reset", NOON + 22)
    assert genset.alarm is Alarm.NONE
    assert not genset.alarm.is_stopping


def test_a_warning_stops_nothing(genset):
    genset.order("start", NOON)
    after(genset, 20)
    genset.raise_alarm(Alarm.WARNING, NOON + 20)
    assert after(genset, 25) is Phase.READY


def test_breakers_are_worked_by_hand_when_there_is_something_to_switch(genset):
    assert not genset.order("gen_breaker_close", NOON)
    genset.order("gen_breaker_open", NOON)
    genset.order("start", NOON)
    after(genset, 20)
    assert genset.order("gen_breaker_close", NOON + 20)
    assert genset.is_gen_on_load
    assert genset.order("gen_breaker_toggle", NOON + 21)
    assert not genset.is_gen_on_load
    assert genset.order("mains_breaker_toggle", NOON + 22)
    assert not genset.is_mains_on_load
    assert genset.order("mains_breaker_close", NOON + 23)
    assert genset.is_mains_on_load
    assert genset.order("transfer_to_gen", NOON + 24)
    assert genset.is_gen_on_load
    assert genset.order("transfer_to_mains", NOON + 25)
    assert genset.is_mains_on_load


def test_a_start_from_afar_is_for_auto():
    genset = Genset("seed")
    assert genset.order("telemetry_start", NOON)
    assert after(genset, TO_RUN_S + 0.1) is Phase.READY
    assert genset.order("telemetry_stop", NOON + 20)
    assert genset.phase is Phase.COOLING
    genset.order("manual", NOON + 60)
    assert not genset.order("telemetry_start", NOON + 60)


def test_what_is_measured_fits_what_the_engine_does(genset):
    still = genset.values(NOON)
    assert (still["gen_v1"], still["speed"], still["oil_pressure"], still["p"]) == (0.0, 0.0, 0.0, 0.0)
    assert still["mains_v12"] == pytest.approx(400, abs=5)
    genset.order("test", NOON)
    loaded = genset.values(NOON + 20)
    assert (loaded["speed"], loaded["gen_frequency"], loaded["gen_v1"]) == (1500.0, 50.0, 230.0)
    assert loaded["p"] == pytest.approx(loaded["s"] * loaded["pf"])
    assert loaded["p1"] * 3 == pytest.approx(loaded["p"])
    assert loaded["starts"] == still["starts"] + 1
    later = genset.values(NOON + 3620)
    assert later["energy"] - loaded["energy"] == pytest.approx(45, abs=1)
    assert later["run_hours"] == loaded["run_hours"] + 1
