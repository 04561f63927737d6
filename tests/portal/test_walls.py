"""What nobody gets past: every page and every other address by every role, forms of other sites, addresses that lead
out of their folder, requests that are too long, lines that would become headers, texts that would become markup."""

import json
import re
from html.parser import HTMLParser

import pytest
from attrs import evolve
from twisted.internet.interfaces import ISSLTransport
from zope.interface import alsoProvides

from concentrator.line.trace import Traced
from concentrator.portal.pages.login import local
from concentrator.web.access import Role
from concentrator.web.route import COOKIE, SECURE_COOKIE
from concentrator.web.session import GRACE_S, ROTATED_S
from tests.support.security_box import SecurityBox
from tests.support.web import NOW, Visit, device, form_of, visit
from tests.web.test_users import GOOD, now

OPEN_PAGES = {"/login", "/look"}
OPEN_FOLDERS = {"static", "healthz"}
"""What anybody may see: it says nothing about the plant."""
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture
def box(tmp_path):
    box = SecurityBox(tmp_path)
    now(box.users.begin("admin", "admin"))
    return box


@pytest.fixture
def site(box, clock):
    yield box.site(clock)
    for call in clock.getDelayedCalls():
        call.cancel()


def routes(site):
    return list(site.resource._router.book.routes())


def address(route):
    return route.path.replace("*", "x")


def below(role):
    return [each for each in Role if not each.covers(role)]


def test_no_page_is_open_to_who_has_not_signed_in_but_those_that_say_nothing(site):
    for route in routes(site):
        if route.role is None:
            assert route.path in OPEN_PAGES
            continue
        for request in ({}, {"method": "HEAD"}, form_of({"token": "x"}), {"method": "PUT"}, {"method": "DELETE"}):
            told = visit(site, address(route), **request)
            assert told.status == 303 and told.headers["location"].startswith("/login"), (route.path, request)
            assert "Main" not in told.text


def test_no_page_opens_to_a_lesser_role_than_its_own(box, site):
    for route in routes(site):
        for method, needed in ((b"GET", route.needs(b"GET")), (b"POST", route.needs(b"POST"))):
            for role in below(needed) if needed else ():
                request = {"fields": {}} if method == b"POST" else {}
                assert box.as_(role, site, address(route), **request).status == 403, (route.path, role)


def test_no_form_is_taken_from_a_page_that_is_not_of_the_session(box, site):
    strangers = (
        {"token": ""},
        {"token": "wrong"},
        {"token": box.sessions.find(box.keys[Role.VIEWER]).token},
    )
    for route in (each for each in routes(site) if each.post and each.role):
        cookie = f"{COOKIE}={box.keys[Role.ADMINISTRATOR]}"
        for fields in strangers:
            assert visit(site, address(route), cookie=cookie, **form_of(fields)).status == 403, route.path
        right = {"token": box.sessions.find(box.keys[Role.ADMINISTRATOR]).token}
        for origin in ({"origin": "http://evil.example"}, {"sec_fetch_site": "cross-site"}, {"origin": "null"}):
            assert visit(site, address(route), cookie=cookie, **form_of(right), **origin).status == 403, route.path


def test_who_must_choose_a_password_comes_to_nothing_else(box, site):
    key, session = box.sessions.begin("admin", Role.ADMINISTRATOR, must_change=True)
    for route in routes(site):
        if route.role is None or route.path in ("/password", "/logout"):
            continue
        for request in ({}, form_of({"token": session.token})):
            told = visit(site, address(route), cookie=f"{COOKIE}={key}", **request)
            assert (told.status, told.headers["location"]) == (303, "/password"), route.path


