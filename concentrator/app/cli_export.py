"""The command that takes history out."""

from __future__ import annotations

import argparse
from pathlib import Path
from zoneinfo import ZoneInfo

from concentrator.app.cli_parts import Commands, command, takes_config, takes_name


def add_export_command(commands: Commands) -> None:
    """Adds it to the parser's."""
    export = command(commands, "export", _export, "write a range of history as CSV or JSON", _EXAMPLES)
    takes_config(export)
    add = export.add_argument
    add("--state-dir", type=Path, metavar="DIR", help="the box's state folder, or a copy of it; else as configured")
    of_device = "only this device, by its short id or serial; more than once: several; else all"
    takes_name(export, "--device", "devices", "uid", of_device, action="append", default=[], metavar="UID")
    variable = add("--variable", action="append", default=[], metavar="NAME", help="only this variable; as --device")
    variable.completer = _variables  # type: ignore[attr-defined]  # argcomplete's way
    add("--from", dest="start", default="today", metavar="MOMENT", help="what ended after it (today's midnight)")
    add("--to", dest="stop", default="now", metavar="MOMENT", help="what ended up to it; with a day, its end (now)")
    add("--period", type=_period, metavar="TIME", help='records of this length, such as "5 min"; else those of history')
    add("--format", dest="form", choices=("csv", "json"), default="csv", help="how it is written (csv)")
    add("--timezone", type=_zone, metavar="ZONE", help="the zone of times without offset; else as configured")
    add("--output", "-o", type=Path, metavar="FILE", help="else to the standard output")


def _export(options: argparse.Namespace) -> int:
    from concentrator.app.export import main

    return main(options)


def _variables(**_: object) -> list[str]:
    from concentrator.model.quantities import QUANTITIES

    return list(QUANTITIES)


def _period(text: str) -> int:
    from concentrator.model.latency import parse_duration

    try:
        found = float(text) if text.isdecimal() else parse_duration(text)
    except ValueError:
        found = 0.0
    if found < 1 or found % 1:
        raise argparse.ArgumentTypeError(f'found {text!r}, expected whole seconds, or a duration such as "5 min"')
    return int(found)


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a time zone such as Europe/Madrid") from None


_EXAMPLES = """
    ccmaster export > today.csv
    ccmaster export --device main --from 2026-11-01 --to 2026-11-30 -o november.csv
    ccmaster export --device roof --device main --variable p --variable ea_imp --from yesterday --to yesterday
    ccmaster export --from 2026-11-21T08:00 --to 2026-11-21T10:15+01:00 --period "10 s" --format json
    ccmaster export --state-dir /mnt/card/ccmaster --timezone Europe/Lisbon --from 2026-01-01 -o year.csv
"""
