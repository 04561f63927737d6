"""concentrator.app.cli_sms: short messages of a running box, for people and programs."""

import json

import pytest

from concentrator.app.cli import main

MESSAGE = {"at": 1_795_000_000.0, "direction": "out", "number": "…666", "text": "GENSET ALARM", "kind": "answer"}
STATE = {
    "name": "main",
    "driver": "at",
    "standing": "Ready",
    "is_ready": True,
    "trouble": "",
    "operator": "Some Net",
    "signal": 58,
    "numbers": ["…666", "…678"],
    "waiting": 1,
    "received": 3,
    "refused": 1,
    "answered": 2,
    "messages": [
        {**MESSAGE, "fate": "delivered", "reason": ""},
        {**MESSAGE, "fate": "failed", "reason": "there is no SIM"},
        {**MESSAGE, "direction": "in", "number": "…111", "text": "", "fate": "received", "reason": ""},
    ],
}
OTHER = {**STATE, "name": "spare", "standing": "Closed", "operator": "", "signal": None, "messages": [], "numbers": []}
OTHER["trouble"] = "/dev/ttyUSB2: the port is not there"


@pytest.fixture
def asked(monkeypatch):
    """What was asked of the box, which has two modems."""
    found = []

    def act(state_dir, name, /, **arguments):
        found.append((name, {key: value for key, value in arguments.items() if value is not None}))
        return [STATE, OTHER]

    monkeypatch.setattr("concentrator.app.control.act", act)
    return found


def test_the_state_is_told_in_words(asked, capsys, tmp_path):
    assert main(["sms", "state", "--state-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "main: Ready, Some Net, signal 58 %",
        "  3 received, 1 refused, 2 answered",
        "  to …666, …678; 1 wait",
        "  2026-11-18 11:06:40 UTC to …666, delivered: GENSET ALARM",
        "  2026-11-18 11:06:40 UTC to …666, failed (there is no SIM): GENSET ALARM",
        "  2026-11-18 11:06:40 UTC from …111, received",
        "spare: Closed: /dev/ttyUSB2: the port is not there",
        "  3 received, 1 refused, 2 answered",
        "  to nobody; 1 wait",
    ]
    main(["sms", "state", "--state-dir", str(tmp_path), "--json"])
    assert json.loads(capsys.readouterr().out) == [STATE, OTHER]


def test_a_message_is_sent_to_all_or_to_one(asked, capsys, tmp_path):
    main(["sms", "send", "main", "a trial", "--state-dir", str(tmp_path)])
    main(["sms", "send", "main", "a trial", "--to", "861366666666", "--state-dir", str(tmp_path), "--json"])
    assert asked == [
        ("sms.send", {"name": "main", "text": "a trial"}),
        ("sms.send", {"name": "main", "text": "a trial", "number": "861366666666"}),
    ]


def test_without_a_modem_that_is_said(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("concentrator.app.control.act", lambda *_, **__: [])
    main(["sms", "state", "--state-dir", str(tmp_path)])
    assert capsys.readouterr().out == "no section [sms.NAME]\n"
    assert main(["sms"]) == 0
