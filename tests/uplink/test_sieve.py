import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.uplink.sieve import Sieve


def packet(kind, body):
    """A packet of MQTT 3.1.1, 2.2."""
    length, head = len(body), bytearray([kind])
    while True:
        length, low = divmod(length, 128)
        head.append(low | (128 if length else 0))
        if not length:
            return bytes(head + body)


def publication(size, qos=1, mid=7, topic=b"/dev/1/cmd"):
    """A publication whose packet says so many bytes after its header."""
    start = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if qos else b"")
    return packet(0x30 | qos << 1, start + b"x" * (size - len(start)))


def fed(sieve, data, step):
    return b"".join(sieve.passed(data[at : at + step]) for at in range(0, len(data), step))


PUBACK, SUBACK = b"\x40\x02\x00\x01", b"\x90\x03\x00\x01\x01"


@pytest.mark.parametrize("step", [1, 2, 7, 10_000])
def test_what_is_too_long_is_dropped_and_answered_and_all_else_passes(step):
    sieve = Sieve(300)
    stream = PUBACK + publication(300) + publication(301, mid=0x1234) + SUBACK + publication(5000, mid=3) + PUBACK
    assert fed(sieve, stream, step) == PUBACK + publication(300) + SUBACK + PUBACK
    assert sieve.refused == 2
    assert sieve.acknowledgements == b"\x40\x02\x12\x34\x40\x02\x00\x03"


@pytest.mark.parametrize("qos", [0, 2])
def test_only_quality_of_service_1_is_answered(qos):
    sieve = Sieve(300)
    assert sieve.passed(publication(301, qos) + PUBACK) == PUBACK
    assert (sieve.refused, sieve.acknowledgements) == (1, b"")


def test_a_claimed_length_is_never_held_in_memory():
    sieve = Sieve(300)
    assert sieve.passed(b"\x32\xff\xff\xff\x7f\x00\x01t\x00\x09") == b""
    for _ in range(100):
        assert sieve.passed(b"x" * 65536) == b""
    assert len(sieve._dropped_head) + len(sieve._head) == 0
    assert sieve.acknowledgements == b"\x40\x02\x00\x09"


def test_a_length_that_is_none_goes_on_to_whoever_says_so():
    sieve = Sieve(300)
    broken = b"\x40\xff\xff\xff\xff\x01" + publication(5000)
    assert fed(sieve, broken, 1) == broken


@given(st.binary(max_size=3000), st.integers(1, 50))
def test_any_bytes_whole_and_in_pieces_give_the_same(data, step):
    whole, pieces = Sieve(20), Sieve(20)
    assert whole.passed(data) == fed(pieces, data, step)
    assert (whole.refused, whole.acknowledgements) == (pieces.refused, pieces.acknowledgements)
