import subprocess
import sys

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.logger import globalLogPublisher
from twisted.web.resource import Resource

from concentrator.web.site import BODY_MOST, GuardedSite, is_loopback_name, loopback_reader
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
    return GuardedSite(Echo(), clock, loopback_reader)


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "127.0.0.1", "localhost:8080", "LocalHost", "localhost.:80", "[::1]:8080", "127.1.2.3"],
)
def test_a_visitor_by_a_loopback_name_is_let_in(site, host):
    assert visit(site, "/", host=host).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8080", "192.168.4.1", "localhost.evil.example", "127.0.0.1.evil.example", "[::2]", "", ":80"]
)
def test_a_page_from_elsewhere_cannot_read_us_through_the_visitors_browser(site, host):
    refused = visit(site, "/", host=host)
    assert refused.status == 403
    assert "nothing" not in refused.text


@pytest.mark.parametrize(
    ("peer", "status"),
    [
        (IPv4Address("TCP", "127.0.0.1", 1), 200),
        (IPv6Address("TCP", "::1", 1), 200),
        (IPv6Address("TCP", "::ffff:127.0.0.1", 1), 200),
        (UNIXAddress(None), 200),
        (IPv4Address("TCP", "192.168.4.7", 1), 403),
        (IPv6Address("TCP", "2001:db8::1", 1), 403),
        (None, 403),
    ],
)
def test_only_visitors_from_this_machine_are_let_in_whatever_the_site_listens_on(site, peer, status):
    assert visit(site, "/", peer=peer).status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_nothing_can_be_done_through_a_door_for_readers(site, method):
    refused = visit(site, "/", method=method)
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


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
    assert broken.text == "This page failed; the box goes on reading. Its log says why.\n"
    assert [event["log_failure"].type for event in logged if "log_failure" in event] == [ZeroDivisionError]


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


@pytest.mark.parametrize(
    ("name", "is_ours"), [("127.255.0.1", True), ("::1", True), ("0.0.0.0", False), ("localhost", True), ("box", False)]
)
def test_only_names_that_no_name_server_can_change_mean_this_machine(name, is_ours):
    assert is_loopback_name(name) is is_ours


def test_the_web_parts_load_without_the_reactor_and_without_the_template_library():
    loaded = "import sys, concentrator.portal.doors; print(*(m for m in sys.modules))"
    names = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()
    assert not {"twisted.internet.reactor", "jinja2"} & set(names)
