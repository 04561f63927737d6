"""Processor time for one transaction of 40 registers with 1,000 Modbus TCP devices, from outside: CcMaster's line alone
and with what the box does besides, beside libmodbus with a thread for each device and pymodbus's asynchronous client.
Devices answer at once, and after 20 ms; everybody waits 3 s for an answer. Transactions are counted by the devices."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from bench.compile import compiled
from bench.process import cpu_ns, last_words, on_processor, rss_mib, running
from bench.table import Column, table

DEVICES, REGISTERS = 1000, 40
LATENCIES = {"at once": 0, "after 20 ms": 20_000}
SECONDS = 3.0
PEERS = ("libmodbus threads", "pymodbus async")
_WARM = 5  # answers from each device before the window opens
_SETTLED_S = 0.5
_PATIENCE_S = 40.0


def _python(module: str, *more: str) -> Callable[[int], list[str]]:
    return lambda port: [sys.executable, "-m", module, str(port), str(DEVICES), str(REGISTERS), *more]


CLIENTS: Mapping[str, Callable[[int], list[str]]] = {
    "ccmaster, line and image": _python("bench.line_tcp", "image"),
    "ccmaster, decoding and hub": _python("bench.line_tcp", "hub"),
    "ccmaster, poller too": _python("bench.line_tcp", "poller"),
    "libmodbus threads": lambda port: [str(compiled("libmodbus_tcp")), str(port), str(DEVICES), str(REGISTERS)],
    "pymodbus async": _python("bench.peers.pymodbus_tcp"),
}
"""Name → the command that reads all devices on a port for ever."""


@frozen
class Rate:
    """What one client did in one window; `errors`: transactions that it told as failed; `start_s`: what passed before
    each device had answered a few times; `devices_us`: the processor time of the devices themselves."""

    master: str
    bus: str
    cpu_us: float
    per_s: float
    errors: int
    rss_mib: float
    start_s: float
    devices_us: float


_COLUMNS = (
    Column("CPU us/transaction", lambda rate: rate.cpu_us, ".1f", has_ratio=True),
    Column("transactions/s", lambda rate: rate.per_s, ".0f"),
    Column("errors", lambda rate: rate.errors, ".0f"),
    Column("RSS MiB", lambda rate: rate.rss_mib, ".0f"),
    Column("start s", lambda rate: rate.start_s, ".2f"),
    Column("devices' CPU us", lambda rate: rate.devices_us, ".1f"),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Rate]:
    """Every client with every latency, in turn, as often as asked for."""
    let_many_connections()
    steps = [(client, name) for _ in range(repetitions) for name in LATENCIES for client in CLIENTS]
    rates = []
    for number, (client, name) in enumerate(steps, 1):
        told(f"{number} of {len(steps)}, {client}, {name}")
        rates.append(measure(client, name, LATENCIES[name], SECONDS))
    return rates


def let_many_connections() -> None:
    """Lets this program and those it starts have a connection for each device."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def port_of(devices: subprocess.Popen[str]) -> int:
    """Where the devices that were just started listen."""
    assert devices.stdout is not None
    return int(json.loads(devices.stdout.readline())["port"])


def measure(client: str, bus: str, latency_us: int, seconds: float) -> Rate:
    """Lets a client read all devices for that long; RuntimeError with its last words when it does not."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        words = Path(name) / "client.txt"
        command = [str(compiled("tcp_devices")), str(DEVICES), str(latency_us)]
        with on_processor(-1), running(command, Path(name) / "devices.txt") as devices:
            port, began = port_of(devices), time.monotonic()
            with on_processor(0), running(CLIENTS[client](port), words) as process:
                warm_up(client, devices, process, words)
                start_s = time.monotonic() - began
                time.sleep(_SETTLED_S)
                before = moment(devices, process, words)
                time.sleep(seconds)
                after = moment(devices, process, words)
                if process.poll() is not None:
                    raise RuntimeError(f"{client} ended: {last_words(words)}")
                memory_mib = rss_mib(process.pid)
    return summed_up(client, bus, before, after, rss_mib=memory_mib, start_s=start_s)


@frozen
class Moment:
    """What is known at a moment: it (seconds), answers so far, errors so far, processor time so far of the client and
    of the devices."""

    at: float
    answers: int
    errors: int
    client_ns: int
    devices_ns: int


def summed_up(client: str, bus: str, before: Moment, after: Moment, *, rss_mib: float, start_s: float) -> Rate:
    """The figures of the time between two moments."""
    answers = after.answers - before.answers
    return Rate(
        client,
        bus,
        cpu_us=(after.client_ns - before.client_ns) / 1000 / answers,
        per_s=answers / (after.at - before.at),
        errors=after.errors - before.errors,
        rss_mib=rss_mib,
        start_s=start_s,
        devices_us=(after.devices_ns - before.devices_ns) / 1000 / answers,
    )


def moment(devices: subprocess.Popen[str], process: subprocess.Popen[str], words: Path) -> Moment:
    """What is known now; every line in the file `words` is an error."""
    answers, errors = _asked(devices)["answers"], len(words.read_text().splitlines())
    return Moment(time.monotonic(), answers, errors, cpu_ns(process.pid), cpu_ns(devices.pid))


def _asked(devices: subprocess.Popen[str]) -> dict[str, int]:
    assert devices.stdin is not None and devices.stdout is not None
    devices.stdin.write("\n")
    devices.stdin.flush()
    counts: dict[str, int] = json.loads(devices.stdout.readline())
    return counts


def warm_up(client: str, devices: subprocess.Popen[str], process: subprocess.Popen[str], words: Path) -> None:
    """Back when each device has answered a few times; RuntimeError with the client's last words when they do not."""
    patience = time.monotonic() + _PATIENCE_S
    while (counts := _asked(devices))["connections"] < DEVICES or counts["answers"] < _WARM * DEVICES:
        if process.poll() is not None or time.monotonic() > patience:
            raise RuntimeError(f"{client} does not read: {last_words(words)}")
        time.sleep(0.05)


def report(rates: Sequence[Rate]) -> str:
    """The results in words and a table."""
    return (
        f"Processor time for a transaction of {REGISTERS} registers with {DEVICES} Modbus TCP devices, and the ratios\n"
        f"to the peers', which do not decode what they read. errors: answers that came too late.\n\n"
        f"{table(rates, _COLUMNS, *PEERS)}"
    )
