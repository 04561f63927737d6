"""What a running box says of its lines, in words: how they do, station by station, and what went over the wire. Hides
how a trace is followed while it grows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from concentrator.app.control import act, table

Exchange = Mapping[str, Any]
"""One exchange as `line.trace` gives it."""

LOOK_S = 0.5
_SAME_S = 0.005  # nobody asks the same twice within that time
_COUNTS = (
    ("REQUESTS", "requests"),
    ("ANSWERS", "answers"),
    ("TIME-OUTS", "timeouts"),
    ("DAMAGED", "garbled"),
    ("EXCEPTIONS", "refusals"),
    ("LATE", "late"),
    ("BYTES OUT", "bytes_out"),
    ("BYTES IN", "bytes_in"),
)


def lines_table(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """All lines, one a row."""
    heads = ["LINE", "STATE", *(head for head, _ in _COUNTS), "USED", "ROUND", "ENDPOINT"]
    rows = [heads]
    for line in lines:
        rows.append([line["name"], _state(line), *_counts(line["counters"]), *_load(line), line["endpoint"]])
    yield from table(rows)


def line_report(line: Mapping[str, Any]) -> Iterator[str]:
    """One line with every station of it."""
    trouble = f": {line['trouble']}" if line["trouble"] else ""
    yield f"{line['name']} ({line['endpoint']}): {_state(line)}{trouble}"
    used, round_s = _load(line)
    yield f"  used {used} of the last minute, a round of the fast values takes {round_s}"
    rows = [["ID", "DEVICE", *(head for head, _ in _COUNTS), "ANSWERED"]]
    for station, counters in [*sorted(line["stations"].items(), key=_by_number), ("all", line["counters"])]:
        rows.append([station, line["devices"].get(station, ""), *_counts(counters), _answered(counters)])
    yield from (f"  {row}" for row in table(rows))


def trace_lines(exchanges: Sequence[Exchange]) -> Iterator[str]:
    """Exchanges, each as what was asked, the bytes out and in, and what was wrong, if anything."""
    for each in exchanges:
        device = f" ({each['device']})" if each["device"] else ""
        yield f"{each['at']}  ID {each['station']}{device}  {each['asked'] or 'bytes'}  {each['took_ms']:.1f} ms"
        yield f"  > {each['request']}".rstrip()
        yield f"  < {each['received']}".rstrip()
        if each["verdict"]:
            yield f"  ! {each['verdict']}"


def followed(state_dir: Path, line: str, last: int) -> Iterator[Sequence[Exchange]]:
    """The trace of a line of the running box: the `last` exchanges first (0: all that are kept), then, for ever, those
    that come, as they come."""
    following = Following()
    yield following.new(act(state_dir, "line.trace", line=line, last=last))
    while True:
        time.sleep(LOOK_S)
        yield following.new(act(state_dir, "line.trace", line=line))


class Following:
    """A trace that is asked for again and again: what of it is new each time."""

    def __init__(self) -> None:
        self._last: Exchange | None = None

    def new(self, exchanges: Sequence[Exchange]) -> Sequence[Exchange]:
        """Those that were not there the last time."""
        known = self._last
        fresh = [place for place, each in enumerate(exchanges, 1) if known is not None and _is_same(each, known)]
        self._last = exchanges[-1] if exchanges else known
        return exchanges[fresh[-1] if fresh else 0 :]


def _is_same(one: Exchange, other: Exchange) -> bool:
    """Whether it is the same exchange: its moment is made anew each time, and may come out a little different."""
    moments = [datetime.fromisoformat(each["at"]) for each in (one, other)]
    is_alike = all(one[key] == other[key] for key in ("station", "request", "received"))
    return is_alike and abs((moments[0] - moments[1]).total_seconds()) < _SAME_S


def _state(line: Mapping[str, Any]) -> str:
    if not line["is_open"]:
        return "not open"
    return str(line["suspended"]) or "open"


def _counts(counters: Mapping[str, float]) -> list[str]:
    return [f"{counters.get(key, 0):.0f}" for _, key in _COUNTS]


def _load(line: Mapping[str, Any]) -> tuple[str, str]:
    round_s = line["round_s"]
    return f"{line['utilisation']:.0%}", "—" if round_s is None else f"{round_s:.1f} s"


def _answered(counters: Mapping[str, float]) -> str:
    """The share of requests that were answered, rounded down, so that 100 means every single one."""
    asked = counters.get("requests", 0)
    return f"{int(1000 * counters.get('answers', 0) / asked) / 10:g} %" if asked else "—"


def _by_number(row: tuple[str, object]) -> tuple[bool, int, str]:
    station, _ = row
    return (True, int(station), "") if station.isdecimal() else (False, 0, station)
