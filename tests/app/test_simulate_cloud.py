"""concentrator.app.simulate_cloud: the played server as a process that a session gets along with."""

import json
import socket
import subprocess
import sys

import pytest

from concentrator.wire.smartgen import Heartbeat, LongCon
from concentrator.wire.smartgen_server import Acknowledged

START = "import sys; from concentrator.app.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def played():
    """`played(*options)` starts one; gives the process and what it announces."""
    children = []

    def start(*options):
        child = subprocess.Popen(
            [sys.executable, "-c", START, "sim", "smartgen-cloud", "--port", "0", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child, json.loads(child.stdout.readline())

    yield start
    for child in children:
        child.terminate()
        child.communicate(timeout=30)


def test_it_hears_answers_and_orders(played):
    child, said = played()
    with socket.create_connection(("127.0.0.1", said["port"]), timeout=30) as modem:
        modem.sendall(LongCon("A" * 24).written())
        assert modem.recv(4096) == Acknowledged("longcon").written()
        assert json.loads(child.stdout.readline()) == {"said": "LongCon", "hostid": "A" * 24}
        child.stdin.write("write 00050003FF007DEB\nnonsense\n")
        child.stdin.flush()
        assert json.loads(modem.recv(4096))["result"] == "00050003FF007DEB"
        told = [json.loads(child.stdout.readline()) for _ in range(2)]
        assert told[0] == {"done": "write 00050003FF007DEB", "modems": 1}
        assert "expected write HEX" in told[1]["error"]
        modem.sendall(Heartbeat("A").written() * 2)
        assert "fault" in json.loads(child.stdout.readline())


def test_a_way_nobody_knows_is_named_with_those_there_are(played, capsys):
    from concentrator.app.cli import main

    assert main(["sim", "smartgen-cloud", "--manner", "rude"]) == 2
    assert "--manner rude: expected sloppy or one of nameless" in capsys.readouterr().err


def test_it_says_its_manners(played):
    _, said = played("--manner", "commas", "--manner", "utc")
    assert said["manners"] == ["commas", "utc"]
