"""concentrator.dialect.modbus_commands: commands become the requests their makers document."""

import pytest

from concentrator.dialect.modbus import dialects
from concentrator.dialect.modbus_commands import (
    argument,
    is_supported,
    order,
    other_coil_word,
    release,
    result,
    support,
)
from concentrator.model.profile import Command, Function
from concentrator.wire.modbus import rtu
from tests.support.profiles import load, variable

PLAIN = load(variable())
HSC = load(variable(), profile={"coil_on_value": 0xFF00, "coil_on_value_fallback": 0xFFFF})
MANY = load(variable(), profile={"write_function": 16})
AUTO = Command("auto", Function.COIL, 3, (0xFF00,))
DSE_START = Command("start", Function.HOLDING, 4104, (35705, 29830), support_register=4096, support_bit=10)
IL4_START = Command("start", Function.HOLDING, 4207, (0x01FE, 0, 1), result_address=4207, result_ok=0x1FF)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (AUTO, "01 05 00 03 FF 00 7C 3A"),  # protocols.md, B.0
        (IL4_START, "01 10 10 6F 00 03 06 01 FE 00 00 00 01 68 0B"),  # protocols.md, B.5
        (
            Command("start", Function.HOLDING, 6358, (0x01FE, 0, 1)),
            "01 10 18 D6 00 03 06 01 FE 00 00 00 01 95 53",  # protocols.md, B.5
        ),
    ],
)
def test_a_command_is_the_frame_its_maker_documents(command, expected):
    assert rtu(1, order(command, PLAIN), 0.3).request == bytes.fromhex(expected)


def test_a_key_and_its_complement_travel_in_one_request():
    assert order(DSE_START, PLAIN).pdu == bytes.fromhex("10 10 08 00 02 04 8B 79 74 86")
    assert sum(DSE_START.values) == 0xFFFF


def test_a_single_register_goes_by_the_function_the_device_wants():
    command = Command("start", Function.HOLDING, 5, (1,))
    assert order(command, PLAIN).pdu == bytes.fromhex("06 00 05 00 01")
    assert order(command, MANY).pdu == bytes.fromhex("10 00 05 00 01 02 00 01")


def test_the_other_word_for_on_is_for_coils_of_a_profile_that_has_one():
    assert other_coil_word(AUTO, HSC) == 0xFFFF
    assert order(AUTO, HSC, 0xFFFF).pdu == bytes.fromhex("05 00 03 FF FF")
    assert other_coil_word(AUTO, PLAIN) is None
    assert other_coil_word(Command("stop", Function.COIL, 3, (0,)), HSC) is None
    assert other_coil_word(DSE_START, HSC) is None


def test_a_pulse_is_ended_by_off():
    assert release(AUTO).pdu == bytes.fromhex("05 00 03 00 00")


def test_the_support_bit_counts_from_the_lowest():
    asked = support(DSE_START)
    assert asked is not None and asked.pdu == bytes.fromhex("03 10 00 00 01")
    assert is_supported(DSE_START, bytes.fromhex("04 00"))
    assert not is_supported(DSE_START, bytes.fromhex("FB FF"))
    assert support(AUTO) is None


def test_the_result_stands_where_the_argument_was_written():
    asked = result(IL4_START)
    assert asked is not None and asked.pdu == bytes.fromhex("03 10 6F 00 02")
    assert argument(IL4_START) == 0x01FE0000
    assert result(AUTO) is None


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [("modbus-rtu", "07 05 00 03 FF 00 7C 5C"), ("modbus-tcp", "00 01 00 00 00 06 07 05 00 03 FF 00")],
)
def test_a_station_asks_what_it_is_given_in_the_framing_of_its_line(protocol, expected):
    station = dialects()[protocol].station(PLAIN, 7, {})
    transaction = next(station.ask(order(AUTO, PLAIN), 3.0))
    assert transaction.request == bytes.fromhex(expected)
    assert (transaction.wait_s, transaction.is_patient) == (3.0, True)
    assert next(station.ask(order(AUTO, PLAIN))).wait_s == PLAIN.traits.answer_s
