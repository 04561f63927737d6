from urllib.parse import urlencode

import pytest
from twisted.internet.defer import Deferred

from concentrator.web.access import Role
from concentrator.web.chapter import Book, Chapter
from concentrator.web.events import LiveStream
from concentrator.web.kept import Typed
from concentrator.web.route import COOKIE, Reply, Route, Router, SignedIn, Visit, see_other
from concentrator.web.session import Sessions
from concentrator.web.site import BODY_MOST, GuardedSite
from tests.support.web import Visit as Visitor
from tests.support.web import visit

FORM = "application/x-www-form-urlencoded"


class Pages:
    """Some routes, and what was asked of them."""

    def __init__(self, clock):
        self.sessions = Sessions(clock)
        self.taken = []
        self.later = Deferred()
        routes = [
            Route("/open", None, lambda visit: Reply(b"open"), self.take),
            Route("/own", Role.VIEWER, lambda visit: Reply(visit.session.user.encode()), self.take, Role.INSTALLER),
            Route("/box", Role.ADMINISTRATOR, lambda visit: Reply(b"box")),
            Route("/a/*/b/*", Role.VIEWER, lambda visit, one, two: Reply(f"{one} {two}".encode())),
            Route("/none", Role.VIEWER, lambda visit: None),
            Route("/later", Role.VIEWER, self.wait),
            Route("/broken", Role.VIEWER, lambda visit: 1 / 0),
            Route("/password", Role.VIEWER, lambda visit: Reply(b"password")),
            Route("/words", None, lambda visit: Reply(f"{visit.language} {visit.theme} {visit.asked('q')}".encode())),
            Route("/post", Role.VIEWER, post=self.take),
            Route("/cookie", None, self.cookie),
        ]
        self.router = Router(
            Book([Chapter([route.path for route in routes], lambda: routes, is_open=True)]),
            self.sessions,
            missing=lambda visit: Reply(b"missing", 404),
            forbidden=lambda visit, needed: Reply(needed.encode(), 403),
            expired=lambda visit: Reply(b"expired", 403),
        )

    def take(self, visit):
        self.taken.append(visit.form)
        return see_other("/own")

    def cookie(self, visit):
        visit.set_cookie("theme", "dark", lasts_s=60)
        return Reply(b"")

    async def wait(self, visit):
        return await self.later

    def sign_in(self, role=Role.VIEWER, **how):
        key, self.session = self.sessions.begin("ana", role, **how)
        return f"{COOKIE}={key}"


@pytest.fixture
def pages(clock):
    return Pages(clock)


@pytest.fixture
def site(pages, clock):
    return GuardedSite(pages.router, clock)


def send(site, path, fields, **headers):
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    return visit(site, path, method="POST", body=body, **{"content_type": FORM} | headers)


def test_a_page_for_everybody_needs_no_login(site):
    assert visit(site, "/open").text == "open"


@pytest.mark.parametrize("path", ["/own", "/box", "/a/1/b/2", "/nothing/here", "/none"])
def test_who_has_not_signed_in_is_sent_to_the_login_and_from_there_back(site, path):
    sent = visit(site, path + "?x=1&y=2")
    assert (sent.status, sent.headers["location"]) == (303, f"/login?next={path}%3Fx%3D1%26y%3D2")


def test_who_asked_for_nothing_in_particular_is_sent_to_the_login_alone(site):
    assert visit(site, "/").headers["location"] == "/login"


def test_a_role_opens_what_takes_it_and_nothing_more(pages, site):
    assert visit(site, "/own", cookie=pages.sign_in()).text == "ana"
    refused = visit(site, "/box", cookie=pages.sign_in(Role.INSTALLER))
    assert (refused.status, refused.text) == (403, "administrator")
    assert visit(site, "/box", cookie=pages.sign_in(Role.ADMINISTRATOR)).text == "box"


def test_what_stands_at_the_stars_is_given_to_the_page_as_it_was_meant(pages, site):
    assert visit(site, "/a/x%2Fy/b/%C3%B1%20", cookie=pages.sign_in()).text == "x/y ñ "
    assert visit(site, "/a/1/b", cookie=pages.sign_in()).status == 404


def test_a_page_that_finds_nothing_is_as_missing_as_one_that_is_not_there(pages, site):
    for path in ("/none", "/nothing", "/own/more", "/a/../own", "/a/1/b/2/3"):
        missing = visit(site, path, cookie=pages.sign_in())
        assert (missing.status, missing.text) == (404, "missing"), path


def test_a_page_may_take_its_time_and_its_visitor_may_leave_meanwhile(pages, site):
    cookie = pages.sign_in()
    stays, leaves = Visitor(site), Visitor(site)
    for visitor in (stays, leaves):
        visitor.ask("/later", cookie=cookie)
        assert visitor.transport.value() == b""
    leaves.end()
    pages.later.callback(Reply(b"late"))
    assert stays.answer().text == "late"
    assert leaves.transport.value() == b""
    stays.end()


def test_a_page_that_breaks_says_so_in_one_sentence(pages, site):
    broken = visit(site, "/broken", cookie=pages.sign_in())
    assert broken.status == 500
    assert "ZeroDivision" not in broken.text


