"""HTTPS: which certificate is used, and that there is one in time. Hides where it is kept, and that another one takes
effect without a connection lost. TLS is loaded only when somebody wants it."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IOpenSSLServerConnectionCreator
from twisted.logger import Logger
from zope.interface import implementer

from concentrator.api import Report, Wall
from concentrator.system.files import write_whole
from concentrator.web.certificates import CertificateRefused, Credentials, made, read, taken

OWN, MADE = "https-own.pem", "https.pem"
LOOK_S = 6 * 3600.0
"""How often it is looked at how long the certificate holds."""

log = Logger()


@define(eq=False)
class Https:
    """The certificate of a box: one of its owner's where he gave one, else one made here and made anew before it ends.
    `report` is told of one of the owner's that ends soon."""

    _folder: Path
    _serial: str
    _reactor: Any
    _wall: Wall
    _report: Report
    _told_of: bytes = field(default=b"", init=False)
    _made_of: tuple[bytes, tuple[str, ...]] | None = field(default=None, init=False, repr=False)
    _versions: tuple[str, ...] = field(default=("1.2", "1.3"), init=False)
    _context: Any = field(default=None, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)

    def facts(self) -> Mapping[str, object]:
        """What is used, for people; the one that would be where HTTPS is off."""
        found, is_own = self._kept()
        if found is None:
            return {"is_own": False, "is_there": False}
        return {
            "is_there": True,
            "is_own": is_own,
            "subject": found.subject,
            "issuer": found.issuer,
            "names": list(found.names),
            "begins_at": found.begins_at,
            "ends_at": found.ends_at,
            "fingerprint": found.fingerprint,
        }

    def install(self, pem: str) -> Mapping[str, object]:
        """Uses a certificate of one's own from now on. CertificateRefused where it cannot be."""
        found = taken(pem.encode(), self._wall.now())
        write_whole(self._folder / OWN, found.pem, 0o600)
        self._use_if_open()
        return self.facts()

    def make_anew(self) -> Mapping[str, object]:
        """Uses a new one made here from now on, and forgets the owner's."""
        self._make()
        (self._folder / OWN).unlink(missing_ok=True)
        self._use_if_open()
        return self.facts()

    def opened(self, versions: Iterable[str]) -> Any:
        """What Twisted makes encrypted connections with, of those versions of TLS; from now on the certificate is
        looked after. OSError where there is none and none can be kept."""
        self._versions = tuple(versions)
        self._use()
        if self._timer is None:
            self._timer = self._reactor.callLater(LOOK_S, self._look)
        return _Connections(self)

    def close(self) -> None:
        """The certificate is not looked after any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def context(self) -> Any:
        """The OpenSSL context of now."""
        return self._context

    def _look(self) -> None:
        self._timer = self._reactor.callLater(LOOK_S, self._look)
        try:
            self._use()
        except OSError as error:
            log.error("the certificate cannot be kept: {error}", error=error)

    def _use_if_open(self) -> None:
        if self._timer is not None:
            self._use()

    def _use(self) -> None:
        found, is_own = self._kept()
        now = self._wall.now()
        if found is None or (not is_own and self._wall.is_trusted() and found.is_due(now)):
            found = self._make()
        elif is_own and found.is_due(now) and self._wall.is_trusted() and found.pem != self._told_of:
            self._told_of = found.pem
            self._report("https.ending", {"text": "the certificate of the portal ends soon", "ends_at": found.ends_at})
        if self._made_of != (found.pem, self._versions):
            self._context, self._made_of = _context(found, self._versions), (found.pem, self._versions)

    def _make(self) -> Credentials:
        found = made(self._serial, _names(), self._wall.now())
        write_whole(self._folder / MADE, found.pem, 0o600)
        log.info("a certificate for HTTPS was made: SHA-256 {fingerprint}", fingerprint=found.fingerprint)
        return found

    def _kept(self) -> tuple[Credentials | None, bool]:
        for name in (OWN, MADE):
            file = self._folder / name
            try:
                if file.exists():
                    return read(file.read_bytes()), name == OWN
            except (CertificateRefused, OSError) as error:
                log.error("{file} cannot be used: {error}", file=str(file), error=error)
        return None, False


@implementer(IOpenSSLServerConnectionCreator)
@define(eq=False)
class _Connections:
    _https: Https

    def serverConnectionForTLS(self, tlsProtocol: Any) -> Any:  # noqa: N802, N803
        """A new connection, by the certificate of now."""
        from OpenSSL.SSL import Connection

        return Connection(self._https.context(), None)


def _context(found: Credentials, versions: tuple[str, ...]) -> Any:
    from twisted.internet.ssl import Certificate, CertificateOptions, PrivateCertificate, TLSVersion

    known = {"1.2": TLSVersion.TLSv1_2, "1.3": TLSVersion.TLSv1_3}
    chosen = [known[each] for each in sorted(versions)]
    own = PrivateCertificate.loadPEM(found.pem)
    end = b"-----END CERTIFICATE-----\n"
    further = [part + end for part in found.pem.partition(b"-----BEGIN CERTIFICATE-----")[2].split(end)[1:] if part]
    options = CertificateOptions(
        privateKey=own.privateKey.original,
        certificate=own.original,
        extraCertChain=[Certificate.loadPEM(each).original for each in further],
        insecurelyLowerMinimumTo=chosen[0],
        lowerMaximumSecurityTo=chosen[-1],
    )
    return options.getContext()


def _names() -> Iterable[str]:
    """What the box may be called in a browser: its name, alone and in the home network, and its addresses."""
    host = socket.gethostname()
    if host and len(host) < 60 and host.isascii():
        yield host
        yield f"{host.partition('.')[0]}.local"
    yield "localhost"
    yield "127.0.0.1"
    yield "192.168.4.1"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only the route is looked for
            yield str(probe.getsockname()[0])
    except OSError:
        return
