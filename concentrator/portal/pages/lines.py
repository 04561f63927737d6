"""The pages of lines: how each does, station by station, and the last exchanges on its wire, for whoever looks for what
is wrong with a bus. Its files to take away: the trace as text, and as evidence for a profile file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, tzinfo
from urllib.parse import quote

from concentrator.actions.tracing import Told
from concentrator.model.errors import Unknown
from concentrator.portal.addresses import address_of, address_of_line
from concentrator.portal.cells import Cell
from concentrator.portal.house import House
from concentrator.portal.line_cells import LINE_TOPIC, LINES_TOPIC, STATION_COUNTS
from concentrator.portal.trace_cells import SENT, SHOWN, TRACE_TOPIC, Filter, at_of, rows_of
from concentrator.portal.words import say_in
from concentrator.web.access import Role
from concentrator.web.route import Reply, Route, Visit


def line_routes(house: House) -> Iterator[Route]:
    """`/lines`, `/lines/<name>` and under it `trace.txt` and `evidence.toml`."""
    traces, zone = house.traces, house.sources.zone

    def lines(visit: Visit) -> Reply:
        """Every line with its verdict."""
        sources = house.sources
        on = {line.name: sum(state.line == line.name for state in sources.devices()) for line in sources.lines()}
        return house.draw(
            visit,
            "lines.html",
            house.cells(visit.language).of_topic(LINES_TOPIC),
            lines=[(line, address_of_line(line.name), on[line.name]) for line in sources.lines()],
            topic=LINES_TOPIC,
        )

    def line(visit: Visit, name: str) -> Reply | None:
        """One line with its stations and its last exchanges, newest first; None where there is no such line."""
        cells = house.of_topic(TRACE_TOPIC + name, visit.language)
        if cells is None:
            return None
        state, owners = traces.state(name), traces.devices(name)
        exchanges = traces.told(name)
        which = Filter(visit.asked("id"), visit.asked("errors") == "on")
        return house.draw(
            visit,
            "line.html",
            cells,
            state=state,
            address=address_of_line(name),
            counts=STATION_COUNTS,
            stations=[(each, owners.get(each, ""), address_of(owners.get(each, ""))) for each in state.stations],
            exchanges=rows_of(exchanges, which, house.say(visit), zone, visit.language, SHOWN),
            ids=sorted({each.station for each in exchanges}, key=lambda each: (len(each), each)),
            which=which,
            most=SHOWN,
            topic=TRACE_TOPIC + name,
            here="/lines",
        )

    def traced(name: str, language: str) -> Mapping[str, Cell] | None:
        """The cells of a line's page, with its newest exchanges."""
        cells = house.cells(language).of_topic(LINE_TOPIC + name)
        if cells is None:
            return None
        newest = rows_of(traces.told(name, SENT + 1), Filter(), say_in(language), zone, language, SENT)
        return {**cells, ":trace": {"rows": newest}}

    house.topics[TRACE_TOPIC] = traced
    yield Route("/lines", Role.VIEWER, lines)
    yield Route("/lines/*", Role.VIEWER, line)
    yield Route("/lines/*/trace.txt", Role.VIEWER, _download("txt", lambda name: as_text(traces.told(name), zone)))
    yield Route("/lines/*/evidence.toml", Role.VIEWER, _download("toml", traces.evidence))


def _download(ending: str, make: Callable[[str], str]) -> Callable[[Visit, str], Reply | None]:
    """A text made anew for each visitor, to be kept as a file."""

    def download(visit: Visit, name: str) -> Reply | None:
        try:
            text = make(name)
        except Unknown:
            return None
        kept = f"attachment; filename*=UTF-8''{quote(f'{name}.{ending}', safe='')}"
        return Reply(text.encode(), content_type="text/plain; charset=utf-8", headers={"Content-Disposition": kept})

    return download


def as_text(exchanges: list[Told], zone: tzinfo) -> str:
    """Exchanges as text: a line of words, the bytes out and in, and what was wrong, if anything."""
    lines = []
    for each in exchanges:
        day = datetime.fromtimestamp(each.at, zone).strftime("%Y-%m-%d")
        device = f" ({each.device})" if each.device else ""
        words = f"ID {each.station}{device}  {each.asked or 'bytes'}  {each.took_s * 1000:.1f} ms"
        lines.append(f"{day} {at_of(each, zone)}  {words}")
        lines += [f"  {arrow} {data.hex(' ').upper()}" for arrow, data in ((">", each.request), ("<", each.received))]
        lines += [f"  ! {each.verdict}"] if each.verdict else []
    return "\n".join(lines) + "\n" if lines else "nothing was asked yet\n"
