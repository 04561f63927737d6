"""The demo's options, for the command line to offer without loading the demo."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

MOST_METERS = 33
"""Meters on a native bus: the one on NDsp and 32 more (CcMaster user manual)."""
DEFAULT_PORTS = {"mqtt": 11883, "ftp": 2121, "http": 8080, "cloud": 8181}
"""Where the ports are looked for first, by name."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds them to a parser: `dir` (a Path, or None for a temporary folder), `mqtt_port`, `ftp_port`, `http_port` and
    `cloud_port` (None: the first free one from the default on), `meters`, `genset`, `for_s` (None: until it is ended)
    and `json`."""
    add: Any = parser.add_argument
    add("--dir", type=Path, metavar="DIR", help="where all of it lies and is left (a temporary folder, cleared away)")
    for name, port in DEFAULT_PORTS.items():
        add(f"--{name}-port", type=_port, metavar="N", help=f"on loopback ({port}, or the next that is free)")
    add("--meters", type=_meters, default=8, metavar="N", help=f"meters on the bus, 1 … {MOST_METERS} (%(default)s)")
    add("--genset", action="store_true", help="a genset too, and a SmartGen cloud server that looks after it")
    add("--for", dest="for_s", type=_seconds, metavar="SECONDS", help="end by itself after that long")
    add("--json", action="store_true", help="tell everything as JSON, one object a line")


def _port(text: str) -> int:
    return _whole(text, 65535, "a port, 1 … 65535")


def _meters(text: str) -> int:
    return _whole(text, MOST_METERS, f"a number of meters, 1 … {MOST_METERS}")


def _seconds(text: str) -> int:
    return _whole(text, 31_536_000, "a whole number of seconds")


def _whole(text: str, most: int, expected: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected {expected}")
    return int(text)
