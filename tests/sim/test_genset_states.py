"""concentrator.sim.genset_states: what a controller shows is read back as what the genset is."""

import pytest

from concentrator.model.genset import Alarm, Mode
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.genset_status import active_alarms, genset_status
from concentrator.sim.genset import Genset
from concentrator.sim.genset_states import alarm_names, has_mode, states

NOON = 1_795_000_000.0
CATALOGUE = Catalogue()
KEYS = [
    *(f"smartgen/{each}" for each in ("hgm6100n", "hgm4000n", "hgm9500", "hgm9560", "hsc940")),
    *(f"deepsea/{each}" for each in ("dse71xx-mkii", "dse7xxx", "dse7xxx-mkii", "dse8xxx")),
    *(f"comap/{each}" for each in ("intelilite4", "intelilite-nt", "igs-nt")),
]


def seen(rules, genset, at):
    values = genset.values(at)
    return genset_status(rules, {**values, **states(rules, genset)})


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("mode", [Mode.AUTO, Mode.MANUAL, Mode.STOP])
def test_a_genset_that_loses_its_mains_is_seen_as_it_is(key, mode):
    rules = CATALOGUE.get(key).genset
    genset = Genset(key, mode=mode)
    genset.set_mains(False, NOON)
    phases = set()
    for second in range(20):
        found = seen(rules, genset, NOON + second)
        phases.add(genset.phase)
        assert found.mode is (mode if mode is not Mode.STOP or has_mode(rules, Mode.STOP) else Mode.OFF)
        assert found.is_running is genset.is_running
        for told, is_so in (
            (found.gen_on_load, genset.is_gen_on_load),
            (found.mains_ok, genset.is_mains_ok),
            (found.mains_on_load, genset.is_mains_on_load),
        ):
            assert told in (None, is_so)
    assert genset.is_gen_on_load is (mode is Mode.AUTO)
    assert len(phases) == (5 if mode is Mode.AUTO else 1)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("level", [Alarm.WARNING, Alarm.TRIP, Alarm.SHUTDOWN])
def test_an_alarm_is_seen_with_its_level_and_its_name(key, level):
    rules = CATALOGUE.get(key).genset
    genset = Genset(key, mode=Mode.MANUAL)
    genset.order("start", NOON)
    genset.advance(NOON + 10)
    genset.raise_alarm(level, NOON + 10)
    found = seen(rules, genset, NOON + 11)
    names = alarm_names(rules, level)
    can_tell = names or any(each is level for each, _ in rules.alarm)
    assert not can_tell or found.alarm is level
    assert [each.name for each in active_alarms(rules, states(rules, genset))][:1] == [
        each.name for each in active_alarms(rules, states(rules, genset)) if each.level is level
    ][:1]
    assert bool(names) is bool(found.alarms)


def test_an_alarm_can_be_called_by_its_name():
    rules = CATALOGUE.get("deepsea/dse7xxx").genset
    genset = Genset("x")
    genset.raise_alarm(Alarm.SHUTDOWN, NOON, "overspeed")
    assert "overspeed" in seen(rules, genset, NOON).alarms[0].lower()
