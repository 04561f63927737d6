import pytest
from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.actions.users import user_actions
from concentrator.model.errors import Denied, Unknown, WrongArguments

results = SynchronousTestCase()
MADE = {"name": "anna"}
ADMIN = Caller("test", frozenset(Permission))
OTHER = Caller("test", frozenset(Permission) - {Permission.USERS})


class Accounts:
    """Accounts that note what was asked."""

    def __init__(self):
        self.asked = []

    def listed(self):
        return [{"name": "admin", "role": "administrator"}]

    def add(self, name, role):
        self.asked.append(("add", name, role))
        return succeed("abcde")

    def reset(self, name):
        if name == "nobody":
            raise Unknown("user nobody")
        self.asked.append(("reset", name))
        return succeed("fghij")

    def set_role(self, name, role):
        self.asked.append(("role", name, role))

    def remove(self, name):
        self.asked.append(("remove", name))


@pytest.fixture
def accounts():
    return Accounts()


@pytest.fixture
def audit():
    return []


@pytest.fixture
def table(accounts, audit):
    table = ActionTable(audit.append)
    for action in user_actions(accounts):
        table.register(action)
    return table


@pytest.mark.parametrize(
    ("action", "arguments", "asked", "told"),
    [
        ("user.add", {"name": "anna", "role": "viewer"}, ("add", "anna", "viewer"), MADE | {"password": "abcde"}),
        ("user.reset", MADE, ("reset", "anna"), MADE | {"password": "fghij"}),
        ("user.role", MADE | {"role": "installer"}, ("role", "anna", "installer"), MADE | {"role": "installer"}),
        ("user.remove", MADE, ("remove", "anna"), MADE),
    ],
)
def test_each_does_what_it_says_and_no_password_is_in_the_audit(table, accounts, audit, action, arguments, asked, told):
    assert results.successResultOf(table.call(action, arguments, ADMIN)) == told
    assert accounts.asked == [asked]
    assert [entry.outcome for entry in audit] == ["begun", "done"]
    assert "abcde" not in str(audit) and "fghij" not in str(audit)


def test_who_uses_the_portal_is_told_to_whom_it_concerns_only(table):
    assert results.successResultOf(table.call("user.list", {}, ADMIN)) == [{"name": "admin", "role": "administrator"}]
    results.failureResultOf(table.call("user.list", {}, OTHER), Denied)


def test_nobody_without_that_class_changes_anything(table, accounts):
    for action in ("user.add", "user.reset", "user.role", "user.remove"):
        results.failureResultOf(table.call(action, {"name": "anna", "role": "administrator"}, OTHER), Denied)
    assert accounts.asked == []


def test_what_does_not_fit_is_refused(table):
    results.failureResultOf(table.call("user.add", {"name": "anna", "role": "king"}, ADMIN))
    results.failureResultOf(table.call("user.add", {"role": "viewer"}, ADMIN), WrongArguments)
    results.failureResultOf(table.call("user.reset", {"name": "nobody"}, ADMIN), Unknown)
