"""How a broker is reached: the endpoint to a name or address, in clear or over TLS, whom we trust there, and what went
wrong on the way in words. Hides Twisted's endpoints and pyOpenSSL, which is imported only where TLS is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectionClosed, ConnectionDone
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer

if TYPE_CHECKING:
    from OpenSSL.crypto import X509
    from OpenSSL.SSL import Connection

ATTEMPT_S = 20.0
"""How long one address may take to be reached, in seconds."""


@frozen
class Trust:
    """Whom we believe to be the broker: the one whose certificate is exactly the one in `pinned_file` (its name and
    dates then do not matter), else one vouched for by `ca_file`, else one vouched for by the system's authorities.
    Files are PEM."""

    ca_file: str = ""
    pinned_file: str = ""


def broker_endpoint(reactor: Any, host: str, port: int, trust: Trust | None = None) -> IStreamClientEndpoint:
    """The endpoint of a broker; over TLS where a trust is given. Raises OSError when a certificate file cannot be
    read, ValueError when there is no certificate in it."""
    plain = HostnameEndpoint(reactor, host, port, timeout=ATTEMPT_S)
    return plain if trust is None else wrapClientTLS(_tls_options(host, trust), plain)


def spoken(reason: Failure) -> str:
    """What made a connection fail, or fall, in words."""
    value = reason.value
    if isinstance(value, ConnectionDone):
        return "the other end closed the connection"
    if isinstance(value, ConnectionClosed):
        return "the connection broke"
    if type(value).__name__ == "VerificationError":
        return "the certificate is not for this host"
    if value is not None and value.args and isinstance(value.args[0], list):  # OpenSSL's queue of errors
        return "TLS: " + ("; ".join(str(entry[-1]) for entry in value.args[0]) or "failed")
    return (str(value) or type(value).__name__).rstrip(".")


def _tls_options(host: str, trust: Trust) -> IOpenSSLClientConnectionCreator:
    from twisted.internet import ssl

    if trust.pinned_file:
        return _Pinned(host, _certificates(trust.pinned_file)[0])
    if trust.ca_file:
        authorities: Any = [ssl.Certificate(found) for found in _certificates(trust.ca_file)]  # type: ignore[no-untyped-call]
        return ssl.optionsForClientTLS(host, trustRoot=ssl.trustRootFromCertificates(authorities))  # type: ignore[no-untyped-call]
    return ssl.optionsForClientTLS(host)


def _certificates(path: str) -> list[X509]:
    from cryptography.x509 import load_pem_x509_certificates
    from OpenSSL.crypto import X509

    return [X509.from_cryptography(found) for found in load_pem_x509_certificates(Path(path).read_bytes())]


@implementer(IOpenSSLClientConnectionCreator)
class _Pinned:
    """Accepts one certificate and no other."""

    def __init__(self, host: str, certificate: X509) -> None:
        self._host = host
        self._digest = certificate.digest("sha256")

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Connection:  # noqa: N802, N803
        from OpenSSL import SSL
        from twisted.internet import ssl

        connection = SSL.Connection(ssl.CertificateOptions().getContext(), None)
        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._is_known)
        if not isIPAddress(self._host) and not isIPv6Address(self._host):
            connection.set_tlsext_host_name(self._host.encode("idna"))
        return connection

    def _is_known(self, connection: Connection, certificate: X509, error: int, depth: int, ok: int) -> bool:
        return depth > 0 or certificate.digest("sha256") == self._digest
