"""Pages by their address: who may see them, what is done with a form that was sent, and what is answered. Hides
cookies, parsing, and that a form is taken only from the page it was drawn on: by somebody signed in, with the token of
his session, from this very site."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from concentrator.web.access import Role
from concentrator.web.chapter import Book
from concentrator.web.pages import answer
from concentrator.web.session import Session, Sessions
from concentrator.web.site import Body, SiteRequest
from concentrator.web.uploads import Parts, Upload, parts_of

HTML = "text/html; charset=utf-8"
COOKIE, SECURE_COOKIE = "ccmaster", "__Host-ccmaster"
"""What the browser keeps the session's key under. Another one over HTTPS: a cookie that was set there can be neither
read nor replaced by HTTP, where somebody may sign in as well."""
TOKEN = "token"
"""The name of the form's field that has the session's token."""
FIELDS_MOST = 500
LANGUAGES = ("en", "es")
THEMES = ("light", "dark")


@frozen
class Reply:
    """What is answered: a body, and what the head says of it."""

    body: bytes = b""
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = HTML
    headers: Mapping[str, str] = field(factory=dict)


def see_other(address: str) -> Reply:
    """Sends the visitor on, as after every form that was taken."""
    return Reply(status=HTTPStatus.SEE_OTHER, headers={"Location": address})


@define(eq=False)
class Visit:
    """One request for a page: by whom, and with what. `form` is what was sent with it, `query` what follows the
    question mark; of a field that came more than once `fields` has all; `files` are those in it."""

    request: Request
    session: Session | None
    language: str
    theme: str
    query: Mapping[str, Sequence[str]]
    fields: Mapping[str, Sequence[str]] = field(factory=dict)
    files: Mapping[str, Sequence[Upload]] = field(factory=dict)
    key: str = field(default="", repr=False)

    @property
    def path(self) -> str:
        """The address, without what follows a question mark."""
        path: bytes = self.request.path
        return path.decode("ascii", "replace")

    @property
    def form(self) -> Mapping[str, str]:
        """What was sent, each field once."""
        return {name: values[-1] for name, values in self.fields.items() if values}

    def asked(self, name: str, default: str = "") -> str:
        """An argument that follows the question mark."""
        return next(reversed(self.query.get(name, ())), default)

    def may(self, role: Role) -> bool:
        """Whether whoever asks has that role."""
        return self.session is not None and self.session.role.covers(role)

    def set_cookie(self, name: str, value: str, *, lasts_s: int | None = None, path: str = "/") -> None:
        """Has the browser keep something, to the end of its own session where `lasts_s` does not say how long."""
        parts = [f"{name}={value}", f"Path={path}", "HttpOnly", "SameSite=Lax"]
        if lasts_s is not None:
            parts.append(f"Max-Age={lasts_s}")
        if self.request.isSecure():
            parts.append("Secure")
        self.request.responseHeaders.addRawHeader(b"set-cookie", "; ".join(parts).encode())

    def set_key(self, key: str) -> None:
        """Has the browser use that key of a session from now on; none where it is empty."""
        self.key = key
        self.set_cookie(_cookie_name(self.request), key, lasts_s=None if key else 0)


Answerer = Callable[..., Reply | Awaitable[Reply | None] | None]
"""`answerer(visit, *parts)`: what is answered, now or later; None where there is no such thing. The parts are those
that stand where the route's path has a star."""


@frozen
class Route:
    """A page: its path, in which a star stands for any one part; the role it takes (None: nobody has to sign in); what
    a GET gives, and what a form does that was sent to it (by somebody with `post_role`, the same where it is left
    out)."""

    path: str
    role: Role | None
    get: Answerer | None = None
    post: Answerer | None = None
    post_role: Role | None = None

    def needs(self, method: bytes) -> Role | None:
        """The role that a request of that method takes."""
        return self.post_role or self.role if method == b"POST" else self.role


