"""The Events page: what is open now, then what happened, newest first. Hides that what happens over and over is shown
once with how often, and that new events wait until somebody wants to see them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from io import StringIO
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

from concentrator.actions.events import Severity
from concentrator.api import Happened
from concentrator.model.errors import CommandError
from concentrator.portal.addresses import address_of, address_of_line
from concentrator.portal.cells import Cell
from concentrator.portal.house import House
from concentrator.portal.numbers import moment
from concentrator.portal.sentences import sentence
from concentrator.web.access import Role
from concentrator.web.route import Reply, Route, Visit

EVENTS_TOPIC = ":events"
NEWEST = ":newest"
"""The cell with the number of the newest event since the program began."""
SHOWN = 100
IN_A_FILE = 10_000
_AT_ONCE = 500
_FILTERS = ("severity", "device", "line", "name")


@frozen
class Row:
    """An event as it is drawn, or several of one kind that followed each other: when the newest was, how much it
    matters, whose it is (with that one's page, and the filter that shows its events only), what it says, and how often
    and since when, where more than once."""

    at: str
    severity: str
    source: str
    address: str
    only: str
    sentence: str
    times: int
    since: str


def event_routes(house: House, recent: Callable[[], Sequence[Happened]]) -> Iterator[Route]:
    """`/events` and `/events.csv`; `recent` gives what happened last, oldest first. Nothing of a box that keeps no
    events."""
    if house.table.permission("events.list") is None:
        return
    sources = house.sources

    def newest() -> int:
        return max((each.number for each in recent()), default=0)

    def cells(rest: str, language: str) -> Mapping[str, Cell]:
        return {NEWEST: {"number": newest()}}

    def name_of(uid: str) -> str:
        return next((state.alias for state in sources.devices() if state.uid == uid), "") or uid

    def row(visit: Visit, alike: Sequence[Mapping[str, Any]], filters: Mapping[str, str]) -> Row:
        first, last = alike[0], alike[-1]
        facts, now, zone = first["facts"], sources.wall.now(), sources.zone
        uid, line = str(facts.get("device", "")), str(facts.get("line", ""))
        is_there = any(state.uid == uid for state in sources.devices())
        address = address_of(uid) if uid and is_there else address_of_line(line) if line else ""
        only = {"device": uid} if uid else {"line": line} if line else {}
        return Row(
            moment(_seconds(first["ts"]), now, zone, visit.language),
            first["severity"],
            name_of(uid) if uid else line,
            address,
            _address({**filters, **only}) if only and not only.items() <= filters.items() else "",
            sentence(first["event"], facts, house.say(visit), visit.language),
            len(alike),
            moment(_seconds(last["ts"]), now, zone, visit.language) if len(alike) > 1 else "",
        )

    async def events(visit: Visit) -> Reply | None:
        filters = {name: value for name in _FILTERS if (value := visit.asked(name)[:200])}
        say, language = house.say(visit), visit.language
        drawn = newest()
        try:
            listed: Any = await house.ask(
                visit, "events.list", limit=SHOWN, before=visit.asked("before")[:60], **filters
            )
        except CommandError:  # a filter that nobody has drawn
            return None
        groups = [list(group) for _, group in groupby(listed["events"], _kind)]
        uptime_s = sources.box().get("uptime_s")
        began = sources.wall.now() - (uptime_s if isinstance(uptime_s, int | float) else 0)
        older = listed["before"]
        return house.draw(
            visit,
            "events.html",
            cells("", language),
            topic=EVENTS_TOPIC,
            open_troubles=house.cells(language).troubles(),
            rows=[row(visit, group, filters) for group in groups],
            filters=[
                (say(f"events.{severity}"), severity.value, _with(filters, "severity", severity))
                for severity in Severity
            ],
            severity=filters.get("severity", ""),
            all_severities=_without(filters, "severity"),
            narrowed=[
                (
                    say(f"events.only_{name}", what=name_of(value) if name == "device" else value),
                    _without(filters, name),
                )
                for name, value in filters.items()
                if name != "severity"
            ],
            older=_with(filters, "before", older) if older else "",
            is_first=not visit.asked("before"),
            newest=_without(filters, ""),
            began=moment(began, sources.wall.now(), sources.zone, language),
            number=drawn,
            download=f"/events.csv?{urlencode(filters)}" if filters else "/events.csv",
        )

    async def file(visit: Visit) -> Reply:
        filters = {name: value for name in _FILTERS if (value := visit.asked(name)[:200])}
        out = StringIO()
        rows = csv.writer(out, lineterminator="\r\n")
        rows.writerow(("time", "event", "severity", "device", "line", "text", "facts"))
        before, told = "", 0
        while told < IN_A_FILE:
            try:
                listed: Any = await house.ask(visit, "events.list", limit=_AT_ONCE, before=before, **filters)
            except CommandError as error:
                return Reply(f"{error}\n".encode(), HTTPStatus.BAD_REQUEST, "text/plain; charset=utf-8")
            for event in listed["events"]:
                rows.writerow(map(_cell, _in_file(event)))
            told += len(listed["events"])
            before = listed["before"] or ""
            if not before:
                break
        name = f'attachment; filename="{sources.box()["serial"]}_events.csv"'
        return Reply(
            out.getvalue().encode(), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name}
        )

    house.topics[EVENTS_TOPIC] = cells
    yield Route("/events", Role.VIEWER, events)
    yield Route("/events.csv", Role.VIEWER, file)


def _kind(event: Mapping[str, Any]) -> tuple[object, ...]:
    """What makes events that follow each other repeats of one."""
    facts = event["facts"]
    rest = (facts.get(name) for name in ("device", "line", "name", "uplink", "output", "input", "serial"))
    return (event["event"], *map(str, rest))


def _in_file(event: Mapping[str, Any]) -> tuple[str, ...]:
    facts = dict(event["facts"])
    device, line, text = (str(facts.pop(name, "")) for name in ("device", "line", "text"))
    return event["ts"], event["event"], event["severity"], device, line, text, json.dumps(facts, ensure_ascii=False)


def _cell(text: str) -> str:
    """A text that a spreadsheet would take for a formula is told as a text."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def _address(filters: Mapping[str, str]) -> str:
    return f"/events?{urlencode(filters)}" if filters else "/events"


def _with(filters: Mapping[str, str], name: str, value: str) -> str:
    return _address({**filters, name: str(value)})


def _without(filters: Mapping[str, str], name: str) -> str:
    return _address({each: value for each, value in filters.items() if each != name})


def _seconds(stamp: str | None) -> float:
    assert stamp is not None, "an event has a moment"
    return datetime.fromisoformat(stamp).timestamp()
