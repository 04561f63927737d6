"""concentrator.actions.modems: the modem's data connection as an action."""

import json

from concentrator.actions.modems import ModemState, modem_actions
from concentrator.actions.table import ActionTable, Caller, Permission

STATE = ModemState("wan", "Connected", True, radio="registered", operator="Some Net", signal=54)


def test_the_state_is_shown_as_json_can_carry_it():
    table, found = ActionTable(lambda entry: None), []
    for action in modem_actions(lambda: [STATE]):
        table.register(action)
    table.call("modem.state", {}, Caller("test", frozenset({Permission.READ}))).addCallback(found.append)
    ((shown,),) = found
    assert json.loads(json.dumps(shown)) == shown
    assert (shown["standing"], shown["is_connected"], shown["signal"]) == ("Connected", True, 54)
