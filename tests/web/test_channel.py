import pytest
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from concentrator.web.conduct import Conduct
from concentrator.web.site import VISITS_MOST, GuardedSite
from tests.support.web import Visit, visit


class Echo(Resource):
    isLeaf = True  # noqa: N815

    def render(self, request):
        if request.path == b"/later":
            self.waiting = request
            return NOT_DONE_YET
        if request.path == b"/broken":
            raise MemoryError
        return b"x" * 100


@pytest.fixture
def echo():
    return Echo()


@pytest.fixture
def site(echo, clock):
    yield GuardedSite(echo, clock, stamp=lambda: "10:41:07")
    assert not clock.getDelayedCalls()


def counts(site):
    return {label: number for label, number in site.http_log.counts() if number}


def test_a_request_that_comes_in_too_slowly_is_ended_however_steadily_it_comes(site, clock):
    visitor = Visit(site)
    for byte in b"GET / HTTP/1.1\r\nHo":
        visitor.channel.dataReceived(bytes([byte]))
        clock.advance(0.7)
        if visitor.transport.disconnecting:
            break
    assert visitor.transport.value().startswith(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n")
    assert visitor.transport.disconnecting
    assert counts(site)["408 - Request Timeout"] == 1
    visitor.end()


def test_a_body_that_comes_in_too_slowly_is_ended_too(site, clock):
    visitor = Visit(site)
    visitor.channel.dataReceived(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(10):
        visitor.channel.dataReceived(b"x")
        clock.advance(1)
    assert visitor.transport.value().startswith(b"HTTP/1.1 408 ")
    visitor.end()


def test_how_long_a_request_may_take_is_the_sites_of_now(site, clock):
    site.conduct = Conduct(timeout_s=3.0)
    visitor = Visit(site)
    visitor.channel.dataReceived(b"GET / HTTP/1.1\r\n")
    clock.advance(2.9)
    assert not visitor.transport.disconnecting
    clock.advance(0.2)
    assert visitor.transport.disconnecting
    visitor.end()


def test_an_answer_may_take_as_long_as_it_takes(site, echo, clock):
    visitor = Visit(site)
    visitor.ask("/later")
    clock.advance(300)
    assert not visitor.transport.disconnecting
    echo.waiting.write(b"there")
    echo.waiting.finish()
    assert b"there" in visitor.transport.value()
    visitor.end()


def test_a_second_request_has_its_own_time(site, clock):
    visitor = Visit(site)
    visitor.ask("/")
    clock.advance(9)
    visitor.ask("/")
    clock.advance(9)
    assert visitor.transport.value().count(b"200 OK") == 2
    assert not visitor.transport.disconnecting
    visitor.end()


def test_everything_on_the_wire_is_counted(site):
    visitor = Visit(site)
    visitor.ask("/")
    sent = len(visitor.transport.value())
    assert counts(site)["Tx Bytes"] == sent
    assert counts(site)["Rx Bytes"] == len(b"GET / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\n\r\n")
    visitor.channel.connectionLost(Failure(ConnectionLost()))
    assert counts(site)["Socket Error"] == 1


def test_each_answer_is_counted_by_its_status_also_those_that_never_became_a_request(site):
    visit(site, "/")
    visit(site, "/", method="BREW")
    visit(site, "/broken")
    bad = Visit(site)
    bad.channel.dataReceived(b"nonsense\r\n\r\n")
    bad.end()
    found = counts(site)
    assert (found["200 - OK"], found["501 - Not Implemented"], found["400 - Bad Request"]) == (1, 1, 1)
    assert (found["Status Unknown"], found["Memory Error"]) == (1, 1)


def test_more_visitors_than_there_is_room_for_are_turned_away_and_counted(site):
    visitors = [Visit(site) for _ in range(VISITS_MOST)]
    assert site.buildProtocol(None) is None
    assert counts(site)["Work Queue Full"] == 1
    visitors.pop().end()
    visitors.append(Visit(site))
    for each in visitors:
        each.end()


def test_requests_are_noted_as_the_site_says_now(site):
    visit(site, "/a?b=c", user_agent="Probe")
    assert site.http_log.lines() == ('127.0.0.1 10:41:07 "GET /a?b=c HTTP/1.1" 200 100 "-" "Probe"',)
    site.conduct = Conduct(log_format="%s", log_entries=1)
    visit(site, "/")
    assert site.http_log.lines() == ("200",)
    site.conduct = Conduct(is_logging=False)
    visit(site, "/")
    assert site.http_log.lines() == ("200",)


def test_how_much_a_body_may_be_is_the_sites_of_now(echo, site):
    assert Conduct().bytes_most == 40_960
    bodies = []
    echo.render = lambda request: bodies.append(request.content.too_big) or b""
    visit(site, "/", method="POST", body=b"x" * 40_960)
    visit(site, "/", method="POST", body=b"x" * 40_961)
    site.conduct = Conduct(bytes_most=2048)
    visit(site, "/", method="POST", body=b"x" * 2049)
    assert bodies == [False, True, True]
