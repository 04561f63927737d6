"""concentrator.app.cli_smartgen: the cloud sessions of a running box, for people and programs."""

import json

import pytest
from attrs import asdict

from concentrator.actions.smartgen import CloudState
from concentrator.app.cli import main

STATE = CloudState(
    name="one",
    device="gen",
    standing="Online",
    is_logged_in=True,
    is_online=True,
    server="tcp:cm.example:81",
    hostid="383033313334510900560037",
    hostname="Site",
    model="HGM6120",
    module_type=0,
    module_type_name="AMF module",
    port="rs485",
    baudrate=9600,
    is_searched_for=False,
    rate_s=3.0,
    mode="changes",
    module_time="2026-11-21 22:00:00",
    since="2026-11-21T14:00:00Z",
    always=["01030000005045F6"],
    figures={"rounds": 7, "refused": 0},
)


@pytest.fixture
def asked(monkeypatch):
    """What was asked of the box."""
    found = []

    def act(state_dir, name, /, **arguments):
        found.append((name, arguments))
        return [asdict(STATE)] if name == "smartgen.sessions" else {"changed": ["smartgen.one.site"], "live": []}

    monkeypatch.setattr("concentrator.app.control.act", act)
    return found


def test_the_sessions_are_told_in_words(asked, capsys, tmp_path):
    assert main(["smartgen", "sessions", "--state-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "one: gen at tcp:cm.example:81: Online, since 2026-11-21T14:00:00Z",
        "  Site, ID 383033313334510900560037, HGM6120 (AMF module)",
        "  port rs485, 9600 bit/s",
        "  uploads changes of 1 reads every 3 s",
        "  rounds 7",
    ]


def test_the_sessions_are_told_to_programs(asked, capsys, tmp_path):
    assert main(["smartgen", "sessions", "--json", "--state-dir", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)[0]["hostid"] == STATE.hostid


def test_factory_settings_are_asked_for_by_name(asked, capsys, tmp_path):
    assert main(["smartgen", "reset", "one", "--state-dir", str(tmp_path)]) == 0
    assert asked == [("smartgen.reset_defaults", {"session": "one"})]
    assert capsys.readouterr().out == "back to the factory's: site\n"


def test_a_box_without_sessions_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("concentrator.app.control.act", lambda *_, **__: [])
    assert main(["smartgen", "sessions", "--state-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "no section [smartgen.NAME]\n"
    assert main(["smartgen"]) == 0
