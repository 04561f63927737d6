"""The commands about settings, asking a box over a real control socket."""

import json

import pytest
import pytest_twisted

from concentrator.actions.settings import settings_actions
from concentrator.actions.system import system_actions
from concentrator.app.cli import main
from tests.support.web import FakeBox


class Settings:
    """What the box was told to change."""

    def __init__(self):
        self.told = []
        self.outcome = {
            "changed": ["mqtt.latency"],
            "live": ["mqtt.latency"],
            "restart": ["box.timezone"],
            "warnings": ["w"],
        }

    def shown(self, section, key):
        self.told.append((section, key))
        return {"values": {"mqtt": {"latency": "10 s", "port": None}}, "secrets": ["mqtt.password"]}

    def is_secret(self, section, key):
        return False

    def change(self, changes, caller, *, is_trial):
        self.told.append((changes, is_trial))
        return self.outcome


@pytest.fixture
def box():
    box = FakeBox()
    box.settings, box.rebooted = Settings(), []
    for action in (*settings_actions(box.settings), *system_actions(lambda what: box.rebooted.append(what) or 2.0)):
        box.table.register(action)
    return box


@pytest_twisted.ensureDeferred
async def test_settings_are_shown_and_secrets_named(box, run):
    for words in (["config"], ["config", "get"]):
        assert (await run(*words))[:2] == (0, 'mqtt.latency = "10 s"\nmqtt.port is not set\nmqtt.password is set\n')
    await run("config", "get", "mqtt", "latency")
    assert box.settings.told == [("", ""), ("", ""), ("mqtt", "latency")]
    assert json.loads((await run("config", "get", "--json"))[1])["secrets"] == ["mqtt.password"]


@pytest_twisted.ensureDeferred
async def test_settings_are_changed_as_they_are_typed(box, run):
    typed = ["latency=1 min", "port=1884", "enabled=true", 'allow=["read", "write"]', 'password="12"', "client_id="]
    status, out, _ = await run("config", "set", "mqtt", *typed, "--unset", "user")
    keys = {
        "latency": "1 min", "port": 1884, "enabled": True, "allow": ["read", "write"], "password": "12",
        "client_id": "", "user": None,
    }  # fmt: skip
    assert box.settings.told == [({"mqtt": keys}, False)]
    assert status == 0
    assert out.splitlines() == [
        "mqtt.latency: at work within a second",
        "box.timezone: at work after a restart of the program",
        "warning: w",
    ]
    assert (
        json.loads((await run("config", "set", "mqtt", "port=1", "--check-only", "--json"))[1]) == box.settings.outcome
    )
    assert box.settings.told[-1] == ({"mqtt": {"port": 1}}, True)


@pytest_twisted.ensureDeferred
async def test_a_value_that_toml_has_but_no_setting_can_stays_a_text(box, run):
    await run("config", "set", "mqtt", "user=2026-11-21", "host={x = 1}")
    assert box.settings.told == [({"mqtt": {"user": "2026-11-21", "host": "{x = 1}"}}, False)]


@pytest_twisted.ensureDeferred
async def test_nothing_to_change_is_said_so(box, run):
    box.settings.outcome = {"changed": [], "live": [], "restart": [], "warnings": []}
    assert (await run("config", "set", "mqtt", "port=1"))[1] == "nothing is changed: it is so already\n"
    status, _, complaint = await run("config", "set", "mqtt")
    assert status == 1 and "expected an object" in complaint


def test_what_is_no_pair_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["config", "set", "mqtt", "latency"])
    assert "expected KEY=VALUE" in capsys.readouterr().err


@pytest_twisted.ensureDeferred
async def test_the_box_is_started_anew(box, run):
    assert (await run("reboot"))[1] == "the service is started anew in 2 s\n"
    await run("reboot", "--machine")
    assert box.rebooted == ["service", "machine"]
