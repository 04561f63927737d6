import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.profile import Function
from concentrator.wire.modbus import mbap, mbap_together, read, rtu, write_coil, write_register, write_registers
from concentrator.wire.modbus_words import Frame, asked, exchanges_of, frame_of

REQUESTS = [
    (read(Function.HOLDING, 0x0100, 52), "read 52 holding registers at 0x0100"),
    (read(Function.INPUT, 0xFFFF, 1), "read 1 input register at 0xFFFF"),
    (read(Function.COIL, 0, 16), "read 16 coils at 0x0000"),
    (read(Function.DISCRETE, 7, 1), "read 1 discrete input at 0x0007"),
    (write_coil(3, True), "switch coil 0x0003 on"),
    (write_coil(3, False), "switch coil 0x0003 off"),
    (write_register(0x0F17, 4711), "write 4711 to holding register 0x0F17"),
    (write_registers(0x0F10, [1, 2, 3]), "write 3 holding registers at 0x0F10"),
]


@pytest.mark.parametrize(("request_", "words"), REQUESTS)
def test_a_request_is_put_into_words_in_either_framing(request_, words):
    assert asked(rtu(7, request_, 1.0).request) == words
    assert asked(mbap(7, request_, 300, 1.0).request) == words


@pytest.mark.parametrize(("request_", "words"), REQUESTS)
def test_a_whole_frame_gives_its_id_and_its_pdu(request_, words):
    for transaction in (rtu(7, request_, 1.0), mbap(7, request_, 300, 1.0)):
        assert frame_of(transaction.request) == Frame(7, request_.pdu)


def test_requests_sent_at_once_are_told_apart_and_paired_with_their_answers():
    together = mbap_together(7, [read(Function.COIL, 0, 16), read(Function.INPUT, 9, 1)], [1, 2], 1.0).request
    assert asked(together) == "read 16 coils at 0x0000, read 1 input register at 0x0009"
    answers = [bytes.fromhex("0002 0000 0005 07 04 02 0001"), bytes.fromhex("0001 0000 0005 07 01 02 FFFF")]
    first, second = together[:12], together[12:]
    assert exchanges_of(together, b"".join(answers)) == [(first, answers[1]), (second, answers[0])]
    assert exchanges_of(together, answers[0]) == [(second, answers[0])]
    assert exchanges_of(first, answers[1]) == [(first, answers[1])]
    assert exchanges_of(b"other", b"words") == [(b"other", b"words")]


def test_what_is_no_modbus_has_no_words():
    damaged = bytearray(rtu(1, read(Function.HOLDING, 0, 1), 1.0).request)
    damaged[3] ^= 1
    assert (frame_of(bytes(damaged)), asked(bytes(damaged))) == (None, "")
    assert asked(b"") == ""


def test_a_function_without_words_of_its_own_is_told_by_its_number():
    assert asked(bytes.fromhex("0000 0000 0003 01 2B 0E")) == "function 43"


@given(st.binary(max_size=40))
def test_any_bytes_have_words_or_none(data):
    assert isinstance(asked(data), str)
    assert b"".join(request for request, _ in exchanges_of(data, data)) == data
