"""`ccmaster profiles`: every command of it, for people and for scripts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from concentrator.app import cli_profiles
from concentrator.app.cli import main
from tests.support.profiles import text, variable

ROOT = Path(__file__).parents[2]


@pytest.fixture
def own(tmp_path):
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "m1.toml").write_text(text([variable()]))
    return tmp_path


def test_alone_it_lists(capsys):
    assert main(["profiles", "--brand", "goodwe"]) == 0
    alone = capsys.readouterr().out
    assert [line.split()[0] for line in alone.splitlines()] == ["goodwe/dt", "goodwe/dt-legacy", "goodwe/et"]
    assert main(["profiles", "list", "--brand", "goodwe"]) == 0
    assert capsys.readouterr().out == alone


def test_ones_own_folder_is_listed_with_what_is_shipped(own, capsys):
    assert main(["profiles", "list", "--dir", str(own), "--json"]) == 0
    found = {each["key"]: each["file"] for each in json.loads(capsys.readouterr().out)}
    assert found["acme/m1"] == str(own / "acme" / "m1.toml")
    assert "goodwe/et" in found


def test_a_file_that_cannot_be_listed_is_told_beside_the_list(own, capsys):
    (own / "acme" / "m2.toml").write_text("[profile]")
    assert main(["profiles", "list", "--dir", str(own), "--brand", "acme"]) == 0
    told = capsys.readouterr()
    assert told.out == "acme/m1  meter: Acme M1 (proposed)\n"
    assert told.err.startswith(f"left out: {own}/acme/m2.toml: [profile] type: found nothing, expected a text\n")


def test_one_profile_is_shown(own, capsys):
    assert main(["profiles", "show", "goodwe/et"]) == 0
    assert capsys.readouterr().out.startswith("goodwe/et  inverter: GoodWe, hybrid, ")
    assert main(["profiles", "show", "acme/m1", "--dir", str(own), "--json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)["variables"]] == ["v1"]
    assert main(["profiles", "show", "goodwe/es"]) == 2
    assert "did you mean goodwe/et" in capsys.readouterr().err


def test_a_file_is_checked_with_every_fault(own, capsys):
    file = own / "acme" / "m1.toml"
    assert main(["profiles", "check", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"profiles": ["acme/m1"], "faults": []}
    file.write_text(text([variable(unit="A", type="u17")]))
    assert main(["profiles", "check", str(file)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert main(["profiles", "check", str(file), "--json"]) == 2
    assert [fault["key"] for fault in json.loads(capsys.readouterr().out)["faults"]] == ["type", "unit"]


def test_a_new_one_is_begun_without_questions_where_nobody_could_answer(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert main(["profiles", "new", "acme/i5", "--in", str(tmp_path), "--type", "inverter"]) == 0
    assert str(tmp_path / "acme" / "i5.toml") in capsys.readouterr().out
    assert main(["profiles", "check", str(tmp_path)]) == 0


def test_a_new_one_is_asked_about_at_a_terminal(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or " ")
    assert main(["profiles", "new", "acme/i5", "--in", str(tmp_path), "--type", "inverter"]) == 0
    assert len(asked) == 5
    assert asked[0] == "its brand, as people write it [Acme]: "


def test_the_schema_is_printed(capsys):
    assert main(["profiles", "schema"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "profile.schema.json").read_text()


@pytest.mark.parametrize("name", ["list", "show", "check", "new", "schema"])
def test_every_command_has_help_with_examples(name, capsys):
    with pytest.raises(SystemExit) as error:
        main(["profiles", name, "--help"])
    assert error.value.code == 0
    assert f"ccmaster profiles {name}" in capsys.readouterr().out.partition("examples:")[2]


def test_shells_complete_commands_and_keys(tmp_path):
    for line, expected in (("ccmaster profiles sh", {"show"}), ("ccmaster profiles show goodwe/e", {"goodwe/et"})):
        answer = tmp_path / "answer"
        told = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9", "IFS": "\n"}
        told |= {"_ARGCOMPLETE_STDOUT_FILENAME": str(answer), "PYTHONPATH": str(ROOT)}
        subprocess.run(
            [sys.executable, "-m", "concentrator.app.cli"], env=os.environ | told, cwd=tmp_path, check=True, timeout=60
        )
        assert set(answer.read_text().split()) == expected


def test_the_keys_to_complete_are_those_of_the_catalogue():
    assert "eastron/sdm630" in cli_profiles._keys()
