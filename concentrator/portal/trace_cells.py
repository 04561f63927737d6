"""The exchanges on a wire as the trace viewer shows them: when, with whom, what was asked, the bytes, the pause before,
and what was wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from attrs import frozen

from concentrator.actions.tracing import Told
from concentrator.model.trouble import facts_of, kind_of
from concentrator.portal.numbers import GAP, clock_time, fixed
from concentrator.portal.words import Say

TRACE_TOPIC = ":trace."
"""How the topic of a line's page with its trace begins; its name follows."""
SHOWN = 50
"""How many exchanges the page shows, the newest; the files have all that are kept."""
SENT = 20
"""How many the stream tells of with a frame."""
_KINDS = ("no_reply", "garbled", "unexpected", "refused")

Row = Mapping[str, str]
"""An exchange in words, by part: `key` tells it from others, `kind` is empty for a good one."""


@frozen
class Filter:
    """Which exchanges are shown: those with one Modbus ID (empty: all), and only those that went wrong."""

    station: str = ""
    only_errors: bool = False

    def has(self, told: Told) -> bool:
        """Whether an exchange is shown."""
        return (not self.station or told.station == self.station) and (not self.only_errors or bool(told.verdict))


def rows_of(exchanges: Sequence[Told], which: Filter, say: Say, zone: tzinfo, language: str, most: int) -> list[Row]:
    """The newest exchanges that are shown, newest first."""
    rows: list[Row] = []
    for place in range(len(exchanges) - 1, -1, -1):
        if len(rows) == most:
            break
        told = exchanges[place]
        if which.has(told):
            gap_s = told.at - exchanges[place - 1].at - exchanges[place - 1].took_s if place else None
            rows.append(_row(told, gap_s, say, zone, language))
    return rows


def at_of(told: Told, zone: tzinfo) -> str:
    """When an exchange began, to the millisecond: 10:41:07.123."""
    then = datetime.fromtimestamp(told.at, zone)
    return f"{clock_time(told.at, zone)}.{then.microsecond // 1000:03}"


def _row(told: Told, gap_s: float | None, say: Say, zone: tzinfo, language: str) -> Row:
    kind = kind_of(told.verdict)
    verdict = say(f"trace.{kind}", **facts_of(told.verdict)) if kind in _KINDS else str(told.verdict)
    return {
        "key": f"{told.at:.6f}",
        "at": at_of(told, zone),
        "station": told.station,
        "device": told.device,
        "asked": told.asked or say("trace.bytes"),
        "took": _milliseconds(told.took_s, language),
        "gap": "" if gap_s is None else _milliseconds(max(gap_s, 0.0), language),
        "request": told.request.hex(" ").upper(),
        "received": told.received.hex(" ").upper(),
        "verdict": verdict,
        "kind": kind,
    }


def _milliseconds(seconds: float, language: str) -> str:
    return f"{fixed(seconds * 1000, 1, language)}{GAP}ms"
