import pytest
from twisted.trial.unittest import SynchronousTestCase

from concentrator.actions.https import PEM_MOST, https_actions
from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.model.errors import Denied, OutOfRange

results = SynchronousTestCase()
ADMIN = Caller("test", frozenset(Permission))
OTHER = Caller("test", frozenset(Permission) - {Permission.USERS})


class Certificates:
    def __init__(self):
        self.installed = []

    def facts(self):
        return {"subject": "CN=box"}

    def install(self, pem):
        self.installed.append(pem)
        return {"subject": "CN=mine"}

    def make_anew(self):
        return {"subject": "CN=new"}


@pytest.fixture
def certificates():
    return Certificates()


@pytest.fixture
def audit():
    return []


@pytest.fixture
def table(certificates, audit):
    table = ActionTable(audit.append)
    for action in https_actions(certificates):
        table.register(action)
    return table


def test_a_certificate_is_looked_at_given_and_made(table, certificates):
    assert results.successResultOf(table.call("https.get", {}, ADMIN)) == {"subject": "CN=box"}
    assert results.successResultOf(table.call("https.install", {"pem": "KEY"}, ADMIN)) == {"subject": "CN=mine"}
    assert results.successResultOf(table.call("https.make", {}, ADMIN)) == {"subject": "CN=new"}
    assert certificates.installed == ["KEY"]


def test_the_audit_never_sees_the_key(table, audit):
    table.call("https.install", {"pem": "KEY"}, ADMIN)
    results.failureResultOf(table.call("https.install", {"pem": "KEY"}, OTHER), Denied)
    results.failureResultOf(table.call("https.install", {"pem": "KEY" * PEM_MOST}, ADMIN), OutOfRange)
    assert len(audit) == 4
    assert "KEY" not in str(audit)
