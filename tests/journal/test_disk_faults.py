"""What a disk can do to a journal: be full, be read-only, lose or tear what was written, turn old or empty. Each time
what is good is there, it is said once, and the journal goes on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from concentrator.journal.database import PAGE_BYTES
from concentrator.journal.opening import SKIPPED
from tests.support.disk import Watch
from tests.support.journals import NOON, event, interval, numbers, result

ROOT = Path(__file__).parents[2]

FRAME_BYTES = 24 + PAGE_BYTES
"""What a page takes in SQLite's log, which has a head of 32 bytes."""


def scene(name, tmp_path, watch=None):
    """What came of a scene of `disk_scenes`, and the names of what was reported."""
    watch = watch or Watch.over(tmp_path / "journal", tmp_path)
    command = [sys.executable, "-m", "tests.support.disk_scenes", name, str(watch.folder), str(watch.size)]
    done = subprocess.run(command, cwd=ROOT, env=watch.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout.splitlines()[-1])
    return outcome, [report for report, _ in outcome["reports"]]


def test_a_disk_that_becomes_full_costs_no_new_record_but_old_ones_that_were_delivered(tmp_path):
    outcome, reports = scene("full", tmp_path)
    assert (outcome["late"], outcome["lost"]) == (0, 0)
    count, last = outcome["there"]
    assert last == 30_000
    assert 10_000 < count < 30_000
    assert outcome["ballast"] == 0
    assert outcome["laid"], "the ballast is laid again"
    assert reports == ["journal.stuck", "journal.recovered", "journal.expired", "journal.expired"]
    gone = [facts for name, facts in outcome["reports"] if name == "journal.expired"]
    assert sum(facts["records"] for facts in gone) == 30_000 - count
    assert all((facts["undelivered"], facts["why"]) == ({}, "room") for facts in gone)


def test_a_disk_that_takes_nothing_for_long_costs_the_oldest_that_wait_and_they_are_counted(tmp_path):
    outcome, reports = scene("stuck", tmp_path)
    assert outcome["pending"] == 0
    count, last = outcome["there"]
    assert last == 21_000
    assert count == 21_000 - outcome["lost"]
    assert reports == ["journal.stuck", "journal.losing", "journal.recovered"]


def test_a_damaged_file_on_a_full_disk_is_replaced_all_the_same(tmp_path):
    outcome, reports = scene("damaged", tmp_path)
    assert outcome["n"] > 0
    assert any(".corrupt-" in name for name in outcome["files"])
    assert reports == ["journal.set_aside"]


def test_a_file_system_that_becomes_read_only_is_said_and_what_was_there_is_there_when_it_is_well(tmp_path):
    outcome, reports = scene("read-only", tmp_path)
    assert "Read-only file system" in outcome["again"]
    assert outcome["lost"] == 250
    count, last = outcome["there"]
    assert (count, last) == (251, outcome["n"])
    assert outcome["n"] > 500
    assert reports == ["journal.stuck"]


def test_records_are_synced_once_a_second_and_events_five_times(tmp_path):
    """Counted are the calls the disk saw. A checkpoint, once in some hundred commits, is two more."""
    watch = Watch.over(tmp_path / "journal", tmp_path)
    scene("paced", tmp_path, watch)
    syncs = {"": 0, "records": 0, "events": 0, "end": 0}
    phase = ""
    for step in watch.steps():
        if step.kind == "m" and step.data.strip().decode() in syncs:
            phase = step.data.strip().decode() or phase
        elif step.kind == "s":
            syncs[phase] += 1
            # The file itself is synced by a checkpoint only, and the log once more before it.
            syncs[phase] -= 2 * (step.name == "journal.db")
    assert 55 <= syncs["records"] <= 61
    assert 250 <= syncs["events"] <= 301


@pytest.fixture
def crashed(bench):
    """A bench with the files of a journal that was not closed: two hundred records in them, all of them in the log and
    half of them in the file as well."""
    journal = bench.journal()
    journal.register("mqtt", {10})
    bench.append(journal, *[interval(end=NOON + 10 * i) for i in range(100)])
    checkpoint(journal)
    bench.append(journal, *[interval(end=NOON + 10 * i) for i in range(100, 200)])
    crash(bench, journal)
    return bench


def checkpoint(journal):
    journal._tables.sql.execute("PRAGMA wal_checkpoint(PASSIVE)")


