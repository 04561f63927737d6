"""concentrator.actions.identifying: who is at a Modbus ID, asked by one at a time and when the line bears it."""

import pytest
from twisted.internet.defer import Deferred

from concentrator.actions.identifying import identifying_actions, must_fit
from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.actions.tasks import Tasks
from concentrator.model.errors import Busy, Denied, NotConfirmed, OutOfRange, Unknown
from tests.support.web import StillWall

OWNER = Caller("test", frozenset(Permission))


class Lines:
    """A line `native` that is used for `use`, and what was asked on it."""

    def __init__(self):
        self.use, self.asked, self.going_on = "polling", [], Deferred()
        self.tasks = Tasks(StillWall())
        self.table = ActionTable(lambda entry: None)
        for action in identifying_actions(self.tasks, self.used_for, self.identify, self.probe):
            self.table.register(action)

    def used_for(self, line):
        if line != "native":
            raise Unknown(f"line {line}")
        return self.use

    def identify(self, line, unit, tell):
        self.asked.append((line, unit))
        tell(0.5, "function 03")
        return self.going_on

    async def probe(self, line, profile, address, secondary):
        self.asked.append((line, profile, address, secondary))
        return {"profile": profile}

    def ask(self, name, caller=OWNER, **arguments):
        found = []
        self.table.call(name, arguments, caller).addBoth(found.append)
        return getattr(found[0], "value", found[0])


@pytest.fixture
def lines():
    return Lines()


def test_who_is_there_is_a_task_that_goes_on_beside_polling(lines):
    task = lines.tasks.get(lines.ask("device.identify", line="native", address=7)["task"])
    assert (lines.asked, task.state, task.progress) == ([("native", 7)], "running", 0.5)
    lines.going_on.callback({"answered": ""})
    assert (task.state, task.result) == ("done", {"answered": ""})


def test_a_line_identifies_one_device_at_a_time(lines):
    lines.ask("device.identify", line="native", address=7)
    assert isinstance(lines.ask("device.identify", line="native", address=8), Busy)
    lines.going_on.callback({})
    lines.going_on = Deferred()
    assert "task" in lines.ask("device.identify", line="native", address=8)


def test_a_line_that_is_scanned_is_left_alone(lines):
    scan = lines.tasks.start("scan native", lambda tell: Deferred())
    for name, more in (("device.identify", {}), ("device.probe", {"profile": "a/b"})):
        assert "is being scanned" in str(lines.ask(name, line="native", address=7, **more))
    scan.cancel()
    assert "task" in lines.ask("device.identify", line="native", address=7)


def test_a_probe_is_answered_at_once_and_keeps_nothing(lines):
    assert lines.ask("device.probe", line="native", profile="a/b", address=7) == {"profile": "a/b"}
    lines.ask("device.probe", line="native", profile="a/b", address=7, secondary=2)
    assert lines.asked == [("native", "a/b", 7, None), ("native", "a/b", 7, 2)]


@pytest.mark.parametrize(
    ("name", "more"), [("device.identify", {}), ("device.probe", {"profile": "a/b"})], ids=lambda each: str(each)
)
def test_neither_is_done_where_it_may_not_be(lines, name, more):
    reader = Caller("page", frozenset(Permission) - {Permission.CONFIG})
    assert isinstance(lines.ask(name, reader, line="native", address=7, **more), Denied)
    assert isinstance(lines.ask(name, line="nowhere", address=7, **more), Unknown)
    assert isinstance(lines.ask("device.identify", line="native", address=248), OutOfRange)
    lines.use = "devices are being linked"
    assert isinstance(lines.ask(name, line="native", address=7, **more), Busy)
    assert lines.asked == []


def test_a_device_that_breaks_a_rule_is_another():
    own = {"settings": "9600 8N1", "line_settings": "9600 8N1"}
    right = {"profile": "a/b", "misfits": [], "values": [{"name": "v1", "value": 230.0}], **own}
    must_fit(right)
    with pytest.raises(NotConfirmed, match="it answers, but has no value of a/b"):
        must_fit(right | {"values": []})
    must_fit(right | {"values": [], "passes_through": True})
    with pytest.raises(NotConfirmed, match="it answers with 19200 8E1, but the line has 9600 8N1"):
        must_fit(right | {"settings": "19200 8E1"})
    with pytest.raises(NotConfirmed, match=r"it is no a/b: code: found 7, expected 5; kind: found nothing"):
        must_fit(right | {"misfits": ["code: found 7, expected 5", "kind: found nothing, expected 1"]})
