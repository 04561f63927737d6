import re
import subprocess
import sys
from http import HTTPStatus

import pytest
from twisted.logger import globalLogPublisher
from twisted.web.resource import Resource

from concentrator.web.site import BODY_MOST, GuardedSite, Refusal
from tests.support.web import Visit, visit


class Echo(Resource):
    """Answers with what it was sent."""

    isLeaf = True  # noqa: N815

    def render(self, request):
        body = request.content
        return b"too big" if body.too_big else body.read() or b"nothing"


class Broken(Resource):
    """Never works."""

    isLeaf = True  # noqa: N815

    def render(self, request):
        raise ZeroDivisionError("a secret")


@pytest.fixture
def site(clock):
    return GuardedSite(Echo(), clock)


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def test_who_is_refused_is_told_why_and_gets_nothing_else(clock):
    site = GuardedSite(Echo(), clock, lambda request: Refusal(HTTPStatus.FORBIDDEN, "Not on Sundays."))
    refused = visit(site, "/")
    assert (refused.status, refused.text) == (403, "Not on Sundays.\n")


@pytest.mark.parametrize("request_", [{}, {"host": "evil.example"}, {"method": "POST"}])
def test_every_answer_carries_the_security_headers_and_names_no_server(site, request_):
    headers = visit(site, "/", **request_).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers and "set-cookie" not in headers


def test_a_body_beyond_the_limit_is_thrown_away_and_known_for_it(clock):
    site = GuardedSite(Echo(), clock)
    assert visit(site, "/", method="POST", body=b"x" * BODY_MOST).body == b"x" * BODY_MOST
    assert visit(site, "/", method="POST", body=b"x" * (BODY_MOST + 1)).text == "too big"


def test_a_body_of_unknown_length_is_limited_too(clock):
    visitor = Visit(GuardedSite(Echo(), clock))
    visitor.channel.dataReceived(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(20):
        visitor.channel.dataReceived(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
    visitor.channel.dataReceived(b"0\r\n\r\n")
    assert visitor.answer().text == "too big"
    visitor.end()


def test_a_page_that_breaks_says_so_and_its_words_stay_in_the_log(clock, logged):
    broken = visit(GuardedSite(Broken(), clock), "/")
    assert broken.status == 500
    said = re.fullmatch(r"This page failed; the box goes on reading. Note ([0-9a-f]{6}) for support.\n", broken.text)
    (failed,) = (event for event in logged if "log_failure" in event)
    assert (failed["log_failure"].type, failed["number"]) == (ZeroDivisionError, said.group(1))


def test_a_site_keeps_no_access_log_and_says_when_it_is_served_no_more(clock, logged):
    closed = []
    site = GuardedSite(Echo(), clock, closing=lambda: closed.append(1))
    site.doStart()
    visit(site, "/")
    assert not clock.getDelayedCalls()
    site.doStop()
    assert closed == [1]
    assert logged == []


def test_a_site_that_is_served_no_more_lets_open_connections_go(clock, site):
    visitor, gone = Visit(site), Visit(site)
    gone.end()
    site.doStart()
    site.doStop()
    assert visitor.transport.disconnecting
    visitor.end()


def test_an_idle_connection_is_let_go(clock, site):
    visitor = Visit(site)
    clock.pump([1.0] * 61)
    assert visitor.transport.disconnecting or visitor.transport.disconnected
    visitor.end()


def test_the_web_parts_load_without_the_reactor_and_without_the_template_library():
    loaded = "import sys, concentrator.portal.doors; print(*(m for m in sys.modules))"
    names = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()
    assert not {"twisted.internet.reactor", "jinja2"} & set(names)
