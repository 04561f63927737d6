"""concentrator.app.gensets: the gensets of a box, how they are, and what is told of them."""

import subprocess
import sys

import pytest

from concentrator.app.devices import DeviceList
from concentrator.model.genset import Alarm, GensetStatus, Mode
from concentrator.model.reading import Quality, Reading
from tests.support.fields import NATIVE, StillBox, meter
from tests.support.records import NOW

BUS = '[line.bus]\nendpoint = "serial:/dev/ttyUSB7"\nrole = "external"\n'


def genset(uid, address, profile="smartgen/hgm6100n", more=""):
    return f'[device.{uid}]\nline = "bus"\nprofile = "{profile}"\naddress = {address}\n{more}'


TEXT = (
    NATIVE
    + BUS
    + meter("main", 1)
    + genset("g1", 1, more='model = "HGM6120N"\nalias = "Emergency set"\n')
    + genset("g2", 2, "smartgen/passthrough")
)
QUIET = {
    **{"common_alarm": 0, "common_warning": 0, "common_shutdown": 0, "emergency_stop": 0},
    **{"mode_auto": 1, "mode_manual": 0, "mode_stop": 0, "mode_test": 0, "engine_state": 0},
    **{"mains_normal": 1, "mains_on_load": 1, "gen_on_load": 0, "mains_v1": 231},
}


@pytest.fixture
def box(tmp_path):
    return StillBox(tmp_path, TEXT)


def reads(box, uid="g1", quality=Quality.GOOD, **values):
    """A controller says something."""
    box.field.hub.publish(Reading(uid, NOW, values, quality))
    if quality is Quality.GOOD:
        box.field.known()[uid].polled.health.answered()


def told(box):
    """What was told of gensets."""
    return [(name, facts) for name, facts in box.events if name.startswith("genset.")]


LOADED = """
import sys
from concentrator.app.field import Field
from concentrator.profile.catalogue import Catalogue
Catalogue().get("energycm/ccm")
print(*[name for name in sys.modules if "genset" in name or name.endswith(".alarms")])
"""


def test_a_box_without_gensets_has_nothing_of_them(tmp_path):
    assert StillBox(tmp_path, NATIVE + meter("main", 1)).field.gensets is None
    loaded = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True)
    assert not {"concentrator.app.gensets", "concentrator.genset.watch"} & set(loaded.stdout.split())
    assert not [name for name in loaded.stdout.split() if name.startswith("concentrator.profile.")]


def test_the_gensets_are_the_devices_of_that_kind(box):
    assert box.field.gensets.uids() == ("g1", "g2")


def test_nothing_is_known_before_it_answers(box):
    assert box.field.gensets.status("g1") == GensetStatus()


def test_a_status_follows_from_the_newest_values(box):
    reads(box, **QUIET)
    reads(box, engine_state=9, gen_on_load=1)
    status = box.field.gensets.status("g1")
    assert (status.mode, status.is_running, status.engine, status.alarm) == (
        Mode.AUTO, True, "normal running", Alarm.NONE,
    )  # fmt: skip
    assert (status.mains_ok, status.gen_on_load, status.details["mains_v1"]) == (True, True, 231)
    assert box.field.gensets.alarms() == (Alarm.NONE, Alarm.UNKNOWN)


def test_of_a_controller_that_is_silent_nothing_is_known(box):
    reads(box, **QUIET)
    for _ in range(5):
        box.field.known()["g1"].polled.health.failed()
    assert box.field.gensets.status("g1") == GensetStatus()


def test_an_alarm_is_told_at_once(box):
    reads(box, **QUIET)
    reads(box, common_alarm=1, common_shutdown=1, emergency_stop=1)
    assert told(box) == [
        (
            "genset.alarm",
            {
                "device": "g1",
                "level": "shutdown",
                "active": True,
                "alarms": ["emergency stop"],
                "text": "emergency stop",
            },
        )
    ]
    assert box.field.gensets.alarms()[0] is Alarm.SHUTDOWN


def test_a_change_of_mode_is_told(box):
    reads(box, **QUIET)
    reads(box, mode_auto=0, mode_manual=1)
    assert [facts["text"] for _, facts in told(box)] == ["manual mode, it is at rest"]


def test_a_model_without_mains_has_none(tmp_path):
    box = StillBox(tmp_path, NATIVE + BUS + genset("g1", 1, more='model = "HGM6110"\n'))
    reads(box, **QUIET)
    status = box.field.gensets.status("g1")
    assert status.mains_ok is None and "mains_v1" not in status.details


def test_one_that_is_added_while_the_box_runs_is_watched(tmp_path):
    box = StillBox(tmp_path, NATIVE + BUS)
    assert box.field.gensets is None
    devices = DeviceList(box.file, box.field, box.report)
    devices.add("g1", {"line": "bus", "profile": "smartgen/hgm6100n", "address": 1})
    reads(box, **QUIET)
    reads(box, common_warning=1)
    assert [facts["alarms"] for _, facts in told(box)] == [[]]


def test_one_that_is_another_now_begins_anew(box):
    reads(box, **{**QUIET, "emergency_stop": 1})
    box.events.clear()
    box.devices.change("g1", address=9)
    reads(box, **{**QUIET, "emergency_stop": 1})
    assert len(told(box)) == 1


def test_what_is_passed_through_is_asked_nothing_and_says_so(box):
    here, there = box.field.gensets.states()
    assert (there.passes_through, there.health, there.commands) == (True, "new", ())
    assert there.forbidden == "smartgen/passthrough has no commands"
    assert (here.alias, here.model, here.passes_through) == ("Emergency set", "HGM6120N", False)


def test_what_is_passed_through_leaves_its_line_to_the_others(tmp_path):
    box = StillBox(tmp_path, NATIVE + BUS + genset("g2", 2, "harsen/passthrough"))
    schedule = box.field.poller("bus").schedule
    assert (schedule.most_urgent(1e9), schedule.wake_at()) == (None, None)
    box.devices.remove("g2")
    assert box.field.gensets.uids() == ()


def test_what_stands_against_commands_is_said(tmp_path):
    text = NATIVE + BUS
    text += genset("g1", 1) + genset("g2", 2, more="allow_commands = true\n")
    text += genset("g3", 3, more='allow_commands = true\nmodel = "HGM6120N"\n')
    text += genset("g4", 4, more="allow_commands = true\nallow_unverified = true\n")
    states = list(StillBox(tmp_path, text).field.gensets.states())
    assert states[0].forbidden == "allow_commands of g1 is false"
    assert "verified for HGM6120N only" in states[1].forbidden
    assert [state.forbidden for state in states[2:]] == ["", ""]
    assert states[0].commands[:5] == ("start", "stop", "test", "auto", "manual")
