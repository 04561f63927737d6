"""The whole path, poll, journal, MQTT, for 1,000 Modbus TCP devices of 40 registers: polls a second and core, from
outside. Every reading is decoded and counted in its device's interval; intervals of ten seconds, the shortest there
are, go through the journal to mosquitto with QoS 1. Polls are counted by the devices, messages by the broker."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
from attrs import frozen
from paho.mqtt.enums import CallbackAPIVersion

from bench import tcp
from bench.compile import compiled
from bench.mqtt import broker
from bench.process import last_words, on_processor, rss_mib, running
from bench.table import Column, table

CCMASTER = "ccmaster, the whole path"
SECONDS = 20.0
GATEWAY_POLLS = 1310.0
"""Polls a second of thingsboard-gateway 3.8.5 with the same 1,000 devices and 40 registers, at which it filled one
core. It was measured by itself: it is quoted here, not run."""


@frozen
class Whole:
    """What the box did in one window: processor time for a poll in microseconds, polls a second, a second and core;
    messages that arrived; what it told as wrong; memory."""

    master: str
    bus: str
    cpu_us: float
    per_s: float
    messages_per_s: float
    errors: int
    rss_mib: float

    @property
    def per_core(self) -> float:
        """Polls a second that one core bears."""
        return 1e6 / self.cpu_us


_COLUMNS = (
    Column("polls/s/core", lambda run: run.per_core, ".0f"),
    Column("x gateway", lambda run: run.per_core / GATEWAY_POLLS, ".1f"),
    Column("CPU us/poll", lambda run: run.cpu_us, ".1f"),
    Column("polls/s", lambda run: run.per_s, ".0f"),
    Column("messages/s", lambda run: run.messages_per_s, ".0f"),
    Column("errors", lambda run: run.errors, ".0f"),
    Column("RSS MiB", lambda run: run.rss_mib, ".0f"),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Whole]:
    """The same again, as often as asked for."""
    tcp.let_many_connections()
    runs = []
    for number in range(1, repetitions + 1):
        told(f"{number} of {repetitions}")
        runs.append(measure(SECONDS))
    return runs


def measure(seconds: float) -> Whole:
    """Lets the box work for that long, a whole number of intervals; RuntimeError with its last words when it does
    not."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder, words = Path(name), Path(name) / "box.txt"
        devices_command = [str(compiled("tcp_devices")), str(tcp.DEVICES), "0"]
        with broker(folder) as at, on_processor(-1), running(devices_command, folder / "devices.txt") as devices:
            port = tcp.port_of(devices)
            numbers = (port, tcp.DEVICES, tcp.REGISTERS, at)
            command = [sys.executable, "-m", "bench.whole_box", *map(str, numbers)]
            with counted(at) as messages, on_processor(0), running(command, words) as process:
                tcp.warm_up(CCMASTER, devices, process, words)
                _first_messages(messages, process, words)
                before, messages_before = tcp.moment(devices, process, words), messages[0]
                time.sleep(seconds)
                after, messages_after = tcp.moment(devices, process, words), messages[0]
                rate = tcp.summed_up(CCMASTER, "", before, after, rss_mib=rss_mib(process.pid), start_s=0.0)
    return Whole(
        CCMASTER,
        f"{tcp.DEVICES} x {tcp.REGISTERS}",
        cpu_us=rate.cpu_us,
        per_s=rate.per_s,
        messages_per_s=(messages_after - messages_before) / (after.at - before.at),
        errors=rate.errors,
        rss_mib=rate.rss_mib,
    )


@contextmanager
def counted(port: int) -> Iterator[list[int]]:
    """How many messages a broker sends out, as the one number of a list that goes on changing."""
    count, subscribed = [0], threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda *_: client.subscribe("/ccm/srv/+/+/data", 0)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = lambda *_: count.__setitem__(0, count[0] + 1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        if not subscribed.wait(10):
            raise RuntimeError("the broker takes no subscription")
        yield count
    finally:
        client.disconnect()
        client.loop_stop()


def _first_messages(messages: list[int], process: subprocess.Popen[str], words: Path) -> None:
    patience = time.monotonic() + 40
    while messages[0] < tcp.DEVICES:
        if process.poll() is not None or time.monotonic() > patience:
            raise RuntimeError(f"{CCMASTER} sends nothing: {last_words(words)}")
        time.sleep(0.1)


def report(runs: Sequence[Whole]) -> str:
    """The results in words and a table."""
    return (
        f"The whole path for {tcp.DEVICES} Modbus TCP devices of {tcp.REGISTERS} registers, read as fast as one core\n"
        f"goes: decoded, tallied, journalled every 10 s on the disk, sent by MQTT with QoS 1. thingsboard-gateway\n"
        f"filled one core with {GATEWAY_POLLS:.0f} polls a second (quoted: measured by itself, not in this run).\n\n"
        f"{table(runs, _COLUMNS)}"
    )
