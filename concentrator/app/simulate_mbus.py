"""A simulated M-Bus line as a process: a pseudo-terminal whose far end is a line full of meters, each byte at its time.
It owns the terminal and the clock; what meters say is `concentrator.sim`'s. It announces itself with one line of JSON
on standard output (`port`, and the `addresses` with their primary ones), and ends at SIGTERM or SIGINT, or when the
process that started it has gone.

    python -m concentrator.app.simulate_mbus --link /tmp/mbus --meters 30 --colliding 3
"""

from __future__ import annotations

import argparse
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

from concentrator.sim.mbus_line import MbusLine
from concentrator.sim.mbus_meter import some_meters
from concentrator.wire.conversation import LineSettings
from concentrator.wire.mbus_address import SecondaryAddress

_GLANCE_S = 0.5  # how often it looks whether it is still wanted
_BITS = 11
_PRIORITY = 50
_SPEEDS = {getattr(termios, f"B{speed}"): speed for speed in (300, 600, 1200, 2400, 4800, 9600, 19200, 38400)}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the simulation until it is ended; gives the exit status."""
    options = _parser().parse_args(argv)
    parent = os.getppid()
    signal.signal(signal.SIGTERM, _ended)
    meters = some_meters(options.meters, options.seed, options.colliding, baudrate=options.baudrate)
    line = MbusLine(meters, LineSettings(options.baudrate, _BITS), options.damage)
    try:
        with _terminal(options.link) as (master, port):
            addresses = {str(SecondaryAddress(meter.address)): meter.primary for meter in meters}
            print(json.dumps({"port": port, "baudrate": options.baudrate, "addresses": addresses}), flush=True)
            with suppress(OSError):  # byte times deserve it, where it is allowed
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
            _run(master, line, lambda: os.getppid() == parent)
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    except OSError as error:
        print(f"simulate_mbus: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="simulate_mbus", description=(__doc__ or "").partition("\n\n")[0])
    add = made.add_argument
    add("--link", metavar="PATH", help="a link to the terminal, while it lasts")
    add("--meters", type=int, default=10, metavar="N", help="how many meters (default 10)")
    add("--colliding", type=int, default=0, metavar="N", help="pairs of them that differ in the last digit only")
    add("--baudrate", type=int, default=2400, metavar="N", help="bits per second (default 2400)")
    add("--damage", type=float, default=0.0, metavar="SHARE", help="the share of answers with a wrong bit")
    add("--seed", default="meters", metavar="TEXT", help="by which meters are drawn")
    return made


def _ended(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: what follows is tidying up
    raise KeyboardInterrupt


def _run(master: int, line: MbusLine, is_wanted: Callable[[], bool]) -> None:
    """Carries bytes between the terminal and the line, each at its time."""
    now = time.monotonic()
    glance_at = now + _GLANCE_S
    while True:
        wake_at = min(line.wake_at() or glance_at, glance_at)
        readable, _, _ = select.select((master,), (), (), max(wake_at - now, 0.0))
        now = time.monotonic()
        if readable:
            _follow(master, line)
            line.take(os.read(master, 4096), now)
        given = line.give(now)
        if given:
            with suppress(BlockingIOError):  # nobody has read for a long time: a serial port would lose them too
                os.write(master, given)
        if now >= glance_at:
            glance_at = now + _GLANCE_S
            if not is_wanted():
                return


def _follow(master: int, line: MbusLine) -> None:
    """The wire is as fast as the terminal is set to be; meters that talk at another speed do not hear that."""
    speed = _SPEEDS.get(termios.tcgetattr(master)[4], line.settings.baudrate)
    if speed != line.settings.baudrate:
        line.settings = LineSettings(speed, _BITS)


@contextmanager
def _terminal(link: str | None) -> Iterator[tuple[int, str]]:
    """A raw pseudo-terminal: its far end, and the path of its near one, or of the link to it."""
    master, slave = os.openpty()  # the near end stays open, so that masters may come and go
    try:
        tty.setraw(slave)
        os.set_blocking(master, False)
        if link is None:
            yield master, os.ttyname(slave)
            return
        place = Path(link)
        if place.is_symlink():
            place.unlink()
        place.symlink_to(os.ttyname(slave))
        try:
            yield master, link
        finally:
            place.unlink()
    finally:
        os.close(master)
        os.close(slave)


if __name__ == "__main__":
    sys.exit(main())
