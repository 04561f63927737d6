"""The portal of a whole box that reads 32 meters over and over: what a first visit to its page of devices weighs and
takes, what fifty people who look at it cost, and whether a bus notices that somebody takes a month of history away. The
page is held against a bare file of the same size, served by Twisted's own web server on the same machine."""

from __future__ import annotations

import gzip
import re
import selectors
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from attrs import evolve, field, frozen

from bench.process import cpu_ns, last_words, on_processor, running
from bench.run import summed_up
from bench.table import Column, table
from concentrator.app.launch import twistd
from concentrator.journal.journal import Journal
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.record import Draft, Tally
from tests.support.brokers import free_port
from tests.support.bus import SimulatedBus, simulated_bus
from tests.support.journals import Bench as Clocks
from tests.support.portal import Visitor

CCMASTER, BARE = "ccmaster", "twist web (bare file)"
METERS = 32
PAGE, VIEWING, EXPORTING = f"page of {METERS} meters", "50 viewers", "a month is taken away"
VIEWERS = 50
WINDOW_S = 15.0
PERIOD_S = 300
MONTH = 30 * 86_400 // PERIOD_S
_COLUMNS_KEPT = tuple(Quantity(f"c{n}", "W", Kind.INSTANTANEOUS, "", 1) for n in range(16))
_PATIENCE_S = 60.0
_ASKED = 40

_CONFIG = """
[box]
state_dir = "{folder}/state"
plugin_dirs = []

[line.native]
endpoint = "serial:{bus}:baudrate=9600"

[web]
listen = "tcp:{port}:interface=127.0.0.1"
log = false
"""
_DEVICE = """
[device.m{unit}]
line = "native"
profile = "energycm/ccm"
address = {unit}
"""


@frozen
class Look:
    """Of one run: KiB over the network of the page and of all that a first visit brings; processor time and time for
    the page in ms; the share of a processor that is taken beyond what it takes without anybody, in per cent; of the bus
    what the wire could do over what was done, the silence between exchanges in ms, and exchanges that were lost. None:
    not measured here."""

    master: str
    bus: str
    page_kib: float | None = None
    visit_kib: float | None = None
    cpu_ms: float | None = None
    took_ms: float | None = None
    share: float | None = None
    efficiency: float | None = None
    gap_ms: float | None = None
    lost: float | None = None
    rows_per_s: float | None = None


_COLUMNS = (
    Column("page KiB", lambda run: run.page_kib, ".1f"),
    Column("first visit KiB", lambda run: run.visit_kib, ".1f"),
    Column("CPU ms", lambda run: run.cpu_ms, ".2f", has_ratio=True),
    Column("took ms", lambda run: run.took_ms, ".2f", has_ratio=True),
    Column("% of a CPU", lambda run: run.share, ".1f"),
    Column("wire used", lambda run: run.efficiency, ".3f"),
    Column("gap ms", lambda run: run.gap_ms, ".2f"),
    Column("lost", lambda run: run.lost, ".0f"),
    Column("rows/s", lambda run: run.rows_per_s, ".0f"),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Look]:
    """One box for all; its page and the bare file turn by turn."""
    runs: list[Look] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as ends:
        folder = Path(name)
        told("a month of history is written")
        _write_a_month(folder / "state")
        box = ends.enter_context(_box(folder))
        told("the box starts")
        box.wait_until_up()
        packed = gzip.compress(box.get("/devices", "")[1])
        bare = ends.enter_context(_bare(folder, packed))
        for number in range(1, repetitions + 1):
            told(f"page, {number} of {repetitions}")
            runs.append(bare.asked(BARE, "/page"))
            runs.append(box.asked(CCMASTER, "/devices"))
            told(f"viewers, {number} of {repetitions}")
            runs += box.watched()
        told("a month is taken away")
        runs.append(box.taken_away())
    return runs


def report(runs: list[Look]) -> str:
    """The results in words and a table."""
    return (
        f"{METERS} CcM meters at 9600 8N1, read over and over; {_ASKED} pages one after the other; {WINDOW_S:.0f} s\n"
        f"each of nobody, of {VIEWERS} streams of live values, and of one download of {METERS * MONTH} records as\n"
        "CSV. Processor time is what is taken beyond the box's own.\n\n"
        f"{table(runs, _COLUMNS, BARE)}"
    )


