"""What happened: the events among the records, newest first, a page at a time. Runs in the worker's thread."""

from __future__ import annotations

import json
from collections.abc import Callable

from concentrator.api import Happened
from concentrator.journal.tables import Tables
from concentrator.model.record import EVENT_PERIOD

LOOKED_AT_MOST = 5000
"""So many events are looked at in one go, so that a commit never waits long for a rare one."""

Place = tuple[int, int]
"""Where an event stands among the others: its moment (UTC seconds) and its number."""


def happenings(
    tables: Tables, since: int, before: Place, fits: Callable[[Happened], bool], limit: int
) -> tuple[list[Happened], Place | None]:
    """Up to `limit` events that fit, later than `since` (UTC seconds) and before a place, newest first; and the place
    before which to go on, None where there is nothing more."""
    at, number = before
    asked = (
        "SELECT n, stop, content FROM record WHERE period = ? AND stop > ? AND stop <= ?"
        " AND (stop < ? OR n < ?) ORDER BY stop DESC, n DESC LIMIT ?"
    )
    rows = tables.sql.execute(asked, (EVENT_PERIOD, since, at, at, number, LOOKED_AT_MOST)).fetchall()
    found: list[Happened] = []
    for n, stop, content in rows:
        facts = json.loads(content)
        happened = Happened(n, stop, str(facts.pop("event", "")), facts)
        if fits(happened):
            found.append(happened)
            if len(found) == limit:
                return found, (stop, n)
    return found, (rows[-1][1], rows[-1][0]) if len(rows) == LOOKED_AT_MOST else None
