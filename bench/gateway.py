"""What a transparent gateway adds, from outside: how long after a meter has handed over the last byte of its answer the
client has it, the processor time of an answer, and whether all bytes arrive when both sides are as fast as they can.
CcMaster's whole service, byte by byte and in frames, beside socat, ser2net as it is shipped and ser2net tuned. The
meter is true to the wire (8E1); its own clock and the client's are one."""

from __future__ import annotations

import os
import select
import socket
import statistics
import tempfile
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from attrs import frozen

from bench.compile import compiled
from bench.gateways import GATEWAYS, NONE, SER2NET, SOCAT
from bench.process import cpu_ns, last_words, running
from bench.table import Column, table

SPEEDS = {"2400 8E1": (2400, 8), "9600 8E1": (9600, 40)}
"""Wire → bits per second, and how many answers are measured."""
LENGTH = 90  # bytes of an answer
MUCH = 4 << 20  # bytes each way, when it is about speed
_REQUEST = bytes.fromhex("105B015C16")
_WARM = 2  # answers that are not counted
_START_S = 3.5  # a service finishes its start
_REST_S = 0.02  # between two of them
_PATIENCE_S = 20.0


@frozen
class Added:
    """What one gateway added in one run. Medians over answers in microseconds: `last_us` after the last byte,
    `first_us` before the request is on the wire; `last_p99_us`; `segments`: reads it took the client to have an answer;
    `cpu_us`: processor time an answer. Where it is about speed: MB/s each way, and how many bytes did not arrive."""

    master: str
    bus: str
    last_us: float | None = None
    last_p99_us: float | None = None
    first_us: float | None = None
    segments: float | None = None
    cpu_us: float | None = None
    to_wire: float | None = None
    to_client: float | None = None
    lost: int | None = None


_LATENCY = (
    Column("last byte us", lambda run: run.last_us, ".0f", has_ratio=True),
    Column("p99", lambda run: run.last_p99_us, ".0f"),
    Column("request us", lambda run: run.first_us, ".0f"),
    Column("segments", lambda run: run.segments, ".0f"),
    Column("CPU us/answer", lambda run: run.cpu_us, ".0f", has_ratio=True),
)
_SPEED = (
    Column("MB/s to the wire", lambda run: run.to_wire, ".1f"),
    Column("MB/s to the client", lambda run: run.to_client, ".1f"),
    Column("bytes lost", lambda run: run.lost, ".0f"),
)
_AS_FAST = "as fast as it goes"


def measured(repetitions: int, told: Callable[[str], None]) -> list[Added]:
    """Every gateway at every speed, in turn, as often as asked for; then both ways as fast as they go."""
    steps = [(name, speed) for _ in range(repetitions) for speed in SPEEDS for name in GATEWAYS]
    runs = []
    for number, (name, speed) in enumerate(steps, 1):
        told(f"{number} of {len(steps)}, {name}, {speed}")
        runs.append(_latency(name, speed))
    for name in GATEWAYS:
        if name != NONE:
            told(f"{name}, {_AS_FAST}")
            runs.append(_speed(name))
    return runs


def report(runs: list[Added]) -> str:
    """The results in words and two tables."""
    slow = [run for run in runs if run.bus != _AS_FAST]
    fast = [run for run in runs if run.bus == _AS_FAST]
    return (
        f"Transparent gateways: answers of {LENGTH} bytes; what is added after the last byte, and before the request\n"
        f"({NONE}: the client has the terminal itself). CPU us/answer: of the whole process.\n\n"
        f"{table(slow, _LATENCY, SOCAT, SER2NET)}\n\n"
        f"{MUCH >> 20} MiB one way and then the other, without a wire's pace:\n\n"
        f"{table(fast, _SPEED)}"
    )


