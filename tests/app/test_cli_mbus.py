"""`ccmaster mbus`: with the port to itself, and what is said where something is wrong."""

import json
import subprocess
import sys

import pytest

from concentrator.app.cli import main
from concentrator.app.cli_mbus import _DECODE_EXAMPLES
from concentrator.model.errors import Garbled
from concentrator.poll.mbus_search import FoundMeter
from tests.support.mbus import simulated_mbus

TELEGRAM = "681F1F680802727856341224400107550000000313153100DA023B13018B60043718021816"


def ran(*arguments):
    """What `ccmaster` says in a process of its own, for it needs a reactor of its own."""
    command = [sys.executable, "-c", "import sys; from concentrator.app.cli import main; sys.exit(main())", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def meters():
    with simulated_mbus("--meters", "3", "--baudrate", "38400", "--seed", "cli") as simulated:
        yield simulated


def test_all_meters_of_a_port_are_found(meters):
    done = ran("mbus", "search", f"serial:{meters['port']}:baudrate=38400:parity=N", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert [each["address"] for each in json.loads(done.stdout)] == sorted(meters["addresses"])


def test_a_meter_is_read_by_its_digits(meters):
    address = next(iter(meters["addresses"]))
    done = ran("mbus", "read", f"serial:{meters['port']}:parity=N", address[:8], "--baudrate", "38400")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(address)
    assert "temp_flow" in done.stdout


def test_who_does_not_answer_is_told(meters):
    done = ran("mbus", "read", f"serial:{meters['port']}:baudrate=38400:parity=N", "00000000")
    assert done.returncode == 1
    assert done.stderr.startswith("ccmaster: The device did not answer in time")


def test_a_search_of_a_noisy_line_says_so_and_keeps_what_it_found(monkeypatch, capsys):
    def noisy(search):
        search.found = [FoundMeter("12345678-KAM-08-04").as_json()]
        raise Garbled("noise: nothing else")

    monkeypatch.setattr("concentrator.app.mbus.run_alone", noisy)
    assert main(["mbus", "search", "serial:/dev/null"]) == 1
    said = capsys.readouterr()
    assert "12345678-KAM-08-04" in said.out
    assert "noise: nothing else" in said.err


def test_a_meter_gets_its_new_address_from_the_running_box(monkeypatch, capsys):
    asked = []

    def act(state_dir, name, **arguments):
        asked.append((name, arguments))
        return {"uid": "boiler", "address": "12345678-KAM-08-04", "primary": 7}

    monkeypatch.setattr("concentrator.app.control.act", act)
    assert main(["mbus", "set-address", "heat", "12345678", "7"]) == 0
    assert asked == [("mbus.set_address", {"line": "heat", "address": "12345678", "primary": 7})]
    assert capsys.readouterr().out == "boiler (12345678-KAM-08-04) answers at primary address 7\n"


def test_a_meter_begins_anew_by_the_running_box(monkeypatch, capsys):
    asked = []

    def act(state_dir, name, **arguments):
        asked.append((name, arguments))
        return {"uid": "boiler"}

    monkeypatch.setattr("concentrator.app.control.act", act)
    assert main(["mbus", "reset", "heat", "12345678"]) == 0
    assert asked == [("mbus.reset", {"line": "heat", "address": "12345678"})]
    assert capsys.readouterr().out == "boiler begins anew\n"


DONE = {"line": "heat", "baudrate": 9600, "meters": ["boiler", "flat"]}


@pytest.mark.parametrize(
    ("task", "status", "said"),
    [
        ({"state": "done", "result": DONE, "error": None}, 0, "heat and boiler, flat talk at 9600 bits per second\n"),
        ({"state": "failed", "result": None, "error": {"message": "no answer of flat"}}, 1, "ccmaster: no answer of"),
        ({"state": "cancelled", "result": None, "error": None}, 130, "ccmaster: given up; all go back"),
    ],
)
def test_a_line_and_its_meters_get_another_speed_by_the_running_box(task, status, said, monkeypatch, capsys):
    asked = []

    def act(state_dir, name, **arguments):
        asked.append((name, arguments))
        return {"task": "1"} if name == "mbus.set_speed" else {"progress": 1.0, "text": "", **task}

    monkeypatch.setattr("concentrator.app.control.act", act)
    monkeypatch.setattr("concentrator.app.scan.act", act)
    assert main(["mbus", "set-speed", "heat", "9600"]) == status
    assert asked == [("mbus.set_speed", {"line": "heat", "baudrate": 9600}), ("task.get", {"id": "1"})]
    written = capsys.readouterr()
    assert (written.out + written.err).startswith(said)


def test_a_port_that_is_not_there_is_told():
    done = ran("mbus", "search", "serial:/dev/ttyNobody")
    assert done.returncode == 1
    assert "the port is not there" in done.stderr


def test_a_telegram_is_decoded(capsys):
    assert main(["mbus", "decode", TELEGRAM]) == 0
    assert "water_v          12.565  m³" in capsys.readouterr().out
    assert main(["mbus", "decode", "--json", TELEGRAM]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert [record["name"] for record in said["records"]] == ["water_v", "flow_s5_max", "metered_e_t2_u1"]


def test_the_telegram_of_the_examples_is_one(capsys):
    words = _DECODE_EXAMPLES.split("--json")[0].replace("\\", "").split("decode")[1].split("ccmaster")[0].split()
    assert main(["mbus", "decode", *words]) == 0
    assert capsys.readouterr().out.startswith("12345678-PAD-01-07, water")


def test_what_is_no_telegram_is_refused_with_the_reason(capsys):
    assert main(["mbus", "decode", TELEGRAM[:-4] + "0016"]) == 1
    assert "checksum 00, expected 18" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["mbus", "decode", "68 XY"])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search", "heat", "--primary", "--mask", "12FFFFFF"], "--mask goes with secondary addresses"),
        (["search", "heat", "--while-polling", "--baudrate", "300"], "leaves the line's settings as they are"),
        (["search", "heat", "--mask", "12"], "expected eight digits"),
    ],
)
def test_options_that_do_not_go_together_are_told(arguments, words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["mbus", *arguments])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_an_address_that_is_none_is_told(capsys):
    assert main(["mbus", "read", "serial:/dev/null", "251"]) == 1
    assert "expected a primary address 0 … 250" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["mbus"], *(["mbus", what, "--help"] for what in ("search", "read", "set-address", "reset", "set-speed"))]
)
def test_help_has_examples(words, capsys):
    try:
        assert main(words) == 0
    except SystemExit as ended:
        assert ended.code == 0
    assert "examples:\n  ccmaster mbus" in capsys.readouterr().out
