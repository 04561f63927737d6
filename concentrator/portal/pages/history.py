"""The History page: what was stored of any devices and variables, over any range, as a chart, as the table that is the
same without a script, and as a file to take away. The chart of a device's page is drawn from here too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from attrs import frozen
from twisted.logger import Logger

from concentrator.api import DeviceState
from concentrator.model.errors import OutOfRange, Unknown
from concentrator.model.latency import format_duration
from concentrator.model.trend import STEPS_S
from concentrator.portal.cells import usual_variable
from concentrator.portal.charts import LINES_MOST, Chart, bounds, chart_of
from concentrator.portal.house import House
from concentrator.portal.labels import label_in
from concentrator.portal.numbers import count
from concentrator.portal.ranges import DAY_S, HOUR_S, WEEK_S, Range, asked
from concentrator.web.access import Role
from concentrator.web.route import Reply, Route, Visit

DEVICES_MOST = 32
GAPS_SHOWN = 20
log = Logger()

_ZOOMS = (("hist.hour", HOUR_S), ("hist.day", DAY_S), ("hist.week", WEEK_S))


@frozen
class _Choice:
    """What is asked for: of which devices and variables, over which range, in which steps (None: as fits)."""

    devices: Sequence[DeviceState]
    variables: Sequence[str]
    range: Range
    step: int | None = None

    def address(self, range_: Range | None = None, page: str = "/history", **more: str) -> str:
        """The address of a page about it, or about another range."""
        first, last = (range_ or self.range).texts()
        asked_for = [("device", state.uid) for state in self.devices]
        asked_for += [("variable", name) for name in self.variables]
        asked_for += [("from", first), ("to", last)]
        if self.step and range_ is None:
            asked_for.append(("step", str(self.step)))
        return f"{page}?{urlencode([*asked_for, *more.items()])}"


def history_routes(house: House, is_drawn: bool) -> Iterator[Route]:
    """`/history`, and `/history/data`, the same for the chart's script: nothing where no past is kept. `is_drawn`:
    what draws charts is there."""
    if house.table.permission("history.trend") is None:
        return
    if not is_drawn:
        log.warn("charts are shown as tables: what draws them could not be had when this was installed")
    sources = house.sources

    def choice(visit: Visit) -> tuple[_Choice, str]:
        """What a visitor asks for, and what is wrong with the range he wanted."""
        states, fault = sources.devices(), ""
        wanted = visit.query.get("device", ())
        chosen = [state for state in states if state.uid in wanted][:DEVICES_MOST] or list(states[:1])
        there = [name for state in chosen for name, _, _ in _stored(state)]
        names = [name for name in dict.fromkeys(visit.query.get("variable", ())) if name in there]
        given = visit.asked("from").strip(), visit.asked("to").strip()
        now, zone = sources.wall.now(), sources.zone
        try:
            found = asked(*given, now, zone)
        except ValueError:
            found = asked("", "", now, zone)
            fault = house.say(visit)("hist.bad_range", a=given[0], b=given[1])
        step = visit.asked("step")
        step_s = int(step) if step.isdecimal() and step.isascii() and len(step) < 7 else None
        return _Choice(chosen, names or _usual(chosen), found, step_s), fault

    async def trend(visit: Visit, choice: _Choice, uid: str, names: Sequence[str]) -> dict[str, Any] | None:
        """What the journal has of a device; None where nothing was ever stored of it."""
        told: Any
        asked_for = {"device": uid, "names": list(names), "start": choice.range.start, "stop": choice.range.stop}
        try:
            try:
                told = await house.ask(visit, "history.trend", **asked_for, **_step(choice))
            except OutOfRange:  # no step of the records that there are
                told = await house.ask(visit, "history.trend", **asked_for)
        except Unknown:  # no records, or one of the variables is never stored: texts are not
            if len(names) == 1:
                return None
            parts = [await trend(visit, choice, uid, [name]) for name in names]
            found = [part for part in parts if part is not None]
            told = {**found[0], "columns": [column for part in found for column in part["columns"]]} if found else None
        return told  # type: ignore[no-any-return]  # as the action says

    async def trends(visit: Visit, choice: _Choice) -> list[dict[str, Any]]:
        """What the journal has of all that is asked for."""
        found: list[dict[str, Any]] = []
        for state in choice.devices:
            names = [name for name, _, _ in state.points if name in choice.variables][:LINES_MOST]
            if len(found) < LINES_MOST and names and (told := await trend(visit, choice, state.uid, names)) is not None:
                found.append(told)
        return found

    def charted(visit: Visit, choice: _Choice, told: Sequence[dict[str, Any]]) -> Chart:
        labels = {state.uid: {name: text for name, text, _ in state.points} for state in choice.devices}
        in_words = label_in(visit.language)

        def label(uid: str, name: str) -> str:
            return in_words(labels[uid].get(name, "")) or name

        def gaps(uid: str) -> list[tuple[int, int, str]]:
            of_device = next(each for each in told if each["device"] == uid)
            return [(_seconds(gap["start"]), _seconds(gap["stop"]), gap["reason"]) for gap in of_device["gaps"]]

        return chart_of(
            told,
            {state.uid: state.alias or state.uid for state in choice.devices},
            label,
            gaps,
            say=house.say(visit),
            language=visit.language,
            zone=sources.zone,
            now=sources.wall.now(),
        )

    async def history(visit: Visit) -> Reply:
        say, (chosen, fault) = house.say(visit), choice(visit)
        told = await trends(visit, chosen)
        chart = charted(visit, chosen, told)
        rows, period = 0, 0
        if told:
            counted: Any = await house.ask(
                visit,
                "history.count",
                devices=[each["device"] for each in told],
                start=chosen.range.start,
                stop=chosen.range.stop,
            )
            rows, period = counted["rows"], counted["period"]
        now, zone, language = sources.wall.now(), sources.zone, visit.language
        first, last = bounds(chosen.range.start, chosen.range.stop, now, zone, language)
        return house.draw(
            visit,
            "history.html",
            here="/history",
            chart=chart,
            is_off=bool(told) and not told[0]["kept"] and not chart.has_values,
            fault=fault,
            devices=sources.devices(),
            chosen=[state.uid for state in chosen.devices],
            variables=_variables(chosen, language),
            picked=chosen.variables,
            texts=[text[:16] for text in chosen.range.texts()],
            steps=[(step, format_duration(step)) for step in (period, *STEPS_S) if period and step % period == 0],
            step=chosen.step,
            first=first,
            last=last,
            period=format_duration(period) if period else "",
            made=format_duration(chart.step_s) if chart.is_made else "",
            rows=count(rows),
            is_many=len(chart.lines) == LINES_MOST and _lines(chosen) > LINES_MOST,
            lines_most=LINES_MOST,
            gaps=chart.gaps[:GAPS_SHOWN],
            gaps_more=len(chart.gaps) - GAPS_SHOWN,
            source=chosen.address(page="/history/data"),
            earlier=chosen.address(chosen.range.beside(-1)),
            later=chosen.address(chosen.range.beside(1)) if chosen.range.stop < int(now) else "",
            zooms=[
                *((say(key), chosen.address(_zoomed(chosen.range, length))) for key, length in _ZOOMS),
                (say("hist.wider"), chosen.address(chosen.range.around(2 * chosen.range.length_s))),
                (say("hist.closer"), chosen.address(chosen.range.around(chosen.range.length_s // 2))),
            ],
            download=lambda form: _download(chosen, told, form),
            zone=str(zone),
        )

    async def points(visit: Visit) -> Reply:
        chosen, _ = choice(visit)
        chart = charted(visit, chosen, await trends(visit, chosen))
        return Reply(
            json.dumps(chart.as_json(), ensure_ascii=False, separators=(",", ":")).encode(),
            content_type="application/json",
        )

    yield Route("/history", Role.VIEWER, history)
    yield Route("/history/data", Role.VIEWER, points)


def _usual(states: Sequence[DeviceState]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(usual_variable, states))))


def _step(choice: _Choice) -> dict[str, int]:
    """The step that was asked for, where the range does not have too many of them."""
    if choice.step is None or choice.step not in STEPS_S or choice.range.length_s > 1500 * choice.step:
        return {}
    return {"step": choice.step}


def _variables(choice: _Choice, language: str) -> list[tuple[str, str, str]]:
    """Name, label and unit of each variable that any of the devices has."""
    label = label_in(language)
    found: dict[str, tuple[str, str, str]] = {}
    for state in choice.devices:
        for name, english, unit in _stored(state):
            found.setdefault(name, (name, label(english) or name, unit))
    return list(found.values())


def _lines(choice: _Choice) -> int:
    return sum(name in choice.variables for state in choice.devices for name, _, _ in state.points)


def _zoomed(range_: Range, length_s: int) -> Range:
    return range_.day() if length_s == DAY_S and range_.length_s <= 2 * DAY_S else range_.last(length_s)


def _stored(state: DeviceState) -> list[tuple[str, str, str]]:
    """The variables of a device but for texts, which are never stored."""
    return [point for point in state.points if not isinstance(state.values.get(point[0], (None,))[0], str)]


def _download(choice: _Choice, told: Sequence[Mapping[str, Any]], form: str) -> str:
    """Where what was chosen is taken away, without what is known to be never stored."""
    there = {column["name"] for each in told for column in each["columns"]}
    names = [name for place, name in enumerate(choice.variables) if name in there or place >= LINES_MOST]
    first, last = (
        datetime.fromtimestamp(at, choice.range.zone).isoformat(timespec="seconds")
        for at in (choice.range.start, choice.range.stop)
    )
    asked_for = [("device", state.uid) for state in choice.devices]
    asked_for += [("variable", name) for name in names]
    return f"/api/v1/history?{urlencode([*asked_for, ('from', first), ('to', last), ('format', form)])}"


def _seconds(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp())
