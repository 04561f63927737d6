"""What dead meters cost those that are alive, and how soon a revived one is read again: 32 meters at 9600 8N1, of which
4 fall silent and come back. Beside peers, which do nothing about it and are therefore watched for a shorter time. It is
done once, whatever the repetitions: it takes minutes, and every figure is of many rounds already."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from attrs import frozen

from bench.masters import CCMASTER, LIBMODBUS, PYMODBUS_ASYNC, PYMODBUS_SYNC, REGISTERS, SLAVES
from bench.rounds import moments, periods
from bench.scene import Scene, Task, at_work
from bench.table import Column, table
from concentrator.sim.exchange import Exchange

SILENCED = (3, 9, 20, 31)
TIMEOUT_S = 0.3
_LAST = REGISTERS - 1  # a probe may be shorter than the read of all; who has the last register has it all
_PATIENCE_S = 40.0


@frozen
class Spans:
    """For how many seconds all are alive, some are dead, and at most is waited for those to be read again; `first_s`
    of the second count as the beginning."""

    alive_s: float
    dead_s: float
    revival_s: float
    first_s: float


@frozen
class Marks:
    """Moments: all are alive from `opened` on, some are dead from `died` to `revived`, it was over at `closed`."""

    opened: float
    died: float
    revived: float
    closed: float


@frozen
class Dead:
    """The seconds between two reads of one and the same meter that is alive throughout, in the middle of all and the
    most: while all are alive, in the first time with dead ones, later, and when these are back; and the seconds after
    which each of them was read again (None: not while it was watched)."""

    master: str
    bus: str
    alive_s: float
    alive_most_s: float
    first_s: float
    first_most_s: float
    later_s: float
    later_most_s: float
    back_most_s: float
    again_s: tuple[float | None, ...]

    @property
    def all_again_s(self) -> float | None:
        """The seconds after which the last of them was read again; None when one was not."""
        known = [seconds for seconds in self.again_s if seconds is not None]
        return max(known) if len(known) == len(self.again_s) else None


OURS = Spans(alive_s=12.0, dead_s=75.0, revival_s=90.0, first_s=60.0)
THEIRS = Spans(alive_s=12.0, dead_s=20.0, revival_s=10.0, first_s=10.0)
MASTERS = {CCMASTER: OURS, LIBMODBUS: THEIRS, PYMODBUS_ASYNC: THEIRS, PYMODBUS_SYNC: THEIRS}

_COLUMNS = (
    Column("all alive s", lambda run: run.alive_s),
    Column("most", lambda run: run.alive_most_s / run.alive_s, ".2f"),
    Column("at first", lambda run: run.first_s / run.alive_s, ".2f"),
    Column("most", lambda run: run.first_most_s / run.alive_s, ".2f"),
    Column("later", lambda run: run.later_s / run.alive_s, ".3f"),
    Column("most", lambda run: run.later_most_s / run.alive_s, ".2f"),
    Column("when back, most", lambda run: run.back_most_s / run.alive_s, ".2f"),
    Column("read again s", lambda run: run.all_again_s, ".1f"),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Dead]:
    """Every master once, one after the other."""
    runs = []
    for number, (master, spans) in enumerate(MASTERS.items(), 1):
        where = f"{number} of {len(MASTERS)}, {master}"
        with at_work(master, (), Task(timeout_s=TIMEOUT_S)) as scene:
            marks = _played(scene, spans, lambda step, where=where: told(f"{where}, {step}"))
            exchanges = scene.exchanges()
        runs.append(summed_up(master, exchanges, marks, spans.first_s))
    return runs


def _played(scene: Scene, spans: Spans, told: Callable[[str], None]) -> Marks:
    told("getting going")
    scene.wait_until(_has_read_all_twice, _PATIENCE_S)
    told("all alive")
    opened = time.monotonic()
    time.sleep(spans.alive_s)
    told(f"{len(SILENCED)} dead")
    scene.tell("silence " + ",".join(map(str, SILENCED)))
    died = time.monotonic()
    time.sleep(spans.dead_s)
    told("back")
    scene.tell("silence")
    revived = time.monotonic()
    while time.monotonic() < revived + spans.revival_s and None in read_again_s(scene.exchanges(), revived):
        time.sleep(0.5)
    time.sleep(2.0)  # what coming back costs the others
    return Marks(opened, died, revived, time.monotonic())


def _has_read_all_twice(exchanges: Sequence[Exchange]) -> bool:
    read = moments(exchanges, _LAST)
    return len(read) == SLAVES and all(len(times) > 1 for times in read.values())


def read_again_s(exchanges: Sequence[Exchange], revived: float) -> tuple[float | None, ...]:
    """For each of the silenced, how long after their revival it was first read; None when it was not."""
    read = moments(exchanges, _LAST)
    return tuple(next((at - revived for at in read.get(slave, ()) if at > revived), None) for slave in SILENCED)


def summed_up(master: str, exchanges: Sequence[Exchange], marks: Marks, first_s: float) -> Dead:
    """The figures of what was on the bus. A wait belongs to the time in which it ends; the one with all alive and the
    later one with dead ones must begin in theirs too."""
    healthy = [slave for slave in range(1, SLAVES + 1) if slave not in SILENCED]
    waits = list(periods(exchanges, _LAST, healthy))
    first_over = marks.died + first_s
    alive = [wait_s for at, wait_s in waits if marks.opened <= at - wait_s and at <= marks.died]
    first = [wait_s for at, wait_s in waits if marks.died < at <= first_over]
    later = [wait_s for at, wait_s in waits if first_over <= at - wait_s and at <= marks.revived]
    back = [wait_s for at, wait_s in waits if marks.revived < at <= marks.closed]
    return Dead(
        master,
        f"{len(SILENCED)} of {SLAVES} dead",
        alive_s=statistics.median(alive),
        alive_most_s=max(alive),
        first_s=statistics.median(first),
        first_most_s=max(first),
        later_s=statistics.median(later),
        later_most_s=max(later),
        back_most_s=max(back, default=0.0),
        again_s=read_again_s(exchanges, marks.revived),
    )


def report(runs: list[Dead]) -> str:
    """The results in words and a table."""
    ours_s, theirs_s = round(OURS.first_s), round(THEIRS.first_s)
    return (
        f"{len(SILENCED)} of {SLAVES} meters fall silent and come back. The time between two reads of a meter that is\n"
        f"alive, in the middle and the most: in seconds with all alive, then as a ratio to that (0.875 would be the\n"
        f"dead without any cost). at first: the first {ours_s} s with dead ones, for peers the first {theirs_s} s;\n"
        f"later: after that. Peers wait {TIMEOUT_S} s for an answer and ask once. read again: when the slowest of\n"
        f"those that came back was.\n\n"
        f"{table(runs, _COLUMNS)}"
    )