class Client:
    """The client's end of a gateway: a socket, or the terminal itself."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def answer(self) -> tuple[int, int, int]:
        """Asks, and gives when (monotonic ns), when the last byte of the answer came, and in how many pieces."""
        asked = time.monotonic_ns()
        os.write(self.descriptor, _REQUEST)
        came = pieces = 0
        while came < LENGTH:
            if not select.select([self.descriptor], (), (), _PATIENCE_S)[0]:
                raise RuntimeError(f"{came} bytes of an answer came, not {LENGTH}")
            came += len(os.read(self.descriptor, 4096))
            pieces += 1
        return asked, time.monotonic_ns(), pieces


@contextmanager
def _at(name: str, wire: str, baudrate: int) -> Iterator[tuple[Client, int]]:
    """A client of a gateway to a terminal, and the gateway's process (0: there is none)."""
    command = GATEWAYS[name]
    if command is None:
        port = os.open(wire, os.O_RDWR | os.O_NOCTTY)
        try:
            yield Client(port), 0
        finally:
            os.close(port)
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        words, port = folder / "words.txt", _free_port()
        process = stack.enter_context(running(command(folder, wire, baudrate, port), words, all_in_words=True))
        client = stack.enter_context(closing(_connected(port, lambda: process.poll() is not None, words)))
        yield Client(client.fileno()), process.pid


def _connected(port: int, has_ended: Callable[[], bool], words: Path) -> socket.socket:
    patience = time.monotonic() + _PATIENCE_S
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", port))
        except OSError:
            if has_ended() or time.monotonic() > patience:
                raise RuntimeError(f"nobody listens: {last_words(words)}") from None
            time.sleep(0.05)
        else:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return client


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _latency(name: str, speed: str) -> Added:
    baudrate, answers = SPEEDS[speed]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        meter = [str(compiled("mbus_meter")), str(baudrate), str(LENGTH)]
        with running(meter, Path(folder) / "meter.txt") as far:
            assert far.stdout is not None
            wire = far.stdout.readline().strip()
            with _at(name, wire, baudrate) as (client, pid):
                time.sleep(_START_S if pid else 0.0)
                asked, said = [], []
                for number in range(_WARM + answers):
                    if number == _WARM and pid:
                        began_ns = cpu_ns(pid)
                    asked.append(client.answer())
                    said.append(tuple(map(int, far.stdout.readline().split())))
                    time.sleep(_REST_S)
                cpu_us = (cpu_ns(pid) - began_ns) / answers / 1000 if pid else None
    pairs = list(zip(asked, said, strict=True))[_WARM:]
    last = sorted((came - handed) / 1000 for (_, came, _), (_, handed) in pairs)
    first = [(heard - sent) / 1000 for (sent, _, _), (heard, _) in pairs]
    return Added(
        name,
        speed,
        last_us=statistics.median(last),
        last_p99_us=last[min(len(last) - 1, int(0.99 * len(last)))],
        first_us=statistics.median(first),
        segments=statistics.median(pieces for (_, _, pieces), _ in pairs),
        cpu_us=cpu_us,
    )


def _speed(name: str) -> Added:
    master, slave = os.openpty()
    try:
        tty.setraw(slave, termios.TCSANOW)
        with _at(name, os.ttyname(slave), 9600) as (client, _):
            time.sleep(0.5)
            tty.setraw(slave, termios.TCSANOW)
            os.write(client.descriptor, b"x")  # whoever has to get hold of the wire has it afterwards
            os.read(master, 1)
            to_wire, lost_there = _rate(client.descriptor, master)
            to_client, lost_back = _rate(master, client.descriptor)
    finally:
        os.close(master)
        os.close(slave)
    return Added(name, _AS_FAST, to_wire=to_wire, to_client=to_client, lost=lost_there + lost_back)


def _rate(source: int, sink: int) -> tuple[float, int]:
    """MB/s from one descriptor to the other, and how many of the bytes did not arrive as they were."""
    block = bytes(range(256)) * 16

    def write() -> None:
        left = MUCH
        while left:
            left -= os.write(source, block[-(left % len(block)) :])

    began = time.monotonic()
    writing = threading.Thread(target=write, daemon=True)
    writing.start()
    came = bytearray()
    while len(came) < MUCH and select.select([sink], (), (), 3.0)[0]:
        came += os.read(sink, 65536)
    took_s = time.monotonic() - began
    wrong = sum(one != other for one, other in zip(came, block * (MUCH // len(block)), strict=False))
    return len(came) / took_s / 1e6, MUCH - len(came) + wrong
