"""A Modbus TCP server for simulated devices: several clients, and those that talk nonsense or go away."""

import select
import socket

import pytest

from concentrator.app.simulate_tcp import TcpDoor

REQUEST, REPLY = bytes.fromhex("0001 0000 0003 07 03 0A"), bytes.fromhex("0001 0000 0002 07 03")


@pytest.fixture
def door():
    made = TcpDoor("127.0.0.1", 0, lambda unit, pdu: pdu[:1])
    yield made
    made.close()


def serve(door):
    """Whatever there is to do within a moment."""
    while readable := select.select(door.watched, (), (), 0.1)[0]:
        door.serve(readable)


def test_several_clients_are_served(door):
    with socket.create_connection(door.place) as one, socket.create_connection(door.place) as other:
        for client in (one, other):
            client.sendall(REQUEST)
        serve(door)
        assert [client.recv(100) for client in (one, other)] == [REPLY, REPLY]


def test_one_that_goes_or_talks_nonsense_is_forgotten_and_the_others_are_served(door):
    with socket.create_connection(door.place) as gone, socket.create_connection(door.place) as odd:
        gone.close()
        odd.sendall(b"GET / HTTP/1.1\r\n")
        serve(door)
        assert odd.recv(100) == b""
        assert len(door.watched) == 1
        with socket.create_connection(door.place) as good:
            good.sendall(REQUEST)
            serve(door)
            assert good.recv(100) == REPLY


def test_a_port_that_is_taken_is_an_error(door):
    with pytest.raises(OSError):
        TcpDoor("127.0.0.1", door.place[1], lambda unit, pdu: None)
