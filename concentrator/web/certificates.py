"""Certificates for HTTPS: one made for this box, or one of one's own, looked at before it is taken. Hides the library,
which is loaded only where HTTPS is wanted."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import frozen

from concentrator.model.errors import OutOfRange

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, GeneralName

LASTS_DAYS = 397
"""As long as browsers take any certificate for (CA/Browser Forum, Baseline Requirements 6.3.2, since 2020)."""
RENEWED_DAYS = 30
"""How long before its end a certificate is made anew, or spoken of."""
DAY_S = 86_400.0


class CertificateRefused(OutOfRange):
    """This is no certificate that could be used. `code` says why in one word."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@frozen
class Credentials:
    """A key and a certificate as one PEM text, and what people want to know of the certificate: times in UTC seconds,
    `fingerprint` its SHA-256 in hexadecimal, as browsers show it."""

    pem: bytes
    subject: str
    issuer: str
    names: tuple[str, ...]
    begins_at: float
    ends_at: float
    fingerprint: str

    def is_due(self, now: float) -> bool:
        """Whether it is time to have another one."""
        return not self.begins_at <= now <= self.ends_at - RENEWED_DAYS * DAY_S


def made(serial: str, names: Iterable[str], now: float) -> Credentials:
    """A key, and a certificate signed by itself, for the box with that serial under those names and addresses, from
    the day before `now`, for a clock that was wrong."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CcMaster {serial}")])
    begins = datetime.fromtimestamp(now, UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=LASTS_DAYS))
        .add_extension(x509.SubjectAlternativeName([_general_name(each) for each in dict.fromkeys(names)]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    format_, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return _looked_at(key.private_bytes(encoding, format_, plain) + certificate.public_bytes(encoding), certificate)


def read(pem: bytes) -> Credentials:
    """What a PEM text holds: a key without a password, its certificate, and those that vouch for it, in any order.
    CertificateRefused where that cannot be used, whatever the time."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key: Any = serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise CertificateRefused("locked", "the key has a password; take it off first") from None
    except (ValueError, _unsupported()):
        raise CertificateRefused("key", 'there is no private key in it: "-----BEGIN PRIVATE KEY-----"') from None
    weak = isinstance(key, rsa.RSAPrivateKey) and key.key_size < 2048
    if weak or not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise CertificateRefused("weak", "the key is not RSA of 2048 bits or more, nor of an elliptic curve")
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise CertificateRefused("none", 'there is no certificate in it: "-----BEGIN CERTIFICATE-----"') from None
    own = next((each for each in certificates if each.public_key() == key.public_key()), None)
    if own is None:
        raise CertificateRefused("other", "the certificate is not that of the key")
    encoding = serialization.Encoding.PEM
    format_, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    chain = [own, *(each for each in certificates if each != own)]
    content = key.private_bytes(encoding, format_, plain) + b"".join(each.public_bytes(encoding) for each in chain)
    return _looked_at(content, own)


def taken(pem: bytes, now: float) -> Credentials:
    """What a PEM text holds that somebody wants to be used from `now` on. CertificateRefused where that cannot be."""
    found = read(pem)
    if not found.begins_at <= now <= found.ends_at:
        raise CertificateRefused("time", "the certificate does not hold at this time")
    return found


def _looked_at(pem: bytes, certificate: Certificate) -> Credentials:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        said = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    except x509.ExtensionNotFound:
        said = []
    return Credentials(
        pem,
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        tuple(said),
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
        certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
    )


def _general_name(name: str) -> GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _unsupported() -> type[Exception]:
    from cryptography.exceptions import UnsupportedAlgorithm

    return UnsupportedAlgorithm
