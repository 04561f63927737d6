"""The command that says which device is at a Modbus ID. Hides whether the running box is asked, or the port itself
where none runs."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from concentrator.app.cli_lines import seconds_of
from concentrator.app.cli_parts import (
    DONE,
    FAILED,
    INTERRUPTED,
    WRONG,
    Commands,
    as_json,
    command,
    complain,
    count_of,
    show,
    state_dir,
    takes_config,
    takes_json,
    takes_name,
)

if TYPE_CHECKING:
    from concentrator.app.progress import Bar
    from concentrator.app.scan import Row

_HIGHEST = 247


def add_identify_command(commands: Commands) -> None:
    """Adds it to the parser's."""
    identify = command(
        commands, "identify", _identify, "say which device is at a Modbus ID, and what it measures", _EXAMPLES
    )
    place = "a line of the configuration, serial:/dev/ttyUSB0, or tcp:192.168.4.20:502"
    takes_name(identify, "line", "lines", "name", place, metavar="LINE_OR_PORT")
    identify.add_argument("id", type=_id, metavar="ID", help=f"the Modbus ID (1-{_HIGHEST})")
    identify.add_argument(
        "--only", action="store_true", help="with the line's own settings only, on a port that no box holds"
    )
    identify.add_argument("--timeout", type=seconds_of, metavar="S", help="how long an answer may take to begin (0.15)")
    identify.add_argument("--protocol", choices=("modbus-rtu", "modbus-tcp"), help="what is spoken at a port")
    takes_config(identify)
    takes_json(identify)


def _identify(options: argparse.Namespace) -> int:
    from concentrator.app.identify import identity_lines
    from concentrator.app.progress import Bar

    found, trouble = _asked(options, Bar(sys.stderr))
    if trouble:
        complain([f"ccmaster: {trouble}"])
        return FAILED
    if found is None:
        complain(["ccmaster: interrupted"])
        return INTERRUPTED
    show(as_json(found) if options.json else identity_lines(found))
    return DONE if found["answered"] and not found["trouble"] else FAILED


def _asked(options: argparse.Namespace, bar: Bar) -> tuple[Row | None, str]:
    from concentrator.app.control import NotAnswering
    from concentrator.app.identify import identify_through_the_box

    if ":" not in options.line:
        try:
            return identify_through_the_box(state_dir(options), options.line, options.id, bar)
        except NotAnswering:
            pass  # nobody holds the port, or whoever does is told of below
    return _alone(options, bar)


def _alone(options: argparse.Namespace, bar: Bar) -> tuple[Row | None, str]:
    from concentrator.app.identify import OfflineIdentify, identify_alone
    from concentrator.app.scan import place_of, wires_of
    from concentrator.poll.enquiry import TIMEOUT_S

    place = place_of(options.line, options.config, options.protocol)
    try:
        wires = wires_of(place.endpoint)
    except ValueError as error:
        complain([f"ccmaster: {place.endpoint}: {error}"])
        raise SystemExit(WRONG) from error
    search = OfflineIdentify(place, wires, options.id, options.timeout or TIMEOUT_S, not options.only, bar.tell)
    return identify_alone(search, bar)


def _id(text: str) -> int:
    unit = count_of(text)
    if unit > _HIGHEST:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a Modbus ID of 1 to {_HIGHEST}")
    return unit


_EXAMPLES = """
    ccmaster identify solar 3
    ccmaster identify solar 3 --json | jq .profiles
    ccmaster identify serial:/dev/ttyUSB0 1
    ccmaster identify tcp:192.168.4.20:502 1
"""
