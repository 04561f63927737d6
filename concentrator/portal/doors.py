"""The doors of the portal: the page for this machine, and the socket for its command line. Hides which address shows
what, and what may be done through which door."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request, Site

from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.actions.tracing import Traces
from concentrator.api import DeviceState, LineState, UplinkState, Wall
from concentrator.model.reading import Reading
from concentrator.portal.cells import Cells, Sources, stamp
from concentrator.portal.downloads import Downloads
from concentrator.portal.pages.devices import DevicesPages, Drawing
from concentrator.portal.pages.lines import LinesPages
from concentrator.portal.rest import Rest
from concentrator.web.events import LiveStream
from concentrator.web.pages import STATIC, TEMPLATES, Page, StaticFiles, Templates
from concentrator.web.site import Folder, GuardedSite, loopback_reader

PAGE_CALLER = Caller("page", frozenset({Permission.READ}))
CONTROL_CALLER = Caller("control socket", frozenset(Permission))


def build_site(
    table: ActionTable,
    *,
    box: Callable[[], Mapping[str, object]],
    devices: Callable[[], Sequence[DeviceState]],
    lines: Callable[[], Sequence[LineState]],
    uplinks: Callable[[], Sequence[UplinkState]],
    subscribe: Callable[[Callable[[Reading], None]], Callable[[], None]],
    wall: Wall,
    clock: IReactorTime,
    zone: tzinfo,
    traces: Traces | None = None,
    downloads: Downloads | None = None,
) -> Site:
    """The live page, read only and for visitors of this machine only: `/`, `/devices/<uid>`, `/lines/<name>`,
    `/events`, `/api/…`.

    `box` gives `serial`, `model`, `version`, `uptime_s` (seconds); the others give the states of now; `subscribe` is
    the hub's; `zone` is the box's, in which all times are shown; `traces` are those of its lines, which have no
    exchanges to show where it is left out; `downloads` are those of its history.
    """
    sources = Sources(box, devices, lines, uplinks, wall, zone)
    cells = Cells(sources)
    traces = traces or Traces(lines)
    files = StaticFiles(STATIC, "/static")
    templates = Templates(Path(__file__).parent / "templates", TEMPLATES, static=files.url)
    draw = Drawing(templates, sources, cells, traces)
    stream = LiveStream(
        clock,
        cells.of_topic,
        lambda: stamp(wall, zone),
        lambda changed: subscribe(lambda reading: changed()),
    )
    root = _Root(draw)
    root.putChild(b"", Page(draw.overview, draw.missing))
    root.putChild(b"devices", DevicesPages(draw))
    root.putChild(b"lines", LinesPages(traces, draw.line, draw.missing, zone))
    root.putChild(b"events", stream)
    root.putChild(b"static", files)
    root.putChild(b"api", Rest(table, PAGE_CALLER, downloads))
    return GuardedSite(root, clock, loopback_reader, stream.close)


def build_control_site(table: ActionTable, *, clock: IReactorTime, downloads: Downloads | None = None) -> Site:
    """The whole REST API under `/api`, for who may open the socket it is served on: everything is allowed there."""
    root = Folder()
    root.putChild(b"api", Rest(table, CONTROL_CALLER, downloads))
    return GuardedSite(root, clock)


class _Root(Folder):
    def __init__(self, draw: Drawing) -> None:
        super().__init__()
        self._draw = draw

    def getChild(self, path: bytes, request: Request) -> Page:  # noqa: N802
        return Page(lambda: None, self._draw.missing)
