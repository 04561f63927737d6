"""The command about slave ports: the register map of a running box, and how its slave ports stand."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from concentrator.app.cli_parts import Commands, command, command_of_several, show_done, takes_place


def add_slave_command(commands: Commands) -> None:
    """Adds it to the parser's."""
    nested = command_of_several(commands, "slave", "the slave ports of a running box and their register map", _EXAMPLES)
    for name, act, summary in (
        ("map", _map, "print the register map"),
        ("states", _states, "print where it answers, and what it was asked"),
    ):
        takes_place(command(nested, name, act, summary, f"ccmaster slave {name}\nccmaster slave {name} --json"))


def _map(options: argparse.Namespace) -> int:
    from concentrator.app.slave_map import map_lines

    return show_done(options, "slave.map", map_lines)


def _states(options: argparse.Namespace) -> int:
    return show_done(options, "slave.states", _lines)


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
