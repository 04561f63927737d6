import contextlib
import socket
import ssl
from functools import partial
from time import time

import pytest
import pytest_twisted
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.threads import deferToThread
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.web.resource import Resource

from concentrator.app.https import LOOK_S, MADE, OWN, Https
from concentrator.web.certificates import DAY_S, LASTS_DAYS, made, read
from concentrator.web.site import GuardedSite
from tests.support.security_box import pem_pair
from tests.support.web import NOW, StillWall


class Fingerprint(Resource):
    isLeaf = True  # noqa: N815

    def render(self, request):
        return b"secure" if request.isSecure() else b"open"


@pytest.fixture
def wall():
    return StillWall()


@pytest.fixture
def reports():
    return []


@pytest.fixture
def https(tmp_path, clock, wall, reports):
    https = Https(tmp_path, "4220080001", clock, wall, lambda name, facts: reports.append(name))
    yield https
    https.close()
    assert not clock.getDelayedCalls()


def test_a_certificate_is_made_when_https_is_first_wanted_and_kept_for_nobody_else(https, tmp_path):
    assert not https.facts()["is_there"]
    https.opened(("1.2", "1.3"))
    assert https.facts()["subject"] == "CN=CcMaster 4220080001"
    assert (tmp_path / MADE).stat().st_mode & 0o777 == 0o600
    kept = (tmp_path / MADE).read_bytes()
    https.opened(("1.3",))
    assert (tmp_path / MADE).read_bytes() == kept


def test_it_is_made_anew_before_it_ends_while_the_box_runs(https, tmp_path, wall, clock):
    https.opened(("1.2", "1.3"))
    first, context = (tmp_path / MADE).read_bytes(), https.context()
    wall.at = NOW + (LASTS_DAYS - 40) * DAY_S
    clock.advance(LOOK_S)
    assert https.context() is context
    wall.at = NOW + (LASTS_DAYS - 20) * DAY_S
    clock.advance(LOOK_S)
    assert (tmp_path / MADE).read_bytes() != first
    assert https.context() is not context
    assert https.facts()["ends_at"] > wall.at + 300 * DAY_S


def test_a_clock_that_is_not_to_be_believed_makes_nothing_anew(https, tmp_path, wall, clock):
    https.opened(("1.2", "1.3"))
    first = (tmp_path / MADE).read_bytes()
    wall.trusted = False
    wall.at = 0.0
    clock.advance(LOOK_S)
    assert (tmp_path / MADE).read_bytes() == first


def test_ones_own_is_used_before_the_boxs_and_its_end_is_reported_not_prevented(https, tmp_path, wall, clock, reports):
    https.opened(("1.2", "1.3"))
    key, certificate = pem_pair("box.example")
    assert https.install(key + certificate)["is_own"]
    assert (tmp_path / OWN).stat().st_mode & 0o777 == 0o600
    assert reports == []
    wall.at = NOW + (LASTS_DAYS - 20) * DAY_S
    clock.pump([LOOK_S] * 3)
    assert reports == ["https.ending"]
    assert read((tmp_path / OWN).read_bytes()).names == ("box.example",)
    assert not https.make_anew()["is_own"]
    assert not (tmp_path / OWN).exists()


def test_a_damaged_file_costs_the_certificate_not_https(https, tmp_path):
    (tmp_path / OWN).write_bytes(b"nonsense")
    (tmp_path / MADE).write_bytes(b"nonsense")
    https.opened(("1.2", "1.3"))
    assert https.facts()["subject"] == "CN=CcMaster 4220080001"


def connected(port, authority, version):
    """What TLS is agreed upon, and what a page says, in one connection that allows that version only."""
    context = ssl.create_default_context(cadata=authority)
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        content = b""
        while chunk := secure.recv(4096):
            content += chunk
        return secure.version(), content


@pytest_twisted.ensureDeferred
async def test_tls_is_spoken_in_the_versions_that_were_chosen_and_never_in_older_ones(tmp_path):
    https = Https(tmp_path, "4220080001", reactor, StillWall(time()), lambda name, facts: None)
    site = GuardedSite(Fingerprint(), reactor)
    try:
        for chosen, spoken in (
            (("1.2", "1.3"), {"TLSv1.2", "TLSv1.3"}),
            (("1.3",), {"TLSv1.3"}),
            (("1.2",), {"TLSv1.2"}),
        ):
            wrapped = TLSMemoryBIOFactory(https.opened(chosen), False, site)
            port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(wrapped)
            _, mark, certificate = (tmp_path / MADE).read_text().partition("-----BEGIN CERTIFICATE-----")
            found = set()
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                ask = partial(connected, port.getHost().port, mark + certificate, version)
                try:
                    name, content = await deferToThread(ask)
                except (ssl.SSLError, ConnectionError):
                    continue
                found.add(name)
                assert content.endswith(b"secure")
            assert found == spoken
            await port.stopListening()
    finally:
        https.close()


def test_old_versions_of_tls_are_refused_by_the_context_itself(https):
    https.opened(("1.2", "1.3"))
    creator = https.opened(("1.2", "1.3"))
    server = creator.serverConnectionForTLS(None)
    client = SSL.Context(SSL.TLS_METHOD)
    client.set_max_proto_version(SSL.TLS1_1_VERSION)
    client.set_cipher_list(b"ALL:@SECLEVEL=0")
    connection = SSL.Connection(client, None)
    server.set_accept_state()
    connection.set_connect_state()
    with pytest.raises(SSL.Error):
        for _ in range(4):
            for one, other in ((connection, server), (server, connection)):
                with contextlib.suppress(SSL.WantReadError):
                    one.do_handshake()
                with contextlib.suppress(SSL.WantReadError):
                    other.bio_write(one.bio_read(2**16))


def test_the_made_certificate_is_what_read_gives_back():
    found = made("4220080001", ["box"], NOW)
    assert read(found.pem) == found
