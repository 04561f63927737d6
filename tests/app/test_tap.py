"""`twistd ccmaster` as people meet it when something is wrong: every fault at once, and nothing started."""

import subprocess

import pytest
import pytest_twisted

from concentrator.app.launch import environment, twistd
from tests.support.whole import WholeBox

BAD = """
[box]
state_dir = "{folder}/state"
modell = "PRO"

[line.native]
endpoint = "serial:/dev/null:baudrate=9600"

[device.a]
line = "nativ"
profile = "energycm/ccm"
address = "one"

[device.b]
line = "native"
profile = "energycm/cmm"
address = 3

[device.c]
line = "native"
profile = "energycm/ccm"
address = 3

[mqtt]
host = "mqtt://127.0.0.1"
prefix_sub = "ccm/srv"
port = "1883"
"""

EXPECTED = [
    "[box] modell: found an unknown key",
    "(did you mean model?)",
    '[device.a] line: found "nativ", expected one of native (did you mean native?)',
    '[device.a] address: found "one", expected a whole number 1 … 247',
    '[device.b] profile: found "energycm/cmm", expected a profile of the catalogue (did you mean energycm/ccm?)',
    "[device.c] address: found 3, which [device.b] has on line native",
    '[mqtt] prefix_sub: found "ccm/srv"',
    '[mqtt] port: found "1883"',
]


@pytest.fixture
def bad_file(tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text(BAD.format(folder=tmp_path))
    return file


def outcome(command):
    return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60, check=False)


def test_every_fault_of_a_file_comes_in_one_run_and_nothing_is_started(bad_file, tmp_path):
    ended = outcome(twistd(bad_file))
    assert ended.returncode == 2
    lines = [line for line in ended.stderr.splitlines() if line.startswith(str(bad_file))]
    assert len(lines) == 7
    assert [words for words in EXPECTED if words not in ended.stderr] == []
    assert not (tmp_path / "state").exists()


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path):
    ended = outcome(twistd(tmp_path / "none.toml"))
    assert ended.returncode == 2
    assert "none.toml: found no such file or directory, expected a file that can be read" in ended.stderr


def test_a_state_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "state").write_text("a file in the way")
    (tmp_path / "ccmaster.toml").write_text(f'[box]\nstate_dir = "{tmp_path}/state"\n')
    ended = outcome(twistd(tmp_path / "ccmaster.toml"))
    assert ended.returncode == 1
    assert f"{tmp_path}/state" in ended.stderr


def test_a_part_that_does_not_start_ends_the_program_with_a_status_that_says_so(tmp_path):
    (tmp_path / "state" / "journal.db").mkdir(parents=True)
    (tmp_path / "ccmaster.toml").write_text(f'[box]\nstate_dir = "{tmp_path}/state"\n[web]\nlisten = []\n')
    ended = outcome(twistd(tmp_path / "ccmaster.toml"))
    assert "it does not start" in ended.stdout
    assert "Server Shut Down." in ended.stdout
    assert ended.returncode == 1


class NoBus:
    """A port that is not there."""

    units = (1,)

    def __init__(self, folder):
        self.port = str(folder / "ttyUSB0")


@pytest_twisted.ensureDeferred
async def test_an_absent_port_is_waited_for(tmp_path):
    box = WholeBox(tmp_path, NoBus(tmp_path))
    try:
        box.start()
        await box.until(box.status, 20, "answering")
        line = box.status()["lines"][0]
        assert not line["is_open"]
        assert line["trouble"] == f"{tmp_path}/ttyUSB0: the port is not there"
        assert f"{tmp_path}/ttyUSB0 is not there now; the line waits for it" in box.log()
        assert (box.state / "control.sock").stat().st_mode & 0o777 == 0o600
        box.stop()
        assert "Traceback" not in box.log()
    finally:
        box.end()
