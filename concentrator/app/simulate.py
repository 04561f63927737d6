"""A simulated serial bus as a process: a pseudo-terminal whose far end is a bus full of meters, in real time. It owns
the terminal, the clock and the log; what meters say and when is `concentrator.sim`'s. It announces itself with one
line of JSON on standard output, and ends at SIGTERM or SIGINT, or when the process that started it has gone.

    python -m concentrator.app.simulate --link /tmp/bus --meters 8 --log /tmp/bus.jsonl
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from concentrator.sim.bus import Bus, Faults, Wire
from concentrator.sim.exchange import Exchange, as_line
from concentrator.sim.field import Field
from concentrator.sim.pattern import PatternSlave
from concentrator.wire.conversation import LineSettings

_PRIORITY = 50
_GLANCE_S = 0.5  # how often it looks whether it is still wanted
_WAKING_S = 0.0002  # what a machine takes to wake a process


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the simulation until it is ended; gives the exit status."""
    options = _parser().parse_args(argv)
    parent = os.getppid()
    signal.signal(signal.SIGTERM, _ended)
    signal.signal(signal.SIGINT, _ended)
    log: TextIO | None = None
    try:
        field = _field(options)
        if options.log:
            log = Path(options.log).open("w", buffering=1)  # noqa: SIM115 - closed below, after the terminal
        with _terminal(options.link) as (master, path):
            _announce(options.link or path, path, field)
            if not options.instant:
                _hurry()
            early_s = _WAKING_S if options.precise else 0.0
            _run(master, _bus(options, field, log), early_s, lambda: os.getppid() == parent)
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    except OSError as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 1
    finally:
        if log is not None:
            log.close()
    return 0


def _ended(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: what follows is tidying up
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(master: int, bus: Bus, early_s: float, is_wanted: Callable[[], bool]) -> None:
    """Carries bytes between the terminal and the bus, each at its time; wakes `early_s` before, and then watches the
    clock, so that waking up does not count as time on the wire."""
    now = time.monotonic()
    glance_at = now + _GLANCE_S
    while True:
        wake_at = min(bus.wake_at() or glance_at, glance_at)
        readable, _, _ = select.select((master,), (), (), max(wake_at - early_s - now, 0.0))
        now = time.monotonic()
        while not readable and now < wake_at <= now + early_s:
            now = time.monotonic()
        given = bus.give(now)
        if readable:
            bus.take(os.read(master, 4096), now)
            given += bus.give(now)
        if given:
            with suppress(BlockingIOError):  # nobody has read for a long time: a serial port would lose them too
                os.write(master, given)
        if now >= glance_at:
            glance_at = now + _GLANCE_S
            if not is_wanted():
                return


def _bus(options: argparse.Namespace, field: Field, log: TextIO | None) -> Bus:
    wire = Wire(
        LineSettings(options.baudrate),
        turnaround_s=options.turnaround,
        fifo=options.fifo,
        is_strict=options.strict,
        is_instant=options.instant,
    )
    late, late_s = options.late
    faults = Faults(options.silent, options.crc, options.noise, late, late_s, options.seed)

    def heard(exchange: Exchange) -> None:
        if log is not None:
            log.write(as_line(exchange))

    return Bus(wire, faults, lambda frame: field.answer(frame, time.time()), heard)


def _field(options: argparse.Namespace) -> Field:
    if options.registers:
        return Field(PatternSlave(unit, options.registers) for unit in range(1, options.meters + 1))
    from concentrator.profile.catalogue import Catalogue
    from concentrator.sim.meter import ccm_meters

    profile = Catalogue().get("energycm/ccm")
    return Field(ccm_meters(profile, options.meters, str(options.seed), time.time()))


@contextmanager
def _terminal(link: str | None) -> Iterator[tuple[int, str]]:
    """A raw pseudo-terminal: its far end, and the path of its near one, to which `link` points while it lasts."""
    master, slave = os.openpty()  # the near end stays open, so that masters may come and go
    try:
        tty.setraw(slave, termios.TCSANOW)
        os.set_blocking(master, False)
        path = os.ttyname(slave)
        if link is not None:
            _point(link, path)
        try:
            yield master, path
        finally:
            if link is not None and os.path.islink(link) and os.readlink(link) == path:
                os.unlink(link)
    finally:
        os.close(master)
        os.close(slave)


def _point(link: str, path: str) -> None:
    if os.path.lexists(link) and not os.path.islink(link):
        raise FileExistsError(f"{link} is there already and no link")
    passing = f"{link}.{os.getpid()}"
    os.symlink(path, passing)
    os.replace(passing, link)


def _announce(link: str, path: str, field: Field) -> None:
    print(json.dumps({"port": link, "terminal": path, "units": [slave.unit for slave in field.slaves]}), flush=True)


def _hurry() -> None:
    """Takes the priority that byte times deserve, where it is allowed, and keeps the garbage collector away."""
    gc.collect()
    gc.freeze()
    gc.disable()
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m concentrator.app.simulate", description="A simulated serial bus.")
    add: Any = parser.add_argument
    add("--link", metavar="PATH", help="a symbolic link to the port, removed at the end")
    add("--meters", type=_count, default=8, metavar="N", help="how many meters, at the addresses from 1 on (8)")
    add("--registers", type=_count, metavar="N", help="slaves of N meaningless registers in place of CcM meters")
    add("--baudrate", type=_count, default=9600, metavar="N", help="bits per second, 8N1 (9600)")
    add("--turnaround", type=_turnaround, default="5-10", metavar="MS[-MS]", help="from request to reply (5-10)")
    add("--fifo", type=_count, default=1, metavar="N", help="the receiver hands bytes over N at a time (1)")
    add("--precise", action="store_true", help="every byte on time, for the price of a busy processor")
    add("--instant", action="store_true", help="nothing takes time")
    add("--strict", action="store_true", help="requests that come within 3.5 characters are not seen")
    add("--silent", type=_units, default="", metavar="IDS", help="addresses that do not answer: 3,7-9")
    add("--crc", type=_share, default=0.0, metavar="P", help="share of replies with a wrong checksum")
    add("--noise", type=_share, default=0.0, metavar="P", help="share of replies with a stray byte or flipped bit")
    add("--late", type=_late, default="0:0", metavar="P:MS", help="share of replies that come MS later")
    add("--seed", type=int, default=1, metavar="N", help="decides the meters, their loads and the faults (1)")
    add("--log", metavar="FILE", help="one line of JSON for each request")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise ValueError(text)
    return value


def _turnaround(text: str) -> tuple[float, float]:
    shortest, _, longest = text.partition("-")
    return float(shortest) / 1000, float(longest or shortest) / 1000


def _late(text: str) -> tuple[float, float]:
    share, _, delay_ms = text.partition(":")
    return _share(share), float(delay_ms) / 1000


def _units(text: str) -> frozenset[int]:
    spans = [part.partition("-") for part in text.split(",") if part]
    return frozenset(unit for first, _, last in spans for unit in range(int(first), int(last or first) + 1))


if __name__ == "__main__":
    sys.exit(main())
