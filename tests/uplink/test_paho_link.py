"""The link against a broker played byte by byte (MQTT 3.1.1 and 5.0, chapter 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from concentrator.model.errors import TryLater
from concentrator.uplink.paho_link import LONGEST_RECEIVED, Hello, PahoLink, Terms, Verdict
from concentrator.uplink.payload import Message

WILL = Message("/srv/42/status", b"gone", retain=True)
DATA = Message("t", b"x")
CONNACK_311 = b"\x20\x02\x00\x00"
CONNACK_5 = b"\x20\x03\x00\x00\x00"


class Transport(StringTransport):
    """Loses what is aborted or closed, a little later as real ones do."""

    link = clock = None
    ended = ""

    def abortConnection(self):  # noqa: N802
        self._end("aborted", ConnectionLost())

    def loseConnection(self):  # noqa: N802
        self._end("closed", ConnectionDone())

    def _end(self, how, reason):
        if not self.ended:
            self.ended = how
            self.clock.callLater(0, self.link.connectionLost, Failure(reason))


class Call:
    """A link on the phone with the test."""

    def __init__(self, **hello):
        self.clock = Clock()
        self.link = PahoLink(Hello("box", WILL, **hello), self.clock)
        self.transport = Transport()
        self.transport.link, self.transport.clock = self.link, self.clock
        self.told = []
        self.link.settled = lambda mid, verdict: self.told.append((mid, verdict))
        self.link.gone.addCallback(self.told.append)
        self.outcome = []
        self.link.welcome.addBoth(self.outcome.append)
        self.link.makeConnection(self.transport)
        self.clock.advance(0)

    def sent(self):
        self.clock.advance(0)
        taken = self.transport.value()
        self.transport.clear()
        return taken

    def publish(self, qos, message=DATA):
        mid = self.link.publish(message, qos)
        return mid, self.sent()

    def why(self):
        self.clock.advance(0)
        return self.outcome[0].value.detail


def welcomed(connack=CONNACK_311, **hello):
    call = Call(**hello)
    call.sent()
    call.link.dataReceived(connack)
    return call


def test_paho_still_has_the_three_functions_we_replace():
    """If this fails, paho was changed underneath us: see _Client."""
    import inspect

    import paho.mqtt.client as paho

    source = inspect.getsource(paho.Client)
    assert "self._sock = self._create_socket()" in source
    assert "return self._handle_pubrec()" in source
    assert 'return self._handle_pubackcomp("PUBACK")' in source
    assert 'return self._handle_pubackcomp("PUBCOMP")' in source
    assert {"_in_packet", "_protocol", "_out_message_mutex", "_out_messages"} <= set(vars(Call().link._client))


def test_connect_names_client_keepalive_will_user_and_a_clean_session():
    assert Call(user="u", password="pw", keepalive_s=30).sent() == (
        b"\x10\x2c\x00\x04MQTT\x04\xee\x00\x1e\x00\x03box\x00\x0e/srv/42/status\x00\x04gone\x00\x01u\x00\x02pw"
    )


def test_connect_of_version_5_asks_for_a_clean_start():
    assert Call(version="5").sent()[2:13] == b"\x00\x04MQTT\x05\x2e\x00\x3c\x05"


def test_connect_of_version_5_says_how_long_a_message_to_us_may_be():
    assert Call(version="5").sent()[13:18] == b"\x27\x00\x01\x08\x00"


def test_the_password_is_in_no_description():
    assert "pw" not in repr(Hello("box", WILL, password="pw"))


@pytest.mark.parametrize(
    ("connack", "version", "terms"),
    [
        (CONNACK_311, "3.1.1", Terms()),
        (CONNACK_5, "5", Terms()),
        (b"\x20\x0b\x00\x00\x08\x21\x00\x0a\x27\x00\x00\x04\x00", "5", Terms(10, 1024)),
    ],
)
def test_the_welcome_brings_the_brokers_terms(connack, version, terms):
    assert welcomed(connack, version=version).outcome == [terms]


@pytest.mark.parametrize(
    ("connack", "version", "words"),
    [
        (b"\x20\x02\x00\x05", "3.1.1", "the broker refused the session: Not authorized"),
        (b"\x20\x02\x00\x01", "3.1.1", "Protocol error"),
        (b"\x20\x03\x00\x86\x00", "5", "the broker refused the session: Bad user name or password"),
    ],
)
def test_a_refusal_is_told_in_words_and_hangs_up(connack, version, words):
    call = welcomed(connack, version=version)
    assert call.why() == words
    assert call.transport.ended == "aborted"
    assert not call.clock.getDelayedCalls()


def test_a_message_is_settled_by_puback_or_pubcomp_and_not_before():
    call = welcomed()
    mid, sent = call.publish(1)
    assert sent == b"\x32\x06\x00\x01t\x00\x01x"
    assert call.told == []
    call.link.dataReceived(b"\x40\x02\x00\x01")
    assert call.told == [(mid, Verdict(0, "Success"))]
    mid, sent = call.publish(2)
    assert sent == b"\x34\x06\x00\x01t\x00\x02x"
    call.link.dataReceived(b"\x50\x02\x00\x02")
    assert call.sent() == b"\x62\x02\x00\x02"
    assert len(call.told) == 1
    call.link.dataReceived(b"\x70\x02\x00\x02")
    assert call.told[1:] == [(mid, Verdict(0, "Success"))]


def test_with_qos_0_a_message_is_settled_when_the_write_buffer_took_it():
    call = welcomed()
    call.link.pauseProducing()
    mid, sent = call.publish(0)
    assert (sent, call.told) == (b"", [])
    call.link.resumeProducing()
    assert call.sent() == b"\x30\x04\x00\x01tx"
    assert call.told == [(mid, Verdict(0, "Success"))]


@pytest.mark.parametrize(
    ("qos", "answer"),
    [(1, b"\x40\x04\x00\x01\x87\x00"), (2, b"\x50\x04\x00\x01\x87\x00"), (2, b"\x50\x03\x00\x01\x87")],
)
def test_a_refusal_of_version_5_ends_the_message_even_in_the_middle_of_qos_2(qos, answer):
    call = welcomed(CONNACK_5, version="5")
    mid, _ = call.publish(qos)
    call.link.dataReceived(answer)
    assert call.told == [(mid, Verdict(0x87, "Not authorized"))]
    assert call.told[0][1].is_failure
    assert call.sent() == b""


def test_no_matching_subscribers_is_a_success():
    call = welcomed(CONNACK_5, version="5")
    mid, _ = call.publish(1)
    call.link.dataReceived(b"\x40\x04\x00\x01\x10\x00")
    assert [(m, v.is_failure) for m, v in call.told] == [(mid, False)]


def test_many_packets_in_one_piece_and_one_in_many_pieces_are_the_same():
    acks = b"".join(b"\x40\x02" + mid.to_bytes(2, "big") for mid in range(1, 6))
    whole, pieces = welcomed(), welcomed()
    for call in (whole, pieces):
        for _ in range(5):
            call.publish(1)
    whole.link.dataReceived(acks)
    for byte in acks:
        pieces.link.dataReceived(bytes([byte]))
    assert whole.told == pieces.told
    assert [mid for mid, _ in whole.told] == [1, 2, 3, 4, 5]


def test_a_message_published_in_answer_to_a_verdict_goes_out():
    call = welcomed()
    call.publish(1)
    call.link.settled = lambda mid, verdict: call.link.publish(DATA, 1)
    call.link.dataReceived(b"\x40\x02\x00\x01")
    assert call.sent() == b"\x32\x06\x00\x01t\x00\x02x"


def test_goodbye_says_disconnect_and_closes():
    call = welcomed()
    call.link.say_goodbye()
    assert call.sent() == b"\xe0\x00"
    call.clock.advance(0)
    assert call.transport.ended == "closed"
    assert call.told == ["Normal disconnection"]
    assert not call.clock.getDelayedCalls()


def test_a_goodbye_that_cannot_be_written_takes_two_seconds_at_most():
    call = welcomed()
    call.link.pauseProducing()
    call.link.say_goodbye()
    call.clock.pump([0.5] * 3)
    assert call.transport.ended == ""
    call.clock.pump([0.5, 0.5, 0])
    assert call.transport.ended == "aborted"
    assert not call.clock.getDelayedCalls()


@pytest.mark.parametrize(
    ("version", "bytes_", "words"),
    [
        ("5", b"\xe0\x02\x8e\x00", "the broker ended the session: Session taken over"),
        ("3.1.1", b"\xf0\x00", "Protocol error"),
        ("3.1.1", b"\x40\xff\xff\xff\xff\xff", "Protocol error"),
    ],
)
def test_the_end_of_a_session_is_told_in_words(version, bytes_, words):
    call = welcomed(CONNACK_5 if version == "5" else CONNACK_311, version=version)
    call.link.dataReceived(bytes_)
    call.clock.advance(0)
    assert call.told == [words]
    assert not call.clock.getDelayedCalls()


def test_a_connection_that_falls_before_the_welcome_fails_it():
    call = Call()
    call.link.connectionLost(Failure(ConnectionDone()))
    assert call.outcome[0].check(TryLater)
    assert call.why() == "the other end closed the connection"
    assert not call.clock.getDelayedCalls()


@pytest.mark.parametrize(("connack", "version"), [(CONNACK_311, "3.1.1"), (CONNACK_5, "5")])
def test_a_message_to_us_is_confirmed_and_handed_over_with_whether_it_was_kept(connack, version):
    call = welcomed(connack, version=version)
    received = []
    call.link.received = lambda payload, is_retained: received.append((payload, is_retained))
    call.link.subscribe("/dev/42/cmd")
    nothing = b"\x00" if version == "5" else b""
    body = b"\x00\x01" + nothing + b"\x00\x0b/dev/42/cmd\x01"
    assert call.sent() == b"\x82" + bytes([len(body)]) + body
    for head in (b"\x32", b"\x33"):
        body = b"\x00\x0b/dev/42/cmd\x00\x05" + nothing + b"{}"
        call.link.dataReceived(head + bytes([len(body)]) + body)
        assert call.sent()[:4] in (b"\x40\x02\x00\x05", b"\x40\x04\x00\x05", b"\x40\x03\x00\x05")
    assert received == [(b"{}", False), (b"{}", True)]
    assert [type(payload) for payload, _ in received] == [bytes, bytes]


@pytest.mark.parametrize("size", [LONGEST_RECEIVED + 1, LONGEST_RECEIVED + 5000])
def test_a_message_to_us_that_is_too_long_is_confirmed_and_counted_and_handed_to_nobody(size):
    call = welcomed()
    received = []
    call.link.received = lambda *told: received.append(told)
    remaining = 2 + 1 + 2 + size
    length = bytes([remaining & 127 | 128, remaining >> 7 & 127 | 128, remaining >> 14])
    packet = b"\x32" + length + b"\x00\x01t\x00\x09" + b"x" * size
    for at in range(0, len(packet), 20_000):
        call.link.dataReceived(packet[at : at + 20_000])
    assert call.sent() == b"\x40\x02\x00\x09"
    assert (received, call.link.refused) == ([], 1)
    call.link.dataReceived(b"\x30\x04\x00\x01tx")
    assert received == [(b"x", False)]


def test_the_messages_of_one_turn_go_out_in_one_write():
    call = welcomed()
    written = []
    call.transport.write = written.append
    for _ in range(50):
        call.link.publish(DATA, 1)
    call.clock.advance(0)
    assert [len(piece) for piece in written] == [50 * 8]


@given(st.binary(max_size=60), st.sampled_from(["3.1.1", "5"]))
def test_any_bytes_end_in_words_or_in_nothing(noise, version):
    call = welcomed(CONNACK_5 if version == "5" else CONNACK_311, version=version)
    call.publish(1)
    call.publish(2)
    call.link.dataReceived(noise)
    call.clock.advance(0)
    call.link.abort("enough")
    call.clock.advance(0)
    assert isinstance(call.told[-1], str)
    assert not call.clock.getDelayedCalls()
