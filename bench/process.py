"""Processes from outside: run while they are wanted, their processor time, their memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from concentrator.app.launch import environment

_ROOT = Path(__file__).parents[1]
_PROCESSORS = sorted(os.sched_getaffinity(0))


@contextmanager
def running(
    command: Sequence[str], words: Path, given: Mapping[str, str] | None = None, *, all_in_words: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """A process while it is wanted, its standard input and output at hand; what it says on standard error goes to the
    file `words`, with `all_in_words` what it says on standard output too. `given`: its environment, not ours."""
    with words.open("w") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=said if all_in_words else subprocess.PIPE,
            stderr=said,
            text=True,
            cwd=_ROOT,
            env=environment(given),
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def on_processor(which: int) -> Iterator[None]:
    """What is started meanwhile stays on one of the processors this program may use, where it may use several: so
    that those that are measured and those that serve them do not push each other about."""
    os.sched_setaffinity(0, {_PROCESSORS[which]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, _PROCESSORS)


def last_words(words: Path) -> str:
    """The end of what a process said on standard error."""
    return words.read_text()[-2000:]


def cpu_ns(pid: int) -> int:
    """Processor time of another process, all threads: the clock id that Linux gives it (clock_getcpuclockid(3))."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def rss_mib(pid: int) -> float:
    """Memory of another process that is in use now."""
    return _status_mib(pid, "VmRSS")


def peak_mib(pid: int) -> float:
    """The most that ever was in use."""
    return _status_mib(pid, "VmHWM")


def _status_mib(pid: int, name: str) -> float:
    """A figure of the process's status (proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1]) / 1024
