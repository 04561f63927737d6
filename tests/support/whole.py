"""The whole program on a simulated bus, with a real broker, a real subscriber and a real FTP server, each a process of
its own that can be killed; and the comparison that counts: what the journal holds against what arrived."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from concentrator.app.control import NotAnswering, act, ask
from concentrator.app.launch import environment, twistd
from concentrator.app.records import records
from concentrator.journal.tables import best
from concentrator.model.record import Record
from tests.support.brokers import Mosquitto, free_port
from tests.support.bus import SimulatedBus
from tests.support.ftp_servers import FtpServerProcess

PERIOD_S = 10
FILE_S = 30
LOOK_S = 0.25
SLACK = 4
"""By how much a busy machine may be slower than one at ease."""


class Subscriber:
    """mosquitto_sub with a session that outlives it and the broker; it writes down all it gets."""

    def __init__(self, port: int, folder: Path) -> None:
        binary = shutil.which("mosquitto_sub")
        if binary is None:
            pytest.fail("this test needs mosquitto_sub: apt-get install mosquitto-clients")
        self._file = folder / "received.jsonl"
        command = [binary, "-p", str(port), "-i", "recorder", "-c", "-q", "1", "-t", "/ccm/srv/#", "-F", "%j"]
        with self._file.open("wb") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)

    def messages(self) -> list[tuple[str, dict[str, Any]]]:
        """Topic and payload of all that came so far."""
        lines = self._file.read_text().split("\n")[:-1]
        return [(line["topic"], json.loads(line["payload"])) for line in map(json.loads, lines)]

    def data(self) -> list[dict[str, Any]]:
        """The payloads of the intervals."""
        return [payload for topic, payload in self.messages() if topic.endswith("/data")]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


class BareBox:
    """The program alone, with a configuration in `folder`, where its state lies too."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "ccmaster.toml"
        self.config.write_text(text)
        self.surroundings: dict[str, str] = {}
        self._log = folder / "ccmaster.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the program; `surroundings` are added to its environment."""
        assert self._process is None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                twistd(self.config), stdout=log, stderr=log, env=environment() | self.surroundings, cwd=self.folder
            )

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def freeze(self) -> None:
        """Lets it do nothing, as a machine that is suspended."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends the program as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends the program as a system would; it must end in order."""
        self._end(signal.SIGTERM)
        assert self.log().rstrip().endswith("Server Shut Down."), self.log()[-3000:]

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait(60)

    def end(self) -> None:
        """Ends everything."""
        self._end(signal.SIGKILL)

    def log(self) -> str:
        """What the program has said."""
        return self._log.read_text(errors="replace")

    def status(self) -> dict[str, Any] | None:
        """What it says of itself; None while it does not answer."""
        try:
            return ask(self.state, "/api/status")
        except NotAnswering:
            return None

    def act(self, name: str, /, **arguments: object) -> Any:
        """What it answers to an action asked of it through its control socket."""
        return act(self.state, name, **arguments)

    def devices(self) -> dict[str, dict[str, Any]]:
        """What it says of its devices, by short id."""
        return {each["uid"]: each for each in ask(self.state, "/api/devices")}

    def values(self, uid: str) -> dict[str, Any]:
        """The newest values of a device by name."""
        return {each["name"]: each["value"] for each in ask(self.state, f"/api/devices/{uid}")["values"]}

    def journalled(self, until: float) -> list[Record]:
        """The interval records on the disk that end at or before `until`, by number."""
        return [record for record in records(self.state, PERIOD_S) if record.draft.end <= until]

    async def until(self, met: Callable[[], object], seconds: float, what: str) -> None:
        """Waits until a condition is met, looking now and then. `seconds`: how long that takes at most on a machine at
        ease; a busy one has longer."""
        deadline = reactor.seconds() + seconds * SLACK
        while not met():
            if reactor.seconds() > deadline:
                pytest.fail(f"after {seconds * SLACK:.0f} s still not {what}\n{self.log()[-3000:]}")
            await pause(LOOK_S)


