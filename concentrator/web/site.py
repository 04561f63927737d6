"""Sites: Twisted's, with what every door of ours has in common. Hides the security headers, the limit on bodies, who
is let in, the silence of the access log, and what a visitor sees of a page that broke."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import Any
from weakref import WeakSet

from attrs import frozen
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

_log = Logger()

BODY_MOST = 64 * 1024
IDLE_S = 60

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
    """Why a visitor is not let in: the status, and a sentence."""

    status: HTTPStatus
    sentence: str


_NOTHING = Refusal(HTTPStatus.NOT_FOUND, "There is nothing at this address.")

Admit = Callable[[Request], Refusal | None]
"""`admit(request)`: None for a welcome visitor, or why not."""


class Body(BytesIO):
    """The body of a request, kept up to a limit; what comes beyond it is thrown away and the body is `too_big`."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most
        self.too_big = False

    def write(self, chunk: bytes) -> int:  # type: ignore[override]
        """Takes a chunk in, or drops it."""
        self._left -= len(chunk)
        self.too_big = self.too_big or self._left < 0
        return len(chunk) if self.too_big else super().write(chunk)


class SiteRequest(Request):
    """A request whose failure is told in one sentence; the log has the rest."""

    def processingFailed(self, reason: Failure) -> Failure:  # noqa: N802
        """Logs the failure and answers 500."""
        _log.failure("page {path} failed", reason, path=self.path.decode("ascii", "replace"))
        if self.startedWriting:
            self.loseConnection()
        elif self.channel is not None:
            say(self, HTTPStatus.INTERNAL_SERVER_ERROR, "This page failed; the box goes on reading. Its log says why.")
        return reason


class GuardedSite(Site):
    """A site over the resource `root`; `admit` is asked about each request, `closing` is called when it stops being
    served. Time-outs run on `clock`."""

    noisy = False
    # Not the one that also speaks HTTP/2, because that keeps its connection to itself.
    protocol = http.HTTPChannel  # type: ignore[assignment]

    def __init__(
        self,
        root: IResource,
        clock: IReactorTime,
        admit: Admit = lambda request: None,
        closing: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(root, SiteRequest, parsePOSTFormSubmission=False, timeout=IDLE_S, reactor=clock)
        self._admit = admit
        self._closing = closing
        self._visits: WeakSet[http.HTTPChannel] = WeakSet()

    def buildProtocol(self, address: IAddress | None) -> Any:  # noqa: N802
        """The channel of a new visitor."""
        visit: Any = super().buildProtocol(address)
        self._visits.add(visit)
        return visit

    def getContentFile(self, length: int | None) -> Body:  # noqa: N802
        """Where Twisted puts a request's body."""
        return Body(BODY_MOST)

    def getResourceFor(self, request: Request) -> IResource:  # noqa: N802
        """The resource of a request, or the refusal its visitor gets."""
        request.responseHeaders.removeHeader(b"server")
        for name, value in _HEADERS.items():
            request.setHeader(name.encode(), value.encode())
        refusal = self._admit(request)
        found: IResource = _Refused(refusal) if refusal else super().getResourceFor(request)
        return found

    def log(self, request: http.Request) -> None:
        """Keeps no access log."""

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


def loopback_reader(request: Request) -> Refusal | None:
    """Lets in only who reads, from this machine, by one of its loopback names: a foreign name in the Host header is
    a page from elsewhere trying to read us through the visitor's browser (DNS rebinding)."""
    if request.method not in (b"GET", b"HEAD"):
        request.setHeader(b"allow", b"GET, HEAD")
        return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "This page can be read only: use GET.")
    if not _is_local(request.getClientAddress()):
        return Refusal(HTTPStatus.FORBIDDEN, "This page is served to the machine it runs on only.")
    host = request.getHeader(b"host")
    if host is None or not is_loopback_name(_name_of(host.decode("ascii", "replace"))):
        return Refusal(HTTPStatus.FORBIDDEN, "Open this page as http://127.0.0.1 or http://localhost, with its port.")
    return None


def is_loopback_name(name: str) -> bool:
    """Whether a host name means this machine and nothing else, whatever a name server says."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower().rstrip(".") == "localhost"


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
        say(request, self._refusal.status, self._refusal.sentence)
        return NOT_DONE_YET


def _is_local(address: object) -> bool:
    if isinstance(address, IPv4Address | IPv6Address):
        return is_loopback_name(address.host.removeprefix("::ffff:"))
    return isinstance(address, UNIXAddress)


def _name_of(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
