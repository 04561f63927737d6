"""Chaos: the whole program on a simulated bus, with a real broker and real FTP servers, while everything that can fail
does, at moments a seed decides. At the end what arrived is held against what the journal ever held.

`make soak ARGS="--faults 200 --seed 7"` runs it for as long as that takes (about 25 minutes), prints each fault as it
happens and a summary, and ends with status 1 where something is missing, doubled, changed or invented; the short one is
a test (`tests/whole/test_chaos.py`). The same seed gives the same faults with the same pauses between them; it decides
which FTP server and which form of files, too.

The program is the real one, as twistd runs it. Its clock is set by libfaketime, which leaves the monotonic one alone.
Its state lies on a small file system of its own that can be filled, where this user may mount one; elsewhere the size
of its files is limited while the disk is "full".
"""

from __future__ import annotations

import argparse
import glob
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import react

from concentrator.app import JOURNAL
from concentrator.app.records import records
from concentrator.model.errors import JournalError
from concentrator.model.record import EVENT_PERIOD
from tests.support.bus import SimulatedBus, simulated_bus
from tests.support.faults import KINDS, ODD_SERVERS, RESTORATIONS, Fault, schedule
from tests.support.ftp_servers import FtpServerProcess, VsftpdProcess
from tests.support.ledger import Ledger, rows_in, untidy
from tests.support.road import Road
from tests.support.whole import FILE_S, PERIOD_S, WholeBox, pause

METERS = 4
DISK_BYTES = 48 * 2**20
PATIENCE_S = 180.0
FULL_S = 30.0
"""For how long after the disk was full a program that found no room to begin in may end by itself."""
LAST_S = 5.0
"""How long after the last fault the last file's period ends."""
FTP_SERVERS = {"pyftpdlib": FtpServerProcess, "vsftpd": VsftpdProcess}
COPIES = 3
"""How many copies of the journal are kept to be put back."""

_LIBRARY = "/usr/lib/*/faketime/libfaketime.so.1"


