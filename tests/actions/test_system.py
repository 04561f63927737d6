"""concentrator.actions.system: only who may, and only what there is."""

from twisted.trial.unittest import SynchronousTestCase

from concentrator.actions.system import system_actions
from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.model.errors import Denied, OutOfRange

results = SynchronousTestCase()


def table(done):
    table = ActionTable(lambda entry: None)
    for action in system_actions(lambda what: done.append(what) or 2.0):
        table.register(action)
    return table


def test_the_program_or_the_machine_is_started_anew():
    done = []
    owner = Caller("socket", frozenset(Permission))
    assert results.successResultOf(table(done).call("reboot", {}, owner)) == {"what": "service", "in_s": 2.0}
    results.successResultOf(table(done).call("reboot", {"what": "machine"}, owner))
    results.failureResultOf(table(done).call("reboot", {"what": "moon"}, owner), OutOfRange)
    assert done == ["service", "machine"]


def test_it_needs_the_class_system():
    done = []
    other = Caller("mqtt", frozenset(Permission) - {Permission.SYSTEM})
    results.failureResultOf(table(done).call("reboot", {}, other), Denied)
    assert done == []
