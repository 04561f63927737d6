"""Processor time for one transaction of 40 registers, from outside, beside libmodbus with an honest pause and
pymodbus's asynchronous client: with bytes that come one by one at 9600 bit/s, and from a bus on which nothing takes
time. CcMaster's share includes all it does: scheduling, decoding, publishing, the journal."""

from __future__ import annotations

from collections.abc import Callable

from bench.masters import CCMASTER, LIBMODBUS, PYMODBUS_ASYNC
from bench.run import Run, interleaved
from bench.table import Column, table

PEERS = (LIBMODBUS, PYMODBUS_ASYNC)
BUSES = {"byte by byte": (), "instant": ("--instant",)}
SECONDS = 2.5

_COLUMNS = (
    Column("CPU us/transaction", lambda run: run.cpu_us, ".0f", has_ratio=True),
    Column("transactions/s", lambda run: run.per_s, ".0f"),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Run]:
    """Every master on every bus, in turn, as often as asked for."""
    return interleaved((CCMASTER, *PEERS), BUSES, SECONDS, repetitions, told)


def report(runs: list[Run]) -> str:
    """The results in words and a table."""
    return (
        f"Processor time for a transaction of 40 registers, and the ratios to the peers'. CcMaster decodes and keeps\n"
        f"what it reads. It keeps the silence of 9600 bit/s, and so does {LIBMODBUS}; that bounds their rate on the\n"
        f"instant bus.\n\n"
        f"{table(runs, _COLUMNS, *PEERS)}"
    )
