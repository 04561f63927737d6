"""concentrator.actions.writing: what is asked, by whom, and what comes back."""

import pytest
from twisted.internet.defer import fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from concentrator.actions.table import ActionTable, AuditEntry, Caller, Permission, code_of
from concentrator.actions.writing import writing_actions
from concentrator.model.errors import Denied, NotConfirmed, OutOfRange, WrongArguments

results = SynchronousTestCase()
WRITER = Caller("test", frozenset({Permission.READ, Permission.WRITE}))
READER = Caller("test", frozenset({Permission.READ}))


class Box:
    def __init__(self, answer=None):
        self.asked, self.audit = [], []
        self.answer = answer or (lambda value: succeed(value))
        self.table = ActionTable(self.audit.append)
        for action in writing_actions(self.write, self.read, lambda uid, name: {"v1": "V"}.get(name, "")):
            self.table.register(action)

    def write(self, uid, name, value):
        self.asked.append((uid, name, value))
        return self.answer(value)

    def read(self, uid, name):
        self.asked.append((uid, name))
        return self.answer(230.1)


@pytest.mark.parametrize("value", [1, 23.4, "bidirectional"])
def test_a_write_gives_what_the_device_has_now(value):
    box = Box()
    found = results.successResultOf(
        box.table.call("device.write", {"uid": "main", "name": "mode", "value": value}, WRITER)
    )
    assert found == {"uid": "main", "name": "mode", "value": value, "unit": ""}
    assert box.asked == [("main", "mode", value)]


def test_a_write_is_audited_with_its_value_and_how_it_went():
    box = Box(lambda value: fail(NotConfirmed("mode: 1 was written, 0 is found")))
    arguments = {"uid": "main", "name": "mode", "value": 1}
    failure = results.failureResultOf(box.table.call("device.write", arguments, WRITER), NotConfirmed)
    assert code_of(failure.value) == "not_confirmed"
    assert box.audit == [
        AuditEntry("test", "device.write", arguments, "begun"),
        AuditEntry("test", "device.write", arguments, "not_confirmed"),
    ]


def test_who_may_only_read_writes_nothing():
    box = Box()
    asked = box.table.call("device.write", {"uid": "main", "name": "mode", "value": 1}, READER)
    results.failureResultOf(asked, Denied)
    assert box.asked == []


def test_a_reader_reads_and_leaves_no_trace_in_the_audit():
    box = Box()
    found = results.successResultOf(box.table.call("device.read", {"uid": "main", "name": "v1"}, READER))
    assert found == {"uid": "main", "name": "v1", "value": 230.1, "unit": "V"}
    assert (box.asked, box.audit) == ([("main", "v1")], [])


@pytest.mark.parametrize(
    ("change", "error"),
    [({"value": True}, WrongArguments), ({"value": None}, WrongArguments), ({"uid": ""}, OutOfRange)],
)
def test_what_is_no_value_or_no_device_is_refused_before_anything_is_done(change, error):
    box = Box()
    arguments = {"uid": "main", "name": "mode", "value": 1} | change
    results.failureResultOf(box.table.call("device.write", arguments, WRITER), error)
    assert box.asked == []
