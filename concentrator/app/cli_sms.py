"""The command about short messages: how the modems of a running box stand, and a message to try one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from concentrator.app.cli_parts import Commands, command, command_of_several, show_done, takes_place


def add_sms_command(commands: Commands) -> None:
    """Adds it to the parser's."""
    nested = command_of_several(commands, "sms", "short messages: how the modems stand, and a trial", _EXAMPLES)
    takes_place(
        command(nested, "state", _state, "say how the modems stand, and the last messages", "ccmaster sms state")
    )
    send = command(nested, "send", _send, "send a message to configured numbers", _SEND_EXAMPLES)
    send.add_argument("name", metavar="NAME", help="NAME of the section [sms.NAME]")
    send.add_argument("text", metavar="TEXT", help="the message, at most 160 characters")
    send.add_argument("--to", metavar="NUMBER", help="one of its numbers; all where nothing is said")
    takes_place(send)


def _state(options: argparse.Namespace) -> int:
    return show_done(options, "sms.state", _lines)


def _send(options: argparse.Namespace) -> int:
    asked = {"name": options.name, "text": options.text, "number": options.to}
    return show_done(options, "sms.send", _lines, **asked)


def _lines(found: list[dict[str, Any]]) -> Iterator[str]:
    if not found:
        yield "no section [sms.NAME]"
    for each in found:
        network = f", {each['operator']}" if each["operator"] else ""
        signal = f", signal {each['signal']} %" if each["signal"] is not None else ""
        trouble = f": {each['trouble']}" if each["trouble"] else ""
        yield f"{each['name']}: {each['standing']}{network}{signal}{trouble}"
        yield f"  {each['received']} received, {each['refused']} refused, {each['answered']} answered"
        yield f"  to {', '.join(each['numbers']) or 'nobody'}; {each['waiting']} wait"
        yield from map(_line, each["messages"])


def _line(message: dict[str, Any]) -> str:
    at = f"{datetime.fromtimestamp(message['at'], UTC):%Y-%m-%d %H:%M:%S}"
    way = "to" if message["direction"] == "out" else "from"
    reason = f" ({message['reason']})" if message["reason"] else ""
    return f"  {at} UTC {way} {message['number']}, {message['fate']}{reason}: {message['text']}".rstrip(": ")


_EXAMPLES = """
    ccmaster sms state
    ccmaster sms send main "This is a trial"
"""
_SEND_EXAMPLES = """
    ccmaster sms send main "This is a trial"
    ccmaster sms send main "For one" --to 861366666666
"""
