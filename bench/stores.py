"""Stores of minute values, ours and named peers, behind one face: take a minute, give a variable's day or month, say
how large it is. Each is used as its makers mean it to be, with every minute on the disk before the next comes where
it can do that."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from bench.process import cpu_ns
from concentrator.journal.compact import EVERY_S, Compaction
from concentrator.journal.journal import Journal
from concentrator.journal.tables import Tables
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.record import Draft, Tally

BEGIN = 1_767_225_600
"""The first minute's beginning, in UTC seconds: a midnight."""

COUNTERS, STATES, ANALOGUES = 8, 6, 26
VARIABLES = COUNTERS + STATES + ANALOGUES
DIGITS = (2,) * COUNTERS + (0,) * STATES + (1,) * ANALOGUES

Minute = Sequence[Sequence[int]]
"""The values of each device, in steps of 10^-digits."""


class Store(Protocol):
    """A store under measurement. `cpu_s`: the processor time of everything it was given so far; `later_s`: how much of
    it was spent on making it small afterwards."""

    cpu_s: float
    later_s: float

    def take(self, number: int, minute: Minute) -> None:
        """Keeps the values of the minute with a number, from 0 on."""

    def ask(self, device: int, variable: int, first: int, count: int) -> Sequence[Any]:
        """The values of a variable in so many minutes from the one with number `first` on."""

    def rest(self) -> None:
        """Forgets what it has worked out for those who asked; nothing has to be read from the disk for that."""

    def end(self) -> int:
        """Closes it; gives its bytes on the disk."""


class Journalled:
    """Our journal, with compaction; in this process and without its thread, so that nothing is left out."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.db"
        self._clock = Clock()
        self._wall = _Wall()
        kinds = [Kind.COUNTER] * COUNTERS + [Kind.STATE] * STATES + [Kind.INSTANTANEOUS] * ANALOGUES
        units = ["kWh"] * COUNTERS + [""] * STATES + ["V"] * ANALOGUES
        self._columns = tuple(
            Quantity(f"variable_{i:02}", unit, kind, digits=digits)
            for i, (unit, kind, digits) in enumerate(zip(units, kinds, DIGITS, strict=True))
        )
        self._journal = Journal(self._path, self._clock, self._wall, _Here(), _complain)
        _result(self._journal.open())
        self._compaction = Compaction(self._journal, self._wall, self._clock)
        self._compaction.start()
        self._period_s = 60
        self.cpu_s = self.later_s = 0.0

    def take(self, number: int, minute: Minute) -> None:
        """The drafts are made outside the measured time: the program makes them in any case, for all its uplinks."""
        end = BEGIN + 60 * (number + 1)
        self.keep([self._draft(device, end, values) for device, values in enumerate(minute)], end)

    def keep(self, drafts: Sequence[Draft], now: int) -> None:
        """Writes drafts, and lets compaction have its time at some moments of the day."""
        began = time.process_time()
        written = self._journal.append(drafts)
        self._clock.advance(1.0)
        _result(written)
        written_at = time.process_time()
        self._wall.moment = now
        if now % 3600 == 0:
            self._compact()
        ended = time.process_time()
        self.cpu_s += ended - began
        self.later_s += ended - written_at

    def ask(self, device: int, variable: int, first: int, count: int) -> Sequence[Any]:
        """From blocks and rows."""
        start, name = BEGIN + 60 * first, self._columns[variable].name
        found = _result(self._journal.series(f"meter-{device:02}", [name], 60, start, start + 60 * count))
        values: Sequence[Any] = found.values[name]
        return values

    def rest(self) -> None:
        """Lets go of the open blocks."""
        _result(self._journal.query(_forget_blocks))

    def end(self) -> int:
        """The bytes of all its files."""
        self._compaction.stop()
        closed = self._journal.close()
        while not closed.called:
            self._clock.advance(1.0)
        return self._path.stat().st_size

    def _compact(self) -> None:
        self._clock.advance(EVERY_S)
        while len(self._clock.getDelayedCalls()) != 1 or self._clock.getDelayedCalls()[0].getTime() < (
            self._clock.seconds() + EVERY_S / 2
        ):
            self._clock.advance(0.1)

    def _draft(self, device: int, end: int, values: Sequence[int]) -> Draft:
        tallies = [Tally(1, step, step, step, step) for step in values]
        return Draft(f"meter-{device:02}", f"{device:08}", end, 60, self._columns, tallies)

    @property
    def columns(self) -> tuple[Quantity, ...]:
        """The quantities of a record."""
        return self._columns


class WideTable:
    """A plain SQLite table with a column for each variable, in write-ahead mode, synced at every minute's commit."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "wide.db"
        self._sql = sqlite3.connect(self._path, isolation_level=None)
        self._sql.execute("PRAGMA journal_mode = WAL")
        self._sql.execute("PRAGMA synchronous = FULL")
        names = ", ".join(f"v{i} REAL" for i in range(VARIABLES))
        self._sql.execute(f"CREATE TABLE s (dev INTEGER, ts INTEGER, {names}, PRIMARY KEY (dev, ts)) WITHOUT ROWID")
        self._insert = f"INSERT INTO s VALUES (?, ?{', ?' * VARIABLES})"
        self.cpu_s = self.later_s = 0.0

    def take(self, number: int, minute: Minute) -> None:
        """One synced commit."""
        end = BEGIN + 60 * (number + 1)
        rows = [(device, end, *map(_in_unit, values, DIGITS)) for device, values in enumerate(minute)]
        began = time.process_time()
        self._sql.execute("BEGIN")
        self._sql.executemany(self._insert, rows)
        self._sql.execute("COMMIT")
        self.cpu_s += time.process_time() - began

    def ask(self, device: int, variable: int, first: int, count: int) -> Sequence[Any]:
        """By the primary key."""
        start = BEGIN + 60 * first
        select = f"SELECT ts, v{variable} FROM s WHERE dev = ? AND ts > ? AND ts <= ?"
        return self._sql.execute(select, (device, start, start + 60 * count)).fetchall()

    def rest(self) -> None:
        """SQLite keeps no answers."""

    def end(self) -> int:
        """The bytes of all its files."""
        self._sql.close()
        return self._path.stat().st_size


