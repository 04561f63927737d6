"""What this process takes of the machine, as Linux counts it. Hides where it is said, and in which units."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@frozen
class Usage:
    """CPU seconds, resident memory in bytes, and how many files, sockets and ports are open."""

    cpu_s: float
    resident: int
    files: int


def usage(process: Path = Path("/proc/self")) -> Usage:
    """What is taken now. OSError where that is not said."""
    # The name, in brackets, may have anything in it; utime and stime are the 12th and 13th field after it.
    counted = (process / "stat").read_text().rpartition(")")[2].split()
    resident = int((process / "statm").read_text().split()[1]) * _PAGE
    return Usage((int(counted[11]) + int(counted[12])) / _TICKS, resident, len(os.listdir(process / "fd")))