def crash(bench, journal):
    """Leaves the files as they are: those of a copy would be others, so that they are put back byte by byte."""
    bench.opened.remove(journal)
    kept = {name: Path(f"{bench.path}{name}").read_bytes() for name in ("", "-wal", "-shm")}
    token = journal._tables.database.mark
    journal._tables.database.connection.close()
    os.close(token.descriptor)
    for name, data in kept.items():
        with Path(f"{bench.path}{name}").open("r+b" if not name else "wb") as file:
            file.write(data)
            file.truncate()


def opened(bench):
    journal = bench.journal()
    journal.register("mqtt", {10})
    return journal, numbers(result(journal.read("mqtt", 1000)))


def test_after_a_crash_everything_is_there_and_nothing_to_say(crashed):
    journal, there = opened(crashed)
    assert there == [*range(1, 201)]
    assert crashed.reports == []
    (record,) = crashed.append(journal, event())
    assert record.n > 200


def test_a_torn_tail_of_the_log_costs_the_tail_only(crashed):
    log = Path(f"{crashed.path}-wal")
    log.write_bytes(log.read_bytes()[:FRAME_BYTES])
    journal, there = opened(crashed)
    assert there == [*range(1, 101)]
    (record,) = crashed.append(journal, interval())
    assert record.n > 200, "a number that was given is given again"


def test_a_log_that_the_disk_lost_in_the_middle_never_leads_to_a_number_given_twice(crashed):
    log = Path(f"{crashed.path}-wal")
    data = bytearray(log.read_bytes())
    data[32 + 99 :: FRAME_BYTES] = bytes(len(data[32 + 99 :: FRAME_BYTES]))
    log.write_bytes(data)
    journal, there = opened(crashed)
    assert len(there) < 200
    (first,) = crashed.append(journal, interval())
    assert first.n > 200
    crash(crashed, journal)
    log.write_bytes(b"")
    journal, _ = opened(crashed)
    (second,) = crashed.append(journal, interval())
    assert second.n > first.n


def test_a_missing_log_is_said_once(crashed):
    Path(f"{crashed.path}-wal").unlink()
    journal, there = opened(crashed)
    assert there == [*range(1, 101)]
    assert crashed.reports == [("journal.shortened", {"from": 101})]
    (record,) = crashed.append(journal, interval())
    assert record.n > 200
    crashed.close(journal)
    opened(crashed)
    assert len(crashed.reports) == 1


def test_numbers_are_left_out_only_after_a_crash(crashed):
    journal, _ = opened(crashed)
    (record,) = crashed.append(journal, interval())
    assert record.n == 201 + SKIPPED
    crashed.close(journal)
    journal, there = opened(crashed)
    assert there == [*range(1, 201), record.n]
    (after,) = crashed.append(journal, interval())
    assert after.n == record.n + 1


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:3000]), id="cut off"),
        pytest.param(lambda path: path.write_bytes(bytes(path.stat().st_size)), id="zeros"),
    ],
)
def test_a_file_that_holds_nothing_any_more_is_kept_said_once_and_replaced(crashed, damage):
    Path(f"{crashed.path}-wal").unlink()
    Path(f"{crashed.path}-shm").unlink()
    damage(crashed.path)
    journal, there = opened(crashed)
    assert there == []
    assert crashed.reported() == ["journal.set_aside"]
    kept = crashed.path.with_name(crashed.reports[0][1]["kept_as"])
    assert kept.exists()
    (record,) = crashed.append(journal, interval())
    assert numbers(result(journal.read("mqtt", 10))) == [record.n]
    crashed.close(journal)
    opened(crashed)
    assert crashed.reported() == ["journal.set_aside"]


def test_a_clock_set_back_over_a_restart_changes_nothing_of_what_is_there(crashed):
    crashed.wall.step(-400 * 86_400)
    journal, there = opened(crashed)
    assert there == [*range(1, 201)]
    (record,) = crashed.append(journal, interval(end=NOON - 400 * 86_400))
    assert record.n > 200
    assert numbers(result(journal.read("mqtt", 1000)))[-1] == record.n
    assert crashed.reports == []


def test_a_large_file_is_checked_by_reading_a_little_of_it(bench, monkeypatch):
    monkeypatch.setattr("concentrator.journal.database.CHECKED_BYTES", 0)
    seen = []
    for _ in range(2):
        journal = bench.journal()
        for i in range(40):
            bench.append(journal, *[interval(f"m{k}", NOON + 10 * i) for k in range(500)])
        bench.close(journal)
        before = bytes_read()
        journal = bench.journal()
        seen.append((bytes_read() - before, journal.size))
        bench.close(journal)
    (little, small), (much, large) = seen
    assert large > 1.8 * small
    assert much < 1.2 * little
    assert much < large / 3


def bytes_read():
    """What this process has read from files so far."""
    return int(Path("/proc/self/io").read_text().split()[1])
