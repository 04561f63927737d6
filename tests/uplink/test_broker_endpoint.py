import pytest
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost, DNSLookupError
from twisted.python.failure import Failure

from concentrator.uplink.broker_endpoint import Trust, broker_endpoint, spoken


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


def test_a_certificate_file_that_is_none_is_refused_before_anything_starts(tmp_path):
    from twisted.internet import reactor

    (tmp_path / "empty").write_text("nothing here")
    for trust in (Trust(ca_file=str(tmp_path / "empty")), Trust(pinned_file=str(tmp_path / "empty"))):
        with pytest.raises(ValueError):
            broker_endpoint(reactor, "localhost", 8883, trust)
    with pytest.raises(OSError):
        broker_endpoint(reactor, "localhost", 8883, Trust(ca_file=str(tmp_path / "absent")))


def test_a_reactor_is_all_it_needs_in_clear():
    from twisted.internet import reactor

    assert "broker.example" in repr(broker_endpoint(reactor, "broker.example", 1883))
