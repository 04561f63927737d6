"""The command about cloud sessions of gensets: how those of a running box stand, and their factory settings."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from concentrator.app.cli_parts import Commands, command, command_of_several, show_done, takes_place


def add_smartgen_command(commands: Commands) -> None:
    """Adds it to the parser's."""
    nested = command_of_several(commands, "smartgen", "the cloud sessions of gensets", _EXAMPLES)
    example = "ccmaster smartgen sessions\nccmaster smartgen sessions --json"
    takes_place(command(nested, "sessions", _sessions, "say how they stand, and their parameters", example))
    reset = command(nested, "reset", _reset, "put one back to its factory settings", "ccmaster smartgen reset genset1")
    reset.add_argument("session", metavar="NAME", help="NAME of the section [smartgen.NAME]")
    takes_place(reset)


def _sessions(options: argparse.Namespace) -> int:
    return show_done(options, "smartgen.sessions", _lines)


def _reset(options: argparse.Namespace) -> int:
    return show_done(options, "smartgen.reset_defaults", _reset_lines, session=options.session)


def _reset_lines(found: dict[str, Any]) -> Iterator[str]:
    changed = [key.rpartition(".")[2] for key in found["changed"]]
    yield f"back to the factory's: {', '.join(changed) or 'nothing was otherwise'}"


def _lines(found: list[dict[str, Any]]) -> Iterator[str]:
    if not found:
        yield "no section [smartgen.NAME]"
    for each in found:
        yield f"{each['name']}: {each['device']} at {each['server']}: {each['standing']}, since {each['since']}"
        yield f"  {each['hostname']}, ID {each['hostid']}, {each['model']} ({each['module_type_name']})"
        speed = f", {each['baudrate']} bit/s" if each["baudrate"] else ""
        searched = ", is being looked for" if each["is_searched_for"] else ""
        yield f"  port {each['port']}{speed}{searched}"
        if each["always"]:
            yield f"  uploads {each['mode']} of {len(each['always'])} reads every {each['rate_s']:g} s"
        figures = ", ".join(f"{name} {value}" for name, value in each["figures"].items() if value)
        if figures:
            yield f"  {figures}"


_EXAMPLES = """
    ccmaster smartgen sessions
    ccmaster smartgen reset genset1
"""