@frozen(eq=False)
class _Served:
    """A web server at work, and who asks it."""

    pid: int
    port: int
    cookie: Callable[[], str]
    words: Path
    bus: SimulatedBus | None = None
    idle: list[float] = field(factory=list)

    def get(self, path: str, accept: str = "gzip") -> tuple[float, bytes]:
        """How long a page took in seconds, and what came, as it came."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.connect()
            began = time.perf_counter()
            connection.request("GET", path, headers={"Cookie": self.cookie(), "Accept-Encoding": accept})
            response = connection.getresponse()
            body = response.read()
            took = time.perf_counter() - began
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status}")
        return took, body

    def asked(self, master: str, path: str) -> Look:
        """A page, many times."""
        self.get(path)
        idle = self.idle[-1] if self.idle else self._share(2.0)
        began, cpu = time.monotonic(), cpu_ns(self.pid)
        took = [self.get(path)[0] for _ in range(_ASKED)]
        span, spent = time.monotonic() - began, (cpu_ns(self.pid) - cpu) / 1e9
        page = self.get(path)[1]
        visit = len(page) + (self._brought(page) if self.bus else 0)
        cpu_ms = (spent - idle * span) / _ASKED * 1000
        return Look(master, PAGE, len(page) / 1024, visit / 1024, cpu_ms, statistics.median(took) * 1000)

    def watched(self) -> list[Look]:
        """Nobody looks; then many do."""
        runs = [self._window(f"{CCMASTER}, nobody", VIEWING, lambda: time.sleep(WINDOW_S))]
        self.idle.append((runs[0].share or 0.0) / 100)
        with self._viewers() as read:
            read(2.0)
            seen = self._window(CCMASTER, VIEWING, lambda: read(WINDOW_S))
        return [*runs, _without(seen, self.idle[-1])]

    def taken_away(self) -> Look:
        """Somebody takes the history of a month away."""
        first, last = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in _month())
        lines = 0
        ended = threading.Event()

        def take() -> None:
            nonlocal lines
            connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
            connection.request("GET", f"/api/v1/history?from={first}&to={last}", headers={"Cookie": self.cookie()})
            response = connection.getresponse()
            while not ended.is_set() and (piece := response.read1(65536)):
                lines += piece.count(b"\n")
            connection.close()

        taking = threading.Thread(target=take)
        taking.start()
        run = self._window(CCMASTER, EXPORTING, lambda: time.sleep(WINDOW_S))
        taken = lines
        ended.set()
        taking.join(30)
        return evolve(_without(run, self.idle[-1]), rows_per_s=taken / WINDOW_S)

    def wait_until_up(self) -> None:
        """Until every meter was read and the page can be asked for. RuntimeError when that does not come."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                if f"{METERS} of {METERS} devices answer" in self.get("/devices", "")[1].decode():
                    return
            except (OSError, RuntimeError, AssertionError, StopIteration, TypeError):
                pass
            if time.monotonic() > deadline:
                raise RuntimeError(f"the box does not come up: {last_words(self.words)}")
            time.sleep(0.5)

    def _window(self, master: str, bus: str, meanwhile: Callable[[], object]) -> Look:
        assert self.bus is not None
        began, cpu = time.monotonic(), cpu_ns(self.pid)
        meanwhile()
        ended, spent = time.monotonic(), (cpu_ns(self.pid) - cpu) / 1e9
        window = [each for each in self.bus.exchanges() if began <= each.began <= ended]
        of_bus = summed_up(master, bus, start_s=0, cpu_us=0, rss_mib=0, window=window, slaves=METERS)
        share = 100 * spent / (ended - began)
        return Look(
            master, bus, share=share, efficiency=of_bus.efficiency, gap_ms=of_bus.gap_ms, lost=float(of_bus.lost)
        )

    def _share(self, seconds: float) -> float:
        cpu = cpu_ns(self.pid)
        time.sleep(seconds)
        return (cpu_ns(self.pid) - cpu) / 1e9 / seconds

    def _brought(self, page: bytes) -> int:
        """The bytes of what the page brings along: style, font, icons, scripts."""
        found = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', gzip.decompress(page).decode()))
        style = next(each for each in found if ".css" in each)
        inside = set(re.findall(r'url\("([^"]+)"\)', gzip.decompress(self.get(style)[1]).decode()))
        found |= {f"/static/{each}" for each in inside}
        return sum(len(self.get(each)[1]) for each in found)

    @contextmanager
    def _viewers(self) -> Iterator[Callable[[float], None]]:
        """Readers of the stream of live values; gives what reads all they are sent, for some seconds."""
        waiting = selectors.DefaultSelector()
        with ExitStack() as ends:
            for _ in range(VIEWERS):
                connection = ends.enter_context(socket.create_connection(("127.0.0.1", self.port)))
                connection.sendall(f"GET /live?of= HTTP/1.1\r\nHost: x\r\nCookie: {self.cookie()}\r\n\r\n".encode())
                waiting.register(connection, selectors.EVENT_READ)

            def read(seconds: float) -> None:
                until = time.monotonic() + seconds
                while (left := until - time.monotonic()) > 0:
                    for key, _ in waiting.select(left):
                        if not key.fileobj.recv(65536):  # type: ignore[union-attr]
                            raise RuntimeError("a stream of live values broke off")

            yield read


