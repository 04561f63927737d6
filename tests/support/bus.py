"""A simulated bus in a process of its own, on a pseudo-terminal, with the log of what every request met."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from concentrator.sim.exchange import Exchange, from_log


@define
class SimulatedBus:
    """`port` is what a master opens; `units` are the addresses that were given, `serials` whose they are, `secondaries`
    who is read through them, `unlinked` the meters that have none of their own yet."""

    port: str
    units: list[int]
    serials: dict[int, str]
    unlinked: list[str]
    secondaries: dict[int, list[str]]
    log: Path
    process: subprocess.Popen[str]

    def tell(self, command: str) -> dict[str, Any]:
        """Has the bus carry out a command of `concentrator.app.simulate_commands`, and gives its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def exchanges(self) -> list[Exchange]:
        """Every request that is over, so far."""
        return from_log(self.log.read_text())

    def stop(self) -> int:
        """Ends the bus and gives its exit status."""
        self.process.terminate()
        return self.process.wait(10)


@contextmanager
def simulated_bus(folder: Path, *options: str, name: str = "bus") -> Iterator[SimulatedBus]:
    """A bus with the options of `concentrator.app.simulate`, its port and log lying in `folder`."""
    port, log = folder / name, folder / f"{name}.jsonl"
    command = [sys.executable, "-m", "concentrator.app.simulate", "--link", str(port), "--log", str(log), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, f"the simulated bus did not start: {' '.join(command)}"
            ready = json.loads(said)
            serials = {int(unit): serial for unit, serial in ready["serials"].items()}
            secondaries = {int(unit): those for unit, those in ready["secondaries"].items()}
            yield SimulatedBus(str(port), ready["units"], serials, ready["unlinked"], secondaries, log, process)
        finally:
            process.terminate()


@pytest.fixture
def start_bus(tmp_path: Path) -> Iterator[Callable[..., SimulatedBus]]:
    """`start_bus(*options, name="bus")` starts a bus that ends with the test."""
    with ExitStack() as started:
        yield lambda *options, name="bus": started.enter_context(simulated_bus(tmp_path, *options, name=name))
