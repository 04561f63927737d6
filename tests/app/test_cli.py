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
from concentrator.actions.present import present_actions
from concentrator.actions.table import ActionTable
from concentrator.api import DeviceState, LineState, UplinkState
from concentrator.app.cli import main
from concentrator.journal.database import open_database
from concentrator.journal.tables import Row, Tables
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.record import Draft, Tally
from concentrator.portal.doors import build_control_site

ROOT = Path(__file__).parents[2]


class Wall:
    def now(self):
        return 1_795_000_000.0

    def is_trusted(self):
        return True


def stated(name, kind, address, **keys):
    return UplinkState(name, kind, address, **keys)


@pytest.fixture
def box(tmp_path):
    """A box's real control socket over states of its own; gives its state folder."""
    table = ActionTable(lambda entry: None)
    actions = present_actions(
        box=lambda: {"serial": "4220080001", "model": "PRO", "version": "0.1.0", "uptime_s": 11_000.0},
        devices=lambda: [
            DeviceState("main", "Main", "0420020081", "CcM4", "0X2C06", "MB_RTU_CCM", "native", 1, "answering",
                        1_795_000_000.0, "", {}, ()),
            DeviceState("two", "", "", "", "", "MB_RTU_CCM", "native", 2, "silent", None, "no answer", {}, ()),
        ],
        lines=lambda: [
            LineState("native", "serial:/dev/ttyUSB0", True),
            LineState("b", "serial:/dev/x", False, "/dev/x: the port is not there"),
        ],
        uplinks=lambda: [
            stated("mqtt", "mqtt", "mqtt://b:1883", is_up=True, since=1_795_000_000.0, waiting=3, delivered=7),
            stated("ftp", "ftp", "ftp://f", trouble="refused"),
        ],
        wall=Wall(),
    )  # fmt: skip
    for action in actions:
        table.register(action)
    port = reactor.listenUNIX(str(tmp_path / "control.sock"), build_control_site(table, clock=Clock()))
    yield tmp_path
    pytest_twisted.blockon(port.stopListening())


