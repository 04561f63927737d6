"""concentrator.actions.slave: how slave ports stand, and their map, for whoever may read."""

from concentrator.actions.slave import SlaveState, slave_actions
from concentrator.actions.table import ActionTable, Caller, Permission


def test_both_are_for_whoever_may_read():
    table = ActionTable(lambda entry: None)
    for action in slave_actions(lambda: [SlaveState("a", "tcp:502", 1, "map", refused={"2": 1})], lambda: {"base": 7}):
        table.register(action)
    caller, found = Caller("somebody", frozenset({Permission.READ})), []
    table.call("slave.states", {}, caller).addCallback(found.append)
    table.call("slave.map", {}, caller).addCallback(found.append)
    (states, mapped) = found
    assert (states[0]["name"], states[0]["refused"], states[0]["last_asked"]) == ("a", {"2": 1}, None)
    assert mapped == {"base": 7}
