"""concentrator.app.cli_slave: the map and the slave ports of a running box, for people and programs."""

import json

import pytest

from concentrator.app.cli import main
from tests.support.slave_box import SlaveBox

STATES = [
    {
        "name": "scada",
        "where": "tcp:1502",
        "unit": 1,
        "serves": "map",
        "device": "",
        "is_open": True,
        "trouble": "",
        "clients": ["10.0.0.5"],
        "reads": 12,
        "writes": 0,
        "refused": {"2": 3},
        "last_asked": 1_795_000_000.0,
        "figures": {"denied": 1, "crowded": 0, "strange": 0},
    },
    {
        "name": "wire",
        "where": "line out",
        "unit": 7,
        "serves": "mirror",
        "device": "m1",
        "is_open": False,
        "trouble": "/dev/ttyX: the port is not there",
        "clients": [],
        "reads": 0,
        "writes": 0,
        "refused": {},
        "last_asked": None,
        "figures": {"others": 4},
    },
]


@pytest.fixture
def answered(monkeypatch):
    answers = {}
    monkeypatch.setattr("concentrator.app.control.act", lambda state_dir, name, **arguments: answers[name])
    return answers


def test_the_states_are_told_in_words(answered, capsys, tmp_path):
    answered["slave.states"] = STATES
    assert main(["slave", "states", "--state-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "scada: map at tcp:1502, Modbus ID 1: open",
        "  12 reads, 0 writes, refused: exception 2 3 times",
        "  last asked 2026-11-18 11:06:40 UTC",
        "  connected: 10.0.0.5",
        "  of its port: denied 1",
        "wire: mirror of m1 at line out, Modbus ID 7: /dev/ttyX: the port is not there",
        "  0 reads, 0 writes",
        "  of its line: others 4",
    ]
    answered["slave.states"] = []
    main(["slave", "states", "--state-dir", str(tmp_path)])
    assert capsys.readouterr().out == "no slave ports\n"


def test_the_map_is_told_for_people_and_programs(answered, capsys, tmp_path):
    answered["slave.map"] = SlaveBox(tmp_path).slaves.mapped()
    assert main(["slave", "map", "--state-dir", str(tmp_path)]) == 0
    assert "40000   2  string   SID" in capsys.readouterr().out
    assert main(["slave", "map", "--json", "--state-dir", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["base"] == 40000


def test_without_a_word_it_says_what_there_is(capsys):
    assert main(["slave"]) == 0
    assert "states" in capsys.readouterr().out
