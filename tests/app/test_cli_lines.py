"""The commands about lines, asking a box over a real control socket."""

import json
import tomllib

import pytest
import pytest_twisted

from concentrator.actions.tracing import tracing_actions
from concentrator.api import LineState
from concentrator.app.cli import main
from concentrator.line.trace import Traced
from concentrator.profile.catalogue import Catalogue
from tests.support.web import NOW, FakeBox

CCM = Catalogue().get("energycm/ccm")
FAST = CCM.evidence[0]


@pytest.fixture
def box():
    box = FakeBox()
    box.lines = [LineState("native", "serial:x", True, "", {"requests": 9}, "native", {"1": {"requests": 9}})]
    box.owners = {1: ("main", CCM)}
    box.exchanges = [Traced(NOW - 3 + n, NOW - 2.9 + n, 1, FAST.request, FAST.response, "") for n in range(3)]
    for action in tracing_actions(box.traces):
        box.table.register(action)
    return box


@pytest_twisted.ensureDeferred
async def test_lines_are_told_all_together_or_one_with_its_stations(run):
    status, out, _ = await run("lines")
    assert status == 0 and out.splitlines()[1].startswith("native  open   9")
    status, out, _ = await run("lines", "native")
    assert status == 0 and out.splitlines()[3].split()[:3] == ["1", "main", "9"]
    assert json.loads((await run("lines", "--json"))[1])[0]["name"] == "native"
    assert json.loads((await run("lines", "native", "--json"))[1])["devices"] == {"1": "main"}
    status, _, err = await run("lines", "nativ")
    assert (status, err) == (1, "ccmaster: There is nothing of this name: line nativ (did you mean native?)\n")


@pytest_twisted.ensureDeferred
async def test_a_trace_is_printed_whole_or_its_newest_part(run):
    status, out, _ = await run("trace", "native")
    assert status == 0 and len(out.splitlines()) == 9
    assert out.splitlines()[0] == "2026-11-21T09:41:04.000Z  ID 1 (main)  read 52 holding registers at 0x0100  100.0 ms"
    assert len((await run("trace", "native", "--last", "1"))[1].splitlines()) == 3
    assert len(json.loads((await run("trace", "native", "--last", "2", "--json"))[1])) == 2


@pytest_twisted.ensureDeferred
async def test_a_trace_is_followed_until_ctrl_c(box, run, monkeypatch):
    looks = []

    def passing(seconds):
        looks.append(seconds)
        if len(looks) > 2:
            raise KeyboardInterrupt
        at = NOW + len(looks)
        box.exchanges.append(Traced(at, at + 0.1, 1, FAST.request, b"", "The device did not answer in time."))

    monkeypatch.setattr("concentrator.app.trace.time.sleep", passing)
    status, out, _ = await run("trace", "native", "--last", "1", "--follow")
    assert status == 130
    assert [line[:24] for line in out.splitlines() if line.startswith("2026")] == [
        "2026-11-21T09:41:06.000Z",
        "2026-11-21T09:41:08.000Z",
        "2026-11-21T09:41:09.000Z",
    ]
    looks.clear()
    status, out, _ = await run("trace", "native", "--last", "1", "--follow", "--json")
    assert [json.loads(line)["device"] for line in out.splitlines()] == ["main"] * 3


@pytest_twisted.ensureDeferred
async def test_evidence_pasted_into_a_copy_of_the_profile_passes_the_check_of_profiles(run, tmp_path, capsys):
    status, evidence, err = await run("trace", "native", "--evidence")
    assert (status, err) == (0, "")
    (said,) = tomllib.loads(evidence)["evidence"]
    assert said["values"] == FAST.values
    (tmp_path / "own/energycm").mkdir(parents=True)
    shipped = next(folder for folder in Catalogue()._folders if (folder / "energycm/ccm.toml").is_file())
    copy = tmp_path / "own/energycm/ccm.toml"
    copy.write_text((shipped / "energycm/ccm.toml").read_text() + "\n" + evidence)
    assert main(["profiles", "check", str(tmp_path / "own")]) == 0
    assert capsys.readouterr().err == ""
    assert len(Catalogue([tmp_path / "own"], shipped=()).get("energycm/ccm").evidence) == len(CCM.evidence) + 1


@pytest_twisted.ensureDeferred
async def test_a_trace_without_evidence_says_so_where_it_is_not_in_the_way(box, run):
    box.exchanges = []
    status, out, err = await run("trace", "native", "--evidence")
    assert (status, out) == (0, "")
    assert err == "ccmaster: no answered read of a known device is in the trace of native\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trace"], "the following arguments are required: LINE"),
        (["trace", "native", "--follow", "--evidence"], "not allowed with"),
        (["trace", "native", "--last", "0"], "expected a whole number from 1 on"),
        (["scan"], "the following arguments are required"),
        (["scan", "native", "--ids", "0-3"], "expected a whole number from 1 on"),
        (["scan", "native", "--ids", "9-3"], "expected IDs of 1 to 247"),
        (["scan", "native", "--ids", "240-248"], "expected IDs of 1 to 247"),
        (["scan", "native", "--parities", "N,X"], "expected some of N, E, O"),
        (["scan", "native", "--timeout", "soon"], "expected seconds, 0.01 to 10"),
        (["scan", "native", "--timeout", "11"], "expected seconds, 0.01 to 10"),
        (["scan", "native", "--while-polling", "--ids", "1,9"], "one span of IDs"),
        (["scan", "native", "--while-polling", "--baudrates", "9600"], "leaves the line's settings"),
    ],
)
def test_a_wrong_command_line_is_said_with_status_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", ["lines", "trace", "scan"])
def test_every_command_has_help_with_examples(command, capsys):
    with pytest.raises(SystemExit) as error:
        main([command, "--help"])
    assert error.value.code == 0
    assert f"ccmaster {command}" in capsys.readouterr().out.partition("examples:")[2]


def test_the_port_of_a_scan_that_is_written_wrong_is_said_with_status_1(capsys):
    assert main(["scan", "serial:/dev/x:parity=M"]) == 1
    assert "parity=M is none of N, E, O" in capsys.readouterr().err


def test_a_scan_of_a_line_that_is_not_configured_is_said(tmp_path, capsys):
    file = tmp_path / "my.toml"
    file.write_text('[box]\nstate_dir = "."\n[line.native]\nendpoint = "serial:/dev/x"\n')
    assert main(["scan", "nativ", "--config", str(file)]) == 1
    assert "line nativ (did you mean native?)" in capsys.readouterr().err
