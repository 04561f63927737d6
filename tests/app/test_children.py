"""Children live and die together, and say what went wrong."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from concentrator.app.children import ChildEnded, Children
from concentrator.app.launch import environment


def has_ended(pid: int, within_s: float = 10.0) -> bool:
    """Whether a process is gone, or goes within some seconds."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], within_s)[0])
    finally:
        os.close(watched)


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    made = Children(tmp_path / "log", end_s=0.5)
    yield made
    made.stop()


def start(children: Children, name: str, program: str, told: str | None = None) -> int:
    return children.start(name, [sys.executable, "-c", program], environment(), told)


def test_all_are_ended_and_their_words_kept(children: Children) -> None:
    pids = [start(children, name, "import signal; signal.pause()") for name in ("one", "two")]
    assert children.pids() == dict(zip(("one", "two"), pids, strict=True))
    children.check()
    assert children.stop() == []
    assert all(has_ended(pid, 0) for pid in pids)


def test_the_last_started_ends_first(children: Children, tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    for name in ("one", "two", "three"):
        ready = tmp_path / name
        os.mkfifo(ready)
        start(
            children,
            name,
            "import signal, sys\n"
            "def end(*_):\n"
            f"    open({str(ends)!r}, 'a').write({name!r} + '\\n')\n"
            "    sys.exit(0)\n"
            "signal.signal(signal.SIGTERM, end)\n"
            f"open({str(ready)!r}, 'w').close()\n"
            "while True: signal.pause()",
        )
        ready.open().close()
    children.stop()
    assert ends.read_text().split() == ["three", "two", "one"]


def test_what_a_child_is_told_it_reads(children: Children) -> None:
    pid = start(children, "listener", "import sys; print(sys.stdin.readline().upper())", told="secret\n")
    assert has_ended(pid)
    assert children.log_of("listener").read_text().strip() == "SECRET"


def test_a_child_that_ended_is_named_with_its_last_words(children: Children) -> None:
    pid = start(children, "broker", "import sys; print('port is taken'); sys.exit(3)")
    assert has_ended(pid)
    with pytest.raises(ChildEnded, match=r"broker ended by itself with status 3; see .*broker\.log\nport is taken"):
        children.check()


def test_a_child_that_was_killed_is_named_with_the_signal(children: Children) -> None:
    pid = start(children, "bus", "import signal; signal.pause()")
    os.kill(pid, signal.SIGKILL)
    assert has_ended(pid)
    with pytest.raises(ChildEnded, match="bus ended by itself with SIGKILL"):
        children.check()


def test_a_child_that_does_not_end_is_killed(children: Children, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(ready)!r}, 'w').close()\n"
    pid = start(children, "deaf", deaf + "while True: signal.pause()")
    ready.open().close()
    assert children.stop() == ["deaf"]
    assert has_ended(pid, 0)


def test_children_do_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from concentrator.app.children import Children\n"
        "from concentrator.app.launch import environment\n"
        f"children = Children(Path({str(tmp_path)!r}))\n"
        "print(children.start('orphan', [sys.executable, '-c', 'import signal; signal.pause()'], environment()))\n"
        "sys.stdout.flush()\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        parent.kill()
    assert has_ended(orphan)
