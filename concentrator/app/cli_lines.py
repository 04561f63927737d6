"""The commands about the lines: how they do, what went over their wires, who answers on them. All but the scan of a
free port ask the running box."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from concentrator.app.cli_parts import (
    DONE,
    Commands,
    as_json,
    as_json_line,
    command,
    complain,
    count_of,
    outcome_told,
    show,
    state_dir,
    takes_config,
    takes_json,
    takes_name,
    takes_place,
    wrong,
)

if TYPE_CHECKING:
    from concentrator.app.progress import Bar
    from concentrator.app.scan import Row

_HIGHEST = 247


def add_line_commands(commands: Commands) -> None:
    """Adds these commands to the parser's."""
    lines = command(commands, "lines", _lines, "ask a running box how its lines do", _LINES_EXAMPLES)
    _takes_line(lines, nargs="?")
    takes_place(lines)

    trace = command(commands, "trace", _trace, "print what went over a line's wire", _TRACE_EXAMPLES)
    _takes_line(trace)
    trace.add_argument("--last", type=count_of, default=0, metavar="N", help="only the newest N exchanges")
    how = trace.add_mutually_exclusive_group()
    how.add_argument("--follow", "-f", action="store_true", help="go on with those that come")
    how.add_argument("--evidence", action="store_true", help="as evidence for a profile file, in TOML")
    takes_place(trace)

    scan = command(commands, "scan", _scan, "find the devices that answer on a line or port", _SCAN_EXAMPLES)
    takes_name(
        scan, "place", "lines", "name", "a line of the configuration, or serial:/dev/ttyUSB0", metavar="LINE_OR_PORT"
    )
    scan.add_argument("--ids", type=_ids, default=[*range(1, _HIGHEST + 1)], metavar="1-33", help="Modbus IDs (1-247)")
    for name, kind, example in (
        ("baudrates", _numbers, "9600,19200"),
        ("parities", _parities, "N,E"),
        ("stopbits", _numbers, "1,2"),
    ):
        scan.add_argument(f"--{name}", type=kind, default=[], metavar=example, help="try these, not the line's own")
    scan.add_argument("--timeout", type=seconds_of, metavar="S", help="how long an answer may take to begin (0.15)")
    scan.add_argument("--protocol", choices=("modbus-rtu", "modbus-tcp"), help="what is spoken there (the line's own)")
    scan.add_argument("--while-polling", action="store_true", help="have the running box scan, which goes on reading")
    takes_config(scan)
    takes_json(scan)


def _takes_line(to: argparse.ArgumentParser, **options: str) -> None:
    takes_name(to, "line", "lines", "name", "the line's name", metavar="LINE", **options)


# --- lines -----------------------------------------------------------------------------------------------------------


def _lines(options: argparse.Namespace) -> int:
    from concentrator.app.control import act, ask
    from concentrator.app.trace import line_report, lines_table

    place = state_dir(options)
    found = act(place, "line.get", line=options.line) if options.line else ask(place, "/api/lines")
    show(as_json(found) if options.json else line_report(found) if options.line else lines_table(found))
    return DONE


def _trace(options: argparse.Namespace) -> int:
    from concentrator.app.control import act
    from concentrator.app.trace import followed, trace_lines

    place, asked = state_dir(options), {"line": options.line, "last": options.last}
    if options.evidence:
        text = act(place, "line.evidence", **asked)["toml"]
        show(text.splitlines())
        if not text:
            complain([f"ccmaster: no answered read of a known device is in the trace of {options.line}"])
        return DONE
    if options.follow:
        for new in followed(place, options.line, options.last):
            show(map(as_json_line, new) if options.json else trace_lines(new))
            sys.stdout.flush()
        return DONE
    found = act(place, "line.trace", **asked)
    show(as_json(found) if options.json else trace_lines(found))
    return DONE


def _scan(options: argparse.Namespace) -> int:
    from concentrator.app.progress import Bar
    from concentrator.app.scan import found_lines

    bar = Bar(sys.stderr)
    outcome = (_scan_beside if options.while_polling else _scan_alone)(options, bar)
    bar.end()
    return outcome_told(outcome, found_lines, options.json)


def _scan_beside(options: argparse.Namespace, bar: Bar) -> tuple[list[Row], str, bool]:
    from concentrator.app.scan import through_the_box

    first, last = options.ids[0], options.ids[-1]
    if options.ids != list(range(first, last + 1)):
        wrong("--while-polling takes one span of IDs, such as 1-33")
    if options.baudrates or options.parities or options.stopbits or options.timeout or options.protocol:
        wrong("--while-polling leaves the line's settings and times as they are")
    return through_the_box(state_dir(options), options.place, first, last, bar)


def _scan_alone(options: argparse.Namespace, bar: Bar) -> tuple[list[Row], str, bool]:
    from concentrator.app.scan import alone, place_of

    place = place_of(options.place, options.config, options.protocol)
    settings = (options.baudrates, options.parities, options.stopbits)
    return alone(place, options.ids, settings, options.timeout, bar)


# --- what people type ------------------------------------------------------------------------------------------------


def _ids(text: str) -> list[int]:
    """Modbus IDs: numbers and spans, rising."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        span = range(count_of(first), count_of(last or first) + 1)
        if not span or span[-1] > _HIGHEST:
            raise argparse.ArgumentTypeError(f"found {part!r}, expected IDs of 1 to {_HIGHEST}, such as 1-33 or 3,7")
        found.update(span)
    return sorted(found)


def _numbers(text: str) -> list[int]:
    return [count_of(part) for part in text.split(",")]


def _parities(text: str) -> list[str]:
    parts = text.upper().split(",")
    if not set(parts) <= {"N", "E", "O"}:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected some of N, E, O")
    return parts


def seconds_of(text: str) -> float:
    """Seconds an answer may take to begin, as people type them."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= 10:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected seconds, 0.01 to 10")
    return seconds


_LINES_EXAMPLES = """
    ccmaster lines
    ccmaster lines native
    ccmaster lines native --json | jq .stations
"""
_TRACE_EXAMPLES = """
    ccmaster trace native --last 10
    ccmaster trace native --follow
    ccmaster trace native --evidence >> my-plugins/acme/a3.toml
"""
_SCAN_EXAMPLES = """
    ccmaster scan native --ids 1-33
    ccmaster scan serial:/dev/ttyUSB0 --baudrates 9600,19200,38400 --parities N,E
    ccmaster scan tcp:192.168.4.20:502 --json
    ccmaster scan native --while-polling
"""
