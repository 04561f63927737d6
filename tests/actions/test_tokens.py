import pytest

from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.actions.tokens import token_actions
from concentrator.model.errors import Denied, OutOfRange
from concentrator.web.tokens import Tokens

ANA = Caller("ana", frozenset(Permission))


@pytest.fixture
def tokens():
    return Tokens(lambda content: None)


@pytest.fixture
def audit():
    return []


@pytest.fixture
def ask(tokens, audit):
    table = ActionTable(audit.append)
    for action in token_actions(tokens, lambda: 1_795_254_067.0):
        table.register(action)

    def ask(action, caller=ANA, /, **arguments):
        results, failures = [], []
        table.call(action, arguments, caller).addCallbacks(results.append, failures.append)
        if failures:
            failures[0].raiseException()
        return results[0]

    return ask


def test_a_token_is_made_shown_once_listed_and_taken_back(ask, tokens, audit):
    made = ask("token.add", name="grafana", allow=["write", "read", "read"])
    assert tokens.find(made["token"]).allowed == ("read", "write")
    assert ask("token.list") == [{"name": "grafana", "allow": ["read", "write"], "made": "2026-11-21T09:41:07Z"}]
    ask("token.remove", name="grafana")
    assert ask("token.list") == []
    assert made["token"] not in repr(audit)


def test_nobody_gives_a_token_what_he_may_not_do_himself(ask):
    ben = Caller("ben", frozenset({Permission.USERS, Permission.READ}))
    with pytest.raises(Denied, match="write is more than ben may"):
        ask("token.add", ben, name="grafana", allow=["read", "write"])
    assert ask("token.list") == []


@pytest.mark.parametrize("allow", [["all"], ["read", "wirte"], ["users"]])
def test_what_is_no_class_of_actions_is_refused(ask, allow):
    with pytest.raises(OutOfRange, match="expected some of read"):
        ask("token.add", name="grafana", allow=allow)


def test_tokens_are_the_administrators_matter(ask):
    for name, arguments in (
        ("token.list", {}),
        ("token.add", {"name": "x", "allow": ["read"]}),
        ("token.remove", {"name": "x"}),
    ):
        with pytest.raises(Denied):
            ask(name, Caller("ben", frozenset(Permission) - {Permission.USERS}), **arguments)
