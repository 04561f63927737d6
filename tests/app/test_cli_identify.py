"""concentrator.app.cli_identify: who is at a Modbus ID, asked of a running box or of a free port."""

import json

import pytest
import pytest_twisted
from twisted.internet.defer import fail, succeed
from twisted.internet.threads import deferToThread

from concentrator.actions.identifying import identifying_actions
from concentrator.actions.tasks import Tasks, task_actions
from concentrator.app.cli import main
from concentrator.model.errors import LineLost, Unknown
from tests.support.bus import start_bus
from tests.support.web import FakeBox

__all__ = ["start_bus"]

ROW = {
    "unit": 7,
    "line": "native",
    "text": "What answers at ID 7 fits the rule of energyCM CcM.",
    "answered": "function 03",
    "trouble": "",
    "known": "",
    "profiles": [
        {
            "profile": "energycm/ccm",
            "brand": "energyCM",
            "series": "CcM",
            "status": "proposed",
            "rules": 1,
            "values": 1,
            "missing": 0,
        }
    ],
    "serial": "0420020081",
    "model": "CcM4",
    "firmware": "",
    "values": [{"name": "v1", "label": "voltage L1", "value": 230.1, "unit": "V"}],
    "first": ["v1"],
    "missing": [],
}


@pytest.fixture
def box():
    box, box.found = FakeBox(), lambda: succeed(ROW)
    tasks = Tasks(box.wall)

    def use(line):
        if line != "native":
            raise Unknown(f"line {line}")
        return "polling"

    for action in (*identifying_actions(tasks, use, lambda *each: box.found(), None), *task_actions(tasks)):
        box.table.register(action)
    return box


@pytest.fixture
def config(served, tmp_path):
    """The configuration of the box that is served."""
    file = tmp_path / "my.toml"
    file.write_text(f'[box]\nstate_dir = "{served}"\n[line.native]\nendpoint = "serial:/dev/null"\n')
    return str(file)


@pytest_twisted.ensureDeferred
async def test_the_running_box_is_asked(config, run):
    status, out, err = await run("identify", "native", "7", place=("--config", config))
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == ROW["text"]
    assert lines[3].split() == ["energycm/ccm", "1", "1", "0", "energyCM", "CcM", "proposed"]
    assert "model CcM4, serial 0420020081" in lines and "  v1  voltage L1  230.1  V" in lines
    assert lines[-1] == "To add it: ccmaster devices add UID --line native --profile energycm/ccm --address 7"
    assert json.loads((await run("identify", "native", "7", "--json", place=("--config", config)))[1]) == ROW


@pytest_twisted.ensureDeferred
async def test_nobody_there_is_status_1(box, config, run):
    box.found = lambda: succeed(ROW | {"answered": "", "profiles": [], "text": "Nothing answered at ID 7."})
    assert (await run("identify", "native", "7", place=("--config", config)))[:2] == (1, "Nothing answered at ID 7.\n")


@pytest_twisted.ensureDeferred
async def test_what_the_box_cannot_do_is_its_words(box, config, run):
    status, _, err = await run("identify", "nativ", "7", place=("--config", config))
    assert (status, err) == (1, "ccmaster: There is nothing of this name: line nativ\n")
    box.found = lambda: fail(LineLost("native: unplugged"))
    status, _, err = await run("identify", "native", "7", place=("--config", config))
    assert (status, err) == (1, "ccmaster: The line is not there: native: unplugged\n")


def test_where_no_box_runs_the_port_itself_is_asked(start_bus, tmp_path, capsys, monkeypatch):
    bus, asked = start_bus("--meters", "1", "--instant"), []
    file = tmp_path / "my.toml"
    file.write_text(f'[box]\nstate_dir = "."\n[line.native]\nendpoint = "serial:{bus.port}:baudrate=9600"\n')

    def identify_alone(search, bar):
        asked.append((search.place.line, search.unit, [each.settings for each in search.wires], search.may_search))
        return ROW, ""

    monkeypatch.setattr("concentrator.app.identify.identify_alone", identify_alone)
    assert main(["identify", "native", "7", "--config", str(file)]) == 0
    assert main(["identify", f"serial:{bus.port}:baudrate=9600:parity=E", "3", "--only"]) == 0
    assert asked == [("native", 7, ["9600 8N1", "9600 8E1"], True), ("", 3, ["9600 8E1"], False)]
    assert ROW["text"] in capsys.readouterr().out


@pytest.mark.parametrize("words", [["native"], ["native", "0"], ["native", "248"], ["native", "7", "--timeout", "x"]])
def test_a_wrong_command_line_is_status_2(words, capsys):
    with pytest.raises(SystemExit) as error:
        main(["identify", *words])
    assert error.value.code == 2
    assert "error: " in capsys.readouterr().err


@pytest_twisted.ensureDeferred
async def test_a_wrong_port_is_said(capsys):
    with pytest.raises(SystemExit) as error:
        await deferToThread(main, ["identify", "serial:/dev/null:speed=3", "7"])
    assert error.value.code == 2
    assert "speed is none of" in capsys.readouterr().err


def test_it_has_help_with_examples(capsys):
    with pytest.raises(SystemExit):
        main(["identify", "--help"])
    assert "ccmaster identify tcp:192.168.4.20:502 1" in capsys.readouterr().out