def _without(run: Look, idle: float) -> Look:
    return evolve(run, share=None if run.share is None else run.share - 100 * idle)


@contextmanager
def _box(folder: Path) -> Iterator[_Served]:
    with ExitStack() as ends:
        bus = ends.enter_context(simulated_bus(folder, "--meters", str(METERS), "--precise"))
        port, config, words = free_port(), folder / "ccmaster.toml", folder / "box.txt"
        devices = "".join(_DEVICE.format(unit=unit) for unit in bus.units)
        config.write_text(_CONFIG.format(folder=folder, bus=bus.port, port=port) + devices)
        with on_processor(0):
            process = ends.enter_context(running(twistd(config), words, all_in_words=True))
        visitors: list[Visitor] = []

        def cookie() -> str:
            if not visitors:
                visitors.append(Visitor(port, folder / "state"))
            return visitors[0].cookie

        yield _Served(process.pid, port, cookie, words, bus)


@contextmanager
def _bare(folder: Path, content: bytes) -> Iterator[_Served]:
    (folder / "bare").mkdir()
    (folder / "bare" / "page").write_bytes(content)
    port, words = free_port(), folder / "bare.txt"
    command = [sys.executable, "-m", "twisted", "web", "--listen", f"tcp:{port}:interface=127.0.0.1"]
    with on_processor(0), running([*command, "--path", str(folder / "bare")], words, all_in_words=True) as process:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                with urlopen(f"http://127.0.0.1:{port}/page"):
                    break
            except URLError:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the peer does not come up: {last_words(words)}") from None
                time.sleep(0.2)
        yield _Served(process.pid, port, str, words)


def _month() -> tuple[int, int]:
    """The last month up to an hour ago, UTC seconds."""
    last = int(time.time()) // PERIOD_S * PERIOD_S - 3600
    return last - MONTH * PERIOD_S, last


def _write_a_month(state: Path) -> None:
    state.mkdir()
    clocks = Clocks()
    journal: Journal = clocks.journal(state / "journal.db")
    first, last = _month()
    for end in range(first + PERIOD_S, last + 1, PERIOD_S):
        drafts = [
            Draft(f"m{n}", f"S{n}", end, PERIOD_S, _COLUMNS_KEPT, tuple(_tally(end, n, c) for c in range(16)))
            for n in range(1, METERS + 1)
        ]
        journal.append(drafts)
        if end % (PERIOD_S * 20) == 0:
            clocks.run(1.1, 1.1)
    clocks.close(journal)


def _tally(end: int, n: int, c: int) -> Tally:
    value = (end // PERIOD_S * 7 + n * 131 + c * 17) % 20_000
    return Tally(30, 30 * value, value - 9, value + 9, value)
