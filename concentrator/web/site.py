"""Sites: Twisted's, with what every door of ours has in common. Hides the security headers, the limits on requests, who
is let in and how long that may take to decide, what is counted and noted, and what a visitor sees of a page that
broke."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from concentrator.web.channel import GuardedChannel
from concentrator.web.conduct import BYTES_MOST, Conduct
from concentrator.web.http_log import HttpLog, Served, written

_log = Logger()

BODY_MOST = BYTES_MOST
IDLE_S = 60
VISITS_MOST = 250
"""Connections at once: more are turned away, so that who holds many open does not take all the program has."""
_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
_OF_PROGRAMS = b"/api/"
"""Where each address says itself which methods it takes."""
_HSTS_S = 180 * 86_400

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@frozen
class Refusal:
    """Why a visitor is not let in: the status, a sentence, and what the head says besides."""

    status: HTTPStatus
    sentence: str
    headers: tuple[tuple[str, str], ...] = ()


_NOTHING = Refusal(HTTPStatus.NOT_FOUND, "There is nothing at this address.")

_UNKNOWN = Refusal(HTTPStatus.NOT_IMPLEMENTED, "Nobody here knows that method.")

Admit = Callable[[Request], Refusal | Deferred[Refusal | None] | None]
"""`admit(request)`: None for a welcome visitor, or why not, now or later."""


class Body(BytesIO):
    """The body of a request, kept up to a limit; what comes beyond it is thrown away and the body is `too_big`."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = self._left = most
        self.too_big = False

    def write(self, chunk: bytes) -> int:  # type: ignore[override]
        """Takes a chunk in, or drops it."""
        self._left -= len(chunk)
        self.too_big = self.too_big or self._left < 0
        return len(chunk) if self.too_big else super().write(chunk)


class SiteRequest(Request):
    """A request whose failure is told in one sentence; the log has the rest. `visitor` is who signed in for it, as far
    as that was asked."""

    visitor = ""

    def processingFailed(self, reason: Failure) -> Failure:  # noqa: N802
        """Logs the failure and answers 500, both with a number by which one finds the other."""
        number = secrets.token_hex(3)
        _log.failure("page {path} failed, {number}", reason, path=self.path.decode("ascii", "replace"), number=number)
        if reason.check(MemoryError) and self.channel is not None:
            self.channel.factory.http_log.memory_errors += 1
        if self.startedWriting:
            self.loseConnection()
        elif self.channel is not None:
            words = f"This page failed; the box goes on reading. Note {number} for support."
            say(self, HTTPStatus.INTERNAL_SERVER_ERROR, words)
        return reason


