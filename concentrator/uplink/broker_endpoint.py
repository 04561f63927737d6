"""How a broker is reached: the endpoint to a name or address, in clear or over TLS, whom we trust there, who we are,
how its bytes are counted, and what went wrong on the way in words. Hides Twisted's endpoints and pyOpenSSL, which is
imported only where TLS is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attrs import frozen
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectionClosed, ConnectionDone
from twisted.internet.interfaces import (
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.protocol import Protocol as Connected
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from concentrator.model.errors import TryLater

if TYPE_CHECKING:
    from OpenSSL.crypto import X509
    from OpenSSL.SSL import Connection

ATTEMPT_S = 20.0
"""How long one address may take to be reached, in seconds."""
NOT_FOR_THIS_HOST = "the certificate is not for this host"


@frozen
class Trust:
    """Whom we believe to be the broker: the one whose certificate is exactly the one in `pinned_file` (its name and
    dates then do not matter), else one vouched for by `ca_file`, else one vouched for by the system's authorities; and
    who we say we are: the certificate in `own_cert_file`, with what vouches for it below, and its key, which may stand
    in the same file. Files are PEM."""

    ca_file: str = ""
    pinned_file: str = ""
    own_cert_file: str = ""
    own_key_file: str = ""


@frozen
class ShownCertificate:
    """What a server shows of itself: the common names of subject and issuer, and until when it is valid (UTC seconds).
    Nothing of it was verified."""

    subject: str
    issuer: str
    until: float


class ByteCounter(Protocol):
    """Who counts what a connection carries."""

    def received(self, count: int) -> None:
        """So many bytes came."""

    def sent(self, count: int) -> None:
        """So many bytes went."""


def broker_endpoint(
    reactor: Any, host: str, port: int, trust: Trust | None = None, counter: ByteCounter | None = None
) -> IStreamClientEndpoint:
    """The endpoint of a broker; over TLS (1.2 or newer) where a trust is given. `counter` hears of all that TCP
    carries. Files are read for each connection, so that a certificate may be renewed meanwhile; what is wrong with one
    fails the connection with TryLater."""
    plain: IStreamClientEndpoint = HostnameEndpoint(reactor, host, port, timeout=ATTEMPT_S)
    if counter is not None:
        plain = _Counted(plain, counter)
    return plain if trust is None else _Wrapped(plain, host, trust)


def certificate_shown(reactor: Any, host: str, port: int) -> Deferred[ShownCertificate]:
    """The certificate that whoever listens there shows, believed or not, to say what is wrong with it. The connection
    ends at once, and nothing is sent over it. Fails as connecting does."""
    shown: Deferred[ShownCertificate] = Deferred()
    endpoint: IStreamClientEndpoint = HostnameEndpoint(reactor, host, port, timeout=ATTEMPT_S)
    connecting: Deferred[Any] = _Wrapped(endpoint, host, Trust(), _Anyone(host)).connect(
        Factory.forProtocol(lambda: _Onlooker(shown))
    )
    connecting.addErrback(lambda failure: shown.errback(failure))
    return shown


class _CountingWrapper(ProtocolWrapper):
    """Passes everything on, and tells how much it was."""

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        self.factory.counter.received(len(data))
        super().dataReceived(data)

    def write(self, data: bytes) -> None:
        self.factory.counter.sent(len(data))
        super().write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:  # noqa: N802
        self.write(b"".join(data))


class _CountingFactory(WrappingFactory):
    protocol = _CountingWrapper
    noisy = False

    def __init__(self, factory: Any, counter: ByteCounter) -> None:
        super().__init__(factory)
        self.counter = counter


@implementer(IStreamClientEndpoint)
class _Counted:
    """An endpoint whose connections are counted."""

    def __init__(self, endpoint: IStreamClientEndpoint, counter: ByteCounter) -> None:
        self._endpoint = endpoint
        self._counter = counter

    def connect(self, factory: Any) -> Deferred[Any]:
        connecting: Deferred[Any] = self._endpoint.connect(_CountingFactory(factory, self._counter))
        return connecting.addCallback(lambda outer: outer.wrappedProtocol)


def spoken(reason: Failure) -> str:
    """What made a connection fail, or fall, in words."""
    value = reason.value
    if isinstance(value, ConnectionDone):
        return "the other end closed the connection"
    if isinstance(value, ConnectionClosed):
        return "the connection broke"
    if type(value).__name__ == "VerificationError":
        return NOT_FOR_THIS_HOST
    if value is not None and value.args and isinstance(value.args[0], list):  # OpenSSL's queue of errors
        return "TLS: " + ("; ".join(str(entry[-1]) for entry in value.args[0]) or "failed")
    return (str(value) or type(value).__name__).rstrip(".")


def _tls_options(host: str, trust: Trust) -> IOpenSSLClientConnectionCreator:
    from twisted.internet import ssl

    options: dict[str, Any] = {"raiseMinimumTo": ssl.TLSVersion.TLSv1_2, **_own_certificate(trust)}
    if trust.pinned_file:
        return _Pinned(host, _certificates(trust.pinned_file)[0], options)
    roots = None
    if trust.ca_file:
        authorities: Any = [ssl.Certificate(found) for found in _certificates(trust.ca_file)]  # type: ignore[no-untyped-call]
        roots = ssl.trustRootFromCertificates(authorities)  # type: ignore[no-untyped-call]
    return ssl.optionsForClientTLS(host, trustRoot=roots, extraCertificateOptions=options)


def _own_certificate(trust: Trust) -> dict[str, Any]:
    if not trust.own_cert_file:
        return {}
    from OpenSSL import SSL, crypto

    certificate, *chain = _certificates(trust.own_cert_file)
    key_file = trust.own_key_file or trust.own_cert_file
    try:
        key = crypto.load_privatekey(crypto.FILETYPE_PEM, Path(key_file).read_bytes(), b"")
    except crypto.Error:
        raise ValueError(f"there is no key in {key_file} that can be read without a password") from None
    try:
        context = SSL.Context(SSL.TLS_METHOD)
        context.use_certificate(certificate)
        context.use_privatekey(key)
    except SSL.Error:
        raise ValueError(f"the key in {key_file} is that of another certificate") from None
    return {"privateKey": key, "certificate": certificate, "extraCertChain": chain}


def _certificates(path: str) -> list[X509]:
    from cryptography.x509 import load_pem_x509_certificates
    from OpenSSL.crypto import X509

    try:
        return [X509.from_cryptography(found) for found in load_pem_x509_certificates(Path(path).read_bytes())]
    except ValueError:
        raise ValueError(f"there is no certificate in {path}") from None


@implementer(IStreamClientEndpoint)
@frozen(eq=False)
class _Wrapped:
    """An endpoint over TLS: Twisted's `wrapClientTLS`, which is there only where TLS was loaded with the endpoints."""

    plain: IStreamClientEndpoint
    host: str
    trust: Trust
    creator: IOpenSSLClientConnectionCreator | None = None

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:  # noqa: N803 - Twisted's name
        from twisted.protocols.tls import TLSMemoryBIOFactory

        try:
            options = self.creator or _tls_options(self.host, self.trust)
        except (OSError, ValueError) as why:
            return fail(TryLater(str(why)))
        wrapped = TLSMemoryBIOFactory(options, True, protocolFactory)
        connected: Deferred[Any] = self.plain.connect(wrapped)
        return connected.addCallback(lambda outer: outer.wrappedProtocol)


