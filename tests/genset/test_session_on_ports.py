"""A genset's cloud session over real sockets, with a server that hands each segment to a strict parser alone and loses
what is not exactly one message."""

import json

import pytest_twisted
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol

from concentrator.genset.session import Session
from concentrator.genset.terms import Surroundings, Terms
from concentrator.wire.smartgen import from_device
from concentrator.wire.smartgen_server import Acknowledged, Reset, TimeTold, WriteConfig
from tests.support.smartgen_cloud import ANSWER, LOGIN, ONCE, Genset

PATIENCE_S = 30
AUTO = "00050003FF007DEB"


class StrictServer(Factory):
    """Parses each segment alone, and answers at once; `script` says what else it says after which message, once."""

    def __init__(self, script, last):
        self.script, self.last = dict(script), last
        self.heard, self.done, self.connections = [], Deferred(), []

    def buildProtocol(self, address):  # noqa: N802
        return StrictConnection(self)

    def hear(self, connection, message):
        kind = message["method"]
        self.heard.append(kind)
        from_device(message)
        if kind == "login":
            connection.say(evolve(ANSWER, live=self.live, once=(ONCE,)).written())
        elif kind == "timing":
            connection.say(TimeTold(1497811080.0).written())
        elif kind in ("LongCon", "HB", "reqdata", "reqdatachange"):
            connection.say(Acknowledged(kind.lower()).written())
        if self.heard.count(self.last) == 2 and not self.done.called:
            self.done.callback(None)
        connection.say(self.script.pop(kind, b""))


class StrictConnection(Protocol):
    def __init__(self, server):
        self.server = server

    def connectionMade(self):  # noqa: N802
        self.server.connections.append(self)

    def dataReceived(self, data):  # noqa: N802
        self.server.hear(self, json.loads(data))

    def say(self, segment):
        if segment:
            self.transport.write(segment)

    def connectionLost(self, reason):  # noqa: N802
        self.server.connections.remove(self)


@pytest_twisted.ensureDeferred
async def test_a_strict_server_gets_each_message_alone_through_a_write_and_a_reset():
    from twisted.internet import reactor

    script = {"reqdata": WriteConfig(AUTO, uid="7").written(), "writeConfig": Reset().written()}
    server = StrictServer(script, last="reqdatachange")
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(server)
    server.live = ("127.0.0.1", port.getHost().port)
    standing, genset = [], Genset(reactor)
    around = Surroundings(
        reactor, lambda *place: HostnameEndpoint(reactor, *place), lambda: 0.0, on_standing=standing.append
    )
    session = Session(Terms(LOGIN, server.live, allow_write=True), genset, around)
    session.begin()
    await server.done.addTimeout(PATIENCE_S, reactor)
    session.end()
    await port.stopListening()
    while server.connections:
        await _a_moment(reactor)
    first, again = ["login", "LongCon", "timing"], ["login", "LongCon"]
    assert server.heard[:3] == first
    assert server.heard.index("writeConfig") < server.heard.index("reset")
    assert server.heard[server.heard.index("reset") + 1 :][:2] == again
    assert [each.unit for each in genset.writes] == [1]
    assert standing == ["Registering", "Connecting", "Online"] * 2 + ["Stopped"]


def _a_moment(reactor):
    moment = Deferred()
    reactor.callLater(0, moment.callback, None)
    return moment