class GuardedSite(Site):
    """A site over the resource `root`; `admit` is asked about each request, `closing` is called when it stops being
    served. Time-outs run on `clock`; `stamp` gives the local time as HH:MM:SS for the log. `conduct` may become another
    one at any time."""

    noisy = False
    # Not the one that also speaks HTTP/2, because that keeps its connection to itself.
    protocol = GuardedChannel  # type: ignore[assignment]

    def __init__(
        self,
        root: IResource,
        clock: IReactorTime,
        admit: Admit = lambda request: None,
        closing: Callable[[], None] = lambda: None,
        conduct: Conduct = Conduct(),  # noqa: B008  # it never changes
        stamp: Callable[[], str] = lambda: "-",
    ) -> None:
        super().__init__(root, SiteRequest, parsePOSTFormSubmission=False, timeout=IDLE_S, reactor=clock)
        self._admit = admit
        self._closing = closing
        self._stamp = stamp
        self._visits: set[GuardedChannel] = set()
        self.conduct = conduct
        self.http_log = HttpLog()

    def buildProtocol(self, address: IAddress | None) -> Any:  # noqa: N802
        """The channel of a new visitor; None where too many are here already."""
        if len(self._visits) >= VISITS_MOST:
            self.http_log.turned_away += 1
            return None
        visit: Any = super().buildProtocol(address)
        self._visits.add(visit)
        return visit

    def left(self, visit: GuardedChannel) -> None:
        """A visitor is gone."""
        self._visits.discard(visit)

    def getContentFile(self, length: int | None) -> Body:  # noqa: N802
        """Where Twisted puts a request's body."""
        return Body(self.conduct.bytes_most)

    def getResourceFor(self, request: Request) -> IResource:  # noqa: N802
        """The resource of a request, or the refusal its visitor gets."""
        request.responseHeaders.removeHeader(b"server")
        for name, value in _HEADERS.items():
            request.setHeader(name.encode(), value.encode())
        if request.isSecure() and self.conduct.is_redirecting:
            request.setHeader(b"strict-transport-security", f"max-age={_HSTS_S}".encode())
        is_known = request.method in _METHODS or request.path.startswith(_OF_PROGRAMS)
        refusal = self._admit(request) if is_known else _UNKNOWN
        if isinstance(refusal, Deferred):
            return _Awaited(refusal, super().getResourceFor)
        found: IResource = _Refused(refusal) if refusal else super().getResourceFor(request)
        return found

    def log(self, request: http.Request) -> None:
        """Counts an answer, and notes it where that is wanted."""
        self.http_log.answered(request.code)
        if self.conduct.is_logging and isinstance(request, SiteRequest):
            self.http_log.note(written(self.conduct.log_format, self._served(request)), self.conduct.log_entries)

    def _served(self, request: SiteRequest) -> Served:
        path, _, query = request.uri.decode("ascii", "replace").partition("?")
        return Served(
            address=str(getattr(request.getClientAddress(), "host", "") or "-"),
            port=int(getattr(request.getHost(), "port", 0)),
            user=request.visitor,
            at=self._stamp(),
            method=request.method.decode("ascii", "replace"),
            path=path,
            query=query,
            version=request.clientproto.decode("ascii", "replace"),
            status=int(request.code),
            sent=int(request.sentLength),
            header=lambda name: (request.getHeader(name.encode()) or b"").decode("utf-8", "replace"),
        )

    def startFactory(self) -> None:  # noqa: N802
        """Begins nothing: Twisted would keep a date for the access log, and wake up every second for it."""

    def stopFactory(self) -> None:  # noqa: N802
        """Nobody is served any more, over connections that are still open neither."""
        self._closing()
        for visit in tuple(self._visits):
            if visit.transport is not None:
                visit.transport.loseConnection()
        super().stopFactory()


class Folder(Resource):
    """A folder of resources, in which there is nothing but what was put there."""

    def getChild(self, path: bytes, request: Request) -> Resource:  # noqa: N802
        """What stands where nothing was put."""
        return _Refused(_NOTHING)

    def render(self, request: Request) -> int:
        """The folder itself shows nothing."""
        return _Refused(_NOTHING).render(request)


class _Awaited(Resource):
    """A resource of which it is not decided yet who is let in to it."""

    isLeaf = True  # noqa: N815

    def __init__(self, decided: Deferred[Refusal | None], find: Callable[[Request], IResource]) -> None:
        super().__init__()
        self._decided = decided
        self._find = find

    def render(self, request: Request) -> int:
        is_there = True

        def gone(_: object) -> None:
            nonlocal is_there
            is_there = False

        def decided(refusal: Refusal | None) -> None:
            if is_there:
                request.render(_Refused(refusal) if refusal else self._find(request))

        def failed(failure: Failure) -> None:
            if is_there:
                request.processingFailed(failure)

        request.notifyFinish().addBoth(gone)
        self._decided.addCallback(decided).addErrback(failed)
        return NOT_DONE_YET


def say(request: Request, status: HTTPStatus, sentence: str) -> None:
    """Answers a request with a status and one sentence as plain text, and finishes it."""
    body = f"{sentence}\n".encode()
    request.setResponseCode(status)
    request.setHeader(b"content-type", b"text/plain; charset=utf-8")
    request.setHeader(b"cache-control", b"no-store")
    request.setHeader(b"content-length", str(len(body)).encode())
    request.write(b"" if request.method == b"HEAD" else body)
    request.finish()


class _Refused(Resource):
    isLeaf = True  # noqa: N815

    def __init__(self, refusal: Refusal) -> None:
        super().__init__()
        self._refusal = refusal

    def render(self, request: Request) -> int:
        for name, value in self._refusal.headers:
            request.setHeader(name.encode(), value.encode())
        say(request, self._refusal.status, self._refusal.sentence)
        return NOT_DONE_YET
