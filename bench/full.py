"""A full bus: 33 three-phase meters at 9600 8N1 with all they tell, as a user configures them. How long a meter waits
for its fast values and for its energies at the most, and how far the wire is used. Beside pymodbus, which knows no
rates and reads both in every round. It is done once, whatever the repetitions, for it takes its time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from attrs import frozen

from bench.masters import CCMASTER_NATIVE, PYMODBUS_SYNC
from bench.rounds import longest_s, moments, periods
from bench.scene import Task, at_work
from bench.table import Column, table
from concentrator.sim.bus import Wire
from concentrator.sim.exchange import Exchange, Status

SLAVES = 33
FAST, ENERGIES = (0x0100, 52), (0x0140, 64)
"""Address and count of what a native meter tells fast, and of its energies (plugins/energycm/ccm.toml)."""
SECONDS = {CCMASTER_NATIVE: 60.0, PYMODBUS_SYNC: 30.0}
_PATIENCE_S = 60.0
_SPREAD_S = 30.0
"""How long jobs that all began together take to be spread evenly over their periods."""


@frozen
class Full:
    """Seconds between two reads of the fast values and of the energies of one meter, in the middle of all and the most
    of any meter; the share of the time in which the wire was used or had to be silent; and how many exchanges, and how
    many of them without a good answer."""

    master: str
    fast_s: float
    fast_most_s: float
    energies_s: float
    energies_most_s: float
    used: float
    exchanges: int
    lost: int
    bus: str = f"{SLAVES} CcM meters"


_COLUMNS = (
    Column("fast s", lambda run: run.fast_s, ".2f"),
    Column("most", lambda run: run.fast_most_s, ".2f", has_ratio=True),
    Column("energies s", lambda run: run.energies_s, ".2f"),
    Column("most", lambda run: run.energies_most_s, ".2f", has_ratio=True),
    Column("wire used", lambda run: run.used, ".1%"),
    Column("exchanges", lambda run: run.exchanges, ".0f"),
    Column("lost", lambda run: run.lost, ".0f"),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Full]:
    """Every master once, from half a minute after it has read everything once."""
    runs = []
    for master, seconds in SECONDS.items():
        told(master)
        with at_work(master, (), Task(SLAVES, (FAST, ENERGIES), meters=())) as scene:
            scene.wait_until(_has_read_all, _PATIENCE_S)
            time.sleep(_SPREAD_S)
            opened = time.monotonic()
            time.sleep(seconds)
            runs.append(summed_up(master, scene.exchanges(), opened, time.monotonic()))
    return runs


def _has_read_all(exchanges: Sequence[Exchange]) -> bool:
    return all(len(moments(exchanges, address)) == SLAVES for address, _ in (FAST, ENERGIES))


def summed_up(master: str, exchanges: Sequence[Exchange], opened: float, closed: float) -> Full:
    """The figures of what was on the bus between two moments."""
    slaves, silence_s = range(1, SLAVES + 1), Wire().silence_s
    window = [each for each in exchanges if opened <= each.began <= closed]
    fast, energies = (
        statistics.median(wait_s for _, wait_s in periods(window, address, slaves)) for address, _ in (FAST, ENERGIES)
    )
    return Full(
        master,
        fast_s=fast,
        fast_most_s=longest_s(window, FAST[0], slaves, opened, closed),
        energies_s=energies,
        energies_most_s=longest_s(window, ENERGIES[0], slaves, opened, closed),
        used=sum((each.reply_ended or each.ended) + silence_s - each.began for each in window) / (closed - opened),
        exchanges=len(window),
        lost=sum(each.status is not Status.OK for each in window),
    )


def report(runs: list[Full]) -> str:
    """The results in words and a table."""
    (_, fast), (_, energies) = FAST, ENERGIES
    return (
        f"{SLAVES} meters with {fast} fast registers and {energies} of energies each, 9600 8N1: the time between two\n"
        f"reads of one meter, in the middle and the most of any. {PYMODBUS_SYNC} reads both of all in a round.\n\n"
        f"{table(runs, _COLUMNS, PYMODBUS_SYNC)}"
    )