class RoundRobin:
    """RRDtool, one file a device with the newest values of all its variables, given one minute a line."""

    def __init__(self, folder: Path, devices: int, minutes: int) -> None:
        self._files = [folder / f"{device}.rrd" for device in range(devices)]
        sources = [f"DS:v{i}:GAUGE:120:U:U" for i in range(VARIABLES)]
        for file in self._files:
            made = ["rrdtool", "create", str(file), "--start", str(BEGIN), "--step", "60", *sources]
            subprocess.run([*made, f"RRA:LAST:0.5:1:{minutes}"], check=True)
        self._process = subprocess.Popen(["rrdtool", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.cpu_s = self.later_s = 0.0

    def take(self, number: int, minute: Minute) -> None:
        """One line a device."""
        end = BEGIN + 60 * (number + 1)
        before = cpu_ns(self._process.pid)
        for file, values in zip(self._files, minute, strict=True):
            shown = ":".join(map(str, map(_in_unit, values, DIGITS)))
            self._say(f"update {file} {end}:{shown}")
            self._answer()
        self.cpu_s += (cpu_ns(self._process.pid) - before) / 1e9

    def ask(self, device: int, variable: int, first: int, count: int) -> Sequence[Any]:
        """All variables come, as text."""
        start = BEGIN + 60 * first
        self._say(f"fetch {self._files[device]} LAST -s {start} -e {start + 60 * (count - 1)}")
        return [line.split()[variable + 1] for line in self._answer() if ":" in line]

    def rest(self) -> None:
        """It keeps no answers."""

    def end(self) -> int:
        """The bytes of all its files."""
        self._process.communicate()
        return sum(file.stat().st_size for file in self._files)

    def _say(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()

    def _answer(self) -> list[str]:
        assert self._process.stdout is not None
        lines = []
        while not (line := self._process.stdout.readline()).startswith("OK"):
            if not line or line.startswith("ERROR"):
                raise RuntimeError(f"rrdtool: {line or 'it has ended'}")
            lines.append(line)
        return lines


class Whisper:
    """Graphite's whisper, one file a device and variable, given one point at a time as carbon does it."""

    def __init__(self, folder: Path, devices: int, minutes: int) -> None:
        import whisper  # of the extra `bench`; nothing else needs it

        self._whisper = whisper
        self._files = [[str(folder / f"{d}-{v}.wsp") for v in range(VARIABLES)] for d in range(devices)]
        self._shift = int(time.time()) // 60 * 60 - 60 * minutes - BEGIN  # it keeps only what is younger than that
        for file in (file for files in self._files for file in files):
            whisper.create(file, [(60, minutes + 60)])
        self.cpu_s = self.later_s = 0.0

    def take(self, number: int, minute: Minute) -> None:
        """One point after the other."""
        at = BEGIN + self._shift + 60 * number
        shown = [list(map(_in_unit, values, DIGITS)) for values in minute]
        began = time.process_time()
        for files, values in zip(self._files, shown, strict=True):
            for file, value in zip(files, values, strict=True):
                self._whisper.update(file, value, at)
        self.cpu_s += time.process_time() - began

    def ask(self, device: int, variable: int, first: int, count: int) -> Sequence[Any]:
        """Slot by slot; empty ones are left out."""
        start = BEGIN + self._shift + 60 * (first - 1)
        _, values = self._whisper.fetch(self._files[device][variable], start, start + 60 * count)
        return [value for value in values if value is not None]

    def rest(self) -> None:
        """It keeps no answers."""

    def end(self) -> int:
        """The bytes of all its files."""
        return sum(Path(file).stat().st_size for files in self._files for file in files)


class _Here:
    """A worker without a thread."""

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to stop."""

    def run(self, job: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Deferred[Any]:
        """Runs a job here and now."""
        return maybeDeferred(job, *args, **kwargs)


class _Wall:
    moment = float(BEGIN)

    def now(self) -> float:
        return self.moment

    def is_trusted(self) -> bool:
        return True


def _in_unit(steps: int, digits: int) -> float:
    return steps / 10**digits


def _complain(name: str, facts: Any) -> None:
    raise RuntimeError(f"{name}: {facts}")


def _forget_blocks(tables: Tables) -> None:
    tables.shelf.forget()


def _result(deferred: Deferred[Any]) -> Any:
    found: list[Any] = []
    deferred.addCallbacks(found.append, lambda failure: failure.raiseException())
    if not found:
        raise RuntimeError("the journal has not answered")
    return found[0]


STORES: dict[str, Callable[..., Store]] = {
    "ccmaster": lambda folder, devices, minutes: Journalled(folder),
    "wide SQLite": lambda folder, devices, minutes: WideTable(folder),
    "RRDtool": partial(RoundRobin),
    "whisper": partial(Whisper),
}
"""The stores by name; each is made in a folder, for so many devices and minutes."""
