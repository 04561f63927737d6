"""concentrator.wire.modbus: real frames, every fault told apart, no bytes that break it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse

from concentrator.model.errors import Garbled, Refused, Unexpected, WireError
from concentrator.model.profile import Function
from concentrator.wire import modbus
from concentrator.wire.checksum import crc16, crc16_by_table
from concentrator.wire.conversation import LineSettings, Need


def framed(hex_text: str) -> bytes:
    body = bytes.fromhex(hex_text)
    return body + crc16(body).to_bytes(2, "little")


READ_TWO = modbus.rtu(1, modbus.read(Function.HOLDING, 0, 2), 0.3)
GOOD = framed("01 03 04 00 06 00 05")


@pytest.mark.parametrize(
    ("unit", "request_", "frame"),
    [
        # SmartGen CMM365-4G communication protocol, its own examples and others verified with it
        (1, modbus.read(Function.HOLDING, 0, 0x50), "01030000005045F6"),
        (1, modbus.read(Function.COIL, 0, 0x4E), "01010000004EBC3E"),
        (1, modbus.read(Function.HOLDING, 0x2E, 10), "0103002E000AA5C4"),
        (1, modbus.write_coil(3, True), "01050003FF007C3A"),
        (0xF7, modbus.read(Function.HOLDING, 0x0F00, 9), "F7030F000009924E"),
    ],
)
def test_requests_travel_as_published(unit, request_, frame):
    assert modbus.rtu(unit, request_, 0.3).request.hex().upper() == frame


def test_a_broadcast_expects_no_answer():
    assert modbus.rtu(0, modbus.write_register(0x0F18, 1), 0.3).expect is None


def test_the_table_gives_the_sums_of_the_compiled_checksum():
    for frame in (b"", b"\x00", GOOD, bytes(range(256))):
        assert crc16_by_table(frame) == crc16(frame)


@pytest.mark.parametrize(
    ("received", "outcome"),
    [
        (b"", Need(9)),
        (GOOD[:1], Need(9)),
        (GOOD[:8], Need(9)),
        (GOOD, bytes.fromhex("00060005")),
        (GOOD + b"\xff", bytes.fromhex("00060005")),
        (b"\xff" + GOOD, bytes.fromhex("00060005")),
        (b"\x00\x00" + GOOD, bytes.fromhex("00060005")),
        (b"\xff" + GOOD[:5], Need(10)),
        (framed("01 83"), Need(5)),
        (b"\x00\x00\x00" + GOOD, Unexpected),
        (framed("02 03 04 00 06 00 05"), Unexpected),
        (framed("01 04 04 00 06 00 05"), Unexpected),
        (framed("01 03 02 00 06 00 05"), Garbled),
        (GOOD[:-1] + b"\x00", Garbled),
        (framed("01 83 02"), Refused),
    ],
)
def test_every_answer_is_told_apart(received, outcome):
    if isinstance(outcome, type):
        with pytest.raises(outcome):
            READ_TWO.expect(received, False)
    else:
        assert READ_TWO.expect(received, False) == outcome


@pytest.mark.parametrize(("received", "words"), [(GOOD[:4], "4 bytes, expected 9"), (b"\x01", "1 bytes, expected 9")])
def test_an_answer_that_stops_short_is_garbled_at_its_end(received, words):
    with pytest.raises(Garbled, match=words):
        READ_TWO.expect(received, True)


def test_a_refusal_carries_its_code_and_words():
    with pytest.raises(Refused, match="exception 6, server device busy") as refused:
        READ_TWO.expect(framed("01 83 06"), False)
    assert refused.value.code == 6


def test_a_write_that_is_echoed_differently_is_garbled():
    transaction = modbus.rtu(1, modbus.write_register(7, 5), 0.3)
    assert transaction.expect(transaction.request, False) is None
    with pytest.raises(Garbled, match="echo"):
        transaction.expect(framed("01 06 00 07 00 06"), False)
    many = modbus.rtu(1, modbus.write_registers(7, (5, 6)), 0.3)
    assert many.request == framed("01 10 00 07 00 02 04 00 05 00 06")
    assert many.expect(framed("01 10 00 07 00 02"), False) is None


TRANSACTIONS = {
    "rtu read": READ_TWO,
    "rtu bits": modbus.rtu(9, modbus.read(Function.COIL, 3, 11), 0.3),
    "rtu write": modbus.rtu(1, modbus.write_registers(7, (5, 6)), 0.3),
    "mbap": modbus.mbap(1, modbus.read(Function.HOLDING, 0, 2), 7, 0.3),
    "mbap, two at once": modbus.mbap_together(1, [modbus.read(Function.HOLDING, 0, 2)] * 2, [7, 8], 0.3),
}


def outcome(transaction, received, ended):
    """What an answer comes to, in a form that can be compared."""
    try:
        found = transaction.expect(received, ended)
    except WireError as error:
        return type(error)
    assert not (ended and isinstance(found, Need))
    if isinstance(found, Need):
        assert found.length > len(received)
    return found


@pytest.mark.parametrize("name", TRANSACTIONS)
@given(
    received=st.binary(max_size=40), prefix=st.sampled_from([b"", b"\x01\x03\x04", b"\x01\x83", b"\x00\x07\x00\x00"])
)
@example(received=GOOD, prefix=b"")
def test_any_bytes_give_a_reply_a_need_or_a_wire_error(name, received, prefix):
    transaction = TRANSACTIONS[name]
    outcome(transaction, prefix + received, False)
    outcome(transaction, prefix + received, True)


@pytest.mark.parametrize("name", TRANSACTIONS)
@given(noise=st.binary(max_size=3), tail=st.binary(max_size=3), values=st.binary(min_size=4, max_size=4))
def test_byte_by_byte_and_whole_agree(name, noise, tail, values):
    """What a growing buffer first comes to is what the buffer of that length comes to when it arrives whole, and an
    answer once found stays found however much follows."""
    transaction = TRANSACTIONS[name]
    received = noise + framed("010304" + values.hex()) + tail
    for length in range(len(received) + 1):
        first = outcome(transaction, received[:length], False)
        if not isinstance(first, Need):
            if isinstance(first, bytes):
                assert outcome(transaction, received, False) == first
            return


@given(
    unit=st.integers(1, 247),
    registers=st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=125),
    tid=st.integers(0, 0xFFFF),
)
def test_pymodbus_and_we_understand_each_other(unit, registers, tid):
    request = modbus.read(Function.HOLDING, 16, len(registers))
    answer = ReadHoldingRegistersResponse(registers=registers, dev_id=unit, transaction_id=tid)
    expected = b"".join(value.to_bytes(2, "big") for value in registers)
    server = DecodePDU(True)
    for framer, transaction in (
        (FramerRTU, modbus.rtu(unit, request, 0.3)),
        (FramerSocket, modbus.mbap(unit, request, tid, 0.3)),
    ):
        _, pdu = framer(server).handleFrame(transaction.request, unit, tid)
        assert (pdu.dev_id, pdu.address, pdu.count) == (unit, 16, len(registers))
        assert transaction.expect(framer(server).buildFrame(answer), False) == expected


def test_the_late_answer_to_an_earlier_tcp_request_is_passed_over():
    transaction = modbus.mbap(1, modbus.read(Function.HOLDING, 0, 1), 8, 0.3)
    late, mine = bytes.fromhex("0007000000050103020001"), bytes.fromhex("0008000000050103020002")
    assert transaction.expect(late, False) == Need(len(late) + 11)
    assert transaction.expect(late + mine, False) == b"\x00\x02"
    with pytest.raises(Garbled, match="MBAP"):
        transaction.expect(b"\x00\x08\x00\x01\x00\x05\x01\x03", False)
    with pytest.raises(Refused):
        transaction.expect(bytes.fromhex("000800000003018302"), False)


def test_requests_sent_at_once_may_be_answered_in_any_order():
    requests = [modbus.read(Function.HOLDING, 0, 1), modbus.read(Function.INPUT, 9, 2)]
    transaction = modbus.mbap_together(1, requests, [7, 8], 0.3)
    assert transaction.request == b"".join(
        modbus.mbap(1, request, tid, 0.3).request for request, tid in zip(requests, [7, 8], strict=True)
    )
    first, second = bytes.fromhex("0007000000050103020001"), bytes.fromhex("000800000007010404 00020003")
    late = bytes.fromhex("0006000000050103020009")
    both = (b"\x00\x01", b"\x00\x02\x00\x03")
    for answers in (first + second, second + first, late + second + first):
        for length in range(len(answers)):
            assert isinstance(transaction.expect(answers[:length], False), Need)
        assert transaction.expect(answers, False) == both
    with pytest.raises(Garbled, match="11 bytes, expected"):
        transaction.expect(first, True)


def test_a_refusal_among_answers_counts_when_all_have_been_heard():
    requests = [modbus.read(Function.HOLDING, 0, 1), modbus.read(Function.HOLDING, 900, 1)]
    transaction = modbus.mbap_together(1, requests, [7, 8], 0.3)
    refusal, answer = bytes.fromhex("000800000003018302"), bytes.fromhex("0007000000050103020001")
    assert isinstance(transaction.expect(refusal, False), Need)
    with pytest.raises(Refused, match="illegal data address"):
        transaction.expect(refusal + answer, False)


@pytest.mark.parametrize(
    ("baudrate", "bits", "silence_ms"), [(9600, 10, 3.646), (9600, 11, 4.010), (19200, 11, 2.005), (38400, 10, 1.75)]
)
def test_the_silence_follows_the_standard(baudrate, bits, silence_ms):
    assert modbus.rtu_silence_s(LineSettings(baudrate, bits)) * 1000 == pytest.approx(silence_ms, abs=0.001)
