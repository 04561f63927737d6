"""The page of one line: how it does, station by station, and the last exchanges on its wire, for whoever looks for what
is wrong with a bus. Its files to take away: the trace as text, and as evidence for a profile file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from http import HTTPStatus
from urllib.parse import quote

from twisted.web.resource import Resource
from twisted.web.server import Request
from twisted.web.util import Redirect, redirectTo

from concentrator.actions.tracing import Told, Traces
from concentrator.model.errors import Unknown
from concentrator.portal.numbers import clock_time
from concentrator.web.pages import Page, answer

SHOWN = 50
"""How many exchanges the page shows, the newest; the files have all that are kept."""


class LinesPages(Resource):
    """`/lines/<name>` and under it `trace.txt` and `evidence.toml`; without a name the visitor is sent to the
    overview. `draw(name)` makes the page, None where there is no such line, `missing()` what stands there instead."""

    def __init__(
        self, traces: Traces, draw: Callable[[str], bytes | None], missing: Callable[[], bytes], zone: tzinfo
    ) -> None:
        super().__init__()
        self._traces = traces
        self._draw = draw
        self._missing = missing
        self._zone = zone
        self.putChild(b"", Redirect(b"/"))

    def render_GET(self, request: Request) -> bytes:  # noqa: N802
        """The way to the overview."""
        return redirectTo(b"/", request)

    def getChild(self, path: bytes, request: Request) -> Resource:  # noqa: N802
        """What belongs to the line whose name the address goes on with."""
        name = path.decode("utf-8", "replace")
        part = b"/".join(request.postpath or ())
        if part == b"trace.txt":
            return _Download(f"{name}.txt", lambda: as_text(self._traces.told(name), self._zone), self._missing)
        if part == b"evidence.toml":
            return _Download(f"{name}.toml", lambda: self._traces.evidence(name), self._missing)
        return Page(lambda: self._draw(name), self._missing)


class _Download(Resource):
    """A text made anew for each visitor, to be kept as a file."""

    isLeaf = True  # noqa: N815

    def __init__(self, name: str, make: Callable[[], str], missing: Callable[[], bytes]) -> None:
        super().__init__()
        self._name = name
        self._make = make
        self._missing = missing

    def render_GET(self, request: Request) -> bytes:  # noqa: N802
        request.setHeader(b"cache-control", b"no-store")
        try:
            text = self._make()
        except Unknown:
            request.setResponseCode(HTTPStatus.NOT_FOUND)
            return answer(request, self._missing(), "text/html; charset=utf-8")
        request.setHeader(b"content-disposition", f"attachment; filename*=UTF-8''{quote(self._name, safe='')}".encode())
        return answer(request, text.encode(), "text/plain; charset=utf-8")


def address_of_line(name: str) -> str:
    """The address of a line's page."""
    return f"/lines/{quote(name, safe='')}"


def at_of(told: Told, zone: tzinfo) -> str:
    """When an exchange began, to the millisecond: 10:41:07.123."""
    then = datetime.fromtimestamp(told.at, zone)
    return f"{clock_time(told.at, zone)}.{then.microsecond // 1000:03}"


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
