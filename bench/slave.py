"""What the slave port can take, from outside: requests a second, how long an answer takes and its processor time, over
TCP with one and with several clients, and on a pseudo-terminal. The whole service, which reads a meter every second
meanwhile, beside pymodbus's server; the clients are plain sockets. All requests want as many registers."""

from __future__ import annotations

import os
import select
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from attrs import frozen

from bench.process import cpu_ns, last_words, on_processor, rss_mib, running
from bench.table import Column, table
from concentrator.app.launch import twistd
from concentrator.wire.checksum import crc16

MAP, MIRROR, PYMODBUS = "ccmaster, map", "ccmaster, mirror", "pymodbus"
CLIENTS = {"TCP, 1 client": 1, "TCP, 8 clients": 8}
"""Over TCP → how many ask at the same time, each one request after the other."""
SERIAL = "serial, 19200 8N1"
SILENCE_S = 35 / 19200
"""t3.5 there: what a slave has to wait before it answers, and pymodbus does not."""
REQUESTS = 4000
ON_THE_WIRE = 200
COUNT = 50  # registers of a request
_PLACES = {MAP: (1, 3, 40070), MIRROR: (2, 3, 257), PYMODBUS: (1, 3, 40000)}
"""Server → the Modbus ID, the function and the address that are asked."""
_PATIENCE_S = 20.0
_WARM = 50
_START_S = 3.0  # a service finishes its start

_CONFIG = """
[box]
state_dir = "{folder}/state"

[web]
listen = []

[line.field]
endpoint = "tcp:127.0.0.1:{field}"
role = "native"
protocol = "modbus-tcp"

[line.out]
endpoint = "serial:{wire}:baudrate=19200"
role = "slave"

[device.meter]
line = "field"
profile = "energycm/ccm"
address = 1
interval = "1 s"

[modbus_slave.map]
port = {port}
interface = "127.0.0.1"
clients = 64

[modbus_slave.mirror]
port = {port}
interface = "127.0.0.1"
clients = 64
unit = 2
serve = "mirror"
device = "meter"

[modbus_slave.map_on_wire]
line = "out"

[modbus_slave.mirror_on_wire]
line = "out"
unit = 2
serve = "mirror"
device = "meter"
"""


@frozen
class Asked:
    """What one server did in one run: answers a second; how long an answer took, in microseconds, in the middle and in
    the slowest of a hundred; processor time an answer; memory."""

    master: str
    bus: str
    per_s: float
    median_us: float
    p99_us: float
    cpu_us: float
    rss_mib: float


_COLUMNS = (
    Column("answers/s", lambda run: run.per_s, ".0f", has_ratio=True),
    Column("answer us", lambda run: run.median_us, ".0f", has_ratio=True),
    Column("p99", lambda run: run.p99_us, ".0f"),
    Column("CPU us/answer", lambda run: run.cpu_us, ".0f", has_ratio=True),
    Column("MiB", lambda run: run.rss_mib, ".1f"),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Asked]:
    """Every server in every way, in turn, as often as asked for."""
    steps = [name for _ in range(repetitions) for name in _PLACES]
    runs = []
    for number, name in enumerate(steps, 1):
        told(f"{number} of {len(steps)}, {name}")
        runs += [*_over_networks(name), _on_wires(name)]
    return runs


def report(runs: list[Asked]) -> str:
    """The results in words and a table."""
    order = [(bus, name) for bus in (*CLIENTS, SERIAL) for name in _PLACES]
    sorted_runs = sorted(runs, key=lambda run: order.index((run.bus, run.master)))
    return (
        f"Slave port: reads of {COUNT} registers. On the serial line an answer begins {SILENCE_S * 1e6:.0f} us after\n"
        "the request's last byte at the soonest (3.5 characters), for those who keep to that.\n\n"
        f"{table(sorted_runs, _COLUMNS, PYMODBUS)}"
    )


def tcp_request(number: int, place: tuple[int, int, int]) -> bytes:
    """A read over TCP."""
    unit, function, address = place
    return struct.pack(">HHHBBHH", number, 0, 6, unit, function, address, COUNT)


def rtu_request(place: tuple[int, int, int]) -> bytes:
    """The same on a serial line."""
    unit, function, address = place
    body = struct.pack(">BBHH", unit, function, address, COUNT)
    return body + crc16(body).to_bytes(2, "little")


