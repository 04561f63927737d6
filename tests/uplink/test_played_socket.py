import pytest
from twisted.internet.testing import StringTransport

from concentrator.uplink.played_socket import PlayedSocket


@pytest.fixture
def played():
    socket = PlayedSocket()
    socket.transport = StringTransport()
    return socket


def test_what_has_arrived_is_read_in_pieces_then_there_is_nothing_yet_then_the_end(played):
    played.inbox += b"abc"
    assert (played.recv(2), played.recv(2)) == (b"ab", b"c")
    with pytest.raises(BlockingIOError):
        played.recv(1)
    played.end()
    assert played.recv(1) == b""


def test_what_is_written_goes_out_together_and_not_while_the_transport_has_enough(played):
    assert (played.send(b"ab"), played.send(b"c")) == (2, 1)
    assert played.transport.value() == b""
    played.flush()
    assert played.transport.value() == b"abc"
    played.is_full = True
    with pytest.raises(BlockingIOError):
        played.send(b"d")


def test_a_polite_end_lets_what_was_written_arrive(played):
    played.transport.registerProducer(object(), True)
    played.is_polite = True
    played.send(b"goodbye")
    played.close()
    assert (played.transport.value(), played.transport.disconnecting) == (b"goodbye", True)
