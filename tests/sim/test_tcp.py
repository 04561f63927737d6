"""Modbus TCP as a server has it: every request is answered under its number, however it comes."""

import pytest

from concentrator.sim.tcp import Connection, NoModbus


def answer(unit, pdu):
    return None if unit == 9 else bytes((pdu[0], unit))


REQUESTS = bytes.fromhex("0001 0000 0006 07 03 0000 0001   0002 0000 0002 08 2B")
REPLIES = bytes.fromhex("0001 0000 0003 07 03 07   0002 0000 0003 08 2B 08")


def test_requests_that_come_together_are_answered_in_their_order():
    assert Connection(answer).replies(REQUESTS) == REPLIES


def test_requests_that_come_byte_by_byte_are_answered_when_they_are_whole():
    connection = Connection(answer)
    said = [connection.replies(REQUESTS[n : n + 1]) for n in range(len(REQUESTS))]
    assert b"".join(said) == REPLIES
    assert said[11] == REPLIES[:9]


def test_for_a_unit_that_is_not_there_the_gateway_answers():
    assert Connection(answer).replies(bytes.fromhex("0005 0000 0006 09 03 0000 0001"))[7:] == b"\x83\x0b"


@pytest.mark.parametrize("header", ["0001 0001 0006 07", "0001 0000 0001 07", "0001 0000 00FF 07"])
def test_what_is_no_modbus_ends_the_connection(header):
    with pytest.raises(NoModbus):
        Connection(answer).replies(bytes.fromhex(header))
