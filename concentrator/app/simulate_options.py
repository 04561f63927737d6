"""The options of a simulated line, and how its numbers are written, there and in commands. Hides argparse."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

_LAST_ID = 247
_LAST_PORT = 65535
_CLOUD_READS = "01010000004EBC3E;01030000002D85D7;0103002E000AA5C4"
"""What a SmartGen server was seen to want of an HGM6120N, whose register 45 nobody reads."""


def parser() -> argparse.ArgumentParser:
    """Takes the command line of the process apart, which speaks JSON."""
    made = argparse.ArgumentParser(prog="python -m concentrator.app.simulate", description="A simulated serial bus.")
    add_options(made)
    made.set_defaults(json=True)
    return made


def add_options(made: argparse.ArgumentParser) -> None:
    """Adds them to a parser."""
    add: Any = made.add_argument
    add(
        "--profile",
        type=profile,
        action="append",
        default=[],
        metavar="KEY[@IDS]",
        help="a device of that profile, at these Modbus IDs (3,7-9); may be said again; in place of CcM meters",
    )
    add("--dir", type=Path, action="append", default=[], metavar="DIR", help="a folder of profiles of your own")
    add("--tcp", type=_place, metavar="[HOST:]PORT", help="Modbus TCP in place of a serial port; port 0: a free one")
    add("--link", metavar="PATH", help="a symbolic link to the port, removed at the end")
    add("--meters", type=_number, default=8, metavar="N", help="how many meters, at the addresses from 1 on (8)")
    add(
        "--unlinked", type=_number, default=0, metavar="N", help="so many more, as they come from the factory, all at 1"
    )
    add(
        "--secondaries", type=_secondaries, default=0, metavar="N", help="behind each three-phase meter of --meters (0)"
    )
    add("--registers", type=_count, metavar="N", help="slaves of N meaningless registers in place of CcM meters")
    add("--baudrate", type=_count, metavar="N", help="bits per second, 8N1 (9600, or what a profile leaves with)")
    add("--turnaround", type=_turnaround, default="5-10", metavar="MS[-MS]", help="from request to reply (5-10)")
    add("--fifo", type=_count, default=1, metavar="N", help="the receiver hands bytes over N at a time (1)")
    add("--precise", action="store_true", help="every byte on time, for the price of a busy processor")
    add("--instant", action="store_true", help="nothing takes time")
    add("--strict", action="store_true", help="requests that come within 3.5 characters are not seen")
    add("--silent", type=units, default="", metavar="IDS", help="addresses that do not answer: 3,7-9")
    add("--crc", type=share, default=0.0, metavar="P", help="share of replies with a wrong checksum")
    add("--noise", type=share, default=0.0, metavar="P", help="share of replies with a stray byte or flipped bit")
    add("--late", type=late, default="0:0", metavar="P:MS", help="share of replies that come MS later")
    add("--capture", type=share, default=0.0, metavar="P", help="share of collisions that one of two replies survives")
    add("--echo", action="store_true", help="the master hears what it says, as on adapters that echo")
    add("--seed", type=int, default=1, metavar="N", help="decides the meters, their loads and the faults (1)")
    add("--log", metavar="FILE", help="one line of JSON for each request")


def add_at_options(made: argparse.ArgumentParser) -> None:
    """Adds those of a simulated AT modem."""
    add: Any = made.add_argument
    add("--link", metavar="PATH", help="a symbolic link to the port, removed at the end")
    add("--registers-after", type=float, default=2.0, metavar="S", help="seconds until it has a network (2)")
    add("--no-echo", action="store_true", help="it does not repeat what it is told")
    add("--pin", default="READY", metavar="TEXT", help="what +CPIN answers, such as SIM PIN; empty: no SIM (READY)")
    add("--places", type=int, default=20, metavar="N", help="messages that the SIM has room for (20)")
    add("--lump", type=int, default=0, metavar="N", help="it says N bytes at a time (all at once)")
    add("--sends-in", type=float, default=0.5, metavar="S", help="seconds that sending takes (0.5)")


def add_cloud_options(made: argparse.ArgumentParser) -> None:
    """Adds those of a simulated cloud server."""
    add: Any = made.add_argument
    add("--port", type=int, default=8181, metavar="N", help="the TCP port on this machine, 0: a free one (8181)")
    add("--reads", default=_CLOUD_READS, metavar="HEX;HEX", help="the Modbus frames to be read always")
    add("--once", default="", metavar="HEX;HEX", help="those to be read once")
    add("--rate", type=float, default=3.0, metavar="S", help="how often to upload, in seconds (3)")
    add("--full", action="store_true", help="everything each time, in place of changes")
    add("--history", action="store_true", help="it takes history as well")
    add("--password", default="", metavar="TEXT", help="the only password it takes (any)")
    add("--compress", action="store_true", help="it can be spoken to compressed")
    add(
        "--manner",
        action="append",
        default=[],
        metavar="WAY",
        help="a way in which it errs, such as commas; may be said again; sloppy: all of them",
    )


def profile(text: str) -> tuple[str, tuple[int, ...]]:
    """A profile's key and, behind an @, Modbus IDs: "goodwe/et@3,7-9"."""
    key, mark, ids = text.partition("@")
    try:
        given = tuple(sorted(units(ids)))
    except ValueError:
        given = ()
    if not key or bool(mark) is not bool(given) or not all(1 <= unit <= _LAST_ID for unit in given):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a profile's key, or such as goodwe/et@3,7-9")
    return key, given


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a port, or such as 192.0.2.1:1502")
    return host.strip("[]") or "127.0.0.1", int(port)


def _count(text: str) -> int:
    return _number(text, least=1)


def _secondaries(text: str) -> int:
    return _number(text, most=32)


def _number(text: str, least: int = 0, most: int = 1_000_000) -> int:
    value = int(text)
    if not least <= value <= most:
        raise ValueError(text)
    return value


def share(text: str) -> float:
    """A number from 0 to 1; ValueError for any other text."""
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"found {text}, expected a number from 0 to 1")
    return value


def _turnaround(text: str) -> tuple[float, float]:
    shortest, _, longest = text.partition("-")
    return float(shortest) / 1000, float(longest or shortest) / 1000


def late(text: str) -> tuple[float, float]:
    """A share and, behind a colon, milliseconds: as a share and seconds. ValueError for any other text."""
    part, _, delay_ms = text.partition(":")
    return share(part), float(delay_ms) / 1000


def units(text: str) -> frozenset[int]:
    """Addresses and spans of them, as in "3,7-9"; ValueError for any other text."""
    spans = [part.partition("-") for part in text.split(",") if part]
    return frozenset(unit for first, _, last in spans for unit in range(int(first), int(last or first) + 1))
