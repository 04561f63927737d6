"""Flash wear: what is written to the disk in a day with 33 meters of 40 variables, beside a plain wide SQLite table
that is synced as often; and how long a large file takes to be opened. Counted is what
the process writes, log and checkpoints among it; what the file system writes for itself is not. The kernel's own count
for a process (proc(5), `write_bytes`) is of no use: where its page cache is made of large folios it counts these."""

from __future__ import annotations

import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from bench.stores import ANALOGUES, BEGIN, COUNTERS, DIGITS, STATES, VARIABLES, Journalled, WideTable
from bench.table import Column, table
from concentrator.app.launch import environment
from concentrator.app.past import SETTLE_S
from concentrator.journal.opening import begin
from concentrator.model.quantity import Kind
from concentrator.model.record import Draft, Tally
from tests.support.disk import Watch

METERS = 33
PERIODS_S = (10, 60)
LIMITS_MB = {10: 500, 60: 100}
INTERVALS = 1440
"""So many are written before it is counted, and while it is: what a block holds, so that each kind of block is made."""

HISTORY_S, FILE_S = 300, 3600
LARGE_BYTES = 200 * 10**6
OURS, PEER, CHECKED = "ccmaster", "wide table", "PRAGMA quick_check"

_ROOT = Path(__file__).parents[1]
_READINGS = {10: 3, 60: 20}
_DAY_S = 86_400
_COUNTING = "counting"
_MB = 10**6


@frozen
class Run:
    """What is written in a day, in 10^6 bytes: as it is given to the disk, and as the disk writes it, in whole blocks
    of 4 KiB with each sync; or how long opening a file took, in ms."""

    master: str
    bus: str
    given_mb: float | None = None
    limit_mb: float | None = None
    blocks_mb: float | None = None
    opened_ms: float | None = None


_COLUMNS = (
    Column("MB/day", lambda run: run.given_mb, ".0f", has_ratio=True),
    Column("at most", lambda run: run.limit_mb, ".0f"),
    Column("MB/day in blocks", lambda run: run.blocks_mb, ".0f", has_ratio=True),
    Column("opened in ms", lambda run: run.opened_ms, ".1f"),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Run]:
    """Both periods, ours and the peer's in turn, once: what is written is the same each time. Then the large file, as
    often as asked for."""
    runs = []
    for period in PERIODS_S:
        for name in (OURS, PEER):
            told(f"{period} s, {name}")
            given, blocks = (each / (INTERVALS * period) * _DAY_S / _MB for each in _written(name, period))
            runs.append(Run(name, f"{period} s", given, LIMITS_MB[period], blocks))
    told("a large file")
    return [*runs, *_openings(repetitions)]


def _openings(repetitions: int) -> list[Run]:
    runs = []
    with tempfile.TemporaryDirectory(prefix="wear-") as folder:
        path = _large(Path(folder))
        bus = f"a file of {path.stat().st_size / _MB:.0f} MB"
        for _ in range(repetitions):
            began = time.perf_counter()
            tables, _ = begin(path, "now", BEGIN)
            runs.append(Run(OURS, bus, opened_ms=(time.perf_counter() - began) * 1000))
            tables.database.close()
            began = time.perf_counter()
            connection = sqlite3.connect(path)
            connection.execute("PRAGMA quick_check").fetchall()
            runs.append(Run(CHECKED, bus, opened_ms=(time.perf_counter() - began) * 1000))
            connection.close()
    return runs


