import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from concentrator.web.certificates import DAY_S, LASTS_DAYS, RENEWED_DAYS, CertificateRefused, made, read, taken
from tests.support.security_box import pem_pair
from tests.support.web import NOW


def private(key, password=None):
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked).decode()


def test_a_certificate_made_here_names_the_box_and_is_as_long_as_browsers_take_it():
    found = made("4220080001", ["box", "box.local", "192.168.4.1", "box"], NOW)
    assert found.subject == found.issuer == "CN=CcMaster 4220080001"
    assert found.names == ("box", "box.local", "192.168.4.1")
    assert found.begins_at == int(NOW - DAY_S)
    assert found.ends_at - found.begins_at == LASTS_DAYS * DAY_S <= 398 * DAY_S
    assert len(found.fingerprint) == 95
    certificate = x509.load_pem_x509_certificate(found.pem)
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    assert made("4220080001", ["box"], NOW).pem != found.pem


def test_it_is_made_anew_in_time_and_where_the_clock_was_wrong():
    found = made("4220080001", ["box"], NOW)
    assert not found.is_due(NOW)
    assert not found.is_due(found.ends_at - RENEWED_DAYS * DAY_S)
    assert found.is_due(found.ends_at - RENEWED_DAYS * DAY_S + 1)
    assert found.is_due(found.begins_at - 1)


def test_key_certificate_and_chain_come_in_any_order_and_are_kept_in_the_right_one():
    key, own = pem_pair("box.example")
    _, other = pem_pair("ca.example")
    assert read((other + own + key).encode()).pem == (key + own + other).encode()
    assert taken((own + key).encode(), NOW).names == ("box.example",)


def refused(pem, at=NOW):
    with pytest.raises(CertificateRefused) as error:
        taken(pem.encode(), at)
    return error.value.code


def test_what_cannot_be_used_is_refused_and_the_key_is_in_no_sentence():
    key, own = pem_pair("box.example")
    _, other = pem_pair("other.example")
    assert refused("") == refused("nonsense") == refused(own) == "key"
    assert refused(key) == "none"
    assert refused(key + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") == "none"
    assert refused(key + other) == "other"
    assert refused(key + own, NOW + 500 * DAY_S) == refused(key + own, NOW - 2 * DAY_S) == "time"
    assert refused(private(ec.generate_private_key(ec.SECP256R1()), b"x") + own) == "locked"
    assert refused(private(rsa.generate_private_key(65537, 1024)) + own) == "weak"
    assert refused(private(ed25519.Ed25519PrivateKey.generate()) + own) == "weak"


def test_no_damaged_text_is_anything_but_refused():
    key, own = pem_pair("box.example")
    whole = key + own
    for at in range(0, len(whole), 37):
        for damaged in (whole[:at], whole[:at] + "#" + whole[at + 1 :], whole[at:]):
            try:
                read(damaged.encode())
            except CertificateRefused as error:
                assert key.splitlines()[1] not in str(error)
