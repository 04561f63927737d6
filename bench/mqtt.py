"""Processor time for one MQTT message with QoS 1 out of the durable journal, from outside, beside paho alone with its
own loop and the same size of payload; and how long an event takes to the broker's confirmation while a backlog and
fresh intervals are being sent. The broker is mosquitto."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import field, frozen

from bench.meters import drafts
from bench.process import cpu_ns, last_words, on_processor, rss_mib, running
from bench.table import Column, table
from concentrator.model.record import Record
from concentrator.uplink.payload import Voice

PAHO = "paho alone"
MESSAGES, WINDOW = 20_000, 100
EVENT_MESSAGES = 5_000
_PORT_TRIES = 50


def payload_bytes() -> int:
    """The size of a message of forty quantities."""
    (row,) = drafts(1, 1_800_000_000, 1)
    return len(
        Voice("/ccm/srv", "4220080001").record(Record("k3f9", 48_211, row[0]), "Meter m0", 1_800_000_010).payload
    )


def _sender(messages: int, way: str) -> Callable[[int], list[str]]:
    return lambda port: [sys.executable, "-m", "bench.mqtt_sender", str(port), str(messages), way]


def _paho(port: int) -> list[str]:
    words = map(str, (port, MESSAGES, payload_bytes(), WINDOW))
    return [sys.executable, "-m", "bench.peers.paho_publisher", *words]


EVENTS = "ccmaster, events beside it"
SENDERS: Mapping[str, Callable[[int], list[str]]] = {
    "ccmaster, from the disk": _sender(MESSAGES, "backlog"),
    "ccmaster, written and sent": _sender(MESSAGES, "fresh"),
    PAHO: _paho,
    EVENTS: _sender(EVENT_MESSAGES, "events"),
}
"""Name → the command that sends to a broker on a port."""


@frozen
class Sent:
    """What one sender did: processor time for a message in microseconds, messages a second, memory; how many
    milliseconds each event took, rising."""

    master: str
    bus: str
    cpu_us: float
    per_s: float
    rss_mib: float
    events_ms: Sequence[float] = field(factory=tuple)


_COLUMNS = (
    Column("CPU us/message", lambda sent: sent.cpu_us, ".1f", has_ratio=True),
    Column("messages/s", lambda sent: sent.per_s, ".0f"),
    Column("RSS MiB", lambda sent: sent.rss_mib, ".0f"),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Sent]:
    """Every sender, in turn, as often as asked for."""
    steps = [sender for _ in range(repetitions) for sender in SENDERS]
    sent = []
    for number, sender in enumerate(steps, 1):
        told(f"{number} of {len(steps)}, {sender}")
        sent.append(measure(sender))
    return sent


def measure(sender: str) -> Sent:
    """Lets a sender send what it has; RuntimeError with its last words when it does not."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        words = Path(name) / "sender.txt"
        with broker(Path(name)) as port, on_processor(0), running(SENDERS[sender](port), words) as process:
            _heard(sender, process, words)
            before = cpu_ns(process.pid)
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
            done = _heard(sender, process, words)
            cpu_us, memory_mib = (cpu_ns(process.pid) - before) / 1000, rss_mib(process.pid)
    delivered = done["delivered"]
    return Sent(
        sender,
        f"mosquitto, {payload_bytes()} bytes",
        cpu_us=cpu_us / delivered,
        per_s=delivered / done["seconds"],
        rss_mib=memory_mib,
        events_ms=tuple(done.get("events_ms", ())),
    )


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """A mosquitto on a free port of the loopback interface, on a processor of its own where there is one."""
    binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        raise RuntimeError("this bench needs mosquitto: apt-get install mosquitto")
    for port in range(18_830, 18_830 + _PORT_TRIES):
        settings, words = folder / "mosquitto.conf", folder / "mosquitto.txt"
        settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\n")
        with on_processor(-1), running([binary, "-c", str(settings)], words) as process:
            while process.poll() is None and "running" not in words.read_text():
                time.sleep(0.01)
            if process.poll() is None:
                yield port
                return
    raise RuntimeError(f"mosquitto does not start: {last_words(words)}")


def _heard(sender: str, process: subprocess.Popen[str], words: Path) -> dict[str, float]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{sender} ended: {last_words(words)}")
    facts: dict[str, float] = json.loads(line)
    return facts


def report(runs: Sequence[Sent]) -> str:
    """The results in words and a table."""
    senders = [run for run in runs if run.master != EVENTS]
    events = sorted(each for run in runs if run.master == EVENTS for each in run.events_ms)
    return (
        f"Processor time for an MQTT message of forty quantities, QoS 1, and the ratio to {PAHO}, which sends\n"
        f"as many messages of that size, {MESSAGES}, from memory. CcMaster's share has the journal in it: reading,\n"
        f'JSON, settling; in "written and sent" writing the records besides.\n\n'
        f"{table(senders, _COLUMNS, PAHO)}\n\n"
        f"An event, from its making to the broker's confirmation, its fsync included, while 500 records a second are\n"
        f"written and sent and a backlog is caught up beside it: {percentiles(events)}."
    )


def percentiles(events_ms: Sequence[float]) -> str:
    """Milliseconds in words."""
    if len(events_ms) < 2:
        return "not measured"
    cuts = statistics.quantiles(events_ms, n=100, method="inclusive")
    return f"half within {cuts[49]:.0f} ms, 99 of 100 within {cuts[98]:.0f} ms, all within {max(events_ms):.0f} ms"