def _large(folder: Path) -> Path:
    """A journal's file with so many rows that it is large."""
    path = folder / "journal.db"
    tables, _ = begin(path, "now", BEGIN)
    content = tables.sql.execute("SELECT randomblob(250)").fetchone()[0]
    count = LARGE_BYTES // 300
    rows = ((n, 10, BEGIN + n // METERS * 10, n % METERS + 1, 0, 1, content) for n in range(1, count))
    with tables.sql:
        tables.sql.execute("BEGIN")
        tables.sql.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    tables.database.close()
    return path


class Delivering(Journalled):
    """Our journal with what makes it write: base records and history, each delivered by one reader as it comes, the
    history every hour."""

    def __init__(self, folder: Path, period_s: int) -> None:
        super().__init__(folder)
        self._journal._settle_s = SETTLE_S
        self._base_s = period_s
        self._journal.register("mqtt", {period_s, 0})
        self._journal.register("ftp", {HISTORY_S})

    def work(self, now: int, tallies: Sequence[Sequence[Tally]]) -> None:
        """One base interval that ends now."""
        self.keep(self._drafts(now, self._base_s, tallies), now)
        if now % HISTORY_S == 0:
            self.keep(self._drafts(now, HISTORY_S, tallies), now)
        self._deliver("mqtt")
        if now % FILE_S == 0:
            self._deliver("ftp")

    def _drafts(self, end: int, period_s: int, tallies: Sequence[Sequence[Tally]]) -> list[Draft]:
        names = [f"meter-{device:02}" for device in range(len(tallies))]
        return [Draft(name, name, end, period_s, self.columns, each) for name, each in zip(names, tallies, strict=True)]

    def _deliver(self, reader: str) -> None:
        while True:
            seen: list[Any] = []
            self._journal.read(reader, 500).addBoth(seen.append)
            if seen[0] is None:
                return
            self._journal.settle(seen[0], {record.n for record in seen[0].records})


def _intervals(period_s: int) -> list[list[Tally]]:
    """What the variables of a meter do in each interval, the same each time."""
    draw = random.Random(7)
    readings = _READINGS[period_s]
    part = period_s / readings / 60
    state = [draw.uniform(1, 400) for _ in range(VARIABLES)]
    found = []
    for _ in range(2 * INTERVALS):
        runs: list[list[int]] = [[] for _ in range(VARIABLES)]
        for _ in range(readings):
            for i in range(VARIABLES):
                if i < COUNTERS:
                    state[i] += draw.random() * 3 * part
                elif i < COUNTERS + STATES:
                    state[i] = float(draw.random() < 0.01 * part)
                else:
                    state[i] += draw.gauss(0, 0.3 * part**0.5)
                runs[i].append(round(state[i] * 10 ** DIGITS[i]))
        kinds = [Kind.COUNTER] * COUNTERS + [Kind.STATE] * STATES + [Kind.INSTANTANEOUS] * ANALOGUES
        found.append([_tally(kind, run) for kind, run in zip(kinds, runs, strict=True)])
    return found


def _tally(kind: Kind, steps: Sequence[int]) -> Tally:
    if kind is Kind.INSTANTANEOUS:
        return Tally(len(steps), sum(steps), min(steps), max(steps), steps[-1])
    return Tally(len(steps), *steps[-1:] * 4)


def _work(name: str, period_s: int, folder: Path) -> None:
    """Writes intervals, and says when it begins to count."""
    intervals = _intervals(period_s)
    ours = Delivering(folder, period_s) if name == OURS else None
    peer = WideTable(folder) if name == PEER else None
    for number in range(2 * INTERVALS):
        if number == INTERVALS:
            print(_COUNTING, flush=True)
        tallies = [intervals[(number + 97 * device) % len(intervals)] for device in range(METERS)]
        if ours:
            ours.work(BEGIN + period_s * (number + 1), tallies)
        elif peer:
            peer.take(number, [[tally.last for tally in each] for each in tallies])


def _written(name: str, period_s: int) -> tuple[int, int]:
    """Bytes given and bytes written in whole blocks for `INTERVALS` intervals, after as many others."""
    with tempfile.TemporaryDirectory(prefix="wear-") as folder:
        watch = Watch.over(Path(folder) / "journal", Path(folder))
        command = [sys.executable, "-m", "bench.wear", name, str(period_s), str(watch.folder)]
        surroundings = {**watch.environment, **environment(watch.environment), "DISK_BRIEF": "1"}
        done = subprocess.run(command, cwd=_ROOT, env=surroundings, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        begun, given, blocks = False, 0, 0
        for step, (bytes_given, bytes_synced) in zip(watch.steps(), watch.written(), strict=True):
            begun = begun or (step.kind == "m" and step.data.startswith(_COUNTING.encode()))
            if begun:
                given, blocks = given + bytes_given, blocks + bytes_synced
    return given, blocks


def report(runs: list[Run]) -> str:
    """The results in words and a table."""
    middle = statistics.median(run.opened_ms for run in runs if run.master == OURS and run.opened_ms is not None)
    return (
        f"What is written in a day with {METERS} meters of {VARIABLES} variables, and what that is in whole blocks of\n"
        f"4 KiB for each sync. Ours keeps mean, least, most and last of each base interval, keeps history besides,\n"
        f"notes what was delivered, and seals blocks; the wide table keeps one value, and has one synced commit for\n"
        f"each interval as well. Opening a large file takes {middle:.0f} ms here.\n\n"
        f"{table(runs, _COLUMNS, PEER)}"
    )


if __name__ == "__main__":
    _work(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
