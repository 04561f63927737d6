"""concentrator.actions.settings: what may be asked of the configuration, and that no secret is told."""

import json

import pytest
from twisted.trial.unittest import SynchronousTestCase

from concentrator.actions.settings import settings_actions
from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.model.errors import Denied, WrongArguments

results = SynchronousTestCase()
OWNER = Caller("control socket", frozenset(Permission))


class Told:
    """The settings, as far as the actions see them."""

    def __init__(self):
        self.changes, self.audit = [], []
        self.table = ActionTable(self.audit.append)
        for action in settings_actions(self):
            self.table.register(action)

    def shown(self, section, key):
        return {"values": {section: {key: 1}}}

    def is_secret(self, section, key):
        return key == "password"

    def change(self, changes, caller, *, is_trial):
        self.changes.append((changes, caller, is_trial))
        return {"changed": list(changes)}

    def ask(self, name, caller=OWNER, **arguments):
        return self.table.call(name, arguments, caller)


@pytest.fixture
def told():
    return Told()


def test_settings_are_asked_for_by_section_and_key(told):
    assert results.successResultOf(told.ask("config.get", section="mqtt", key="port")) == {
        "values": {"mqtt": {"port": 1}}
    }
    assert results.successResultOf(told.ask("config.get")) == {"values": {"": {"": 1}}}


def test_changes_come_with_who_wants_them(told):
    changes = {"mqtt": {"latency": "1 min", "allow": ["read"], "client_id": None}}
    assert results.successResultOf(told.ask("config.set", changes=changes)) == {"changed": ["mqtt"]}
    results.successResultOf(told.ask("config.set", changes=changes, check_only=True))
    assert told.changes == [(changes, OWNER, False), (changes, OWNER, True)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "changes: found none, expected a section with its keys"),
        ({"mqtt": {}}, "changes: mqtt: found {}, expected an object"),
        ({"mqtt": "hunter2"}, "changes: mqtt: found a text, expected an object"),
        ({"mqtt": {"x": {"password": "hunter2"}}}, "changes: mqtt.x: found a value, expected a text, a number"),
        ({"mqtt": {"allow": [["hunter2"]]}}, "changes: mqtt.allow: found a list, expected a text"),
    ],
)
def test_what_no_file_could_hold_is_refused_without_quoting_it(told, changes, words):
    said = results.failureResultOf(told.ask("config.set", changes=changes), WrongArguments).value.sentence
    assert words in said and "hunter2" not in said
    assert told.changes == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"changes": {"mqtt": {"password": "hunter2", "port": 1883}}},
        {"changes": {"mqtt": "hunter2"}},
        {"changes": "hunter2"},
        {"changes": ["hunter2"]},
    ],
)
def test_the_audit_sees_no_secret_even_of_what_is_refused(told, arguments):
    told.ask("config.set", **arguments).addErrback(lambda failure: None)
    told.ask("config.set", Caller("mqtt", frozenset()), **arguments).addErrback(lambda failure: None)
    assert "hunter2" not in json.dumps([dict(entry.arguments) for entry in told.audit])
    assert len(told.audit) >= 2


def test_who_may_only_read_sees_no_settings_and_changes_none(told):
    reader = Caller("mqtt", frozenset({Permission.READ}))
    for name, arguments in (("config.get", {}), ("config.set", {"changes": {"mqtt": {"port": 1}}})):
        results.failureResultOf(told.ask(name, reader, **arguments), Denied)
    assert told.changes == []
