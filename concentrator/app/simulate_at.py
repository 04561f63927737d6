"""A simulated AT modem as a process: a pseudo-terminal whose far end is a modem with a SIM and a network. It owns the
terminal and the clock; what the modem says is `sim.at_modem`'s. It announces itself with one line of JSON on standard
output (`port`), says there every message that the modem has sent (`sent`, `to`), obeys commands on standard input
(`sim.at_modem.obey`), and ends at SIGTERM or SIGINT, or when the process that started it has gone.

    ccmaster sim at-modem --link /tmp/modem --registers-after 5
"""

from __future__ import annotations

import argparse
import json
import os
import select
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from concentrator.app.simulate import ended_by_signals, terminal
from concentrator.app.simulate_commands import CommandInput
from concentrator.sim.at_modem import AtModem, Sent, Ways, obey

_GLANCE_S = 0.5  # how often it looks whether it is still wanted


def run_at_modem(options: argparse.Namespace) -> int:
    """Runs the simulation until it is ended; gives the exit status. Raises OSError."""
    parent = os.getppid()
    ended_by_signals()
    ways = Ways(
        is_echoing=not options.no_echo,
        registers_after_s=options.registers_after,
        pin=options.pin,
        places=options.places,
        lump=options.lump,
        sends_in_s=options.sends_in,
    )
    modem = AtModem(ways, _told, time.time() - time.monotonic())
    with suppress(KeyboardInterrupt, BrokenPipeError), terminal(options.link) as (master, path):
        _say({"port": options.link or path})
        _run(master, modem, lambda: os.getppid() == parent)
    return 0


def _run(master: int, modem: AtModem, is_wanted: Callable[[], bool]) -> None:
    commanded = CommandInput(sys.stdin.fileno() if sys.stdin else None)
    while is_wanted():
        wake_at, now = modem.wake_at(), time.monotonic()
        wait_s = _GLANCE_S if wake_at is None else min(max(wake_at - now, 0.0), _GLANCE_S)
        readable, _, _ = select.select((master, *commanded.watched), (), (), wait_s)
        if master in readable:
            modem.take(os.read(master, 4096), time.monotonic())
        for line in commanded.lines(readable):
            wrong = obey(modem, line, time.monotonic())
            _say({"error": f"{line}: {wrong}"} if wrong else {"done": line})
        said = modem.give(time.monotonic())
        if said:
            with suppress(BlockingIOError):  # nobody has read for a long time: a serial port would lose it too
                os.write(master, said)


def _told(sent: Sent) -> None:
    _say({"sent": sent.text, "to": sent.number})


def _say(facts: dict[str, Any]) -> None:
    print(json.dumps(facts, ensure_ascii=False), flush=True)
