"""The command about slave ports: the register map of a running box, and how its slave ports stand."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from concentrator.app.cli_parts import DONE, Commands, as_json, command, show, state_dir, takes_place


def add_slave_command(commands: Commands) -> None:
    """Adds it to the parser's."""
    slave = command(commands, "slave", _help, "the slave ports of a running box and their register map", _EXAMPLES)
    slave.set_defaults(parser=slave)
    nested = slave.add_subparsers(title="what to do", metavar="WHAT")
    for name, act, summary in (
        ("map", _map, "print the register map"),
        ("states", _states, "print where it answers, and what it was asked"),
    ):
        takes_place(command(nested, name, act, summary, f"ccmaster slave {name}\nccmaster slave {name} --json"))


def _help(options: argparse.Namespace) -> int:
    options.parser.print_help()
    return DONE


def _map(options: argparse.Namespace) -> int:
    from concentrator.app.control import act
    from concentrator.app.slave_map import map_lines

    found = act(state_dir(options), "slave.map")
    show(as_json(found) if options.json else map_lines(found))
    return DONE


def _states(options: argparse.Namespace) -> int:
    from concentrator.app.control import act

    found = act(state_dir(options), "slave.states")
    show(as_json(found) if options.json else _lines(found))
    return DONE


def _lines(found: list[dict[str, Any]]) -> Iterator[str]:
    if not found:
        yield "no slave ports"
    for each in found:
        what = f"mirror of {each['device']}" if each["device"] else "map"
        is_well = each["is_open"] and not each["trouble"]
        yield f"{each['name']}: {what} at {each['where']}, Modbus ID {each['unit']}: " + (
            "open" if is_well else each["trouble"] or "not open yet"
        )
        refused = ", ".join(f"exception {code} {count} times" for code, count in each["refused"].items())
        yield f"  {each['reads']} reads, {each['writes']} writes{f', refused: {refused}' if refused else ''}"
        if each["last_asked"] is not None:
            yield f"  last asked {datetime.fromtimestamp(each['last_asked'], UTC):%Y-%m-%d %H:%M:%S} UTC"
        if each["clients"]:
            yield f"  connected: {', '.join(each['clients'])}"
        figures = ", ".join(f"{name} {count}" for name, count in each["figures"].items() if count)
        if figures:
            yield f"  of its {'line' if each['where'].startswith('line') else 'port'}: {figures}"


_EXAMPLES = """
    ccmaster slave map
    ccmaster slave map --json
    ccmaster slave states
"""