@implementer(IOpenSSLClientConnectionCreator)
@frozen
class _Anyone:
    """Looks at any certificate."""

    host: str

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Connection:  # noqa: N802, N803
        from OpenSSL import SSL

        connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        if not isIPAddress(self.host) and not isIPv6Address(self.host):
            connection.set_tlsext_host_name(self.host.encode("idna"))
        return connection


@implementer(IHandshakeListener)
class _Onlooker(Connected):
    """Reads the certificate and leaves."""

    transport: Any

    def __init__(self, shown: Deferred[ShownCertificate]) -> None:
        self._shown = shown

    def handshakeCompleted(self) -> None:  # noqa: N802
        from cryptography.x509.oid import NameOID

        found = self.transport.getPeerCertificate().to_cryptography()
        subject, issuer = (
            next((str(each.value) for each in whose.get_attributes_for_oid(NameOID.COMMON_NAME)), "")
            for whose in (found.subject, found.issuer)
        )
        self._shown.callback(ShownCertificate(subject, issuer, found.not_valid_after_utc.timestamp()))
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        if not self._shown.called:
            self._shown.errback(reason)


@implementer(IOpenSSLClientConnectionCreator)
class _Pinned:
    """Accepts one certificate and no other."""

    def __init__(self, host: str, certificate: X509, options: Mapping[str, Any]) -> None:
        self._host = host
        self._digest = certificate.digest("sha256")
        self._options = options

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Connection:  # noqa: N802, N803
        from OpenSSL import SSL
        from twisted.internet import ssl

        connection = SSL.Connection(ssl.CertificateOptions(**self._options).getContext(), None)
        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._is_known)
        if not isIPAddress(self._host) and not isIPv6Address(self._host):
            connection.set_tlsext_host_name(self._host.encode("idna"))
        return connection

    def _is_known(self, connection: Connection, certificate: X509, error: int, depth: int, ok: int) -> bool:
        return depth > 0 or certificate.digest("sha256") == self._digest
