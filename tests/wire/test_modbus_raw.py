"""concentrator.wire.modbus_raw: only a well-made request for this one controller goes on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.errors import ConcentratorError, Denied, Garbled, OutOfRange
from concentrator.wire.checksum import crc16
from concentrator.wire.modbus_raw import READS, WRITES, raw_request

OWN = 7


def framed(body):
    return body + crc16(body).to_bytes(2, "little")


def frame(text):
    """A frame of hexadecimal digits, to which its checksum is added."""
    return framed(bytes.fromhex(text))


def test_the_servers_frames_are_taken():
    """Frames of documents 001 and 002 and of servers in the field (protocols.md, B.0)."""
    for text, function in [
        ("01030000005045F6", 3),
        ("01010000004EBC3E", 1),
        ("0103002E000AA5C4", 3),
        ("01050003FF007C3A", 5),
        ("00050003FF007DEB", 5),
    ]:
        asked = raw_request(bytes.fromhex(text), OWN)
        assert (asked.function, asked.is_write) == (function, function == 5)
        assert asked.request.pdu == bytes.fromhex(text)[1:-2]


@pytest.mark.parametrize(
    ("text", "reply", "is_write"),
    [
        ("07 01 00 00 00 0A", "01 02 FF 03", False),
        ("07 02 00 00 00 08", "02 01 FF", False),
        ("07 03 00 10 00 02", "03 04 00 01 00 02", False),
        ("07 04 00 10 00 01", "04 02 00 01", False),
        ("07 05 00 03 FF 00", "05 00 03 FF 00", True),
        ("07 05 00 03 FF FF", "05 00 03 FF FF", True),
        ("07 06 00 03 12 34", "06 00 03 12 34", True),
        ("07 0F 00 00 00 09 02 FF 01", "0F 00 00 00 09", True),
        ("07 10 10 6F 00 03 06 01 FE 00 00 00 01", "10 10 6F 00 03", True),
    ],
)
def test_each_function_is_known_by_its_reply(text, reply, is_write):
    asked = raw_request(frame(text), OWN)
    answer = bytes.fromhex(reply)
    assert asked.is_write is is_write
    assert asked.request.reply_length == len(answer)
    assert asked.request.parse(answer) == answer
    with pytest.raises(Garbled):
        asked.request.parse(answer[:1] + bytes((answer[1] ^ 1,)) + answer[2:])


@pytest.mark.parametrize("unit", [0, 1, OWN])
def test_the_one_controller_is_meant_by_0_by_1_and_by_its_own_number(unit):
    assert raw_request(framed(bytes((unit, 3, 0, 0, 0, 1))), OWN).request.pdu == bytes((3, 0, 0, 0, 1))


@pytest.mark.parametrize("unit", [2, 6, 8, 247, 255])
def test_a_frame_for_another_unit_is_denied(unit):
    with pytest.raises(Denied, match=f"it is for unit {unit}, this one is 7"):
        raw_request(framed(bytes((unit, 3, 0, 0, 0, 1))), OWN)


def test_every_other_function_is_denied():
    for function in set(range(256)) - {*READS, *WRITES}:
        with pytest.raises(Denied, match=f"function {function:02X} is none of 01"):
            raw_request(framed(bytes((OWN, function, 0, 0, 0, 1))), OWN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("07 03 00 00 00 00", "count of 0, expected 1 to 125"),
        ("07 03 00 00 00 7E", "count of 126, expected 1 to 125"),
        ("07 01 00 00 07 D1", "count of 2001, expected 1 to 2000"),
        ("07 03 FF FF 00 02", "found 2 from 65535 on, expected an end below 65536"),
        ("07 03 00 00 00 01 00", "PDU of 6 bytes, expected 5"),
        ("07 03 00 00", "PDU of 3 bytes, expected at least 5"),
        ("07 05 00 03 00 01", "found 0001 for a coil"),
        ("07 05 00 03 FF 00 00", "PDU of 6 bytes, expected 5"),
        ("07 10 00 00 00 02 04 00 01", "PDU of 8 bytes, expected 10"),
        ("07 10 00 00 00 02 03 00 01 00 02", "PDU of 10 bytes, expected 10, and to say so"),
        ("07 10 00 00 00 7C F8", "count of 124, expected 1 to 123"),
        ("07 0F 00 00 07 B1 F7", "count of 1969, expected 1 to 1968"),
    ],
)
def test_a_frame_that_is_not_well_made_is_refused_with_what_is_wrong(text, said):
    with pytest.raises(OutOfRange, match=said):
        raw_request(frame(text), OWN)


def test_a_wrong_checksum_and_a_wrong_length_are_refused():
    with pytest.raises(OutOfRange, match="found checksum 7c3b, expected 7c3a"):
        raw_request(bytes.fromhex("01050003FF007C3B"), OWN)
    for length in (0, 3, 257):
        with pytest.raises(OutOfRange, match=f"found {length} bytes, expected 4 to 256"):
            raw_request(bytes(length), OWN)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_a_request_or_a_sentence(body, is_checked):
    try:
        asked = raw_request(framed(body) if is_checked else body, OWN)
    except ConcentratorError as error:
        assert isinstance(error, OutOfRange | Denied)
    else:
        assert asked.function in READS + WRITES
        assert asked.shown.startswith(f"modbus {asked.function:02X}")
