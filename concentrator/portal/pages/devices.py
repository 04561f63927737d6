"""The Devices pages: all devices at a glance, and one with every variable. Hides the order people see them in; what
stands in them is made by the cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from twisted.web.resource import Resource
from twisted.web.server import Request
from twisted.web.util import Redirect, redirectTo

from concentrator.actions.tracing import Traces
from concentrator.portal.cells import (
    LINE_TOPIC,
    STATION_COUNTS,
    Cell,
    Cells,
    Sources,
    is_troubled,
    main_readouts,
    stamp,
    words_of,
)
from concentrator.portal.numbers import clock_time, joined, span
from concentrator.portal.pages.lines import SHOWN, address_of_line, at_of
from concentrator.web.pages import Page, Templates


class DevicesPages(Resource):
    """`/devices/<uid>`: the page of one device; without a uid the visitor is sent to the overview."""

    def __init__(self, draw: Drawing) -> None:
        super().__init__()
        self._draw = draw
        self.putChild(b"", Redirect(b"/"))

    def render_GET(self, request: Request) -> bytes:  # noqa: N802
        """The way to the overview."""
        return redirectTo(b"/", request)

    def getChild(self, path: bytes, request: Request) -> Page:  # noqa: N802
        """The page of the device whose short id the address ends with."""
        uid = path.decode("utf-8", "replace")
        return Page(lambda: self._draw.device(uid), self._draw.missing)


class Drawing:
    """Draws the pages from the states of now."""

    def __init__(self, templates: Templates, sources: Sources, cells: Cells, traces: Traces) -> None:
        self._templates = templates
        self._sources = sources
        self._cells = cells
        self._traces = traces

    def overview(self) -> bytes:
        """All devices: those with trouble first, else by line and Modbus ID."""
        devices = sorted(self._sources.devices(), key=lambda state: (not is_troubled(state), state.line, state.address))
        return self._render(
            "devices.html",
            self._cells.overview(devices),
            devices=[(state, address_of(state.uid), main_readouts(state)) for state in devices],
            lines=[(line, address_of_line(line.name)) for line in self._sources.lines()],
            uplinks=self._sources.uplinks(),
        )

    def device(self, uid: str) -> bytes | None:
        """One device with every variable of its profile; None where there is no such device."""
        state = next((state for state in self._sources.devices() if state.uid == uid), None)
        if state is None:
            return None
        cells = self._cells.frame() | self._cells.device(state, [name for name, _, _ in state.points])
        return self._render(
            "device.html", cells, state=state, readouts=main_readouts(state), events=f"/events?of={quote(uid, safe='')}"
        )

    def line(self, name: str) -> bytes | None:
        """One line with its stations and its last exchanges, newest first; None where there is no such line."""
        topic = LINE_TOPIC + name
        cells = self._cells.of_topic(topic)
        if cells is None:
            return None
        state, zone = self._traces.state(name), self._sources.zone
        owners = self._traces.devices(name)
        stations = [(each, owners.get(each, "")) for each in state.stations]
        return self._render(
            "line.html",
            cells,
            state=state,
            address=address_of_line(name),
            counts=STATION_COUNTS,
            stations=[(each, uid, address_of(uid) if uid else "") for each, uid in stations],
            exchanges=[(each, at_of(each, zone)) for each in reversed(self._traces.told(name, SHOWN))],
            events=f"/events?of={quote(topic, safe='')}",
        )

    def missing(self) -> bytes:
        """What stands where nothing is."""
        return self._render("missing.html", self._cells.frame())

    def _render(self, name: str, cells: Mapping[str, Cell], **values: object) -> bytes:
        now, zone = self._sources.wall.now(), self._sources.zone
        box = self._sources.box()
        uptime_s = box.get("uptime_s")
        return self._templates.render(
            name,
            **{"events": "/events"} | values,
            box=box,
            uptime=span(uptime_s) if isinstance(uptime_s, int | float) else "",
            live_clock=stamp(self._sources.wall, zone),
            as_of=clock_time(now, zone),
            clock_trusted=self._sources.wall.is_trusted(),
            cells=cells,
            part=lambda cell, part: part_of(cells[cell], part, lambda cell: words_of(cell, now, zone)),
        )


def address_of(uid: str) -> str:
    """The address of a device's page."""
    return f"/devices/{quote(uid, safe='')}"


def part_of(cell: Cell, part: str, words: Callable[[Cell], str]) -> str:
    """The text of one part of a cell; the page's script does the same for the ones that changed."""
    if part == "readout":
        return joined(str(cell["text"]), str(cell["unit"]))
    if part == "words":
        return words(cell)
    return str(cell[part])
