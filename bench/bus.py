"""Bus efficiency: 32 meters of 40 registers at 9600 8N1, how long a round takes and whether 3.5 characters of silence
are kept; with bytes that come one by one, from a UART with a fifo, and with slaves that do not see a request that comes
too early. Beside libmodbus with an honest pause, and pymodbus; start and memory are printed too."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from bench.masters import CCMASTER, LIBMODBUS, PYMODBUS_ASYNC, PYMODBUS_SYNC, REGISTERS, SLAVES
from bench.run import Run, interleaved, limit_s
from bench.scene import Task
from bench.table import Column, table
from concentrator.sim.bus import Wire

MASTERS = (CCMASTER, LIBMODBUS, PYMODBUS_ASYNC, PYMODBUS_SYNC)
BUSES = {"byte by byte": (), "fifo of 8": ("--fifo", "8"), "strict slaves": ("--strict",)}
SECONDS = 4.0
TIMEOUT_S = 0.3

_COLUMNS = (
    Column("round s", lambda run: run.cycle_s, has_ratio=True),
    Column("efficiency", lambda run: run.efficiency),
    Column("gap ms", lambda run: run.gap_ms, ".2f"),
    Column("t3.5 broken", lambda run: run.early, ".0f"),
    Column("of", lambda run: run.exchanges - run.stalled, ".0f"),
    Column("lost", lambda run: run.lost, ".0f"),
    Column("left out", lambda run: run.stalled, ".0f"),
    Column("start s", lambda run: run.start_s, ".2f"),
    Column("RSS MiB", lambda run: run.rss_mib, ".1f"),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Run]:
    """Every master on every bus, in turn, as often as asked for."""
    return interleaved(MASTERS, BUSES, SECONDS, repetitions, told, Task(timeout_s=TIMEOUT_S))


def report(runs: list[Run]) -> str:
    """The results in words and a table."""
    best_s = SLAVES * limit_s(REGISTERS, Wire())
    lag_us = statistics.median(run.lag_us for run in runs)
    return (
        f"Bus efficiency: {SLAVES} meters x {REGISTERS} registers, 9600 8N1. The wire allows a round in\n"
        f"{best_s:.3f} s; above an efficiency of 1 the silence of 3.5 characters is not kept. Peers wait\n"
        f"{TIMEOUT_S} s for an answer and ask once: their own longer time-outs would only make it dearer that strict\n"
        f"slaves do not see a request. start: from the start of the process to its first request on the bus.\n\n"
        f"{table(runs, _COLUMNS, LIBMODBUS, PYMODBUS_SYNC)}\n\n"
        f"The simulator was {lag_us:.0f} us late with the worst byte of a middling reply; exchanges in which it was\n"
        f"late by more than 3 ms, because the machine was busy, are left out."
    )
