"""One measured run: a simulated bus, one master, a window of time. Everything is taken from outside the master: the
bus from the simulator's log, processor time from the process's clock, memory from /proc."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from attrs import field, frozen

from bench.process import cpu_ns, rss_mib
from bench.scene import TURNAROUND_S, Task, at_work
from concentrator.sim.bus import Wire
from concentrator.sim.exchange import Exchange, Status

_STALL_S = 0.003  # a byte later than this says more about the machine than about the master


@frozen
class Run:
    """What one master did in one window. `cycle_s`: the time all slaves take, one after the other, at one read each;
    `efficiency`: what the wire can do over what was done, above 1 where the silence is not kept; `early`: requests
    within 3.5 characters of silence; `stalled`: exchanges that are left out of all bus figures because the simulator
    itself was kept from its work; `lag_us`: how late the simulator was with its worst byte, in the middle of all
    replies; `statuses`: how many exchanges ended how."""

    master: str
    bus: str
    exchanges: int
    stalled: int
    per_s: float
    cycle_s: float
    efficiency: float
    gap_ms: float
    early: int
    cpu_us: float
    rss_mib: float
    start_s: float
    lag_us: float
    statuses: Mapping[str, int] = field(factory=dict)

    @property
    def lost(self) -> int:
        """Requests that were not answered."""
        return self.exchanges - self.statuses.get(Status.OK, 0)


def limit_s(registers: int, wire: Wire) -> float:
    """The least an exchange can take: request, turnaround, reply, silence (Modbus over Serial Line V1.02, 2.5.1.1)."""
    return (8 + 5 + 2 * registers) * wire.character_s + TURNAROUND_S + wire.silence_s


def interleaved(
    masters: Sequence[str],
    buses: Mapping[str, Sequence[str]],
    seconds: float,
    repetitions: int,
    told: Callable[[str], None],
    task: Task | None = None,
) -> list[Run]:
    """Every master on every bus, repetition by repetition, so that a busy moment of the machine meets everybody;
    `told` hears of each step."""
    steps = [(master, bus) for _ in range(repetitions) for bus in buses for master in masters]
    runs = []
    for number, (master, bus) in enumerate(steps, 1):
        told(f"{number} of {len(steps)}, {master}, {bus}")
        runs.append(measure(master, bus, buses[bus], seconds, task or Task()))
    return runs


def measure(master: str, bus: str, options: Sequence[str], seconds: float, task: Task) -> Run:
    """Lets a master carry out a task on a simulated bus with these options, for that long; RuntimeError with the
    master's last words when it does not come to reading."""
    with at_work(master, options, task) as scene:
        opened, cpu_from = time.monotonic(), cpu_ns(scene.pid)
        time.sleep(seconds)
        closed, cpu_to = time.monotonic(), cpu_ns(scene.pid)
        memory_mib, exchanges = rss_mib(scene.pid), scene.exchanges()
    window = [exchange for exchange in exchanges if opened <= exchange.began <= closed]
    start_s, cpu_us = exchanges[0].began - scene.began, (cpu_to - cpu_from) / 1000
    return summed_up(master, bus, start_s=start_s, cpu_us=cpu_us, rss_mib=memory_mib, window=window, slaves=task.slaves)


def summed_up(
    master: str,
    bus: str,
    *,
    start_s: float,
    cpu_us: float,
    rss_mib: float,
    window: Sequence[Exchange],
    slaves: int,
) -> Run:
    """The run of a window of exchanges; `cpu_us` is the processor time of all of it."""
    wire = Wire()
    # an exchange and the silence after it, until the next one begins
    rounds = [(each, after) for each, after in pairwise(window) if each.lag_s <= _STALL_S]
    span_s = sum(after.began - each.began for each, after in rounds)
    possible_s = sum(limit_s(each.count, wire) for each, _ in rounds if each.status is Status.OK)
    return Run(
        master,
        bus,
        exchanges=len(window),
        stalled=len(window) - 1 - len(rounds),
        per_s=len(rounds) / span_s,
        cycle_s=slaves * span_s / len(rounds),
        efficiency=possible_s / span_s,
        gap_ms=statistics.median(after.gap_s or 0.0 for _, after in rounds) * 1000,
        early=sum(after.is_early for _, after in rounds),
        cpu_us=cpu_us / len(window),
        rss_mib=rss_mib,
        start_s=start_s,
        lag_us=statistics.median(each.lag_s for each in window) * 1e6,
        statuses=Counter(str(each.status) for each in window),
    )
