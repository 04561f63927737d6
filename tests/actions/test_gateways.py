"""Gateways as actions."""

import json

import pytest

from concentrator.actions.gateways import GatewayState, gateway_actions
from concentrator.actions.table import ActionTable, Permission
from concentrator.model.errors import Denied
from tests.support.outcomes import called

STATE = GatewayState("main", "mbus", ["tcp:10001"], "Connected", "192.168.1.5", statistics={"Disconnects": 3})


@pytest.fixture
def table():
    table = ActionTable(lambda _: None)
    table.thrown_out = []
    for action in gateway_actions(lambda: [STATE], table.thrown_out.append):
        table.register(action)
    return table


def test_gateways_are_shown_as_json_can_carry_them(table):
    (shown,) = called(table, "mbus.gateways")
    assert json.loads(json.dumps(shown)) == shown
    assert (shown["name"], shown["standing"], shown["client"]) == ("main", "Connected", "192.168.1.5")
    assert shown["statistics"] == {"Disconnects": 3}


def test_who_may_read_may_not_throw_anybody_out(table):
    assert called(table, "mbus.gateway.disconnect", name="main").check(Denied)
    assert table.thrown_out == []


def test_a_client_is_thrown_out_by_the_gateways_name(table):
    assert len(called(table, "mbus.gateway.disconnect", Permission.SYSTEM, name="main")) == 1
    assert table.thrown_out == ["main"]
