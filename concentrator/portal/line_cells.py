"""The cells of lines: how each does, and what was counted on it, Modbus ID by Modbus ID."""

from __future__ import annotations

from collections.abc import Mapping

from concentrator.api import LineState
from concentrator.portal.numbers import GAP, MISSING, count, fixed
from concentrator.portal.words import Say

LINES_TOPIC = ":lines"
LINE_TOPIC = ":line."
"""How the topic of a line's page begins; its name follows. No short id of a device begins so."""
STATION_COUNTS = (
    ("requests", "line.c_requests"),
    ("answers", "line.c_answers"),
    ("timeouts", "line.c_timeouts"),
    ("garbled", "line.c_garbled"),
    ("refusals", "line.c_refusals"),
    ("late", "line.c_late"),
    ("bytes_out", "line.c_out"),
    ("bytes_in", "line.c_in"),
)
"""What the page of a line counts for each Modbus ID: the counter's name, and the key of the column's."""

LineCells = dict[str, Mapping[str, object]]


def line_cells(line: LineState, say: Say, trouble: str, language: str) -> LineCells:
    """How a line does: its state, what is wrong with it in a sentence, and its counts in a few words."""
    if line.is_open:
        said, health = say("line.linking" if line.suspended else "line.open"), "down" if trouble else "up"
    else:
        said, health = (say("line.not_open"), "down") if line.trouble else (say("line.opening"), "idle")
    return {
        f":line.{line.name}": {"text": said, "health": health},
        f":line.{line.name}.trouble": {"text": trouble},
        f":line.{line.name}.counts": {"text": _counts(line.counters, say, language)},
    }


def line_detail_cells(line: LineState, language: str) -> LineCells:
    """What the line's own page has besides: how busy it is, how fast it answers, and the counters of each Modbus ID."""
    cell = f"{LINE_TOPIC}{line.name}"
    asked, answers = line.counters.get("requests", 0), line.counters.get("answers", 0)
    cells: LineCells = {
        f"{cell}.used": {"text": f"{fixed(100 * line.utilisation, 0, language)}{GAP}%"},
        f"{cell}.round": {"text": _seconds(line.round_s, language)},
        f"{cell}.mean": {"text": _milliseconds(line.counters) if answers else MISSING},
        f"{cell}.rate": {"text": f"{percent(answers, asked, language)}{GAP}%" if asked else MISSING},
    }
    for station, counters in line.stations.items():
        for key, _ in STATION_COUNTS:
            cells[f"{cell}.at.{station}.{key}"] = {"text": count(counters.get(key, 0))}
        answered = counters.get("answers", 0)
        cells[f"{cell}.at.{station}.mean"] = {"text": _milliseconds(counters) if answered else MISSING}
    return cells


def percent(part: float, whole: float, language: str) -> str:
    """A share in percent, rounded down, so that 100 means every single one."""
    tenths = int(1000 * part / whole)
    return fixed(tenths / 10, 0 if tenths % 10 == 0 else 1, language)


def _counts(counters: Mapping[str, float], say: Say, language: str) -> str:
    asked, answered = counters.get("requests", 0), counters.get("answers", 0)
    if not asked:
        return say("line.asked_nothing")
    said = [say("line.requests", n=count(asked)), say("line.answered", p=percent(answered, asked, language))]
    said += [
        say(key, n=count(number))
        for key, number in (
            ("line.timed_out", counters.get("timeouts", 0)),
            ("line.damaged", counters.get("garbled", 0)),
        )
        if number
    ]
    return " · ".join(said)


def _seconds(seconds: float | None, language: str) -> str:
    return MISSING if seconds is None else f"{fixed(seconds, 1, language)}{GAP}s"


def _milliseconds(counters: Mapping[str, float]) -> str:
    return f"{count(1000 * counters.get('turnaround_mean_s', 0.0))}{GAP}ms"
