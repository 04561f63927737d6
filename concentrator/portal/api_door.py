"""The API for programs, `/api/v1`: REST, its document, and a stream of what changes; and for who watches over the box,
`/metrics` and `/healthz`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from concentrator.actions.present import stamp as stamped
from concentrator.actions.present import whole_device_json
from concentrator.actions.table import ActionTable, Permission
from concentrator.api import Happened
from concentrator.model.errors import Denied, NotSignedIn
from concentrator.portal.callers import Who
from concentrator.portal.cells import Sources
from concentrator.portal.downloads import Downloads
from concentrator.portal.rest import Rest, not_allowed, refuse
from concentrator.web.events import LiveStream
from concentrator.web.pages import answer
from concentrator.web.site import say

if TYPE_CHECKING:
    from concentrator.portal.metrics import Figures

_EVENT = ":event."


def _no_figures() -> Figures:
    from concentrator.portal.metrics import Figures

    return Figures()


@frozen
class Watched:
    """What those see who watch over the box: `recent()` gives what happened last, oldest first; `figures()` what is
    counted; `ailing()` what keeps it from its work, empty where nothing does."""

    recent: Callable[[], Sequence[Happened]] = tuple
    figures: Callable[[], Figures] = _no_figures
    ailing: Callable[[], str] = str


Recent = Callable[[], Sequence[Happened]]
"""`recent()`: the newest of what happened, oldest first."""


class ApiDoor(Resource):
    """What lies under `/api/v1`."""

    def __init__(
        self,
        table: ActionTable,
        sources: Sources,
        who: Who,
        *,
        watch: Callable[[Callable[[], None]], Callable[[], None]],
        recent: Recent,
        clock: IReactorTime,
        downloads: Downloads | None,
    ) -> None:
        super().__init__()
        self._rest = Rest(table, who, downloads)
        self._stream = LiveStream(
            clock,
            lambda topic, language: api_cells(sources, recent),
            lambda: {"time": stamped(sources.wall.now())},
            watch,
            event_of=lambda name: "events" if name.startswith(_EVENT) else "devices",
        )
        self.putChild(b"events", Readers(self._stream, who))
        self.putChild(b"openapi.json", Made(partial(_document, table, sources), who))

    def getChild(self, path: bytes, request: Request) -> Resource:  # noqa: N802
        """Everything else is REST, which takes the whole address."""
        request.postpath = [path, *(request.postpath or ())]
        return self._rest

    def close(self) -> None:
        """Ends all streams."""
        self._stream.close()


class Readers(Resource):
    """A resource for callers who may read."""

    isLeaf = True  # noqa: N815

    def __init__(self, resource: Resource, who: Who) -> None:
        super().__init__()
        self._resource = resource
        self._who = who

    def render(self, request: Request) -> bytes | int:
        """What the resource gives, or why not."""
        if request.method not in (b"GET", b"HEAD"):
            return not_allowed(request, "GET, HEAD")
        try:
            caller = self._who(request)
            if Permission.READ not in caller.allowed:
                raise Denied(f"this needs {Permission.READ}")
        except NotSignedIn as error:
            request.setHeader(b"www-authenticate", b'Bearer realm="CcMaster"')
            return refuse(request, error)
        except Denied as error:
            return refuse(request, error)
        given: bytes | int = self._resource.render(request)
        return given


class Made(Readers):
    """A document made anew for each caller: `make()` gives its content and type."""

    def __init__(self, make: Callable[[], tuple[bytes, str]], who: Who) -> None:
        super().__init__(_Document(make), who)


class _Document(Resource):
    isLeaf = True  # noqa: N815

    def __init__(self, make: Callable[[], tuple[bytes, str]]) -> None:
        super().__init__()
        self._make = make

    def render_GET(self, request: Request) -> bytes:  # noqa: N802
        content, content_type = self._make()
        request.setHeader(b"cache-control", b"no-store")
        return answer(request, content, content_type)


class Health(Resource):
    """`/healthz`, for anybody: `ok` where the box does its work, else what does not."""

    isLeaf = True  # noqa: N815

    def __init__(self, ailing: Callable[[], str]) -> None:
        super().__init__()
        self._ailing = ailing

    def render(self, request: Request) -> bytes | int:
        """One word, or a few."""
        if request.method not in (b"GET", b"HEAD"):
            request.setHeader(b"allow", b"GET, HEAD")
            say(request, HTTPStatus.METHOD_NOT_ALLOWED, "Use GET.")
            return NOT_DONE_YET
        ailing = self._ailing()
        if ailing:
            request.setResponseCode(HTTPStatus.SERVICE_UNAVAILABLE)
        request.setHeader(b"cache-control", b"no-store")
        return answer(request, f"{ailing or 'ok'}\n".encode(), "text/plain; charset=utf-8")


def metrics_resource(sources: Sources, figures: Callable[[], Figures], who: Who) -> Resource:
    """`/metrics`, in the format of OpenMetrics."""

    def made() -> tuple[bytes, str]:
        from concentrator.portal.metrics import CONTENT_TYPE, exposition

        return exposition(sources, figures()), CONTENT_TYPE

    return Made(made, who)


def api_cells(sources: Sources, recent: Recent) -> dict[str, Mapping[str, object]]:
    """What the stream of the API compares: every device as `device.get` gives it, and what happened."""
    cells: dict[str, Mapping[str, object]] = {state.uid: whole_device_json(state) for state in sources.devices()}
    for each in recent():
        cells[f"{_EVENT}{each.number}"] = {"time": stamped(each.at), "event": each.name, **each.facts}
    return cells


def _document(table: ActionTable, sources: Sources) -> tuple[bytes, str]:
    from concentrator.portal.openapi import document

    return _json(document(table.describe(), str(sources.box()["version"])))


def _json(content: object) -> tuple[bytes, str]:
    return json.dumps(content, ensure_ascii=False).encode(), "application/json"
