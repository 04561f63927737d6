"""The demo as scripts and people use it: everything comes up, arrives, and is gone afterwards."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from concentrator.app.demo_config import MARK
from concentrator.app.launch import environment
from tests.app.test_children import has_ended
from tests.support.brokers import free_port

DEMO = [sys.executable, "-m", "concentrator.app.cli", "demo"]


def ports() -> list[str]:
    return [part for name in ("mqtt", "ftp", "http", "cloud") for part in (f"--{name}-port", str(free_port()))]


@contextmanager
def playing(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [*DEMO, "--dir", str(folder), "--meters", "2", "--json", *ports(), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    with process:
        try:
            yield process
        finally:
            process.terminate()


def told(process: subprocess.Popen[str], event: str) -> dict[str, Any]:
    """The next thing the demo tells, which is to be that."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    fact: dict[str, Any] = json.loads(line)
    assert fact["event"] == event
    return fact


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DEMO, *options], capture_output=True, text=True, timeout=60, env=environment())


def test_messages_and_files_arrive_and_everything_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with playing(folder) as demo:
        ready = told(demo, "ready")
        assert ready["sign_in"] == {"user": "admin", "password": "admin"}
        message = told(demo, "message")
        assert message["topic"].startswith("/ccm/srv/")
        assert message["topic"].endswith("/0420020081/data")
        assert 200 < message["payload"]["values"]["v1"] < 260
        file = Path(told(demo, "file")["path"])
        assert file.parent == folder / "ftp"
        assert file.read_text().startswith("time,")
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0
    assert all(has_ended(pid, 0) for pid in ready["pids"].values())
    assert not os.path.lexists(folder / "bus")
    assert not os.path.lexists(folder / "external")
    assert (folder / "ccmaster.toml").read_text().startswith(MARK)
    assert (folder / "state" / "journal.db").is_file()


def test_it_ends_by_itself_after_the_time_given(tmp_path: Path) -> None:
    with playing(tmp_path / "demo", "--for", "1") as demo:
        pids = told(demo, "ready")["pids"]
        assert demo.wait(30) == 0
    assert all(has_ended(pid, 0) for pid in pids.values())


@pytest.mark.parametrize("victim", ["bus", "external", "broker", "ftp", "ccmaster"])
def test_when_one_of_them_dies_all_end_and_it_is_named(tmp_path: Path, victim: str) -> None:
    with playing(tmp_path / "demo") as demo:
        pids = told(demo, "ready")["pids"]
        os.kill(pids[victim], signal.SIGKILL)
        assert demo.wait(30) == 1
        assert demo.stderr is not None
        assert f"ccmaster demo: {victim} ended by itself with SIGKILL" in demo.stderr.read()
    assert all(has_ended(pid, 0) for pid in pids.values())


def test_nothing_outlives_a_demo_that_was_killed(tmp_path: Path) -> None:
    with playing(tmp_path / "demo") as demo:
        pids = told(demo, "ready")["pids"]
        demo.kill()
    assert all(has_ended(pid) for pid in pids.values())


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run("--dir", str(tmp_path), "--mqtt-port", port, "--for", "1")
    assert ended.returncode == 1
    assert ended.stderr == f"ccmaster demo: --mqtt-port: found {port}, which is in use; expected a free port\n"
    assert not (tmp_path / "ccmaster.toml").exists()


def test_a_configuration_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ccmaster.toml").write_text("# mine\n")
    ended = run("--dir", str(tmp_path), "--for", "1")
    assert ended.returncode == 1
    assert "is there already and not the demo's" in ended.stderr
    assert (tmp_path / "ccmaster.toml").read_text() == "# mine\n"


def test_a_demo_can_be_played_again_in_its_folder(tmp_path: Path) -> None:
    serials = set()
    for _ in range(2):
        with playing(tmp_path) as demo:
            told(demo, "ready")
            demo.terminate()
            assert demo.wait(30) == 0
        serials.add((tmp_path / "state" / "identity.json").read_text())
    assert len(serials) == 1


@pytest.mark.parametrize("wrong", [("--meters", "34"), ("--http-port", "70000"), ("--for", "0")])
def test_a_wrong_option_is_refused(wrong: tuple[str, str]) -> None:
    ended = run(*wrong)
    assert ended.returncode == 2
    assert f"argument {wrong[0]}: found '{wrong[1]}', expected" in ended.stderr
