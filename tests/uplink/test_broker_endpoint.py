import contextlib
import socket
import ssl
import threading

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost, DNSLookupError
from twisted.internet.interfaces import IHostnameResolver
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from zope.interface import implementer

from concentrator.uplink.broker_endpoint import Trust, broker_endpoint, spoken
from tests.support.certificates import identity


class VerificationError(Exception):
    """Stands for service_identity's."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionDone(), "the other end closed the connection"),
        (ConnectionLost(), "the connection broke"),
        (DNSLookupError("no such host"), "DNS lookup failed: no such host"),
        (ConnectError(string="no route"), "An error occurred while connecting: no route"),
        (VerificationError(["x"]), "the certificate is not for this host"),
        (Exception([("SSL routines", "", "wrong version"), ("SSL", "", "eof")]), "TLS: wrong version; eof"),
        (Exception([]), "TLS: failed"),
        (KeyError(), "KeyError"),
    ],
)
def test_what_went_wrong_is_said_in_words(error, words):
    assert spoken(Failure(error)) == words


def refusal(trust):
    """Why a connection with that trust is not even begun."""
    clock, failed = MemoryReactorClock(), []
    broker_endpoint(clock, "127.0.0.1", 8883, trust).connect(Factory()).addErrback(failed.append)
    assert not clock.tcpClients
    return failed[0].value.detail


def test_a_certificate_file_that_is_none_fails_the_connection_in_words(tmp_path):
    empty, absent = str(tmp_path / "empty"), str(tmp_path / "absent")
    (tmp_path / "empty").write_text("nothing here")
    for trust in (Trust(ca_file=empty), Trust(pinned_file=empty), Trust(own_cert_file=empty)):
        assert refusal(trust) == f"there is no certificate in {empty}"
    assert "No such file" in refusal(Trust(ca_file=absent))
    assert absent in refusal(Trust(ca_file=absent))


def test_our_own_certificate_needs_its_own_key(tmp_path):
    ours, other = identity(tmp_path, "ours"), identity(tmp_path, "other")
    for cert_file, key_file, words in (
        (ours.cert_file, other.key_file, f"the key in {other.key_file} is that of another certificate"),
        (ours.cert_file, "", f"there is no key in {ours.cert_file} that can be read without a password"),
        (ours.key_file, ours.key_file, f"there is no certificate in {ours.key_file}"),
    ):
        assert refusal(Trust(own_cert_file=cert_file, own_key_file=key_file)) == words


class OldServer(threading.Thread):
    """Speaks TLS up to a version, once."""

    def __init__(self, who, newest):
        super().__init__(daemon=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(who.cert_file, who.key_file)
        self.context.set_ciphers("ALL:@SECLEVEL=0")
        self.context.minimum_version = ssl.TLSVersion.TLSv1
        self.context.maximum_version = newest
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.spoke = ""
        self.start()

    def run(self):
        with self.listening, contextlib.suppress(OSError):
            connection, _ = self.listening.accept()
            connection.settimeout(10)
            with self.context.wrap_socket(connection, server_side=True) as tls:
                self.spoke = tls.version()
                tls.recv(1)


@pytest.mark.parametrize("how", ["authority", "pinned"])
@pytest.mark.parametrize(
    ("newest", "spoken_version"), [("TLSv1_1", ""), ("TLSv1_2", "TLSv1.2"), ("TLSv1_3", "TLSv1.3")]
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest_twisted.ensureDeferred
async def test_nothing_older_than_tls_1_2_is_spoken(tmp_path, how, newest, spoken_version):
    from twisted.internet import reactor

    authority = identity(tmp_path, "authority", is_authority=True)
    who = identity(tmp_path, "server", authority)
    server = OldServer(who, ssl.TLSVersion[newest])
    trust = Trust(ca_file=authority.cert_file) if how == "authority" else Trust(pinned_file=who.cert_file)
    endpoint = broker_endpoint(reactor, "127.0.0.1", server.port, trust)
    protocol = Protocol()
    ended = protocol.connectionLost = Mark()
    await endpoint.connect(Factory.forProtocol(lambda: protocol))
    protocol.transport.write(b"x")
    await deferToThread(server.join, 10)
    assert server.spoke == spoken_version
    if not ended.made.called:
        protocol.transport.abortConnection()
    await ended.made


class Mark:
    """A callable, and when it was called."""

    def __init__(self):
        self.made = Deferred()

    def __call__(self, *_):
        self.made.callback(None)


def test_an_old_server_is_understood_by_whoever_speaks_the_old_version(tmp_path):
    server = OldServer(identity(tmp_path, "server"), ssl.TLSVersion.TLSv1_1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    with socket.create_connection(("127.0.0.1", server.port)) as plain, context.wrap_socket(plain) as tls:
        assert tls.version() == "TLSv1.1"
    server.join(10)


def test_a_name_server_that_never_answers_holds_up_nothing():
    clock = MemoryReactorClock()

    @implementer(IHostnameResolver)
    class Silent:
        def resolveHostName(self, receiver, *_, **__):  # noqa: N802
            return receiver

    clock.nameResolver = Silent()
    failed = []
    broker_endpoint(clock, "broker.example", 1883).connect(Factory()).addTimeout(5, clock).addErrback(failed.append)
    clock.advance(5)
    assert failed


def test_a_reactor_is_all_it_needs_in_clear():
    from twisted.internet import reactor

    assert "broker.example" in repr(broker_endpoint(reactor, "broker.example", 1883))
