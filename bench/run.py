"""One measured run: a simulated bus, one master, a window of time. Everything is taken from outside the master: the
bus from the simulator's log, processor time from the process's clock, memory from /proc."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from attrs import field, frozen

from bench.masters import MASTERS, REGISTERS, SLAVES
from concentrator.app.launch import environment
from concentrator.sim.bus import Wire
from concentrator.sim.exchange import Exchange, Status, from_log

TURNAROUND_S = 0.005
_WARM = 8  # exchanges before the window opens
_SETTLED_S = 1.5  # and seconds since the first of them, in which a service may finish its start
_PATIENCE_S = 20.0
_STALL_S = 0.003  # a byte later than this says more about the machine than about the master
_ROOT = Path(__file__).parents[1]


@frozen
class Run:
    """What one master did in one window. `efficiency`: what the wire can do over what was done, above 1 where the
    silence is not kept; `early`: requests within 3.5 characters of silence; `stalled`: exchanges that are left out of
    all bus figures because the simulator itself was kept from its work; `lag_us`: how late the simulator was with its
    worst byte, in the middle of all replies."""

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


def limit_s(registers: int, wire: Wire) -> float:
    """The least an exchange can take: request, turnaround, reply, silence (Modbus over Serial Line V1.02, 2.5.1.1)."""
    return (8 + 5 + 2 * registers) * wire.character_s + TURNAROUND_S + wire.silence_s


def interleaved(
    masters: Sequence[str],
    buses: Mapping[str, Sequence[str]],
    seconds: float,
    repetitions: int,
    told: Callable[[str], None],
) -> list[Run]:
    """Every master on every bus, repetition by repetition, so that a busy moment of the machine meets everybody;
    `told` hears of each step."""
    steps = [(master, bus) for _ in range(repetitions) for bus in buses for master in masters]
    runs = []
    for number, (master, bus) in enumerate(steps, 1):
        told(f"{number} of {len(steps)}, {master}, {bus}")
        runs.append(measure(master, bus, buses[bus], seconds))
    return runs


def measure(master: str, bus: str, options: Sequence[str], seconds: float) -> Run:
    """Lets a master read all slaves over a simulated bus with these options, for that long; RuntimeError with the
    master's last words when it does not come to reading."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        port, log = folder / "bus", folder / "bus.jsonl"
        simulator = [
            *(sys.executable, "-m", "concentrator.app.simulate", "--link", str(port), "--log", str(log), "--precise"),
            *("--meters", str(SLAVES), "--registers", str(REGISTERS), "--turnaround", str(TURNAROUND_S * 1000)),
            *options,
        ]
        command = MASTERS[master](folder, str(port))
        with _running(simulator, folder / "simulator.txt") as simulated:
            assert simulated.stdout is not None
            json.loads(simulated.stdout.readline())
            began = time.monotonic()
            with _running(command, folder / "master.txt") as process:
                _warm_up(process, log, folder / "master.txt", master)
                opened, cpu_from = time.monotonic(), _cpu_ns(process.pid)
                time.sleep(seconds)
                closed, cpu_to = time.monotonic(), _cpu_ns(process.pid)
                rss_mib = _rss_mib(process.pid)
            exchanges = from_log(log.read_text())
    window = [exchange for exchange in exchanges if opened <= exchange.began <= closed]
    start_s, cpu_us = exchanges[0].began - began, (cpu_to - cpu_from) / 1000
    return summed_up(master, bus, start_s=start_s, cpu_us=cpu_us, rss_mib=rss_mib, window=window)


def summed_up(
    master: str, bus: str, *, start_s: float, cpu_us: float, rss_mib: float, window: Sequence[Exchange]
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
        cycle_s=SLAVES * span_s / len(rounds),
        efficiency=possible_s / span_s,
        gap_ms=statistics.median(after.gap_s or 0.0 for _, after in rounds) * 1000,
        early=sum(after.is_early for _, after in rounds),
        cpu_us=cpu_us / len(window),
        rss_mib=rss_mib,
        start_s=start_s,
        lag_us=statistics.median(each.lag_s for each in window) * 1e6,
        statuses=Counter(str(each.status) for each in window),
    )


@contextmanager
def _running(command: Sequence[str], words: Path) -> Iterator[subprocess.Popen[str]]:
    """A process while it is wanted; what it says on standard error goes to a file."""
    with words.open("w") as said:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, text=True, cwd=_ROOT, env=environment()
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _warm_up(process: subprocess.Popen[str], log: Path, words: Path, master: str) -> None:
    patience = time.monotonic() + _PATIENCE_S
    while True:
        exchanges = from_log(log.read_text())
        if len(exchanges) >= _WARM and time.monotonic() > exchanges[0].began + _SETTLED_S:
            return
        if process.poll() is not None or time.monotonic() > patience:
            raise RuntimeError(f"{master} does not read: {words.read_text()[-2000:]}")
        time.sleep(0.05)


def _cpu_ns(pid: int) -> int:
    """Processor time of another process, all threads: the clock id that Linux gives it (clock_getcpuclockid(3))."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def _rss_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
