"""concentrator.app.messages: messengers come and go with the settings, and ask and order by actions."""

import os
import sys

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet.defer import Deferred, succeed
from twisted.internet.testing import MemoryReactorClock

from concentrator.actions.gensets import status_json
from concentrator.actions.table import Permission
from concentrator.api import Happened
from concentrator.app.config_sections import Config
from concentrator.app.config_sms import SmsSection
from concentrator.app.messages import OrderedGenset, build, status_of
from concentrator.model.errors import NotConfirmed, Unknown
from concentrator.model.genset import Alarm, GensetStatus, Mode
from tests.support.records import FixedWall

KNOWN = "861366666666"
STATUS = GensetStatus(
    mode=Mode.AUTO,
    is_running=True,
    alarm=Alarm.WARNING,
    mains_ok=False,
    gen_on_load=True,
    engine="normal running",
    alarms=("fuel low",),
    details={"gen_v1": 230.5, "speed": 1500},
    units={"gen_v1": "V", "speed": "r/min"},
)


class Around:
    """What a way has around it, as far as messages need it."""

    def __init__(self, reactor=None):
        self.reactor = reactor or MemoryReactorClock()
        self.wall, self.events, self.asked, self.listeners = FixedWall(), [], [], []
        self.outcome = "confirmed"
        self.front = self
        self.sources = type("Sources", (), {})()
        self.field_ = self

    def alias(self, uid):
        return f"Genset {uid}"

    def report(self, name, facts):
        self.events.append((name, facts))

    def heard(self, listener):
        self.listeners.append(listener)

    def happened(self, name, facts):
        for listener in self.listeners:
            listener(Happened(1, 0.0, name, facts))

    def ask(self, action, arguments, caller):
        self.asked.append((action, arguments, caller))
        if action == "genset.status":
            return succeed({"uid": "gen", **status_json(STATUS)})
        return succeed({"outcome": self.outcome})


def section(**keys):
    made = SmsSection(driver="at", endpoint="tcp:10.0.0.7:5000", numbers=(KNOWN,), device="gen")
    return evolve(made, **keys)


def configured(**sections):
    return Config(None, services={"sms": sections})


@pytest.fixture
def around():
    return Around()


def test_messengers_come_and_go_with_the_settings(around):
    messages = build(around)
    messages.start(configured(main=section()))
    messages.start(configured(main=section()))
    assert [client[:2] for client in around.reactor.tcpClients] == [("10.0.0.7", 5000)]
    (state,) = messages.states()
    assert (state.name, state.driver, state.numbers) == ("main", "at", ["…666"])
    messages.leave(configured(main=section()))
    assert len(messages.states()) == 1
    messages.leave(configured(main=section(warnings=True)))
    assert messages.states() == []
    messages.start(configured(main=section(warnings=True), off=section(enabled=False)))
    assert len(messages.states()) == 1
    messages.stop()
    assert messages.states() == []


def test_alarms_of_the_box_wait_for_the_modem(around):
    messages = build(around)
    messages.start(configured(main=section()))
    facts = {"device": "gen", "level": "shutdown", "active": True, "alarms": ["overspeed"], "text": "overspeed"}
    around.happened("genset.alarm", facts)
    around.reactor.pump([1.0] * 11)
    (state,) = messages.states()
    assert [each.text for each in state.messages] == ["Genset gen: SHUTDOWN ALARM: overspeed"]
    messages.stop()


def test_a_trial_is_sent_by_the_sections_name(around):
    messages = build(around)
    messages.start(configured(main=section()))
    messages.send("main", "hello", "")
    assert messages.states()[0].waiting == 1
    with pytest.raises(Unknown, match="did you mean main"):
        messages.send("mian", "hello", "")
    messages.stop()


def test_the_front_can_ask_for_a_sim(around):
    messages = build(around)
    assert around.sources.has_sim() is None
    messages.start(configured(main=section()))
    assert around.sources.has_sim() is None
    messages.stop()


def test_a_status_comes_back_from_json_as_it_was():
    assert status_of(status_json(STATUS)) == STATUS
    assert status_of(status_json(GensetStatus())) == GensetStatus()


def test_a_genset_is_asked_and_ordered_by_actions_with_the_senders_digits(around):
    genset, found = OrderedGenset("gen", around), []
    genset.status("sms …666").addCallback(found.append)
    genset.command("start", "sms …666").addCallback(found.append)
    assert found == [STATUS, {"outcome": "confirmed"}]
    assert [(action, arguments) for action, arguments, _ in around.asked] == [
        ("genset.status", {"uid": "gen"}),
        ("genset.command", {"uid": "gen", "command": "start"}),
    ]
    assert {(caller.name, caller.allowed) for *_, caller in around.asked} == {
        ("sms …666", frozenset((Permission.READ, Permission.WRITE)))
    }


def test_what_was_only_accepted_is_not_confirmed(around):
    around.outcome, found = "accepted", []
    OrderedGenset("gen", around).command("start", "sms …666").addErrback(found.append)
    assert found[0].check(NotConfirmed)


MMCLI = """
import json, os, sys
folder = os.path.dirname(sys.argv[0])
words = sys.argv[1:]
sms = "/org/freedesktop/ModemManager1/SMS/"
inbox, log = os.path.join(folder, "inbox"), os.path.join(folder, "log")
assert os.environ["LC_ALL"] == "C.UTF-8"
with open(log, "a") as out:
    out.write(json.dumps(words) + "\\n")
last = words[-2] if words[-1] == "-J" else words[-1]
if last == "--messaging-list-sms":
    print(json.dumps({"modem.messaging.sms": [sms + "1"] if os.path.exists(inbox) else []}))
elif last.startswith("--messaging-create-sms="):
    print("Successfully created new SMS: " + sms + "2")
elif last.startswith("--messaging-delete-sms=") and last.endswith("1"):
    os.unlink(inbox)
elif words[0] == "-s" and words[-1] == "-J":
    properties = {"pdu-type": "deliver", "state": "received", "timestamp": "--", "message-reference": "7"}
    content = {"number": "+861366666666", "text": "SMS AUTO MODE"}
    print(json.dumps({"sms": {"content": content, "properties": properties}}))
elif words[-1] == "-J":
    print(json.dumps({"modem": {"generic": {"state": "registered"}, "3gpp": {}}}))
"""


@pytest_twisted.ensureDeferred
async def test_a_modem_of_modemmanagers_takes_an_order_and_answers(tmp_path, monkeypatch):
    from twisted.internet import reactor

    program = tmp_path / "mmcli"
    program.write_text(f"#!{sys.executable}\n{MMCLI}")
    program.chmod(0o755)
    (tmp_path / "inbox").write_text("")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    around, answered = Around(reactor), Deferred()
    around.report = lambda name, facts: name == "sms.sent" and answered.callback(facts)
    messages = build(around)
    messages.start(configured(main=section(driver="modemmanager", endpoint=None)))
    facts = await answered.addTimeout(60, reactor)
    await messages.stop()
    assert (facts["number"], facts["kind"]) == ("…666", "answer")
    assert around.asked[0][1] == {"uid": "gen", "command": "auto"}
    assert 'text=\\"SMS AUTO MODE OK\\",number=+861366666666' in (tmp_path / "log").read_text()
    assert not (tmp_path / "inbox").exists()
