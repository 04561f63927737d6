import json
import math

import pytest

from concentrator.actions.table import Caller, Permission, error_json
from concentrator.api import LineState, UplinkState
from tests.support.web import NOW, FakeBox, device

READER = Caller("test", frozenset({Permission.READ}))


@pytest.fixture
def box():
    return FakeBox()


def ask(box, name, **arguments):
    found = []
    box.table.call(name, arguments, READER).addBoth(found.append)
    return json.loads(json.dumps(found[0], allow_nan=False)) if not hasattr(found[0], "value") else found[0].value


def test_status_says_how_the_box_is(box):
    box.devices = [device("a"), device("b", health="silent"), device("c", health="new", at=None, values={})]
    box.lines = [
        LineState(
            "native",
            "serial:x",
            False,
            "The adapter is unplugged.",
            {"requests": 3},
            role="native",
            stations={"1": {"requests": 3, "busy_s": math.nan}},
            utilisation=0.123456,
            round_s=2.71828,
            suspended="devices are being linked",
        )
    ]
    box.uplinks = [UplinkState("mqtt", "mqtt", "mqtt://x", True, NOW, NOW, "", 2, 40, 1)]
    assert ask(box, "status") == {
        "box": {
            "serial": "4220080001",
            "model": "PRO",
            "version": "0.1.0",
            "uptime_s": 11530,
            "mac": "02:1B:63:84:45:E6",
            "hardware": "2",
        },
        "time": "2026-11-21T09:41:07Z",
        "clock_trusted": True,
        "devices": {"total": 3, "new": 1, "answering": 1, "doubtful": 0, "silent": 1},
        "lines": [
            {
                "name": "native",
                "endpoint": "serial:x",
                "is_open": False,
                "trouble": "The adapter is unplugged.",
                "counters": {"requests": 3},
                "role": "native",
                "stations": {"1": {"requests": 3, "busy_s": None}},
                "utilisation": 0.1235,
                "round_s": 2.718,
                "suspended": "devices are being linked",
            }
        ],
        "uplinks": [
            {
                "name": "mqtt",
                "kind": "mqtt",
                "address": "mqtt://x",
                "is_up": True,
                "since": "2026-11-21T09:41:07Z",
                "last_success": "2026-11-21T09:41:07Z",
                "trouble": "",
                "waiting": 2,
                "delivered": 40,
                "rejected": 1,
                "traffic": None,
                "commands": {},
            }
        ],
    }


def test_a_device_is_given_with_every_variable_in_the_profiles_order(box):
    found = ask(box, "device.get", uid="main")
    assert found["alias"] == "Main" and found["last_seen"] == "2026-11-21T09:41:05Z"
    assert [value["name"] for value in found["values"]] == ["i1", "v1", "p", "pf", "ea_imp"]
    assert found["values"][2] == {
        "name": "p",
        "label": "active power",
        "value": -1240.0,
        "unit": "W",
        "at": "2026-11-21T09:41:05Z",
    }


def test_what_was_not_measured_is_null_and_never_zero(box):
    box.devices = [device("main", values={"p": math.nan})]
    values = {value["name"]: (value["value"], value["at"]) for value in ask(box, "device.get", uid="main")["values"]}
    assert values["v1"] == (None, None)
    assert values["p"] == (None, "2026-11-21T09:41:05Z")


def test_the_list_of_devices_says_who_and_how_but_no_values(box):
    listed = ask(box, "devices.list")
    assert [found["uid"] for found in listed] == ["main", "workshop"]
    assert "values" not in listed[0] and listed[0]["health"] == "answering"


def test_a_device_says_behind_whom_it_is_how_far_it_can_be_relied_on_and_how_often_it_is_read(box):
    box.devices = [device("kitchen", secondary=2, quality="partial", round_s=3.14159)]
    found = ask(box, "devices.list")[0]
    assert (found["secondary"], found["quality"], found["round_s"]) == (2, "partial", 3.142)


def test_lines_and_uplinks_are_listed(box):
    assert [line["name"] for line in ask(box, "lines.list")] == ["native"]
    assert [uplink["name"] for uplink in ask(box, "uplinks.list")] == ["mqtt"]


def test_an_unknown_device_is_answered_with_the_nearest_name(box):
    assert error_json(ask(box, "device.get", uid="mian")) == {
        "code": "unknown",
        "message": "There is nothing of this name: device mian (did you mean main?)",
    }


def test_every_first_action_only_reads(box):
    assert {action["name"]: action["permission"] for action in box.table.describe()} == {
        "device.get": "read",
        "devices.list": "read",
        "lines.list": "read",
        "status": "read",
        "uplinks.list": "read",
    }
