"""Cloud sessions over real connections: in clear and over TLS, compressed and not, with a server somebody vouches
for and with one nobody does."""

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet import reactor, ssl
from twisted.internet.defer import Deferred

from concentrator.app.clouds import _endpoint
from concentrator.app.config_smartgen import SmartgenSection
from concentrator.app.simulate_cloud import House
from concentrator.genset.session import Session
from concentrator.genset.terms import Surroundings, Terms
from concentrator.sim.smartgen_cloud import CloudServer
from concentrator.wire.smartgen import Changes, FullSet, Login
from tests.support.certificates import identity
from tests.support.smartgen_cloud import ANSWER, LOGIN, Genset

PATIENCE_S = 30


async def stood(section, server, port, wanted):
    """A session until its server has heard what is wanted of it, or the session waits; gives how it stood."""
    done, standing = Deferred(), []
    server.answer = evolve(server.answer, live=("localhost", port))

    def stands(words):
        standing.append(words)
        if words.startswith("Waiting") and not done.called:
            done.callback(None)

    def heard(message):
        if isinstance(message, wanted) and not done.called:
            done.callback(None)

    server.on_heard = heard
    reach = _endpoint(reactor)
    around = Surroundings(reactor, lambda *place: reach(section, *place), lambda: 0.0, on_standing=stands)
    login = evolve(LOGIN, can_deflate=section.compress)
    session = Session(Terms(login, ("localhost", port)), Genset(reactor), around)
    session.begin()
    await done.addTimeout(PATIENCE_S, reactor)
    session.end()
    return standing


async def gone(house):
    """The server's connections are over."""
    while house.connections:
        moment = Deferred()
        reactor.callLater(0, moment.callback, None)
        await moment


@pytest.fixture
def house():
    return House(CloudServer(ANSWER, can_deflate=True))


@pytest_twisted.ensureDeferred
async def test_over_tls_with_a_server_that_its_authority_vouches_for(house, tmp_path):
    authority = identity(tmp_path, "authority", is_authority=True)
    own = identity(tmp_path, "server", authority)
    port = reactor.listenSSL(
        0, house, ssl.DefaultOpenSSLContextFactory(own.key_file, own.cert_file), interface="127.0.0.1"
    )
    section = SmartgenSection("gen", server="tls:localhost:1", ca_file=authority.cert_file)
    standing = await stood(section, house.server, port.getHost().port, Changes)
    await port.stopListening()
    await gone(house)
    assert standing == ["Registering", "Connecting", "Online", "Stopped"]
    assert [type(each) for each in house.server.heard[:1]] == [Login]


@pytest_twisted.ensureDeferred
async def test_a_server_that_nobody_vouches_for_is_told_nothing(house, tmp_path):
    own, other = identity(tmp_path, "server"), identity(tmp_path, "other", is_authority=True)
    port = reactor.listenSSL(
        0, house, ssl.DefaultOpenSSLContextFactory(own.key_file, own.cert_file), interface="127.0.0.1"
    )
    section = SmartgenSection("gen", server="tls:localhost:1", ca_file=other.cert_file)
    standing = await stood(section, house.server, port.getHost().port, Changes)
    await port.stopListening()
    await gone(house)
    assert standing[:1] == ["Registering"] and standing[1].startswith("Waiting: ")
    assert house.server.heard == []


@pytest.mark.parametrize("compress", [False, True])
@pytest_twisted.ensureDeferred
async def test_in_clear_compressed_or_not(house, compress):
    house.server.answer = evolve(ANSWER, is_full=True, is_deflated=True)
    port = reactor.listenTCP(0, house, interface="127.0.0.1")
    section = SmartgenSection("gen", server="tcp:localhost:1", compress=compress)
    standing = await stood(section, house.server, port.getHost().port, FullSet)
    await port.stopListening()
    await gone(house)
    assert standing[:3] == ["Registering", "Connecting", "Online"]
    assert house.server.faults == []
