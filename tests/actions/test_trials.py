"""concentrator.actions.trials: trials are tasks, one at a time of each way out, and no secret is in the audit."""

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.actions.tasks import Tasks
from concentrator.actions.trials import trial_actions
from concentrator.model.errors import Busy, Denied, WrongArguments
from tests.support.records import FixedWall

results = SynchronousTestCase()
OWNER = Caller("owner", frozenset(Permission))


class Played:
    def __init__(self):
        self.asked, self.audit, self.tasks = [], [], Tasks(FixedWall())
        self.table = ActionTable(self.audit.append)
        self.end = lambda tell: Deferred()
        for action in trial_actions(self, self.tasks, lambda section, key: key == "password"):
            self.table.register(action)

    def mqtt(self, section, keys):
        self.asked.append((section, keys))
        return lambda tell: self.end(tell)

    def ftp(self, keys):
        return self.mqtt("ftp", keys)

    def begin(self, name, caller=OWNER, **arguments):
        return self.table.call(name, arguments, caller)


@pytest.fixture
def played():
    played = Played()
    yield played
    played.tasks.stop()


def test_a_trial_is_a_task_whose_result_is_its_stages(played):
    played.end = lambda tell: succeed({"passed": True})
    for name, arguments, asked in (
        ("mqtt.test", {}, ("mqtt", {})),
        ("mqtt.test", {"section": "mqtt.b", "changes": {"port": 1}}, ("mqtt.b", {"port": 1})),
        ("ftp.test", {"changes": {"port": 21}}, ("ftp", {"port": 21})),
    ):
        id = results.successResultOf(played.begin(name, **arguments))["task"]
        assert played.asked[-1] == asked
        assert (played.tasks.get(id).state, played.tasks.get(id).result) == ("done", {"passed": True})


def test_of_each_way_out_one_trial_goes_on_at_a_time(played):
    results.successResultOf(played.begin("mqtt.test"))
    results.failureResultOf(played.begin("mqtt.test"), Busy)
    results.successResultOf(played.begin("mqtt.test", section="mqtt.b"))
    results.successResultOf(played.begin("ftp.test"))
    played.tasks.all()[0].cancel()
    results.successResultOf(played.begin("mqtt.test"))


def test_who_may_not_change_settings_may_not_try_others(played):
    reader = Caller("reader", frozenset({Permission.READ}))
    for name in ("mqtt.test", "ftp.test"):
        results.failureResultOf(played.begin(name, caller=reader), Denied)
    assert played.asked == []


def test_what_is_no_value_of_a_key_is_refused_before_anything_is_tried(played):
    for value in ({"x": 1}, [[1]], [{}]):
        for name in ("mqtt.test", "ftp.test"):
            refused = results.failureResultOf(played.begin(name, changes={"port": value}), WrongArguments)
            assert ".port: found " in str(refused.value)
    assert played.asked == []


def test_secrets_are_not_in_the_audit(played):
    results.successResultOf(played.begin("mqtt.test", changes={"password": "s3cret", "port": 1}))
    results.successResultOf(played.begin("ftp.test", changes={"password": "s3cret"}))
    assert "s3cret" not in str(played.audit)
    assert played.audit[0].arguments == {"section": "mqtt", "changes": {"password": "…", "port": 1}}
