import json

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint, UNIXClientEndpoint, UNIXServerEndpoint
from twisted.web.client import Agent, HTTPConnectionPool, readBody
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from concentrator.portal.doors import build_control_site
from concentrator.web.access import Role
from concentrator.web.route import COOKIE
from tests.support.web import FakeBox


@implementer(IAgentEndpointFactory)
class OnSocket:
    """Sends every request to one socket."""

    def __init__(self, path):
        self.path = path

    def endpointForURI(self, uri):  # noqa: N802
        return UNIXClientEndpoint(reactor, self.path)


@pytest.fixture
def pool():
    pool = HTTPConnectionPool(reactor, persistent=False)
    yield pool
    pytest_twisted.blockon(pool.closeCachedConnections())


@pytest_twisted.ensureDeferred
async def test_the_control_socket_answers_over_a_real_socket(tmp_path, pool):
    path = str(tmp_path / "control.sock")
    port = await UNIXServerEndpoint(reactor, path, mode=0o600).listen(
        build_control_site(FakeBox().table, clock=reactor)
    )
    agent = Agent.usingEndpointFactory(reactor, OnSocket(path), pool)
    try:
        answer = await agent.request(b"GET", b"http://localhost/api/status")
        assert answer.code == 200
        assert json.loads(await readBody(answer))["box"]["serial"] == "4220080001"
        refused = await agent.request(b"POST", b"http://localhost/api/actions/reboot")
        assert refused.code == 404
        await readBody(refused)
    finally:
        await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_the_page_answers_over_a_real_connection_and_stops_with_its_port(pool):
    box = FakeBox()
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(box.site(reactor))
    address = f"http://127.0.0.1:{port.getHost().port}".encode()
    agent = Agent(reactor, pool=pool)
    try:
        signed_in = Headers({b"cookie": [f"{COOKIE}={box.keys[Role.VIEWER]}".encode()]})
        page = await agent.request(b"GET", address + b"/devices", signed_in)
        assert page.code == 200
        assert b"2 of 2 devices answer" in await readBody(page)
        stream = await agent.request(b"GET", address + b"/live", signed_in)
        assert len(box.subscribers) == 1
    finally:
        await port.stopListening()
    assert b"event: cells" in await readBody(stream)
    assert box.subscribers == []
