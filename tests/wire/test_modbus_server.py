"""concentrator.wire.modbus_server: requests are told from everything else a server hears, and judged before anything is
looked up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.profile import Function
from concentrator.wire.modbus import mbap, read, rtu, rtu_frame, write_coil, write_register, write_registers
from concentrator.wire.modbus_server import (
    Asked,
    NoModbus,
    Read,
    Refusal,
    Requests,
    Write,
    asked,
    exception,
    has_traffic_of_others,
    read_reply,
    request_at_end,
    write_reply,
)

UNITS = {7: None}
ASKS = rtu(7, read(Function.HOLDING, 0, 2), 1).request
ASKS_MANY = rtu(7, write_registers(5, (1, 2, 3)), 1).request
OTHER_ASKS = rtu(9, read(Function.HOLDING, 0, 2), 1).request
OTHER_SAYS = rtu_frame(9, bytes.fromhex("0304000A000B"))


@pytest.mark.parametrize(
    ("pdu", "means"),
    [
        (read(Function.COIL, 3, 2000).pdu, Read(Function.COIL, 3, 2000)),
        (read(Function.DISCRETE, 0, 1).pdu, Read(Function.DISCRETE, 0, 1)),
        (read(Function.HOLDING, 0xFF83, 125).pdu, Read(Function.HOLDING, 0xFF83, 125)),
        (read(Function.INPUT, 0xFFFF, 1).pdu, Read(Function.INPUT, 0xFFFF, 1)),
        (write_coil(8, True).pdu, Write(Function.COIL, 8, (1,), True)),
        (write_coil(8, False).pdu, Write(Function.COIL, 8, (0,), True)),
        (write_register(8, 0xABCD).pdu, Write(Function.HOLDING, 8, (0xABCD,), True)),
        (write_registers(8, (1, 2)).pdu, Write(Function.HOLDING, 8, (1, 2), False)),
        # Modbus Application Protocol V1.1b3, 6.11: ten coils from 20 on
        (bytes.fromhex("0F0013000A02CD01"), Write(Function.COIL, 19, (1, 0, 1, 1, 0, 0, 1, 1, 1, 0), False)),
    ],
)
def test_a_request_says_what_it_wants(pdu, means):
    assert asked(pdu) == means


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        ("07", 1),
        ("2B0E0100", 1),
        ("0300000000", 3),
        ("030000007E", 3),
        ("01000007D1", 3),
        ("0300000001FF", 3),
        ("030000", 3),
        ("03FFFF0002", 2),
        ("0500081234", 3),
        ("10FFFF00020400010002", 2),
        ("100000000000", 3),
        ("1000000002030001000200", 3),
        ("1000000002040001", 3),
        ("0F000007B1F7" + "00" * 247, 3),
    ],
)
def test_a_request_that_is_wrong_in_itself_is_refused(pdu, code):
    with pytest.raises(Refusal) as refused:
        asked(bytes.fromhex(pdu))
    assert refused.value.code == code


def test_replies_are_what_a_master_expects():
    request = read(Function.HOLDING, 0, 2)
    assert request.parse(read_reply(request.pdu, b"\0\1\0\2")) == b"\0\1\0\2"
    request = write_registers(5, (1, 2, 3))
    assert request.parse(write_reply(request.pdu)) is None
    assert exception(request.pdu, 2) == bytes.fromhex("9002")


def test_requests_over_tcp_come_whole_in_pieces_and_together():
    frames = mbap(1, read(Function.HOLDING, 0, 2), 7, 1).request + mbap(3, write_register(4, 5), 8, 1).request
    wanted = [Asked(7, 1, bytes.fromhex("0300000002")), Asked(8, 3, bytes.fromhex("0600040005"))]
    whole, pieces = Requests(), Requests()
    whole.take(frames)
    assert list(whole) == wanted
    found = []
    for byte in frames:
        pieces.take(bytes((byte,)))
        found += pieces
    assert found == wanted
    assert wanted[0].framed(b"\x03\x02\0\1") == bytes.fromhex("0007 0000 0005 01 03020001")


@pytest.mark.parametrize("header", ["0001 0001 0006 01", "0001 0000 0001 01", "0001 0000 00FF 01", "4745 5420 2F20 48"])
def test_what_is_no_modbus_tcp_is_found_out_by_its_first_header(header):
    requests = Requests()
    requests.take(bytes.fromhex(header))
    with pytest.raises(NoModbus):
        list(requests)


@pytest.mark.parametrize(
    ("heard", "wanted"),
    [
        (ASKS, ASKS),
        (ASKS_MANY, ASKS_MANY),
        (b"\xff" + ASKS, ASKS),
        (b"\0\xff" + ASKS, ASKS),
        (OTHER_ASKS + OTHER_SAYS + ASKS, ASKS),
        (b"\0" + OTHER_SAYS + ASKS_MANY, ASKS_MANY),
        (rtu_frame(9, bytes.fromhex("8302")) + ASKS, ASKS),
        (rtu_frame(0, write_coil(1, True).pdu), rtu_frame(0, write_coil(1, True).pdu)),
        (rtu_frame(7, bytes.fromhex("64010203")), rtu_frame(7, bytes.fromhex("64010203"))),
    ],
)
def test_a_request_is_found_at_the_end_of_whatever_was_heard(heard, wanted):
    assert request_at_end(heard, UNITS) == wanted[:-2]


@pytest.mark.parametrize(
    "heard",
    [
        b"",
        ASKS[:-1],
        ASKS + b"\0",
        ASKS[:-1] + bytes((ASKS[-1] ^ 1,)),
        OTHER_ASKS,
        OTHER_SAYS,
        ASKS + OTHER_SAYS,
        b"\0\0\0" + ASKS,
        OTHER_SAYS[:-1] + ASKS,
        rtu_frame(7, bytes.fromhex("0304000A000B")),  # what another master's slave with our number would say
        rtu_frame(7, bytes((100,)) + bytes(260)),
    ],
)
def test_nothing_else_is_taken_for_one(heard):
    assert request_at_end(heard, UNITS) is None


def test_what_is_others_business_is_known_by_its_first_frame():
    assert has_traffic_of_others(OTHER_ASKS, UNITS)
    assert has_traffic_of_others(OTHER_SAYS + b"\0\1", UNITS)
    assert not has_traffic_of_others(ASKS[:-1] + b"\0", UNITS)
    assert not has_traffic_of_others(b"\x09\x03", UNITS)
    assert not has_traffic_of_others(b"\x09\x03\1\2\3\4", UNITS)


@given(st.binary(max_size=600))
def test_any_bytes_are_requests_or_none(data):
    requests = Requests()
    requests.take(data)
    try:
        found = list(requests)
    except NoModbus:
        found = []
    for each in found:
        _judged(each.pdu)
    request = request_at_end(data, UNITS)
    has_traffic_of_others(data, UNITS)
    if request is not None:
        _judged(request[1:])


@given(st.binary(min_size=1, max_size=253))
def test_any_request_is_understood_or_refused(pdu):
    _judged(pdu)


def _judged(pdu):
    try:
        wanted = asked(pdu)
    except Refusal as refusal:
        assert refusal.code in (1, 2, 3)
    else:
        count = wanted.count if isinstance(wanted, Read) else len(wanted.values)
        assert wanted.address + count <= 0x10000
