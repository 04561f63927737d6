"""A port on which TLS is spoken: who the gateway is, and whom it lets in. Hides pyOpenSSL, which is imported only where
TLS is used, and that a certificate may be renewed while the port is open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IStreamServerEndpoint
from twisted.logger import Logger
from zope.interface import implementer

from concentrator.model.errors import LineError

if TYPE_CHECKING:
    from OpenSSL.SSL import Connection, Context

log = Logger()


@frozen
class Credentials:
    """The gateway's certificate, with what vouches for it below, and its key; and the authority that must vouch for
    every client, where `clients_ca` names one. All files are PEM."""

    certificate: Path
    key: Path
    clients_ca: Path | None = None

    def stamps(self) -> tuple[int, ...]:
        """What changes when one of the files does. Raises OSError where one is not there."""
        files = (self.certificate, self.key, *([self.clients_ca] if self.clients_ca else []))
        return tuple(file.stat().st_mtime_ns for file in files)


@implementer(IStreamServerEndpoint)
@frozen
class TlsEndpoint:
    """An endpoint with TLS (1.2 or newer) on top. Listening fails with LineError where the files are of no use."""

    plain: IStreamServerEndpoint
    credentials: Credentials

    def listen(self, protocolFactory: Any) -> Deferred[Any]:  # noqa: N803 - Twisted's name
        """Begins to listen."""
        from OpenSSL import SSL
        from twisted.protocols.tls import TLSMemoryBIOFactory

        class Wrapping(TLSMemoryBIOFactory):
            noisy = False

            def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
                inner = self.wrappedFactory.buildProtocol(addr)
                return None if inner is None else self.protocol(self, inner)

        contexts = _Contexts(self.credentials)
        try:
            contexts.current()
        except (OSError, SSL.Error) as error:
            return fail(LineError(f"TLS is not to be had: {_words(error)}"))
        return self.plain.listen(Wrapping(contexts, False, protocolFactory))


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return "; ".join(str(each[-1]) for each in error.args[0]) if error.args and error.args[0] else "no PEM"


@implementer(IOpenSSLServerConnectionCreator)
@define(eq=False)
class _Contexts:
    """A context for each connection: made anew when a file has changed, and kept while what is there now is of no use:
    whoever renews a certificate and its key writes one of them first."""

    _credentials: Credentials
    _stamps: tuple[int, ...] = field(default=(), init=False)
    _context: Context | None = field(default=None, init=False)
    _trouble: str = field(default="", init=False)

    def serverConnectionForTLS(self, protocol: object) -> Connection:  # noqa: N802 - Twisted's name
        from OpenSSL.SSL import Connection

        return Connection(self.current(), None)

    def current(self) -> Context:
        from OpenSSL import SSL

        try:
            stamps = self._credentials.stamps()
            if self._context is None or stamps != self._stamps:
                self._context, self._stamps = _context(self._credentials), stamps
        except (OSError, SSL.Error) as error:
            if self._context is None:
                raise
            if (trouble := _words(error)) != self._trouble:
                log.warn("TLS goes on with the certificate it had: {trouble}", trouble=trouble)
            self._trouble = trouble
        else:
            self._trouble = ""
        return self._context


def _context(credentials: Credentials) -> Context:
    from OpenSSL import SSL

    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_RENEGOTIATION)
    context.use_certificate_chain_file(str(credentials.certificate))
    context.use_privatekey_file(str(credentials.key))
    context.check_privatekey()
    if credentials.clients_ca is not None:
        context.load_verify_locations(str(credentials.clients_ca))
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *found: bool(found[-1]))
    return context