def test_nothing_beside_the_pages_is_open_either(box, site):
    names = {name.decode() for name in site.resource.children}
    assert {"live", "api", "metrics", "static"} <= names
    must = f"{COOKIE}={box.sessions.begin('admin', Role.ADMINISTRATOR, must_change=True)[0]}"
    for name in names - OPEN_FOLDERS:
        for under in ("", "/v1", "/v1/status", "/v1/devices", "/v1/actions/reboot", "/v1/events", "/status"):
            for cookie in ("", must, f"{COOKIE}={'a' * 43}"):
                told = visit(site, f"/{name}{under}", cookie=cookie)
                assert told.status in (401, 404, 405) or (told.status, told.headers.get("location")) == (
                    303,
                    "/login",
                ), name
                assert "Main" not in told.text and "4220080001" not in told.text, (name, under)


def test_a_key_that_was_found_out_is_worth_little_for_long(box, site, clock):
    stolen = box.keys[Role.VIEWER]
    clock.advance(ROTATED_S)
    told = box.as_(Role.VIEWER, site, "/password")
    key = re.match(rf"{COOKIE}=([^;]+)", told.headers["set-cookie"])[1]
    assert key != stolen
    assert visit(site, "/password", cookie=f"{COOKIE}={stolen}").status == 200
    clock.advance(GRACE_S + 1)
    assert visit(site, "/password", cookie=f"{COOKIE}={stolen}").status == 303
    assert visit(site, "/password", cookie=f"{COOKIE}={key}").status == 200


def test_the_key_of_an_encrypted_session_is_never_said_in_the_open(box, site):
    def secure(path, **request):
        visitor = Visit(site)
        alsoProvides(visitor.transport, ISSLTransport)
        visitor.ask(path, **request)
        try:
            return visitor.answer()
        finally:
            visitor.end()

    told = secure("/login", **form_of({"user": "admin", "password": "admin"}))
    key, *how = told.headers["set-cookie"].split("; ")
    assert key.startswith(f"{SECURE_COOKIE}=") and {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} == set(how)
    assert secure("/password", cookie=key).status == 200
    assert visit(site, "/password", cookie=key).status == 303
    assert secure("/password", cookie=key.replace(SECURE_COOKIE, COOKIE)).status == 303


@pytest.mark.parametrize(
    "path",
    [
        "/static/../session.py", "/static/..%2f..%2fweb/session.py", "/static/%2e%2e/session.py", "/static//etc/passwd",
        "/static/....//session.py", "/static/..\\session.py", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
        "/devices/..%2f..%2fetc%2fpasswd", "/lines/..%2f..%2fstate%2fusers.json/trace.txt", "/static/users.json",
        "/static/%00portal.css", "/devices/%00", "/devices/%ff%fe", "/lines/%c0%ae%c0%ae/trace.txt",
    ],
)  # fmt: skip
def test_no_address_leads_out_of_its_folder(box, site, path):
    told = box.as_(Role.ADMINISTRATOR, site, path)
    assert told.status in (303, 400, 404), (path, told.status)
    assert "root:" not in told.text and "import" not in told.text


def test_a_form_that_is_too_long_and_an_address_that_is_are_refused(box, site):
    long = box.as_(Role.ADMINISTRATOR, site, "/password", fields={"new": "x" * 50_000})
    assert long.status == 413
    for head in (
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
    ):
        visitor = Visit(site)
        visitor.channel.dataReceived(head)
        assert visitor.transport.disconnecting
        assert b" 200 " not in visitor.transport.value()
        visitor.end()
    many = "&".join(f"f{number}=x" for number in range(2000)).encode()
    cookie = f"{COOKIE}={box.keys[Role.ADMINISTRATOR]}"
    told = visit(
        site, "/password", cookie=cookie, method="POST", body=many, content_type="application/x-www-form-urlencoded"
    )
    assert told.status == 400


@pytest.mark.parametrize(
    "address_",
    ["/login?next=/x%0d%0aSet-Cookie:%20evil=1", "/devices%0d%0aSet-Cookie:%20evil=1", "/x%0aLocation:%20//evil"],
)
def test_no_line_of_an_address_becomes_a_header(box, site, address_):
    for told in (visit(site, address_), box.as_(Role.ADMINISTRATOR, site, address_)):
        assert "evil" not in told.headers.get("set-cookie", "")
        assert not told.headers.get("location", "").startswith("//")
    sent = {"user": "admin", "password": "admin", "next": "/x\r\nSet-Cookie: evil=1"}
    assert "evil" not in str(visit(site, "/login", **form_of(sent)).headers)
    assert local("/x\r\nSet-Cookie: evil=1") == "/"


