"""The doors of the portal: its pages and the API for whoever signs in or has a token, and the socket for the command
line of this machine. Hides which address shows what, and what may be done through which door."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import Request

from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.actions.tracing import Traces
from concentrator.model.reading import Reading
from concentrator.portal.api_door import ApiDoor, Health, Watched, metrics_resource
from concentrator.portal.callers import callers
from concentrator.portal.cells import Sources, stamp
from concentrator.portal.chapters import book_of
from concentrator.portal.downloads import Downloads
from concentrator.portal.house import House
from concentrator.portal.numbers import clock_time
from concentrator.portal.rest import Rest
from concentrator.web.doorman import Doorman
from concentrator.web.events import LiveStream
from concentrator.web.gate import Gate
from concentrator.web.pages import STATIC, TEMPLATES, StaticFiles, Templates
from concentrator.web.route import Router, SignedIn
from concentrator.web.site import Folder, GuardedSite
from concentrator.web.tokens import Tokens

CHARTS = "uPlot.iife.min.js"
"""What draws charts: made by others, and fetched when this is built."""
CONTROL_CALLER = Caller("control socket", frozenset(Permission))


def build_site(
    table: ActionTable,
    sources: Sources,
    *,
    subscribe: Callable[[Callable[[Reading], None]], Callable[[], None]],
    clock: IReactorTime,
    gate: Gate,
    tokens: Tokens,
    traces: Traces | None = None,
    downloads: Downloads | None = None,
    watched: Watched | None = None,
) -> GuardedSite:
    """The portal: its pages, `/live`, `/static/…`, `/api/v1/…`, `/metrics` and `/healthz`.

    `sources` give the states of now, in which zone times are shown; `subscribe` is the hub's; `gate` knows who may sign
    in and who did, `tokens` are those of programs; `traces` are those of the lines, which have no exchanges to show
    where it is left out; `downloads` are those of the history; `watched` is for who watches over the box.
    """
    watched, wall, zone = watched or Watched(), sources.wall, sources.zone
    sessions = gate.sessions
    files = StaticFiles(STATIC, "/static")
    templates = Templates(Path(__file__).parent / "templates", TEMPLATES, static=files.url, has_static=files.has)
    house = House(templates, sources, traces or Traces(sources.lines), table, clock)

    def news(changed: Callable[[], None]) -> Callable[[], None]:
        return subscribe(lambda reading: changed())

    stream = LiveStream(clock, house.of_topic, lambda: stamp(wall, zone), news, house.is_restless)
    book = book_of(house, {"gate": gate, "recent": watched.recent, "has_charts": files.has(CHARTS)})
    router = Router(book, sessions, missing=house.missing, forbidden=house.forbidden, expired=house.expired)
    root = _Root(router)
    root.putChild(b"live", SignedIn(stream, sessions))
    root.putChild(b"static", files)
    who = callers(sessions, tokens)
    api = ApiDoor(table, sources, who, watch=news, recent=watched.recent, clock=clock, downloads=downloads)
    root.putChild(b"api", folder := Folder())
    folder.putChild(b"v1", api)
    root.putChild(b"metrics", metrics_resource(sources, watched.figures, who))
    root.putChild(b"healthz", Health(watched.ailing))

    def close() -> None:
        stream.close()
        api.close()

    site: GuardedSite
    doorman = Doorman(gate, clock, lambda: site.conduct)
    site = GuardedSite(root, clock, doorman.admit, close, stamp=lambda: clock_time(wall.now(), zone))
    house.http_log = site.http_log
    return site


def build_control_site(table: ActionTable, *, clock: IReactorTime, downloads: Downloads | None = None) -> GuardedSite:
    """The whole REST API under `/api`, for who may open the socket it is served on: everything is allowed there."""
    root = Folder()
    root.putChild(b"api", Rest(table, lambda request: CONTROL_CALLER, downloads))
    return GuardedSite(root, clock)


class _Root(Resource):
    """Everything that is nothing else is a page."""

    def __init__(self, router: Router) -> None:
        super().__init__()
        self._router = router

    def getChild(self, path: bytes, request: Request) -> Router:  # noqa: N802
        return self._router
