"""What it costs to configure 40 variables each by itself: the line's time for a round of 4 meters, beside one block
read of them written by hand, and beside peers whose users read each register by itself."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from attrs import frozen

from bench.masters import CCMASTER, CCMASTER_BLOCK, LIBMODBUS, PYMODBUS_SYNC, REGISTERS
from bench.rounds import periods
from bench.scene import Task, at_work
from bench.table import Column, table

SLAVES = 4
SECONDS = {CCMASTER: 5.0, CCMASTER_BLOCK: 5.0, LIBMODBUS: 10.0, PYMODBUS_SYNC: 10.0}
"""How long each is watched: rounds of single reads take about four seconds."""

_SINGLE = tuple((address, 1) for address in range(REGISTERS))
_LAST = REGISTERS - 1


@frozen
class Round:
    """The time between two reads of the same register of the same meter, on a line that is asked for all it can."""

    master: str
    round_s: float
    requests: float
    bus: str = f"{SLAVES} meters"


_COLUMNS = (
    Column("round s", lambda run: run.round_s, has_ratio=True),
    Column("requests a round", lambda run: run.requests, ".0f"),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Round]:
    """Every master in turn, as often as asked for."""
    rounds = []
    for number in range(repetitions):
        for master, seconds in SECONDS.items():
            told(f"{number + 1} of {repetitions}, {master}")
            rounds.append(_measured(master, seconds))
    return rounds


def _measured(master: str, seconds: float) -> Round:
    with at_work(master, (), Task(SLAVES, _SINGLE)) as scene:
        opened = time.monotonic()
        time.sleep(seconds)
        closed = time.monotonic()
        window = [each for each in scene.exchanges() if opened <= each.began <= closed]
    round_s = statistics.median(period_s for _, period_s in periods(window, _LAST, range(1, SLAVES + 1)))
    return Round(master, round_s, len(window) * round_s / (closed - opened))


def report(rounds: list[Round]) -> str:
    """The results in words and a table."""
    return (
        f"{REGISTERS} variables configured one by one: the line's time for a round, and its ratio to the same\n"
        f"variables with their one [[read]] written by hand. The peers' users read register by register.\n\n"
        f"{table(rounds, _COLUMNS, CCMASTER_BLOCK)}"
    )
