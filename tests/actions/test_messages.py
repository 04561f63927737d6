"""concentrator.actions.messages: short messages as actions."""

import json

import pytest

from concentrator.actions.messages import MessageState, SmsState, message_actions
from concentrator.actions.table import ActionTable, Permission
from concentrator.model.errors import Denied, OutOfRange, WrongArguments
from tests.support.outcomes import called

MESSAGE = MessageState(1_800_000_000.0, "out", "…666", "GENSET ALARM", "delivered", "", "answer")
STATE = SmsState("main", "at", "Ready", True, numbers=["…666"], signal=58, messages=[MESSAGE])


@pytest.fixture
def table():
    audit = []
    table = ActionTable(audit.append)
    table.sent, table.audit = [], audit
    for action in message_actions(lambda: [STATE], lambda *what: table.sent.append(what)):
        table.register(action)
    return table


def test_the_state_is_shown_as_json_can_carry_it(table):
    (shown,) = called(table, "sms.state")
    assert json.loads(json.dumps(shown)) == shown
    assert (shown["standing"], shown["signal"], shown["messages"][0]["fate"]) == ("Ready", 58, "delivered")


def test_who_may_read_may_not_send(table):
    assert called(table, "sms.send", name="main", text="hello").check(Denied)
    assert table.sent == []


def test_a_message_goes_to_all_numbers_or_to_one(table):
    called(table, "sms.send", Permission.WRITE, name="main", text="hello")
    called(table, "sms.send", Permission.WRITE, name="main", text="hello", number="861366666666")
    assert table.sent == [("main", "hello", ""), ("main", "hello", "861366666666")]
    assert table.audit[-1].arguments["number"] == "…666"
    assert "861366666666" not in str(table.audit)


def test_a_message_is_neither_empty_nor_long(table):
    assert called(table, "sms.send", Permission.WRITE, name="main", text="").check(OutOfRange)
    assert called(table, "sms.send", Permission.WRITE, name="main", text="a" * 161).check(OutOfRange)
    assert called(table, "sms.send", Permission.WRITE, name="main").check(WrongArguments)