class Router(Resource):
    """Answers by the first route of the book that has the address. `missing(visit)` draws what stands where nothing is,
    `forbidden(visit, needed)` what somebody sees who may not, `expired(visit)` what becomes of a form that did not
    come from a page of his session. Who has not signed in is sent to `/login`, and who must choose a password to
    `changing`."""

    isLeaf = True  # noqa: N815

    def __init__(
        self,
        book: Book,
        sessions: Sessions,
        *,
        missing: Callable[[Visit], Reply],
        forbidden: Callable[[Visit, Role], Reply],
        expired: Callable[[Visit], Reply],
        login: str = "/login",
        changing: str = "/password",
    ) -> None:
        super().__init__()
        self.book = book
        self._sessions = sessions
        self._missing, self._forbidden, self._expired = missing, forbidden, expired
        self._login, self._changing = login, changing

    def render(self, request: Request) -> int:
        """Answers any method."""
        visit = visit_of(request, self._sessions)
        if visit.session is not None and (key := self._sessions.rotated(visit.key)):
            visit.set_key(key)
        ended: Deferred[Any] = request.notifyFinish()
        is_there = True

        def gone(_: object) -> None:
            nonlocal is_there
            is_there = False

        def replied(reply: Reply) -> None:
            if is_there:
                write(request, reply)

        def failed(failure: Failure) -> None:
            if is_there:
                request.processingFailed(failure)

        ended.addBoth(gone)
        Deferred.fromCoroutine(self._reply(visit)).addCallback(replied).addErrback(failed)
        return NOT_DONE_YET

    async def _reply(self, visit: Visit) -> Reply:
        request = visit.request
        path = [unquote(part) for part in visit.path.strip("/").split("/")]
        chapter = self.book.at(path)
        if chapter is None:
            return self._nothing(visit)
        if request.method == b"POST" and (unread := _read(visit)) is not None:
            return unread
        if visit.session is None and not chapter.is_open:
            return self._to_login(visit)  # and nothing is loaded for a stranger
        found = chapter.route(path)
        if found is None:
            return self._nothing(visit)
        route, parts = found
        if (refused := self._refused(visit, route)) is not None:
            return refused
        if request.method in (b"GET", b"HEAD"):
            answerer = route.get
        elif request.method == b"POST":
            answerer = route.post
        else:
            answerer = None
        if answerer is None:
            headers = {"Allow": ", ".join(("GET, HEAD",) * bool(route.get) + ("POST",) * bool(route.post))}
            return Reply(b"This address takes others.\n", HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", headers)
        if request.method == b"POST" and not self._is_ours(visit, route):
            return self._expired(visit)
        made = answerer(visit, *parts)
        reply = await made if isinstance(made, Awaitable) else made
        return self._missing(visit) if reply is None else reply

    def _nothing(self, visit: Visit) -> Reply:
        return self._missing(visit) if visit.session is not None else self._to_login(visit)

    def _refused(self, visit: Visit, route: Route) -> Reply | None:
        needed = route.needs(visit.request.method)
        if needed is None:
            return None
        if visit.session is None:
            return self._to_login(visit)
        if visit.session.must_change and visit.path != self._changing:
            return see_other(self._changing)
        return None if visit.may(needed) else self._forbidden(visit, needed)

    def _to_login(self, visit: Visit) -> Reply:
        """To the login, and from there back to the page, where one was asked for, with what was typed on it."""
        request = visit.request
        if request.method == b"POST" and is_same_site(request) and visit.fields:
            kept = self._sessions.forms.keep(visit.path, visit.fields)
            return see_other(f"{self._login}?next={quote(visit.path, safe='/')}&typed={kept}")
        if request.method not in (b"GET", b"HEAD") or visit.path == "/":
            return see_other(self._login)
        return see_other(f"{self._login}?next={quote(request.uri.decode('ascii', 'replace'), safe='/')}")

    def _is_ours(self, visit: Visit, route: Route) -> bool:
        if not is_same_site(visit.request):
            return False
        if route.needs(b"POST") is None:
            return True
        given = visit.form.get(TOKEN, "")
        return visit.session is not None and hmac.compare_digest(given.encode(), visit.session.token.encode())


def _read(visit: Visit) -> Reply | None:
    """Takes in what was sent with a request; gives what is answered where that is no form."""
    body = visit.request.content
    assert isinstance(body, Body), "served by a GuardedSite"
    if body.too_big:
        return Reply(b"That is more than a form can be.\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "text/plain")
    sent = sent_with(visit.request, body)
    if sent is None:
        return Reply(b"That is no form.\n", HTTPStatus.BAD_REQUEST, "text/plain")
    visit.fields, visit.files = sent.fields, sent.files
    return None


class SignedIn(Resource):
    """A resource to be read by whoever has a role, without pages of its own: who has not signed in is refused."""

    isLeaf = True  # noqa: N815

    def __init__(self, resource: Resource, sessions: Sessions, role: Role = Role.VIEWER) -> None:
        super().__init__()
        self._resource = resource
        self._sessions = sessions
        self._role = role

    def render(self, request: Request) -> Any:
        """What the resource gives, or 401, 403 or 405: a cookie comes with forms of other sites too."""
        visit = visit_of(request, self._sessions)
        if request.method not in (b"GET", b"HEAD"):
            headers = {"Allow": "GET, HEAD"}
            write(request, Reply(b"Use GET.\n", HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", headers))
        elif visit.session is None or visit.session.must_change:
            write(request, Reply(b"Sign in first.\n", HTTPStatus.UNAUTHORIZED, "text/plain"))
        elif not visit.may(self._role):
            write(request, Reply(f"This takes {self._role}.\n".encode(), HTTPStatus.FORBIDDEN, "text/plain"))
        else:
            return self._resource.render(request)
        return NOT_DONE_YET


def visit_of(request: Request, sessions: Sessions) -> Visit:
    """Who asks, in which language and with which theme he wants to be answered."""
    key = _cookie(request, _cookie_name(request))
    query = parse_qs(urlsplit(request.uri.decode("ascii", "replace")).query, keep_blank_values=True)
    session = sessions.find(key) if key else None
    if session is not None and isinstance(request, SiteRequest):
        request.visitor = session.user
    return Visit(
        request,
        session,
        language_of(request),
        theme if (theme := _cookie(request, "theme")) in THEMES else "",
        query,
        key=key,
    )


def language_of(request: Request) -> str:
    """The language that was chosen, or else the first that the browser offers and we have."""
    chosen = _cookie(request, "language")
    if chosen in LANGUAGES:
        return chosen
    offered = (request.getHeader(b"accept-language") or b"").decode("ascii", "replace").lower()
    names = (each.strip().partition(";")[0].partition("-")[0] for each in offered.split(","))
    return next((name for name in names if name in LANGUAGES), LANGUAGES[0])


def is_same_site(request: Request) -> bool:
    """Whether a form was sent by a page of this very site, as far as the browser says."""
    if (said := request.getHeader(b"sec-fetch-site")) is not None:
        return said in (b"same-origin", b"none")
    origin = request.getHeader(b"origin")
    if origin is None or origin == b"null":
        return origin is None
    return urlsplit(origin.decode("ascii", "replace")).netloc == (request.getHeader(b"host") or b"").decode(
        "ascii", "replace"
    )


def sent_with(request: Request, body: Body) -> Parts | None:
    """The fields of a form, and the files in it; None where the body is none."""
    said = request.getHeader(b"content-type") or b""
    kind = said.partition(b";")[0].strip().lower()
    body.seek(0)
    if kind == b"multipart/form-data":
        return parts_of(said.decode("ascii", "replace"), body, body.most)
    if kind not in (b"application/x-www-form-urlencoded", b""):
        return None
    try:
        text = body.read().decode()
        return Parts(parse_qs(text, keep_blank_values=True, max_num_fields=FIELDS_MOST, errors="strict"))
    except ValueError:
        return None


def write(request: Request, reply: Reply) -> None:
    """Answers a request."""
    request.setResponseCode(reply.status)
    request.setHeader(b"cache-control", b"no-store")
    for name, value in reply.headers.items():
        request.setHeader(name.encode(), value.encode())
    body = answer(request, reply.body, reply.content_type)
    if request.method != b"HEAD":
        request.setHeader(b"content-length", str(len(body)).encode())
    request.write(body)
    request.finish()


def _cookie_name(request: Request) -> str:
    return SECURE_COOKIE if request.isSecure() else COOKIE


def _cookie(request: Request, name: str) -> str:
    found = request.getCookie(name.encode())
    return found.decode("ascii", "replace") if found else ""