@contextmanager
def _server(name: str, kind: str, wire: str) -> Iterator[tuple[int, int]]:
    """A server: its process, and its TCP port."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        port, words = _free_port(), folder / "words.txt"
        stack.enter_context(on_processor(0))
        if name == PYMODBUS:
            command = [
                sys.executable,
                "-m",
                "bench.peers.pymodbus_server",
                kind,
                wire if kind == "serial" else str(port),
            ]
            process = stack.enter_context(running([*command, "1"], words))
            assert process.stdout is not None and process.stdout.readline().strip() == "ready", last_words(words)
        else:
            field = _free_port()
            simulated = [sys.executable, "-m", "concentrator.app.simulate", "--meters", "1"]
            far = stack.enter_context(running([*simulated, "--tcp", str(field)], folder / "field.txt"))
            assert far.stdout is not None and far.stdout.readline()
            config = folder / "ccmaster.toml"
            config.write_text(_CONFIG.format(folder=folder, field=field, wire=wire, port=port))
            process = stack.enter_context(running(twistd(config), words, all_in_words=True))
            _wait_for_values(port, process, words)
            time.sleep(_START_S)
        stack.enter_context(on_processor(-1))
        yield process.pid, port


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _wait_for_values(port: int, process: subprocess.Popen[str], words: Path) -> None:
    """Until the mirror answers: the meter was read by then."""
    patience = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with closing(socket.create_connection(("127.0.0.1", port), 1.0)) as client:
                client.sendall(tcp_request(1, _PLACES[MIRROR]))
                if len(client.recv(4096)) == 9 + 2 * COUNT:
                    return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > patience:
            raise RuntimeError(f"it does not answer: {last_words(words)}")
        time.sleep(0.1)


def _over_networks(name: str) -> Iterator[Asked]:
    with _wire() as (_, path), _server(name, "tcp", path) as (pid, port):
        for bus, count in CLIENTS.items():
            with ExitStack() as stack:
                clients = [
                    stack.enter_context(closing(socket.create_connection(("127.0.0.1", port)))) for _ in range(count)
                ]
                for client in clients:
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ask = partial(_over_tcp, clients, _PLACES[name])
                yield _summed(name, bus, pid, ask, REQUESTS)


def _on_wires(name: str) -> Asked:
    with _wire() as (near, path), _server(name, "serial", path) as (pid, _):
        return _summed(name, SERIAL, pid, partial(_on_the_wire, near, _PLACES[name]), ON_THE_WIRE)


@contextmanager
def _wire() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal: the master's end, and the path of the other."""
    near, far = os.openpty()
    try:
        tty.setraw(far)
        yield near, os.ttyname(far)
    finally:
        os.close(near)
        os.close(far)


def _summed(name: str, bus: str, pid: int, ask: Callable[[int], list[int]], count: int) -> Asked:
    ask(_WARM)
    cpu_from, began = cpu_ns(pid), time.monotonic()
    took = sorted(ask(count))
    took_s, cpu_to = time.monotonic() - began, cpu_ns(pid)
    return Asked(
        name,
        bus,
        per_s=count / took_s,
        median_us=statistics.median(took) / 1000,
        p99_us=took[int(0.99 * (len(took) - 1))] / 1000,
        cpu_us=(cpu_to - cpu_from) / count / 1000,
        rss_mib=rss_mib(pid),
    )


def _over_tcp(clients: list[socket.socket], place: tuple[int, int, int], count: int) -> list[int]:
    """So many requests by all clients together, each again when it has its answer; the nanoseconds of each answer."""
    whole, took, asked = 9 + 2 * COUNT, [], 0
    poll = select.epoll()
    by_descriptor: Mapping[int, socket.socket] = {client.fileno(): client for client in clients}
    sent: dict[int, int] = {}
    got: dict[int, int] = {}

    def ask(client: socket.socket) -> None:
        nonlocal asked
        asked += 1
        got[client.fileno()] = 0
        sent[client.fileno()] = time.monotonic_ns()
        client.sendall(tcp_request(asked & 0xFFFF, place))

    for client in clients:
        poll.register(client, select.EPOLLIN)
        ask(client)
    while len(took) < count:
        ready = poll.poll(_PATIENCE_S)
        if not ready:
            raise RuntimeError(f"{len(took)} of {count} answers came")
        for descriptor, _ in ready:
            client = by_descriptor[descriptor]
            got[descriptor] += len(client.recv(4096))
            if got[descriptor] < whole:
                continue
            took.append(time.monotonic_ns() - sent[descriptor])
            if asked < count:
                ask(client)
    poll.close()
    return took


def _on_the_wire(port: int, place: tuple[int, int, int], count: int) -> list[int]:
    request, whole, took = rtu_request(place), 5 + 2 * COUNT, []
    for _ in range(count):
        asked, came = time.monotonic_ns(), 0
        os.write(port, request)
        while came < whole:
            if not select.select([port], (), (), _PATIENCE_S)[0]:
                raise RuntimeError(f"{came} bytes of an answer came, not {whole}")
            came += len(os.read(port, 4096))
        took.append(time.monotonic_ns() - asked)
        time.sleep(0.003)  # a master keeps the silence too
    return took
