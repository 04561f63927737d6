"""concentrator.actions.linking: link mode, as callers ask for it."""

import json

import pytest
from attrs import frozen
from twisted.internet.defer import fail, succeed

from concentrator.actions.linking import link_actions
from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.model.errors import Busy, Denied, Unknown

LINKER = Caller("test", frozenset({Permission.LINK, Permission.READ}))
READER = Caller("page", frozenset({Permission.READ}))


@frozen
class Found:
    serial: str
    unit: int


@frozen
class Status:
    line: str
    is_on: bool
    found: tuple[Found, ...] = ()


class Mode:
    def __init__(self, line):
        self.line, self.is_on = line, False

    def start(self):
        if self.is_on:
            return fail(Busy("it is on"))
        self.is_on = True
        return succeed(None)

    def stop(self):
        self.is_on = False
        return succeed(None)

    def status(self):
        return Status(self.line, self.is_on, (Found("0420020081", 2),))


@pytest.fixture
def call():
    modes = {"native": Mode("native"), "other": Mode("other")}
    table = ActionTable(lambda entry: None)

    def mode(line):
        if line and line not in modes:
            raise Unknown(f"line {line}")
        return modes[line or "native"]

    for action in link_actions(mode, lambda: modes):
        table.register(action)

    def call(name, caller=LINKER, **arguments):
        found = []
        table.call(name, arguments, caller).addBoth(found.append)
        return getattr(found[0], "value", None) or json.loads(json.dumps(found[0]))

    return call


def test_link_mode_is_entered_and_left_and_each_says_how_it_stands_then(call):
    found = [{"serial": "0420020081", "unit": 2}]
    assert call("link.start") == {"line": "native", "is_on": True, "found": found}
    assert call("link.status", READER, line="native")["is_on"]
    assert not call("link.status", line="other")["is_on"]
    assert call("link.stop") == {"line": "native", "is_on": False, "found": found}


def test_link_modes_own_refusals_come_through(call):
    call("link.start")
    assert isinstance(call("link.start"), Busy)
    assert isinstance(call("link.start", line="nativ"), Unknown)


def test_how_every_line_with_link_mode_stands_is_asked_at_once(call):
    call("link.start", line="other")
    assert [(each["line"], each["is_on"]) for each in call("link.list", READER)] == [("native", False), ("other", True)]


def test_looking_is_reading_but_linking_is_not(call):
    assert isinstance(call("link.start", READER), Denied)
    assert isinstance(call("link.stop", READER), Denied)
