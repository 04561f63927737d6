"""concentrator.app.adding: what people see and are asked before a device is added from the command line."""

import json
import sys
from io import StringIO

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from concentrator.actions.devices import device_actions
from concentrator.actions.identifying import identifying_actions
from concentrator.actions.present import whole_device_json
from concentrator.actions.tasks import Tasks
from concentrator.model.errors import NoReply, WrongArguments
from tests.support.web import FakeBox

ADD = ("devices", "add", "main", "--line", "native", "--profile", "acme/a3", "--address", "7")
FOUND = {
    "line": "native",
    "address": 7,
    "secondary": None,
    "profile": "acme/a3",
    "serial": "A1",
    "model": "",
    "firmware": "1.2",
    "values": [
        {"name": "v1", "label": "voltage L1", "value": 230.5, "unit": "V"},
        {"name": "p", "label": "active power", "value": -120.0, "unit": "W"},
        {"name": "f", "label": "frequency", "value": None, "unit": "Hz"},
    ],
    "first": ["p", "v1"],
    "missing": ["i1"],
    "rules": 2,
    "misfits": [],
    "took_s": 0.42,
    "settings": "9600 8N1",
    "line_settings": "9600 8N1",
    "endpoint": "serial:/dev/a:baudrate=19200:parity=E",
}


class Listed:
    """What was added."""

    def __init__(self):
        self.added = []

    def add(self, uid, section):
        self.added.append((uid, dict(section)))

    def taken(self, line, address, secondary, besides=""):
        return ""


@pytest.fixture
def box():
    box = FakeBox()
    box.listed, box.found = Listed(), dict(FOUND)

    async def probe(line, profile, address, secondary):
        if isinstance(box.found, Exception):
            raise box.found
        return box.found

    def show(uid):
        return whole_device_json(next(state for state in box.devices if state.uid == uid))

    for action in (
        *device_actions(box.listed, show, probe),
        *identifying_actions(Tasks(box.wall), lambda line: "", lambda *each: Deferred(), probe),
    ):
        box.table.register(action)
    return box


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.fixture
def typed(monkeypatch):
    """`typed("y")`: people sit at a terminal, and type that; gives what they are shown."""

    def sit(text):
        screen = Terminal()
        monkeypatch.setattr(sys, "stdin", Terminal(f"{text}\n"))
        monkeypatch.setattr(sys, "stderr", screen)
        return screen

    return sit


@pytest_twisted.ensureDeferred
async def test_what_a_device_says_is_shown_before_it_is_added(box, run):
    status, out, err = await run(*ADD)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "ID 7 on native answers, and keeps the 2 rules of acme/a3; read in 0.42 s"
    assert lines[2:6] == [
        "serial A1, firmware 1.2",
        "  p   active power  -120.0  W",
        "  v1  voltage L1    230.5   V",
        "  and 1 more value",
    ]
    assert lines[6] == "  missing: i1"
    assert box.listed.added == [("main", {"line": "native", "profile": "acme/a3", "address": 7})]


@pytest_twisted.ensureDeferred
async def test_as_json_it_is_one_object_with_what_was_read(box, run):
    status, out, _ = await run(*ADD, "--json")
    told = json.loads(out)
    assert (status, told["uid"], told["probe"]["values"]) == (0, "main", FOUND["values"])


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("YES", 0), ("n", 1), ("", 1)])
@pytest_twisted.ensureDeferred
async def test_people_at_a_terminal_are_asked(box, run, typed, answer, status):
    screen = typed(answer)
    assert (await run(*ADD))[0] == status
    assert "Add it as main? [y/N]" in screen.getvalue()
    assert len(box.listed.added) == (status == 0)


@pytest_twisted.ensureDeferred
async def test_who_has_said_yes_already_is_not_asked(box, run, typed):
    screen = typed("")
    assert (await run(*ADD, "--yes"))[0] == 0
    assert "[y/N]" not in screen.getvalue() and len(box.listed.added) == 1


@pytest_twisted.ensureDeferred
async def test_who_does_not_answer_is_added_only_by_who_says_so(box, run, typed):
    box.found = NoReply("nothing answered at ID 7 with 9600 8N1")
    for more in ((), ("--yes",)):
        status, out, err = await run(*ADD, *more)
        assert (status, out) == (1, "")
        assert "nothing answered at ID 7 with 9600 8N1" in err
        assert "it was not added; --no-verify adds it all the same" in err
    assert box.listed.added == []
    screen = typed("y")
    assert (await run(*ADD))[0] == 0
    assert "Add it all the same? [y/N]" in screen.getvalue() and len(box.listed.added) == 1


@pytest_twisted.ensureDeferred
async def test_who_wants_no_question_and_no_look_has_neither(box, run):
    box.found = NoReply("nobody")
    assert (await run(*ADD, "--no-verify"))[0] == 0
    assert len(box.listed.added) == 1


@pytest_twisted.ensureDeferred
async def test_what_is_only_passed_through_to_is_added_unread(box, run):
    box.found |= {"values": [], "first": [], "missing": [], "passes_through": True}
    status, out, _ = await run(*ADD)
    assert (status, len(box.listed.added)) == (0, 1)
    assert "it was not read, and is only passed through to" in out


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"misfits": ["model code: found 7, expected 5"]}, "this breaks a rule of acme/a3: model code: found 7"),
        ({"values": [], "first": []}, "it was not added"),
        (
            {"settings": "19200 8E1"},
            "the line has 9600 8N1: its endpoint must be serial:/dev/a:baudrate=19200:parity=E",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_another_device_is_not_added_unasked(box, run, wrong, words):
    box.found |= wrong
    status, _, err = await run(*ADD, "--yes")
    assert status == 1 and words in err
    assert box.listed.added == []


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_added_anyway_is_only_said(box, run, typed):
    box.found = WrongArguments('ID Modbus: 7 is taken on this line by "Heat pump". Free: 8, 9, 10…')
    screen = typed("y")
    assert (await run(*ADD))[0] == 1
    assert 'ID Modbus: 7 is taken on this line by "Heat pump". Free: 8, 9, 10…' in screen.getvalue()
    assert "[y/N]" not in screen.getvalue() and box.listed.added == []
