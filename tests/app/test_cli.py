import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from concentrator import __version__
from concentrator.app.cli import main
from concentrator.portal.doors import build_control_site
from tests.support.journals import NOON, Bench, event, interval
from tests.support.web import FakeBox

ROOT = Path(__file__).parents[2]


@pytest.fixture
def box(tmp_path):
    """The state folder of a box with a real control socket."""
    port = reactor.listenUNIX(str(tmp_path / "control.sock"), build_control_site(FakeBox().table, clock=Clock()))
    yield tmp_path
    pytest_twisted.blockon(port.stopListening())


@pytest_twisted.ensureDeferred
async def test_a_running_box_is_asked_how_it_is(box, capsys):
    assert await deferToThread(main, ["status", "--state-dir", str(box)]) == 0
    assert capsys.readouterr().out.startswith("CcMaster 4220080001 (PRO)")
    assert await deferToThread(main, ["status", "--state-dir", str(box), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["devices"]["total"] == 2
    assert await deferToThread(main, ["devices", "--state-dir", str(box)]) == 0
    assert "workshop" in capsys.readouterr().out


@pytest_twisted.ensureDeferred
async def test_the_state_folder_comes_from_the_configuration_even_with_faults(box, capsys):
    file = box / "my.toml"
    file.write_text('[box]\nstate_dir = "."\n[line.a]\nendpoint = 3\n')
    assert await deferToThread(main, ["status", "--config", str(file)]) == 0
    assert "4220080001" in capsys.readouterr().out


def test_a_box_that_is_not_running_is_one_sentence_and_status_1(tmp_path, capsys):
    assert main(["status", "--state-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("ccmaster: No running concentrator answers: nobody listens at ")


def test_run_checks_then_becomes_twistd(tmp_path, monkeypatch):
    became = []
    monkeypatch.setattr(os, "execve", lambda path, command, environment: became.append((path, command, environment)))
    file = tmp_path / "my.toml"
    file.write_text("")
    main(["run", "--config", str(file), "--logfile=x.log"])
    ((path, command, environment),) = became
    assert path == command[0]
    assert command[-6:] == ["-n", "--pidfile=", "--logfile=x.log", "ccmaster", "--config", str(file)]
    assert environment["PYTHONPATH"].split(os.pathsep)[0] == str(ROOT)


def test_run_of_a_file_with_faults_starts_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("it started"))
    file = tmp_path / "my.toml"
    file.write_text("[box]\nmodel = 1\n[web]\nuser = 2\n")
    assert main(["run", "--config", str(file)]) == 2
    assert [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()] == ["[box] model", "[web] user"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["chek"], ["check"], ["check", "a", "b"], ["status", "--logfile=x"], ["demo", "--meters", "34"],
     ["demo", "--mqtt-port", "0"], ["journal", ".", "--json", "--csv"], ["completion", "fish"]],
)  # fmt: skip
def test_a_wrong_command_line_is_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "check", "demo", "status", "devices", "journal", "profiles", "completion"])
def test_every_command_has_help_with_examples(command, capsys):
    with pytest.raises(SystemExit) as error:
        main([command, "--help"])
    assert error.value.code == 0
    out = capsys.readouterr().out
    assert "examples:\n  " in out
    assert f"ccmaster {command}" in out.partition("examples:")[2]


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"CcMaster {__version__}\n"


@pytest.fixture
def state(tmp_path):
    """A state folder with a journal of 300 intervals and an event."""
    bench = Bench(tmp_path / "journal.db")
    drafts = [interval(end=NOON + 10 * n, watts=n) for n in range(300)]
    bench.append(bench.journal(), *drafts, event(), event(uid="two"))
    yield tmp_path
    bench.end()


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ([], 302),
        (["--period", "10"], 300),
        (["--period", "0", "--device", "two"], 1),
        (["--json"], 302),
        (["--csv"], 1 + 2 * 300 + 2),
    ],
)
def test_a_journal_is_printed_beside_who_writes_it(state, capsys, options, lines):
    assert main(["journal", str(state), *options]) == 0
    assert len(capsys.readouterr().out.splitlines()) == lines


def test_a_file_that_is_no_journal_is_one_sentence_and_status_1(tmp_path, capsys):
    assert main(["journal", str(tmp_path / "none.db")]) == 1
    assert capsys.readouterr().err == (
        f"ccmaster: The journal cannot do this: {tmp_path}/none.db: there is no such file\n"
    )


def test_the_catalogue_is_listed(capsys):
    assert main(["profiles"]) == 0
    assert "energycm/ccm" in capsys.readouterr().out
    assert main(["profiles", "--json"]) == 0
    assert "energycm/ccm" in [each["key"] for each in json.loads(capsys.readouterr().out)]


def test_ones_own_profiles_are_checked(tmp_path, capsys):
    assert main(["profiles", "check", str(ROOT / "plugins" / "energycm" / "ccm.toml")]) == 0
    assert capsys.readouterr().out.startswith("energycm/ccm: 66 variables in ")
    assert main(["profiles", "check", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{tmp_path}: found no profile, expected a folder with files BRAND/SERIES.toml\n"


def test_shells_are_told_how_to_complete(tmp_path):
    answer = tmp_path / "answer"
    line = "ccmaster st"
    told = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9", "IFS": "\n"}
    told |= {"_ARGCOMPLETE_STDOUT_FILENAME": str(answer), "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-m", "concentrator.app.cli"]
    subprocess.run(run, env=os.environ | told, cwd=tmp_path, check=True, timeout=30)
    assert answer.read_text().split() == ["status"]
    for shell in ("bash", "zsh"):
        code = subprocess.run([*run, "completion", shell], cwd=ROOT, capture_output=True, text=True, check=True)
        assert "ccmaster" in code.stdout


def test_the_command_line_loads_nothing_heavy_before_it_knows_what_is_asked():
    code = (
        "import sys; from concentrator.app.cli import main\ntry: main(['status', '--help'])\nexcept SystemExit: pass\n"
    )
    code += "print(*[each for each in ('twisted', 'sqlite3', 'serial', 'attrs', 'jinja2') if each in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "attrs"


def test_output_that_nobody_reads_to_its_end_is_no_error(state):
    run = f"{sys.executable} -m concentrator.app.cli journal {state} | head -1"
    done = subprocess.run(["sh", "-c", run], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")
