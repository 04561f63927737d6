"""The demo's far sides: a broker of whatever is installed, and an FTP server that wants its password."""

from __future__ import annotations

import ftplib
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from concentrator.app import demo_peers
from concentrator.app.demo_peers import FTP_USER, HOST, PeerMissing, broker_command, ftp_command
from concentrator.app.launch import environment
from tests.support.brokers import free_port


@pytest.fixture
def ftp_port(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(
        ftp_command(port, tmp_path), stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(b"open sesame\n")
    process.stdin.close()
    while b"starting FTP server" not in process.stderr.readline():
        assert process.poll() is None
    yield port
    process.terminate()
    process.wait(10)
    process.stderr.close()


def test_files_are_taken_from_who_knows_the_password(ftp_port: int, tmp_path: Path) -> None:
    with ftplib.FTP() as client:
        client.connect(HOST, ftp_port, timeout=10)
        client.login(FTP_USER, "open sesame")
        client.storbinary("STOR x.part", BytesIO(b"time,p [W]"))
        client.rename("x.part", "x")
    assert (tmp_path / "x").read_bytes() == b"time,p [W]"


def test_nobody_else_gets_in(ftp_port: int) -> None:
    with ftplib.FTP() as client, pytest.raises(ftplib.error_perm):
        client.connect(HOST, ftp_port, timeout=10)
        client.login(FTP_USER, "wrong")


def test_a_broker_listens_on_loopback_only(tmp_path: Path) -> None:
    command = broker_command(4711, tmp_path)
    if command[0] != sys.executable:
        assert "listener 4711 127.0.0.1" in (tmp_path / "mosquitto.conf").read_text()


def test_without_mosquitto_another_broker_plays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo_peers.shutil, "which", lambda *_args, **_named: None)
    monkeypatch.setattr(demo_peers, "find_spec", lambda _name: object())
    assert broker_command(4711, tmp_path)[-2:] == ["broker", "4711"]


def test_without_any_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo_peers.shutil, "which", lambda *_args, **_named: None)
    monkeypatch.setattr(demo_peers, "find_spec", lambda _name: None)
    with pytest.raises(PeerMissing, match="install mosquitto"):
        broker_command(4711, tmp_path)
    with pytest.raises(PeerMissing, match="pyftpdlib"):
        ftp_command(4711, tmp_path)