class Markup(HTMLParser):
    """What a browser would make of a page: scripts, and attributes that would become them."""

    def __init__(self):
        super().__init__()
        self.bad = []

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if tag == "script" and not (told.get("src") or "").startswith("/static/"):
            self.bad.append(tag)
        if tag == "img" and told.get("src") == "x":
            self.bad.append(tag)
        self.bad += [name for name in told if name.startswith("on") or name == "style"]
        self.bad += [value for value in told.values() if (value or "").lower().startswith("javascript:")]


def markup(text):
    parser = Markup()
    parser.feed(text)
    return parser.bad


def pages(box, site, *paths):
    for path in paths:
        told = box.as_(Role.ADMINISTRATOR, site, path)
        assert told.status == 200, path
        yield path, told.text


def test_nothing_that_comes_from_a_bus_or_a_file_becomes_markup(box, site):
    box.devices = [device("main", alias=EVIL, serial=EVIL, model=EVIL, trouble=EVIL, firmware=EVIL, health="silent")]
    box.lines = [evolve(box.lines[0], endpoint=EVIL, trouble=EVIL, is_open=False)]
    box.exchanges = [Traced(NOW - 1, NOW, 1, b"ask", b"answer", EVIL)]
    for path, text in pages(box, site, "/devices/ccm", "/devices/main", "/lines/native"):
        assert markup(text) == [], path
        assert EVIL not in text


def test_nothing_that_a_broker_or_its_server_says_becomes_markup(box, site):
    box.uplinks = [evolve(box.uplinks[0], name=EVIL, address=EVIL, trouble=EVIL, is_up=False)]
    for path, text in pages(box, site, "/info", "/devices/ccm"):
        assert markup(text) == [], path
        assert EVIL not in text


def test_what_the_live_stream_sends_is_no_markup_either(box, site):
    box.devices = [device("main", alias=EVIL, trouble=EVIL, health="silent")]
    visitor = Visit(site)
    visitor.ask("/live?of=main", cookie=f"{COOKIE}={box.keys[Role.VIEWER]}")
    frames = visitor.frames()
    visitor.end()
    # The page's script puts texts where texts are: JSON carries them as they are, on one line.
    assert all(json.loads(json.dumps(content)) == content for _, content in frames)
    script = (site.resource.children[b"static"].children[b"live.js"])._content.decode()
    assert "innerHTML" not in script and "insertAdjacentHTML" not in script and "eval(" not in script


def test_no_script_puts_text_where_markup_is(site):
    for name, file in site.resource.children[b"static"].children.items():
        if name.endswith(b".js"):
            text = file._content.decode()
            assert not re.search(r"outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), name


def test_what_somebody_typed_comes_back_as_text(box, site):
    told = visit(site, "/login", **form_of({"user": EVIL, "password": EVIL, "next": EVIL}))
    assert markup(told.text) == []
    assert EVIL not in told.text
    for path in (f"/settings/web/authentication?for={EVIL}", f"/menu?q={EVIL}", f"/devices/add?q={EVIL}"):
        told = box.as_(Role.ADMINISTRATOR, site, path.replace(" ", "%20").replace('"', "%22"))
        assert markup(told.text) == [], path


def test_no_answer_and_no_audit_has_a_secret(box, site):
    now(box.users.set_password("admin", GOOD))
    hashes = [each.password for each in box.users]
    secrets = [GOOD, *hashes, *box.keys.values(), "hunter2"]
    for route in routes(site):
        if route.get is not None:
            told = box.as_(Role.ADMINISTRATOR, site, address(route))
            assert not any(secret in told.text for secret in secrets), route.path
    assert not any(secret in str(entry) for entry in box.audit for secret in secrets)
    assert not any(secret in line for line in site.http_log.lines() for secret in secrets)
