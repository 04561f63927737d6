"""The whole box as a user has it: 32 CcM meters, MQTT and FTP, the live page. What it keeps in memory after some
minutes in which it delivered by both ways, in clear and with TLS on both; and how soon after its start it asks the
first meter. It runs once for its memory, whatever the repetitions; it starts that often."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

from attrs import frozen

from bench.process import last_words, peak_mib, rss_mib, running
from bench.table import Column, table
from concentrator.app.control import NotAnswering, ask
from concentrator.app.launch import twistd
from concentrator.sim.exchange import from_log
from tests.support.brokers import Mosquitto, free_port
from tests.support.bus import SimulatedBus, simulated_bus
from tests.support.certificates import identity
from tests.support.ftp_servers import PASSWORD, USER, FtpServerProcess

CCMASTER, QUOTED = "ccmaster", "thingsboard-gateway 3.8.5 (quoted)"
METERS = 32
PLAIN, SECURE = f"{METERS} meters, MQTT and FTP", f"{METERS} meters, MQTT and FTP over TLS"
SECONDS = 150.0
_FILES_S = 30
_PATIENCE_S = 60.0

_CONFIG = """
[box]
state_dir = "{folder}/state"
plugin_dirs = []

[line.native]
endpoint = "serial:{bus}:baudrate=9600"

[history]
latency = "10 s"

[mqtt]
host = "{scheme}://127.0.0.1"
port = {mqtt_port}
{trust}

[ftp]
server = "127.0.0.1"
port = {ftp_port}
user = "{user}"
password = "{password}"
sending_latency = "{files_s} s"
time_of_day = "00:00"
tls = {tls}

[web]
listen = "tcp:{web_port}"
"""
_DEVICE = """
[device.m{unit}]
line = "native"
profile = "energycm/ccm"
address = {unit}
"""


@frozen
class Footprint:
    """Of one run: memory in use at its end and the most there ever was, and the files that were delivered until then;
    or of one start, the time from starting the process to the first request on the bus. None: not measured here."""

    master: str
    bus: str
    start_s: float | None = None
    rss_mib: float | None = None
    peak_mib: float | None = None
    files: int | None = None


THINGSBOARD = Footprint(QUOTED, PLAIN, start_s=0.981, rss_mib=64.4)
"""Measured elsewhere with 32 slaves and MQTT, no files, no journal on the disk: printed for comparison."""

_COLUMNS = (
    Column("start s", lambda run: run.start_s, ".3f", has_ratio=True),
    Column("RSS MiB", lambda run: run.rss_mib, ".1f", has_ratio=True),
    Column("peak MiB", lambda run: run.peak_mib, ".1f"),
    Column("files", lambda run: run.files, ".0f"),
)


def measured(repetitions: int, told: Callable[[str], None]) -> list[Footprint]:
    """The starts, then one long run, of both variants."""
    runs = [THINGSBOARD]
    for number in range(1, repetitions + 1):
        for variant in (PLAIN, SECURE):
            told(f"start {number} of {repetitions}, {variant}")
            runs.append(_started(variant))
    with ExitStack() as all_ends:
        boxes = []
        for variant in (PLAIN, SECURE):
            told(f"{SECONDS:.0f} s, {variant}")
            boxes.append(all_ends.enter_context(_box(variant)))
            boxes[-1].wait_until_up()
        time.sleep(SECONDS)
        runs += [box.footprint() for box in boxes]
    return runs


def report(runs: list[Footprint]) -> str:
    """The results in words and a table."""
    return (
        f"{METERS} CcM meters at 9600 8N1, 10 s intervals by MQTT, files each {_FILES_S} s by FTP, live page: time\n"
        f"from the start of the process to the first request on the bus; memory after {SECONDS:.0f} s.\n\n"
        f"{table(runs, _COLUMNS, QUOTED)}"
    )


@frozen
class _Box:
    """A box at work."""

    variant: str
    pid: int
    began: float
    bus: SimulatedBus
    folder: Path
    server: FtpServerProcess
    web_port: int

    def wait_until_up(self) -> None:
        """Until both ways out have delivered and somebody has looked at the page; RuntimeError when they do not."""
        deadline = time.monotonic() + _PATIENCE_S
        while not (self._are_up() and self._files()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.variant}: it does not deliver: {last_words(self.folder / 'box.txt')}")
            time.sleep(0.5)
        with urlopen(f"http://127.0.0.1:{self.web_port}/") as page:
            page.read()

    def footprint(self) -> Footprint:
        """What it takes now."""
        return Footprint(
            CCMASTER, self.variant, rss_mib=rss_mib(self.pid), peak_mib=peak_mib(self.pid), files=self._files()
        )

    def _are_up(self) -> bool:
        try:
            return all(uplink["is_up"] for uplink in ask(self.folder / "state", "/api/status")["uplinks"])
        except NotAnswering:
            return False

    def _files(self) -> int:
        return sum(not name.endswith(".part") for name in self.server.files())


def _started(variant: str) -> Footprint:
    with _box(variant) as box:
        deadline = time.monotonic() + _PATIENCE_S
        while not (exchanges := from_log(box.bus.log.read_text())):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{variant}: it asks nobody: {last_words(box.folder / 'box.txt')}")
            time.sleep(0.05)
        return Footprint(CCMASTER, variant, start_s=exchanges[0].began - box.began)


@contextmanager
def _box(variant: str) -> Iterator[_Box]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as ends:
        folder = Path(name)
        for each in ("broker", "files"):
            (folder / each).mkdir()
        front, keys, surroundings, certificate = _secured(folder) if variant == SECURE else ([], "", None, None)
        broker = Mosquitto(folder / "broker", front=front)
        server = FtpServerProcess(folder / "files", certificate)
        broker.start()
        ends.callback(broker.kill)
        server.start()
        ends.callback(server.kill)
        bus = ends.enter_context(simulated_bus(folder, "--meters", str(METERS), "--precise"))
        web_port = free_port()
        config = folder / "ccmaster.toml"
        config.write_text(
            _CONFIG.format(
                folder=folder,
                bus=bus.port,
                scheme="mqtts" if variant == SECURE else "mqtt",
                mqtt_port=broker.port,
                trust=keys,
                ftp_port=server.port,
                user=USER,
                password=PASSWORD,
                files_s=_FILES_S,
                tls=str(variant == SECURE).lower(),
                web_port=web_port,
            )
            + "".join(_DEVICE.format(unit=unit) for unit in bus.units)
        )
        began = time.monotonic()
        process = ends.enter_context(running(twistd(config), folder / "box.txt", surroundings, all_in_words=True))
        yield _Box(variant, process.pid, began, bus, folder, server, web_port)


def _secured(folder: Path) -> tuple[Sequence[str], str, Mapping[str, str], tuple[str, str]]:
    """The broker's settings, the key of `[mqtt]` that says whom to trust, the environment that says it to FTPS, and the
    FTP server's certificate and key."""
    authority = identity(folder, "authority", is_authority=True)
    served = identity(folder, "server", authority)
    front = ["allow_anonymous true", f"certfile {served.cert_file}", f"keyfile {served.key_file}"]
    trusting = {"SSL_CERT_FILE": authority.cert_file}
    return front, f'ca_file = "{authority.cert_file}"', {**os.environ, **trusting}, (served.cert_file, served.key_file)
