"""The command about cloud sessions of gensets: how those of a running box stand, and their factory settings."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from concentrator.app.cli_parts import DONE, Commands, as_json, command, show, state_dir, takes_place


def add_smartgen_command(commands: Commands) -> None:
    """Adds it to the parser's."""
    cloud = command(commands, "smartgen", _help, "the cloud sessions of gensets", _EXAMPLES)
    cloud.set_defaults(parser=cloud)
    nested = cloud.add_subparsers(title="what to do", metavar="WHAT")
    example = "ccmaster smartgen sessions\nccmaster smartgen sessions --json"
    takes_place(command(nested, "sessions", _sessions, "say how they stand, and their parameters", example))
    reset = command(nested, "reset", _reset, "put one back to its factory settings", "ccmaster smartgen reset genset1")
    reset.add_argument("session", metavar="NAME", help="NAME of the section [smartgen.NAME]")
    takes_place(reset)


def _help(options: argparse.Namespace) -> int:
    options.parser.print_help()
    return DONE


def _sessions(options: argparse.Namespace) -> int:
    from concentrator.app.control import act

    found = act(state_dir(options), "smartgen.sessions")
    show(as_json(found) if options.json else _lines(found))
    return DONE


def _reset(options: argparse.Namespace) -> int:
    from concentrator.app.control import act

    found = act(state_dir(options), "smartgen.reset_defaults", session=options.session)
    changed = [key.rpartition(".")[2] for key in found["changed"]]
    show(
        as_json(found) if options.json else [f"back to the factory's: {', '.join(changed) or 'nothing was otherwise'}"]
    )
    return DONE


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