class WholeBox(BareBox):
    """`folder` holds everything, the meters hang on `bus`. `front`: settings of the broker's door for the box, and
    `trust` the key of `[mqtt]` that says whom it trusts, where that door is TLS. `form`: how files are written;
    `ftp_server`: whose server takes them."""

    form = "csv"
    keepalive_s = 60
    ftp_server: type[FtpServerProcess] = FtpServerProcess

    def __init__(self, folder: Path, bus: SimulatedBus, front: Sequence[str] = (), trust: str = "") -> None:
        for name in ("broker", "files"):
            (folder / name).mkdir()
        keep = ["autosave_on_changes true", "autosave_interval 1"]
        self.broker = Mosquitto(folder / "broker", keep, front)
        self.ftp = self.ftp_server(folder / "files")
        self.http_port = free_port()
        super().__init__(folder, self._configuration(folder / "state", bus, trust))
        self.subscriber: Subscriber

    def _configuration(self, state: Path, bus: SimulatedBus, trust: str) -> str:
        devices = "".join(
            f'[device.m{unit}]\nline = "native"\nprofile = "energycm/ccm"\naddress = {unit}\nalias = "Meter {unit}"\n'
            for unit in bus.units
        )
        return (
            f"""
            [box]
            state_dir = "{state}"
            plugin_dirs = []
            [line.native]
            endpoint = "serial:{bus.port}:baudrate=9600"
            [history]
            latency = "{PERIOD_S} s"
            format = "{self.form}"
            [mqtt]
            host = "{"mqtts" if trust else "mqtt"}://127.0.0.1"
            {trust}
            port = {self.mqtt_port}
            keepalive = "{self.keepalive_s} s"
            [ftp]
            server = "127.0.0.1"
            port = {self.ftp_port}
            user = "{self.ftp.user}"
            password = "{self.ftp.password}"
            directory = "{self.ftp.directory("box")}"
            sending_latency = "{FILE_S} s"
            time_of_day = "00:00"
            [web]
            listen = "tcp:{self.http_port}:interface=127.0.0.1"
        """
            + devices
        )

    @property
    def mqtt_port(self) -> int:
        """Where the box finds the broker."""
        return self.broker.port

    @property
    def ftp_port(self) -> int:
        """Where the box finds the FTP server."""
        return self.ftp.port

    def begin(self) -> None:
        """Starts the broker, its subscriber, the FTP server and the program."""
        self.broker.start()
        self.subscriber = Subscriber(self.broker.back_port, self.folder)
        self.ftp.start()
        self.start()

    def end(self) -> None:
        """Ends everything."""
        super().end()
        if hasattr(self, "subscriber"):
            self.subscriber.stop()
        self.ftp.kill()
        self.broker.kill()

    # -- what arrived

    def unpublished(self, until: float) -> list[str]:
        """What of the journal the subscriber did not get, or not as journalled; in words."""
        return not_published(self.journalled(until), self.subscriber.data())

    def unfiled(self, until: float) -> list[str]:
        """What of the journal no file holds, or with another value, or more than one; in words."""
        return not_filed(self.journalled(until), self.ftp.files())


def not_published(journalled: Iterable[Record], payloads: Iterable[dict[str, Any]]) -> list[str]:
    """Which records have no message, or one that says something else; in words."""
    got = defaultdict(list)
    for payload in payloads:
        got[payload["j"], payload["n"]].append(payload)
    faults = []
    for record in journalled:
        copies = got.get((record.journal, record.n), [])
        if not copies:
            faults.append(f"{record.n} is missing")
        for copy in copies:
            said = (copy["serial"], at(copy["ts"]), copy["period"], copy["values"], copy["quality"])
            draft = record.draft
            if said != (draft.serial, draft.end, draft.period, record.values, draft.quality.value):
                faults.append(f"{record.n} differs: {said}")
    return faults


def not_filed(journalled: Iterable[Record], files: Mapping[str, bytes]) -> list[str]:
    """Which records no file holds, or with other values, or more than one; which files are not complete; in words."""
    rows: dict[tuple[str, int], list[dict[str, float]]] = defaultdict(list)
    periods: Counter[tuple[str, str, str]] = Counter()
    faults = []
    for name, content in files.items():
        if not name.endswith(".csv"):
            faults.append(f"{name} is no complete file")
            continue
        serial, start, stop = Path(name).stem.partition("_")[2].rsplit("_", 2)  # a serial we made has a _ of its own
        periods[serial, start, stop] += 1
        for end, values, _ in rows_of(content.decode()):
            rows[serial, end].append(values)
    faults += [f"{period} has {count} files" for period, count in periods.items() if count > 1]
    for record in best(list(journalled)):
        held = rows.get((record.draft.serial, record.draft.end), [])
        if held != [record.values]:
            faults.append(f"{record.n} {record.draft.serial} {record.draft.end}: {len(held)} rows, {held[:1]}")
    return faults


def pause(seconds: float) -> Deferred[None]:
    """Lets real processes get on for a while."""
    return deferLater(reactor, seconds)


def at(text: str) -> int:
    """UTC seconds of an ISO time."""
    return int(datetime.fromisoformat(text).timestamp())


def rows_of(text: str) -> list[tuple[int, dict[str, float], str]]:
    """End, values by variable without its unit, and quality of each row of a CSV file."""
    assert text.endswith("\r\n")
    header, *rows = csv.reader(StringIO(text, newline=""))
    names = [cell.split(" [")[0] for cell in header]
    assert (names[0], names[-1]) == ("time", "quality")
    return [
        (at(row[0]), {name: float(cell) for name, cell in zip(names[1:-1], row[1:-1], strict=True) if cell}, row[-1])
        for row in rows
    ]
