"""Simulations as processes of their own, as `ccmaster sim` begins them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from concentrator.app.launch import environment

SIM = [sys.executable, "-m", "concentrator.app.cli", "sim"]


class Simulation:
    """It is told a line and says one, or says one by itself; `ready` is the first."""

    def __init__(self, process: Any) -> None:
        self.process = process
        self.ready = self.heard()

    def heard(self) -> Any:
        """What it says next; waits for it."""
        return json.loads(self.process.stdout.readline())

    def tell(self, line: str) -> Any:
        """Tells it a line; gives what it says next."""
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.heard()


@contextmanager
def simulation(*options: str) -> Iterator[Simulation]:
    """`ccmaster sim` with some options, ended at the end."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*SIM, *options], **pipes, text=True, env=environment()) as process:  # type: ignore[call-overload]
        try:
            yield Simulation(process)
        finally:
            process.terminate()