@pytest_twisted.ensureDeferred
async def test_status_says_how_the_box_is(box, capsys):
    assert await deferToThread(main, ["status", "--state-dir", str(box)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "CcMaster 4220080001 (PRO), version 0.1.0, up 3 h 3 min",
        "  devices  2: 1 answering, 1 silent",
        "  line     native (serial:/dev/ttyUSB0): open",
        "  line     b (serial:/dev/x): not open: /dev/x: the port is not there",
        "  uplink   mqtt (mqtt://b:1883): up since 2026-11-18T11:06:40Z, 7 delivered, 3 waiting",
        "  uplink   ftp (ftp://f): down, 0 delivered: refused",
    ]


@pytest_twisted.ensureDeferred
async def test_status_as_json_is_what_the_box_answers(box, capsys):
    assert await deferToThread(main, ["status", "--state-dir", str(box), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["devices"]["total"] == 2


@pytest_twisted.ensureDeferred
async def test_devices_are_a_table(box, capsys):
    assert await deferToThread(main, ["devices", "--state-dir", str(box)]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["DEVICE", "ALIAS", "SERIAL", "MODEL"]
    assert first.split()[:4] == ["main", "Main", "0420020081", "CcM4"]
    assert second.endswith("silent                           no answer")


@pytest_twisted.ensureDeferred
async def test_the_state_folder_comes_from_the_configuration_even_with_faults(box, capsys):
    file = box / "my.toml"
    file.write_text('[box]\nstate_dir = "."\n[line.a]\nendpoint = 3\n')
    assert await deferToThread(main, ["status", "--config", str(file)]) == 0
    assert "4220080001" in capsys.readouterr().out


def test_a_box_that_is_not_running_is_said_so(tmp_path, capsys):
    assert main(["status", "--state-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"ccmaster: No running concentrator answers: nobody listens at {tmp_path}/control.sock; is it running, and is "
        "this its state folder?\n"
    )


def test_a_socket_that_nobody_serves_any_more_is_said_so(tmp_path, capsys):
    import socket

    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "control.sock"))
    dead.close()
    assert main(["devices", "--state-dir", str(tmp_path)]) == 1
    assert "nobody listens at" in capsys.readouterr().err


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


P = Quantity("p", "W", Kind.INSTANTANEOUS, digits=1)
EA = Quantity("ea_imp", "kWh", Kind.COUNTER, digits=3)


@pytest.fixture
def journal(tmp_path):
    """A journal that is being written, as `tmp_path`/journal.db, with 2500 intervals of two devices and one event."""
    database = open_database(tmp_path / "journal.db", "x")
    tables = Tables(database)
    drafts = [
        Draft(
            uid, serial, 1_795_000_000 + 10 * n, 10, (P, EA), (Tally(2, 4603, 2300, 2303, 2303), Tally(2, n, n, n, n))
        )
        for n in range(1250)
        for uid, serial in (("main", "0420020081"), ("two", "0420020082"))
    ]
    drafts.append(Draft("main", "0420020081", 1_795_000_007, 0, event={"event": "device.lost", "text": "no answer"}))
    rows = [Row.of(n, draft) for n, draft in enumerate(drafts, 1)]
    epoch, _ = tables.commit([lambda on: on.begin_epoch(1, 0), lambda on: on.insert(rows)])
    yield tmp_path, epoch, database
    database.close()


def test_a_journal_is_printed_beside_who_writes_it(journal, capsys):
    folder, epoch, _ = journal
    assert main(["journal", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2501
    assert lines[0] == f"{epoch}/1  2026-11-18T11:06:40Z    10 s  main  good  p=230.2 ea_imp=0.0"
    assert lines[-1] == f"{epoch}/2501  2026-11-18T11:06:47Z   event  main  good  event=device.lost text=no answer"


def test_a_journal_at_rest_is_printed_and_left_as_it_is(journal, capsys):
    folder, _, database = journal
    database.close()
    before = (folder / "journal.db").read_bytes()
    assert main(["journal", str(folder / "journal.db"), "--period", "0"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert (folder / "journal.db").read_bytes() == before


@pytest.mark.parametrize("device", ["two", "0420020082"])
def test_one_device_and_one_period_can_be_asked_for(journal, capsys, device):
    assert main(["journal", str(journal[0]), "--period", "10", "--device", device, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(found) == 1250
    assert found[1] == {
        "j": journal[1],
        "n": 4,
        "device": "two",
        "serial": "0420020082",
        "ts": "2026-11-18T11:06:50Z",
        "period": 10,
        "values": {"p": 230.2, "ea_imp": 0.001},
        "quality": "good",
    }


def test_a_journal_as_csv_has_a_line_a_value(journal, capsys):
    folder, epoch, _ = journal
    assert main(["journal", str(folder), "--device", "main", "--csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "journal,n,time,period,device,serial,quality,variable,unit,value"
    assert lines[1] == f"{epoch},1,2026-11-18T11:06:40Z,10,main,0420020081,good,p,W,230.2"
    assert lines[-1].endswith(',event,,"{""event"": ""device.lost"", ""text"": ""no answer""}"')
    assert len(lines) == 1 + 2 * 1250 + 1


def test_a_file_that_is_no_journal_is_said_so(tmp_path, capsys):
    (tmp_path / "journal.db").write_text("nothing of the kind")
    assert main(["journal", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("ccmaster: The journal")
    assert main(["journal", str(tmp_path / "none.db")]) == 1
    assert "there is no such file" in capsys.readouterr().err


def test_the_catalogue_is_listed(capsys):
    assert main(["profiles"]) == 0
    assert "energycm/ccm" in capsys.readouterr().out
    assert main(["profiles", "--json"]) == 0
    assert "energycm/ccm" in [each["key"] for each in json.loads(capsys.readouterr().out)]


def test_ones_own_profiles_are_checked_with_every_fault(tmp_path, capsys):
    assert main(["profiles", str(ROOT / "plugins")]) == 0
    for name in ("one", "two"):
        (tmp_path / "acme").mkdir(exist_ok=True)
        (tmp_path / "acme" / f"{name}.toml").write_text("[profile]\nbrnad = 1\n")
    assert main(["profiles", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert f"{tmp_path}/acme/one.toml: [profile] brnad: found an unknown key" in err
    assert f"{tmp_path}/acme/two.toml: " in err


def test_a_folder_without_profiles_is_a_fault(tmp_path, capsys):
    assert main(["profiles", str(tmp_path)]) == 2
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


def test_output_that_nobody_reads_to_its_end_is_no_error(journal):
    run = f"{sys.executable} -m concentrator.app.cli journal {journal[0]} | head -1"
    done = subprocess.run(["sh", "-c", run], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")
