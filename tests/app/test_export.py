import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from concentrator.app.cli import main
from tests.support.journals import NOON, Bench, interval

ROOT = Path(__file__).parents[2]
HOUR = range(NOON + 300, NOON + 3900, 300)
DAY = ["--from", "2026-11-18", "--to", "2026-11-18"]


@pytest.fixture
def box(tmp_path):
    """The state folder of a box at work, with an hour of history of two devices, and its configuration."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "identity.json").write_text('{"serial": "4220080001"}')
    bench = Bench(state / "journal.db")
    journal = bench.journal()
    for uid in ("main", "roof"):
        bench.append(journal, *(interval(uid, end, 300) for end in HOUR), interval(uid, NOON + 10, 10))
    file = tmp_path / "my.toml"
    file.write_text(
        '[box]\nstate_dir = "state"\ntimezone = "Europe/Lisbon"\n[line.a]\nendpoint = "tcp:127.0.0.1:502"\n'
        '[device.main]\nline = "a"\nprofile = "x/y"\naddress = 2\nalias = "Main meter"\n'
    )
    yield file
    bench.end()


@pytest.fixture
def export(box, capsysbinary):
    """Runs the command; gives its status, what it wrote, and what it said."""

    def run(*arguments, place=("--config", str(box))):
        try:
            status = main(["export", *place, *arguments])
        except SystemExit as end:
            status = end.code
        said = capsysbinary.readouterr()
        return status, said.out.decode(), said.err.decode()

    return run


def rows_of(text):
    return list(csv.reader(io.StringIO(text)))


def test_a_day_of_all_devices_is_written_beside_the_running_box(export):
    status, text, said = export(*DAY)
    assert (status, said) == (0, "")
    header, *rows = rows_of(text)
    assert header == ["time", "device", "p [W]", "ea_imp [kWh]", "state", "quality"]
    assert [row[1] for row in rows] == ["main"] * 12 + ["roof"] * 12
    assert rows[0] == ["2026-11-18T12:05:00+00:00", "main", "100", "123.45", "", "good"]


def test_one_device_as_json_is_what_a_sent_file_says(export):
    status, text, _ = export(*DAY, "--device", "main", "--variable", "p", "--format", "json")
    whole = json.loads(text)
    assert (status, whole["box"], whole["serial"], whole["alias"]) == (0, "4220080001", "S-main", "Main meter")
    assert (whole["period"], whole["end"], len(whole["rows"])) == (300, "2026-11-19T00:00:00+00:00", 12)
    assert whole["rows"][0]["values"] == {"p": 100.0}


def test_a_range_has_its_end_but_not_its_start(export):
    _, text, _ = export("--device", "main", "--from", "2026-11-18T12:10", "--to", "2026-11-18T13:20+01:00")
    assert [row[0][11:16] for row in rows_of(text)[1:]] == ["12:15", "12:20"]


@pytest.mark.parametrize(("asked", "rows"), [("10", 1), ("10 s", 1), ("5 min", 12)])
def test_records_of_another_length_can_be_asked_for(export, asked, rows):
    assert len(rows_of(export(*DAY, "--device", "main", "--period", asked)[1])) == rows + 1


def test_a_state_folder_is_enough(export, box, tmp_path):
    place = ("--state-dir", str(tmp_path / "state"), "--config", str(tmp_path / "none.toml"))
    status, text, _ = export(*DAY, "--timezone", "America/New_York", place=place)
    assert (status, rows_of(text)[1][0]) == (0, "2026-11-18T07:05:00-05:00")


def test_a_file_has_its_name_once_it_is_whole(export, tmp_path):
    file = tmp_path / "out.csv"
    assert export(*DAY, "-o", str(file)) == (0, "", "")
    assert file.read_bytes() == export(*DAY)[1].encode()
    before = file.read_bytes()
    assert export(*DAY, "--device", "mian", "-o", str(file))[0] == 1
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.csv"]


def test_nothing_found_is_a_head_and_a_word(export):
    status, text, said = export("--from", "2020-01-01", "--to", "2020-12-31")
    assert (status, rows_of(text)) == (0, [["time", "device", "quality"]])
    assert said == "ccmaster: no records of 5 min in that range\n"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--device", "mian"], 1, "records of device mian (did you mean main?)"),
        (["--variable", "ea_exp"], 1, "variable ea_exp (did you mean ea_imp?)"),
        (["--period", "60"], 1, "records of 1 min: there are those of 10 s, 5 min"),
        (["--period", "often"], 2, "found 'often', expected whole seconds"),
        (["--from", "21.11."], 2, "--from: found '21.11.', expected a day such as"),
        (["--from", "2026-11-19"], 2, "expected a moment before --to '2026-11-18'"),
        (["--timezone", "Mars/Base"], 2, "expected a time zone such as"),
        (["--output", "/nowhere/at/all"], 1, "/nowhere/at/.all.part: No such file or directory"),
    ],
)
def test_what_cannot_be_is_said_in_words(export, arguments, status, words):
    found, text, said = export(*DAY, *arguments)
    assert (found, text) == (status, "")
    assert words in said


def test_without_a_journal_it_is_said_where_one_was_looked_for(export, tmp_path):
    status, _, said = export(place=("--state-dir", str(tmp_path)))
    assert (status, said) == (1, f"ccmaster: {said[10:]}")
    assert f"{tmp_path}/journal.db: there is no such file" in said


def test_a_terminal_that_only_sees_errors_sees_a_bar(box, tmp_path):
    master, slave = os.openpty()
    command = [sys.executable, "-m", "concentrator.app.cli", "export", "--config", str(box), *DAY]
    with open(tmp_path / "out.csv", "wb") as out:
        assert subprocess.run(command, cwd=ROOT, stdout=out, stderr=slave).returncode == 0
    os.close(slave)
    seen = os.read(master, 100_000).decode()
    os.close(master)
    assert "24 rows" in seen
    assert seen.endswith("\r")


def test_the_help_has_examples(export):
    status, text, _ = export("--help")
    assert status == 0
    assert "ccmaster export --device main --from 2026-11-01 --to 2026-11-30 -o november.csv" in text
