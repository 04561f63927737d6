"""The command about gensets: how they are, and giving their controllers commands. It has the running box do it, and
says what it says."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from concentrator.app.cli_parts import Commands, command, show_done, takes_name, takes_place

_UNKNOWN = "not known"
_ANSWERS = {
    "running": ("running", "at rest"),
    "mains_ok": ("mains are there", "mains are away"),
    "mains_on_load": ("mains on load", "mains off load"),
    "gen_on_load": ("generator on load", "generator off load"),
}


def add_genset_command(commands: Commands) -> None:
    """Adds it to the parser's."""
    genset = command(commands, "genset", _list, "show gensets, and command them", _EXAMPLES)
    takes_place(genset)
    nested = genset.add_subparsers(title="what to do", metavar="WHAT")
    takes_place(command(nested, "list", _list, "list the gensets", _EXAMPLES), is_nested=True)
    status = command(nested, "status", _status, "show how a genset is, with what it measures", _EXAMPLES)
    told = command(nested, "command", _command, "give a genset's controller a command, and confirm it", _EXAMPLES)
    raw = command(nested, "raw", _raw, "send a Modbus request to a controller as it is", _RAW_EXAMPLES)
    for each in (status, told, raw):
        takes_name(each, "uid", "devices", "uid", "the device's short id", metavar="UID")
        takes_place(each, is_nested=True)
    told.add_argument(
        "command", metavar="COMMAND", help="such as start, stop, auto, manual, reset; `status` lists them"
    )
    raw.add_argument("request", nargs="+", metavar="HEX", help="an RTU frame with its checksum; unit 0 or 1 is its own")


def _list(options: argparse.Namespace) -> int:
    return show_done(options, "gensets.list", _list_lines)


def _status(options: argparse.Namespace) -> int:
    return show_done(options, "genset.status", _status_lines, uid=options.uid)


def _command(options: argparse.Namespace) -> int:
    def lines(found: Mapping[str, Any]) -> Iterator[str]:
        now = f": {_summary(found['status'])}" if found["status"] else ""
        yield f"{options.uid}: {options.command} is {found['outcome']}{now}"

    return show_done(options, "genset.command", lines, uid=options.uid, command=options.command)


def _raw(options: argparse.Namespace) -> int:
    request = " ".join(options.request)
    return show_done(options, "modbus.raw", lambda found: [found["reply"]], uid=options.uid, request=request)


def _list_lines(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not found:
        yield "no gensets"
    for genset in found:
        yield f"{genset['uid']:<12} {genset['health']:<10} {_summary(genset)}"


def _status_lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['uid']}: {_summary(found)}"
    for name, (so, not_so) in _ANSWERS.items():
        told = found[name]
        yield f"  {name}: {_UNKNOWN if told is None else so if told else not_so}"
    for alarm in found["alarms"]:
        yield f"  alarm: {alarm}"
    for name, each in found["values"].items():
        yield f"  {name}: {each['value']} {each['unit']}".rstrip()
    commands = ", ".join(found["commands"]) or "none"
    yield f"  commands: {commands}{'; but ' + found['forbidden'] if found['forbidden'] and found['commands'] else ''}"


def _summary(status: Mapping[str, Any]) -> str:
    """Mode, engine and alarm in a line."""
    running = status["running"]
    engine = status["engine"] or (_UNKNOWN if running is None else _ANSWERS["running"][not running])
    return f"mode {status['mode']}, engine {engine}, alarm {status['alarm']}"


_EXAMPLES = """
    ccmaster genset
    ccmaster genset status pump --json
    ccmaster genset command pump start
    ccmaster genset raw pump 01 03 00 22 00 01 24 00
"""
_RAW_EXAMPLES = """
    ccmaster genset raw pump 01 03 00 22 00 01 24 00
    ccmaster genset raw pump 00050003FF007DEB --json
"""
