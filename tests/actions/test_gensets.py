"""The gensets as actions: what is said of one, and that nobody else is one."""

import pytest
from attrs import frozen

from concentrator.actions.gensets import genset_actions
from concentrator.model.errors import Unknown
from concentrator.model.genset import Alarm, GensetStatus, Mode

STATUS = GensetStatus(
    Mode.AUTO, True, Alarm.WARNING, True, False, True, "normal running", ("low fuel warning",), {"p": 28e3}, {"p": "W"}
)


@frozen
class State:
    """A genset as people see it."""

    uid: str = "g1"
    alias: str = "Emergency set"
    profile: str = "smartgen/hgm6100n"
    model: str = ""
    health: str = "answering"
    status: GensetStatus = STATUS
    commands: tuple[str, ...] = ("start", "stop")
    forbidden: str = "allow_commands of g1 is false"
    passes_through: bool = False
    last_seen: float | None = 1_795_262_400.0


def asked(name, *states, **arguments):
    run = {action.name: action.call for action in genset_actions(lambda: states)}[name]
    return run(**arguments)


def test_a_genset_is_told_whole():
    assert asked("genset.status", State(), uid="g1") == {
        "uid": "g1",
        "alias": "Emergency set",
        "profile": "smartgen/hgm6100n",
        "model": "",
        "health": "answering",
        "last_seen": "2026-11-21T12:00:00Z",
        "passes_through": False,
        "mode": "auto",
        "running": True,
        "engine": "normal running",
        "alarm": "warning",
        "alarms": ["low fuel warning"],
        "mains_ok": True,
        "mains_on_load": False,
        "gen_on_load": True,
        "values": {"p": {"value": 28e3, "unit": "W"}},
        "commands": ["start", "stop"],
        "forbidden": "allow_commands of g1 is false",
    }


def test_what_is_not_known_is_null():
    told = asked("genset.status", State(status=GensetStatus(), last_seen=None), uid="g1")
    assert (told["mode"], told["running"], told["mains_ok"], told["last_seen"]) == ("unknown", None, None, None)


def test_all_of_them_are_listed():
    assert [each["uid"] for each in asked("gensets.list", State(), State(uid="g2"))] == ["g1", "g2"]
    assert asked("gensets.list") == []


def test_another_device_is_no_genset():
    with pytest.raises(Unknown, match="genset g2"):
        asked("genset.status", State(), uid="g2")