def test_a_form_is_taken_with_the_token_of_its_session_only(pages, site):
    cookie = pages.sign_in(Role.INSTALLER)
    token = pages.session.token
    sent = send(site, "/own", {"token": token, "a": "1"}, cookie=cookie)
    assert (sent.status, sent.headers["location"]) == (303, "/own")
    assert pages.taken == [{"token": token, "a": "1"}]
    for fields in ({}, {"token": ""}, {"token": token[:-1]}, {"token": "ñ"}):
        refused = send(site, "/own", fields, cookie=cookie)
        assert (refused.status, refused.text) == (403, "expired")
    other = pages.sign_in(Role.INSTALLER)
    assert send(site, "/own", {"token": token}, cookie=other).status == 403
    assert len(pages.taken) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/open", "/own"])
def test_a_form_from_another_site_is_not_taken_even_with_the_token(pages, site, headers, path):
    cookie = pages.sign_in(Role.INSTALLER)
    assert send(site, path, {"token": pages.session.token}, cookie=cookie, **headers).text == "expired"
    assert pages.taken == []


@pytest.mark.parametrize("headers", [{}, {"sec_fetch_site": "same-origin"}, {"origin": "http://127.0.0.1:8080"}])
def test_a_form_of_a_page_for_everybody_needs_no_token(pages, site, headers):
    assert send(site, "/open", {"a": "1"}, **headers).status == 303


def test_to_look_may_take_less_than_to_change(pages, site):
    cookie = pages.sign_in(Role.VIEWER)
    refused = send(site, "/own", {"token": pages.session.token}, cookie=cookie)
    assert (refused.status, refused.text, pages.taken) == (403, "installer", [])


def test_a_form_nobody_signed_in_for_is_sent_to_the_login_with_what_was_typed(pages, site):
    onward, _, key = (
        send(site, "/own", {"token": "x", "a": "1", "password": "x"}).headers["location"].partition("&typed=")
    )
    assert onward == "/login?next=/own"
    assert pages.sessions.forms.take(key) == Typed("/own", {"a": "1"})
    assert pages.taken == []


def test_what_another_site_sent_is_not_kept(pages, site):
    sent = send(site, "/own", {"a": "1"}, sec_fetch_site="cross-site")
    assert sent.headers["location"] == "/login"


def test_who_must_choose_a_password_can_do_nothing_else(pages, site):
    cookie = pages.sign_in(Role.ADMINISTRATOR, must_change=True)
    assert visit(site, "/box", cookie=cookie).headers["location"] == "/password"
    assert visit(site, "/password", cookie=cookie).text == "password"
    assert visit(site, "/open", cookie=cookie).text == "open"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 400),
        (b"a=1", "multipart/form-data; boundary=x", 400),
        (b"a=%FF", FORM, 400),
        (b"\xff=1", FORM, 400),
        (b"&".join(b"a=1" for _ in range(501)), FORM, 400),
        (b"a=" + b"1" * BODY_MOST, FORM, 413),
    ],
)
def test_what_is_no_form_is_refused(pages, site, body, content_type, status):
    assert send(site, "/open", body, content_type=content_type).status == status
    assert pages.taken == []


def test_other_methods_are_named(pages, site):
    cookie = pages.sign_in(Role.ADMINISTRATOR)
    asked = (("PUT", "/own", "GET, HEAD, POST"), ("POST", "/box", "GET, HEAD"), ("GET", "/post", "POST"))
    for method, path, allowed in asked:
        refused = visit(site, path, method=method, cookie=cookie)
        assert (refused.status, refused.headers["allow"]) == (405, allowed)


def test_a_head_has_no_body(pages, site):
    head = visit(site, "/own", method="HEAD", cookie=pages.sign_in())
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "3")


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"accept_language": "es-ES,es;q=0.9,en;q=0.8"}, "es"),
        ({"accept_language": "fr-CH, fr;q=0.9, es;q=0.8"}, "es"),
        ({"accept_language": "de"}, "en"),
        ({"accept_language": "es", "cookie": "language=en"}, "en"),
        ({"cookie": "language=xx; theme=purple"}, "en"),
    ],
)
def test_the_language_is_the_one_chosen_or_the_first_the_browser_offers(site, headers, language):
    assert visit(site, "/words?q=1&q=2", **headers).text == f"{language}  2"


def test_the_theme_is_the_one_chosen(site):
    assert visit(site, "/words", cookie="theme=dark").text == "en dark "


def test_a_cookie_is_kept_from_scripts_and_other_sites(site):
    assert visit(site, "/cookie").headers["set-cookie"] == "theme=dark; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"


def test_every_answer_is_forgotten_by_the_browser(pages, site):
    for path in ("/own", "/nothing", "/box"):
        assert visit(site, path, cookie=pages.sign_in()).headers["cache-control"] == "no-store"


def test_a_resource_without_pages_refuses_who_may_not_read_it(pages, clock):
    stream = LiveStream(clock, lambda topic, language: {}, dict, lambda changed: lambda: None)
    site = GuardedSite(SignedIn(stream, pages.sessions, Role.INSTALLER), clock, closing=stream.close)
    assert visit(site, "/").status == 401
    assert visit(site, "/", cookie=pages.sign_in(Role.INSTALLER, must_change=True)).status == 401
    assert visit(site, "/", cookie=pages.sign_in(Role.VIEWER)).status == 403
    assert visit(site, "/", cookie=pages.sign_in(Role.INSTALLER)).status == 200
    assert visit(site, "/", cookie=pages.sign_in(Role.INSTALLER), method="POST").status == 405


def test_a_role_is_asked_of_the_session(clock):
    visit_of_nobody = Visit(None, None, "en", "", {})
    assert not visit_of_nobody.may(Role.VIEWER)
