"""A simulated line as a process: a pseudo-terminal whose far end is a bus full of meters, or of devices of any profile,
in real time; or a Modbus TCP server. It owns the terminal, the clock and the log; what devices say and when is
`concentrator.sim`'s. It announces itself on standard output, with one line of JSON or in words, obeys the commands that
come in on standard input (`app.simulate_commands`), which may end before it does, and ends at SIGTERM or SIGINT, or
when the process that started it has gone.

    python -m concentrator.app.simulate --link /tmp/bus --meters 8 --log /tmp/bus.jsonl
    python -m concentrator.app.simulate --profile goodwe/et@247 --profile eastron/sdm630 --tcp 1502
"""

from __future__ import annotations

import argparse
import gc
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
from typing import TextIO

from concentrator.app.simulate_commands import CommandInput, Commands
from concentrator.app.simulate_line import Simulated, say, tell
from concentrator.app.simulate_options import parser
from concentrator.app.simulate_tcp import TcpDoor
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
    from concentrator.model.errors import ConcentratorError

    try:
        return run(parser().parse_args(argv))
    except (OSError, ConcentratorError) as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 1


def run(options: argparse.Namespace) -> int:
    """The same, with the options of `simulate_options`. Raises ProfileError, WrongDevices and OSError."""
    parent = os.getppid()
    ended_by_signals()
    try:
        line = _line(options)
        serve = _serve_bus if options.tcp is None else _serve_tcp
        serve(options, line, lambda: os.getppid() == parent)
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    return 0


def _line(options: argparse.Namespace) -> Simulated:
    if options.registers and not options.profile:
        return Simulated(patterns=[PatternSlave(n, options.registers) for n in range(1, options.meters + 1)])
    from concentrator.app.simulate_devices import simulated

    return simulated(options, time.time())


def _serve_bus(options: argparse.Namespace, line: Simulated, is_wanted: Callable[[], bool]) -> None:
    with _log(options.log) as log, terminal(options.link) as (master, path):
        baudrate = options.baudrate or line.baudrate
        bus = _bus(options, baudrate, Field(line.slaves), log)
        tell(options.json, line, port=options.link or path, terminal=path, baudrate=baudrate)
        if not options.instant:
            _hurry()
        early_s = _WAKING_S if options.precise else 0.0
        _run(master, bus, Commands(bus, line.meters, line.devices), early_s, is_wanted)


def _serve_tcp(options: argparse.Namespace, line: Simulated, is_wanted: Callable[[], bool]) -> None:
    """Answers at once whatever comes in by TCP; there is no bus whose faults could be told."""
    host, port = options.tcp
    door = TcpDoor(host, port, lambda unit, pdu: line.answer(unit, pdu, time.time()))
    commands, commanded = Commands(None, line.meters, line.devices), _command_input()
    try:
        tell(options.json, line, tcp=door.place)
        while is_wanted():
            readable, _, _ = select.select((*door.watched, *commanded.watched), (), (), _GLANCE_S)
            door.serve(readable)
            for command in commanded.lines(readable):
                say(commands.obey(command, time.time()))
    finally:
        door.close()


def _command_input() -> CommandInput:
    return CommandInput(sys.stdin.fileno() if sys.stdin else None)


@contextmanager
def _log(path: str | None) -> Iterator[TextIO | None]:
    if path is None:
        yield None
        return
    with Path(path).open("w", buffering=1) as log:
        yield log


def ended_by_signals() -> None:
    """From now on SIGTERM and SIGINT raise KeyboardInterrupt, once; there may be no commands from a terminal."""
    signal.signal(signal.SIGTERM, _ended)
    signal.signal(signal.SIGINT, _ended)
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)  # a terminal that belongs to others


def _ended(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: what follows is tidying up
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(master: int, bus: Bus, commands: Commands, early_s: float, is_wanted: Callable[[], bool]) -> None:
    """Carries bytes between the terminal and the bus, each at its time; wakes `early_s` before, and then watches the
    clock, so that waking up does not count as time on the wire. Commands are obeyed between two bytes."""
    commanded = _command_input()
    now = time.monotonic()
    glance_at = now + _GLANCE_S
    while True:
        wake_at = min(bus.wake_at() or glance_at, glance_at)
        readable, _, _ = select.select((master, *commanded.watched), (), (), max(wake_at - early_s - now, 0.0))
        now = time.monotonic()
        while not readable and now < wake_at <= now + early_s:
            now = time.monotonic()
        given = bus.give(now)
        if master in readable:
            bus.take(os.read(master, 4096), now)
            given += bus.give(now)
        if given:
            with suppress(BlockingIOError):  # nobody has read for a long time: a serial port would lose them too
                os.write(master, given)
        for line in commanded.lines(readable):
            say(commands.obey(line, time.time()))
        if now >= glance_at:
            glance_at = now + _GLANCE_S
            if not is_wanted():
                return


def _bus(options: argparse.Namespace, baudrate: int, field: Field, log: TextIO | None) -> Bus:
    wire = Wire(
        LineSettings(baudrate),
        turnaround_s=options.turnaround,
        fifo=options.fifo,
        is_strict=options.strict,
        is_instant=options.instant,
        is_echoing=options.echo,
    )
    late, late_s = options.late
    faults = Faults(options.silent, options.crc, options.noise, late, late_s, options.capture, options.seed)

    def heard(exchange: Exchange) -> None:
        if log is not None:
            log.write(as_line(exchange))

    return Bus(wire, faults, lambda frame: field.replies(frame, time.time()), heard)


@contextmanager
def terminal(link: str | None) -> Iterator[tuple[int, str]]:
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


def _hurry() -> None:
    """Takes the priority that byte times deserve, where it is allowed, and keeps the garbage collector away."""
    gc.collect()
    gc.freeze()
    gc.disable()
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))


if __name__ == "__main__":
    sys.exit(main())
