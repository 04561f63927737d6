"""Processes from outside: run while they are wanted, their processor time, their memory."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from concentrator.app.launch import environment

_ROOT = Path(__file__).parents[1]


@contextmanager
def running(command: Sequence[str], words: Path) -> Iterator[subprocess.Popen[str]]:
    """A process while it is wanted, its standard input and output at hand; what it says on standard error goes to the
    file `words`."""
    with words.open("w") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            cwd=_ROOT,
            env=environment(),
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


def last_words(words: Path) -> str:
    """The end of what a process said on standard error."""
    return words.read_text()[-2000:]


def cpu_ns(pid: int) -> int:
    """Processor time of another process, all threads: the clock id that Linux gives it (clock_getcpuclockid(3))."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def rss_mib(pid: int) -> float:
    """Memory of another process that is in use now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