class SmallDisk:
    """A folder that can be full: a file system in memory, where this user may mount one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "chaos", str(folder)]
        self.is_mounted = subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0
        self._ballast = folder / "ballast"

    def fill(self, pid: int | None) -> None:
        """Has nothing more fit on it."""
        if self.is_mounted:
            with suppress(OSError), self._ballast.open("wb", buffering=0) as ballast:
                while True:
                    ballast.write(bytes(4096))
        elif pid is not None:
            limited = max(file.stat().st_size for file in self.folder.iterdir())
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (limited, resource.RLIM_INFINITY))

    def free(self, pid: int | None) -> None:
        """Gives the space back."""
        self._ballast.unlink(missing_ok=True)
        if not self.is_mounted and pid is not None:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def close(self) -> None:
        """Is there no more."""
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


class FalseClock:
    """The wall clock of processes that are started with `surroundings`: this machine's, off by what was set last."""

    def __init__(self, folder: Path) -> None:
        found = glob.glob(_LIBRARY)
        if not found:
            pytest.fail("this test needs libfaketime: apt-get install libfaketime")
        self.off_s = 0.0
        self._file = folder / "clock"
        self.step(0.0)
        self.surroundings = {
            "LD_PRELOAD": found[0],
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def now(self) -> float:
        """What it shows."""
        return time.time() + self.off_s

    def step(self, by_s: float) -> None:
        """Sets it."""
        self.off_s += by_s
        new = self._file.with_suffix(".new")
        new.write_text(f"{self.off_s:+.3f}\n")
        new.rename(self._file)


class ChaosBox(WholeBox):
    """The program with bad roads to its servers, a disk that can be full, and a clock that can be set."""

    keepalive_s = 5

    def __init__(self, folder: Path, bus: SimulatedBus, form: str, ftp_server: str) -> None:
        self.form = form
        self.ftp_server = FTP_SERVERS[ftp_server]
        self.ftp_name = ftp_server
        self._ways: dict[str, Road] = {}
        self.disk = SmallDisk(folder / "state")
        self.clock = FalseClock(folder)
        super().__init__(folder, bus)
        self.surroundings = self.clock.surroundings

    @property
    def roads(self) -> dict[str, Road]:
        """The roads to the broker and to the FTP server."""
        if not self._ways:
            self._ways = {"mqtt": Road(self.broker.port), "ftp": Road(self.ftp.port, is_ftp=True)}
        return self._ways

    @property
    def mqtt_port(self) -> int:
        return self.roads["mqtt"].port

    @property
    def ftp_port(self) -> int:
        return self.roads["ftp"].port

    @property
    def pid(self) -> int | None:
        """The program's process, while it lives."""
        return self._process.pid if self.is_running else None

    @property
    def ended_by_itself(self) -> bool:
        """Whether the program was started and is gone without having been told to go."""
        return self._process is not None and not self.is_running

    @property
    def has_begun(self) -> bool:
        """Whether the program that runs now is past its start, in which it ends without order when it is told to."""
        return "GuardedSite starting" in self.log()[self._said_before :]

    def start(self) -> None:
        self._said_before = len(self.log()) if self._log.exists() else 0
        super().start()

    async def ask_to_end(self) -> None:
        """Ends the program as a system would; back when it has ended, the roads being there until then."""
        assert self._process is not None
        self._process.terminate()
        while self.is_running:
            await pause(0.05)
        self.kill()

    def end(self) -> None:
        super().end()
        self.disk.close()

    def held(self) -> list[Any]:
        """What the journal on the disk holds, of all periods."""
        return list(records(self.state)) if (self.state / JOURNAL).exists() else []

    def arrived(self) -> list[dict[str, Any]]:
        """The payloads of all records that reached the subscriber."""
        return [payload for topic, payload in self.subscriber.messages() if topic.endswith(("/data", "/event"))]


class Chaos:
    """A run: faults are done, and undone when their time is over, as the schedule has it. `told` hears of each."""

    def __init__(self, box: ChaosBox, seed: int, told: Callable[[str], None]) -> None:
        self.box = box
        self.ledger = Ledger()
        self.faults: list[str] = []
        """What was found to be wrong, in words."""
        self.done: Counter[str] = Counter()
        self.endings = 0
        self._told = told
        self._chance = random.Random(seed)
        self._copies: list[Path] = []
        self._mends: dict[str, tuple[float, Callable[[], object]]] = {}
        self._marks = 0
        self._may_lose = False
        self._damaged_at = b""
        self._full_at = -FULL_S

    async def run(self, faults: Iterator[Fault]) -> None:
        """Does the faults; back when all of them are over and the program runs."""
        box = self.box
        box.begin()
        await box.until(lambda: box.ended_by_itself or box.status(), 60, "answering")
        assert not box.ended_by_itself, box.log()[-3000:]
        for fault in faults:
            await self._idle(fault.after_s)
            self._told(str(fault))
            self.done[fault.kind] += 1
            await self._do(fault)
        while self._mends:
            await self._idle(0.2)

    async def settle(self) -> None:
        """Waits until all that was journalled has arrived, then stops the program and draws the balance."""
        box = self.box
        self._look()
        newest = max((record.draft.end for record in self.ledger.of_period(PERIOD_S, float("inf"))), default=0)
        until = (max(box.clock.now(), newest) // FILE_S + 1) * FILE_S
        ahead_s = until - LAST_S - box.clock.now()
        if ahead_s > 0:
            self._told(f"    the clock is set by {ahead_s:+.1f} s, to the last seconds of a file past all there is")
            box.clock.step(ahead_s)
        self._told("    all faults are over; waiting for what is still to come")
        missing = await self._waited(until)
        await box.ask_to_end()
        self._look()
        self.faults += missing + [line for line in box.log().splitlines() if "did not stop" in line]
        payloads, files = box.arrived(), box.ftp.files()
        rows = rows_in(files)
        self.faults += self.ledger.misprinted(payloads) + self.ledger.misfiled(PERIOD_S, rows) + untidy(files)

    async def _waited(self, until: float) -> list[str]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            await self._idle(2.0)
            missing = ["the last intervals are still to come"]
            if self.box.clock.now() > until + 2:
                self._look()
                missing = self._missing(until)
            if not missing or time.monotonic() > deadline:
                return missing

    def _missing(self, until: float) -> list[str]:
        payloads, rows = self.box.arrived(), rows_in(self.box.ftp.files())
        return [
            *self.ledger.unpublished(PERIOD_S, until, payloads),
            *self.ledger.unpublished(EVENT_PERIOD, until, payloads),
            *self.ledger.unfiled(PERIOD_S, until, rows),
        ]

    def summary(self) -> str:
        """The balance for people."""
        payloads, rows = self.box.arrived(), rows_in(self.box.ftp.files())
        names = {(payload["j"], payload["n"]) for payload in payloads}
        delivered = {name for name in self.ledger.gone if name in names}
        gone = [self.ledger.known[name] for name in self.ledger.gone - delivered]
        salvaged = [payload for payload in payloads if payload.get("event") == "journal.salvaged"]
        carried, missed = (sum(each[name] for each in salvaged) for name in ("records", "missing"))
        disk = "a file system that was full" if self.box.disk.is_mounted else "a limit of size"
        lines = [
            f"{sum(self.done.values())} faults: " + ", ".join(f"{n} × {kind}" for kind, n in sorted(self.done.items())),
            f"{len(self.ledger.known)} records were journalled, under {len({j for j, _ in self.ledger.known})} ids; "
            f"{len(self.ledger.gone)} went with a journal that was damaged or put back, "
            f"{len(gone)} of them before they were published; the program says that it carried over {carried} "
            f"from damaged files, and that at most {missed} which were still to be delivered could not be read",
            f"{len(payloads)} messages arrived, {len(payloads) - len(names)} of them repeats; "
            f"{len(rows)} rows in {len(self.box.ftp.files())} {self.box.form} files on {self.box.ftp_name}; "
            f"the full disk was {disk}; "
            f"the program ended by itself {self.endings} times",
            f"{len(self.faults)} FAULTS:" if self.faults else "nothing is missing, doubled, changed or invented",
        ]
        return "\n".join([*lines, *self.faults[:30]])

    # -- time

    async def _idle(self, seconds: float) -> None:
        """Lets things go on for a while, undoing faults whose time is over, and starting the program anew where it
        ended by itself, as a system does."""
        end = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            for target, (moment, mend) in tuple(self._mends.items()):
                if moment <= now:
                    del self._mends[target]
                    mend()
            self._revive()
            if now >= end:
                return
            await pause(min(0.2, end - now))

    def _revive(self) -> None:
        box = self.box
        if box.ended_by_itself:
            self.endings += 1
            self._told("    the program has ended by itself")
            if time.monotonic() - self._full_at > FULL_S:
                self.faults.append(f"the program ended by itself: {box.log()[-600:]}")
            box.kill()
        if not box.is_running and "program" not in self._mends:
            box.start()

    def _until(self, target: str, lasts_s: float, mend: Callable[[], object]) -> None:
        """Has a fault of a target undone in a while."""
        self._mends[target] = (time.monotonic() + lasts_s, mend)

    def _mend(self, target: str) -> None:
        """Undoes what is wrong with a target now: each has one fault at a time."""
        if target in self._mends:
            self._mends.pop(target)[1]()

    # -- the faults

    async def _do(self, fault: Fault) -> None:
        word = fault.kind.split()[0]
        if fault.kind in ("kill", "kill again", "stop", "freeze", "page overwritten", "log overwritten", "restored"):
            await self._program(fault)
        elif word == "broker":
            await self._broker(fault)
        elif word in ("mqtt", "ftp") and fault.kind.split()[1] in ("cut", "hole"):
            self._road(word, fault)
        elif word == "ftp":
            self._ftp(fault)
        elif word == "disk":
            self._mend("disk")
            self.box.disk.fill(self.box.pid)
            self._full_at = float("inf")
            self._until("disk", fault.lasts_s, self._disk_again)
        else:
            self.box.clock.step(fault.step_s)

    async def _program(self, fault: Fault) -> None:
        self._mend("program")
        self._revive()
        box = self.box
        if fault.kind == "freeze":
            box.freeze()
            self._until("program", fault.lasts_s, box.thaw)
            return
        if fault.kind == "stop" or (fault.kind == "page overwritten" and fault.chosen(1000) % 2):
            has_begun = box.has_begun
            await box.ask_to_end()
            if has_begun and not box.log().rstrip().endswith("Server Shut Down."):
                self.faults.append(f"told to stop, it did not end in order: {box.log()[-600:]}")
        else:
            box.kill()
        self._look()
        if fault.kind == "page overwritten":
            self._overwrite(box.state / JOURNAL, fault)
        elif fault.kind == "log overwritten":
            self._overwrite(box.state / f"{JOURNAL}-wal", fault)
        elif fault.kind == "restored" and self._copies:
            self._restore(self._copies[fault.chosen(len(self._copies))], RESTORATIONS[fault.number % 3])
        else:
            self._copy()
        self._until("program", fault.lasts_s, lambda: None)

    async def _broker(self, fault: Fault) -> None:
        self._mend("broker")
        broker = self.box.broker
        if fault.kind == "broker frozen":
            broker.freeze()
            self._until("broker", fault.lasts_s, broker.thaw)
            return
        if fault.kind == "broker killed":
            await self._drain()
            broker.kill()
        else:
            broker.stop()
        self._until("broker", fault.lasts_s, self._broker_again)

    def _broker_again(self) -> None:
        self.box.broker.start()
        if "mqtt" not in self._mends:
            self.box.roads["mqtt"].mend()

    async def _drain(self) -> None:
        """Waits until the subscriber has what the broker has confirmed, while the box hears no more of it: what a
        broker confirms and forgets when it is killed is not ours to keep."""
        self.box.roads["mqtt"].hole()
        self._marks += 1
        command = ["mosquitto_pub", "-p", str(self.box.broker.back_port), "-q", "1", "-t", "/ccm/srv/mark", "-m"]
        subprocess.run([*command, json.dumps({"mark": self._marks})], check=True, timeout=30)

        def is_there() -> bool:
            return any(payload.get("mark") == self._marks for _, payload in self.box.subscriber.messages())

        await self.box.until(is_there, 60, "drained")

    def _disk_again(self) -> None:
        self.box.disk.free(self.box.pid)
        self._full_at = time.monotonic()

    def _road(self, name: str, fault: Fault) -> None:
        road = self.box.roads[name]
        if fault.kind.endswith("cut"):
            road.cut()
            return
        self._mend(name)
        road.hole()
        self._until(name, fault.lasts_s, road.mend)

    def _ftp(self, fault: Fault) -> None:
        self._mend("ftp server")
        ftp = self.box.ftp
        if fault.kind == "ftp killed":
            ftp.kill()
        else:
            ways = ODD_SERVERS[self.box.ftp_name]
            odd = ways[fault.chosen(len(ways))]
            self._told(f"    {odd}")
            ftp.again(odd)
        self._until("ftp server", fault.lasts_s, ftp.again)

    # -- the journal, while nobody uses it

    def _look(self) -> None:
        """Enters what the journal holds into the ledger; a damaged one not before the program has met it."""
        if self._may_lose and self._mark() == self._damaged_at:
            return
        try:
            held = self.box.held()
        except (JournalError, ValueError) as error:
            self.faults.append(f"the journal cannot be read: {error}")
            return
        self.faults += self.ledger.looked(held, self._may_lose)
        self._may_lose = False

    def _copy(self) -> None:
        copy = self.box.folder / f"copy-{sum(self.done.values())}"
        copy.mkdir()
        for file in self._journal_files():
            shutil.copy2(file, copy)
        self._copies.append(copy)
        while len(self._copies) > COPIES:
            shutil.rmtree(self._copies.pop(0))

    def _restore(self, copy: Path, how: str) -> None:
        """Puts a copy back as people do."""
        self._told(f"    {how}, from {copy.name}")
        kept = {file.name for file in copy.iterdir()}
        for file in self._journal_files():
            if file.name not in kept and not file.name.endswith(".mark"):
                file.unlink()  # a log that belongs to another file
        for file in copy.iterdir():
            target = self.box.state / file.name
            if how == "file" and file.name.endswith(".mark"):
                continue
            if how == "folder anew":
                target.unlink(missing_ok=True)
            with suppress(OSError):  # where the disk is full, a part of it
                shutil.copyfile(file, target)
        self._damaged()

    def _damaged(self) -> None:
        self._may_lose, self._damaged_at = True, self._mark()

    def _mark(self) -> bytes:
        """What is new with each opening and closing of the journal."""
        mark = self.box.state / f"{JOURNAL}.mark"
        return mark.read_bytes() if mark.exists() else b""

    def _journal_files(self) -> list[Path]:
        return sorted(file for file in self.box.state.glob(f"{JOURNAL}*") if "corrupt" not in file.name)

    def _overwrite(self, file: Path, fault: Fault) -> None:
        """Overwrites a page, as a dying flash does."""
        size = file.stat().st_size if file.exists() else 0
        if size == 0:
            return
        page = fault.chosen(max(1, size // 2048)) * 2048
        content = bytes(2048) if fault.number % 2 else self._chance.randbytes(2048)
        with file.open("r+b") as damaged:
            damaged.seek(page)
            damaged.write(content[: size - page])
        self._told(f"    {file.name}, {size} bytes, from {page}: {'zeros' if fault.number % 2 else 'noise'}")
        self._damaged()


@contextmanager
def chaos_in(folder: Path, seed: int, told: Callable[[str], None]) -> Iterator[Chaos]:
    """A run, not begun, with all its processes; they end with it."""
    with simulated_bus(folder, "--meters", str(METERS)) as bus:
        box = ChaosBox(folder, bus, ("csv", "json")[seed % 2], sorted(FTP_SERVERS)[seed // 2 % 2])
        try:
            yield Chaos(box, seed, told)
        finally:
            box.end()


async def soak(options: argparse.Namespace) -> None:
    """The long run; raises SystemExit with what it found."""
    began = time.monotonic()

    def told(text: str) -> None:
        print(f"{time.monotonic() - began:7.1f}  {text}", flush=True)

    folder = Path(tempfile.mkdtemp(prefix="soak-", dir=options.folder))
    with chaos_in(folder, options.seed, told) as chaos:
        try:
            await chaos.run(schedule(options.seed, options.faults, options.pace))
            await chaos.settle()
        except BaseException:
            told(f"what is left lies in {folder}")
            raise
        finally:
            if chaos.faults:
                shutil.copytree(folder / "state", folder / "left", ignore=shutil.ignore_patterns("ballast", "*.sock"))
        print(f"\nseed {options.seed}, {time.monotonic() - began:.0f} s: {chaos.summary()}")
        if chaos.faults:
            print(f"what is left lies in {folder}")
            raise SystemExit(1)
    shutil.rmtree(folder)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__.split("\n\n")[0])
    parser.add_argument("--faults", type=int, default=200, metavar="N", help=f"how many (200); {len(KINDS)} kinds")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="decides which, when and how (1)")
    parser.add_argument("--pace", type=float, default=1.0, metavar="X", help="above 1: shorter pauses and faults")
    parser.add_argument("--folder", default=None, metavar="DIR", help="where everything lies (the system's for such)")
    options = parser.parse_args()

    def begun(_: Any) -> Deferred[None]:
        return ensureDeferred(soak(options))

    react(begun, [])


if __name__ == "__main__":
    sys.exit(main())
