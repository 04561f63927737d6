"""Before a device is added from the command line: it is read once by its profile, people see what it says, and are
asked. Hides what counts as an answer where nobody can be asked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from concentrator.app.cli_parts import complain, show
from concentrator.app.control import NotDone, act
from concentrator.app.identify import value_lines
from concentrator.app.progress import Bar

_MAY_COME = ("no_reply", "wire_error", "line_error", "line_lost", "busy")
"""Why a device that is not read now may be one all the same."""


def is_verified(place: Path, options: argparse.Namespace) -> tuple[Mapping[str, Any] | None, bool]:
    """What the device of these options says, None where it does not answer, and whether it is to be added. Raises
    NotDone where it could not be added anyway."""
    bar = Bar(sys.stderr)
    bar.tell(0.0, f"reading ID {options.address} on {options.line} once")
    try:
        asked = {key: getattr(options, key) for key in ("line", "profile", "address", "secondary")}
        found: Mapping[str, Any] | None = act(place, "device.probe", **asked)
    except NotDone as error:
        bar.end()
        if error.code not in _MAY_COME:
            raise
        complain([f"ccmaster: {error.sentence}"])
        return None, _agrees(options, "Add it all the same?", is_sure=False)
    bar.end()
    assert found is not None
    if not options.json:
        show(_probe_lines(found))
    complain(f"ccmaster: this breaks a rule of {options.profile}: {misfit}" for misfit in found["misfits"])
    if found["settings"] != found["line_settings"]:
        complain(
            [f"ccmaster: the line has {found['line_settings']}: its endpoint must be {found['endpoint']} to read it"]
        )
    has_said = bool(found["values"]) or found.get("passes_through", False)
    is_sure = has_said and not found["misfits"] and found["settings"] == found["line_settings"]
    return found, _agrees(options, f"Add it as {options.uid}?" if is_sure else "Add it all the same?", is_sure=is_sure)


def _agrees(options: argparse.Namespace, question: str, *, is_sure: bool) -> bool:
    """Whether it is to be added: asked, where there is somebody to ask; else only what is sure."""
    if options.yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        if not is_sure:
            complain(["ccmaster: it was not added; --no-verify adds it all the same"])
        return is_sure
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    complain(["ccmaster: it was not added"])
    return False


def _probe_lines(found: Mapping[str, Any]) -> Iterator[str]:
    if found.get("passes_through"):
        yield f"nothing is known of the registers of {found['profile']}: it was not read, and is only passed through to"
        return
    rules, settings = found["rules"], found["settings"]
    with_ = "" if settings == found["line_settings"] else f" with {settings}"
    kept = f", and keeps the {rules} rule{'s' if rules != 1 else ''} of" if rules and not found["misfits"] else " as"
    who = f"ID {found['address']} on {found['line']} answers{with_}{kept} {found['profile']}"
    yield f"{who}; read in {found['took_s']:g} s"
    yield from value_lines(found)
