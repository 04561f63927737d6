"""A Line on a simulated M-Bus in virtual time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twisted.internet.task import Clock
from twisted.python.failure import Failure

from concentrator.line.line import Line
from concentrator.sim.mbus_line import MbusLine
from concentrator.sim.mbus_meter import MbusMeter
from concentrator.wire.conversation import LineSettings
from concentrator.wire.mbus_frame import silence_s
from tests.support.virtual_bus import VirtualBus

MBUS = LineSettings(2400, 11)


class VirtualMbus(VirtualBus):
    """An endpoint whose far end is a simulated M-Bus with these meters; `bus` is the line as the meters know it."""

    def __init__(self, *meters: MbusMeter, settings: LineSettings = MBUS, damage: float = 0.0) -> None:
        self.clock = Clock()
        self.clock.advance(1000.0)
        self.settings = settings
        self.bus = MbusLine(meters, settings, damage)
        self.protocol = None
        self._timer = None
        self._arrived = b""

    def line(self, **options) -> Line:
        """An open line on this bus."""
        line = Line("mbus", self, self.clock, self.settings.character_s, silence_s(self.settings), **options)
        line.start()
        return line

    def said(self, line: Line, conversation, station="any") -> object:
        """What a conversation gives, or the error that it ends with."""
        results: list[object] = []
        line.run(station, conversation).addBoth(results.append)
        for _ in range(600):
            if results:
                break
            self.run(0.1)
        (result,) = results
        return result.value if isinstance(result, Failure) else result


@contextmanager
def simulated_mbus(*options: str) -> Iterator[dict[str, Any]]:
    """A line in a process of its own, with the options of `concentrator.app.simulate_mbus`: what it announced."""
    command = [sys.executable, "-m", "concentrator.app.simulate_mbus", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, f"the simulated line did not start: {' '.join(command)}"
            yield json.loads(said)
        finally:
            process.terminate()
