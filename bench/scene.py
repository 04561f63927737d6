"""A simulated bus with one master at work on it, and what can be seen and done from outside. Hides starting the two,
and waiting until the master has found its pace."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from bench.masters import BLOCK, MASTERS, REGISTERS, SLAVES
from bench.peers import Orders
from bench.process import last_words, running
from concentrator.sim.exchange import Exchange, from_log

TURNAROUND_S = 0.005
_WARM = 8  # exchanges before a master counts as reading
_SETTLED_S = 4.5  # and seconds since the first of them: a service finishes its start and asks every slave who it is
_PATIENCE_S = 20.0


@frozen
class Task:
    """What a master is to do: read `slaves`, of each `reads` (address, count); with a `timeout_s` peers wait that long
    for an answer, ask once and pass errors over. `meters`: the options that make the simulator have such slaves."""

    slaves: int = SLAVES
    reads: Sequence[tuple[int, int]] = BLOCK
    timeout_s: float | None = None
    meters: Sequence[str] = ("--registers", str(REGISTERS), "--turnaround", str(TURNAROUND_S * 1000))


@frozen
class Scene:
    """A bus and a master at work. `began`: when the master was started, in seconds of the monotonic clock, as all
    moments here."""

    master: str
    began: float
    _simulator: subprocess.Popen[str]
    _process: subprocess.Popen[str]
    _log: Path
    _words: Path

    @property
    def pid(self) -> int:
        """The master's process."""
        return self._process.pid

    def exchanges(self) -> list[Exchange]:
        """Everything that was on the bus so far."""
        return from_log(self._log.read_text())

    def tell(self, command: str) -> dict[str, Any]:
        """Gives the simulator a command; its answer. RuntimeError when it refuses."""
        assert self._simulator.stdin is not None and self._simulator.stdout is not None
        self._simulator.stdin.write(command + "\n")
        self._simulator.stdin.flush()
        answer: dict[str, Any] = json.loads(self._simulator.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{command}: {answer['error']}")
        return answer

    def wait_until(self, is_so: Callable[[Sequence[Exchange]], bool], patience_s: float) -> None:
        """Waits until what was on the bus is as wanted; RuntimeError with the master's last words when it ends, or
        that takes too long."""
        patience = time.monotonic() + patience_s
        while not is_so(self.exchanges()):
            if self._process.poll() is not None or time.monotonic() > patience:
                raise RuntimeError(f"{self.master} does not read: {last_words(self._words)}")
            time.sleep(0.05)


@contextmanager
def at_work(master: str, options: Sequence[str], task: Task) -> Iterator[Scene]:
    """A master that carries out a task on a bus with these options of the simulator's, from when it has settled;
    RuntimeError with its last words when it does not come to reading."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        port, log, words = folder / "bus", folder / "bus.jsonl", folder / "master.txt"
        simulator = [
            *(sys.executable, "-m", "concentrator.app.simulate", "--link", str(port), "--log", str(log), "--precise"),
            *("--meters", str(task.slaves), *task.meters, *options),
        ]
        command = MASTERS[master](folder, Orders(str(port), task.slaves, task.reads, task.timeout_s))
        with running(simulator, folder / "simulator.txt") as simulated:
            assert simulated.stdout is not None
            if not simulated.stdout.readline():
                raise RuntimeError(f"the simulator ended: {last_words(folder / 'simulator.txt')}")
            began = time.monotonic()
            with running(command, words) as process:
                scene = Scene(master, began, simulated, process, log, words)
                scene.wait_until(_is_settled, _PATIENCE_S)
                yield scene


def _is_settled(exchanges: Sequence[Exchange]) -> bool:
    return len(exchanges) >= _WARM and time.monotonic() > exchanges[0].began + _SETTLED_S
