"""concentrator.dialect.single_point: one request writes one point; what it depends on is read fresh before."""

import struct

import pytest

from concentrator.dialect.modbus import dialects
from concentrator.model.errors import CommandError, NoReply, NotWritable, OutOfRange, Refused, Unknown
from concentrator.wire.checksum import crc16
from tests.support.profiles import load, variable

WRITABLE = {"unit": "", "writable": True}
METER = load(
    variable("v1", address=1, scale=0.1, nan=0xFFFF),
    variable("limit", address=10, scale=0.1, **WRITABLE),
    variable("power_limit", unit="%", address=11, scale=0.1, writable=True, range=[0, 100]),
    variable("big", address=12, type="u32", **WRITABLE),
    variable("swapped", address=14, type="u32", order="little-word", **WRITABLE),
    variable("backwards", address=16, type="u32", words=[17, 16], **WRITABLE),
    variable("ratio", address=18, type="f32", **WRITABLE),
    variable("mode", address=20, enum="mode", **WRITABLE),
    variable("flag", address=30, type="bool", bit=3, **WRITABLE),
    variable("nibble", address=30, type="u4", bit=8, **WRITABLE),
    variable("scaled", address=40, sf_address=41, **WRITABLE),
    variable("relay", address=7, type="bool", function="coil", **WRITABLE),
    variable("elsewhere", address=50, unit_id=3, **WRITABLE),
    profile={"min_gap_ms": 20, "answer_ms": 400},
    enum={"mode": {"0": "stop", "2": "auto"}},
)


def station(profile=METER, protocol="modbus-rtu"):
    return dialects()[protocol].station(profile, 7, {})


def frame(text):
    body = bytes.fromhex(text)
    return body + crc16(body).to_bytes(2, "little")


def words(*values):
    return struct.pack(f">{len(values)}H", *values)


def play(conversation, *replies):
    """Sends the replies one by one; gives the transactions and the result."""
    asked = [next(conversation)]
    for reply in replies:
        try:
            asked.append(conversation.send(reply))
        except StopIteration as ended:
            return asked, ended.value
    raise AssertionError("the conversation goes on")


@pytest.mark.parametrize(
    ("name", "value", "request_"),
    [
        ("limit", 23.4, "07 06 000A 00EA"),
        ("limit", 23.44, "07 06 000A 00EA"),
        ("power_limit", 100, "07 06 000B 03E8"),
        ("big", 65538, "07 10 000C 0002 04 0001 0002"),
        ("swapped", 65538, "07 10 000E 0002 04 0002 0001"),
        ("backwards", 65538, "07 10 0010 0002 04 0002 0001"),
        ("ratio", 0.5, "07 10 0012 0002 04 3F00 0000"),
        ("mode", "auto", "07 06 0014 0002"),
        ("mode", 0, "07 06 0014 0000"),
        ("relay", 1, "07 05 0007 FF00"),
        ("relay", 0, "07 05 0007 0000"),
        ("elsewhere", 9, "03 06 0032 0009"),
    ],
)
def test_a_value_is_written_by_one_request(name, value, request_):
    asked, result = play(station().write(name, value), None)
    assert [transaction.request for transaction in asked] == [frame(request_)]
    assert result is None


def test_a_single_register_is_written_by_function_16_where_the_profile_says_so():
    profile = load(variable("limit", address=10, **WRITABLE), profile={"write_function": 16})
    asked, _ = play(station(profile).write("limit", 5), None)
    assert asked[0].request == frame("07 10 000A 0001 02 0005")


def test_a_device_is_given_its_whole_time_to_store_a_value_and_its_pause_after_it():
    asked, _ = play(station().write("limit", 1), None)
    assert (asked[0].wait_s, asked[0].quiet_s, asked[0].is_patient) == (0.4, 0.02, True)


def test_the_other_bits_of_a_register_are_read_fresh_and_left_as_they_are():
    meter = station()
    asked, _ = play(meter.write("flag", 1), words(0xA041), None)
    assert [one.request for one in asked] == [frame("07 03 001E 0001"), frame("07 06 001E A049")]
    asked, _ = play(meter.write("nibble", 5), words(0xB041), None)
    assert asked[1].request == frame("07 06 001E B541")


def test_a_scale_factor_is_read_fresh_before_a_value_is_written_in_its_steps():
    asked, _ = play(station().write("scaled", 12.3), words(0xFFFF), None)
    assert [one.request for one in asked] == [frame("07 03 0029 0001"), frame("07 06 0028 007B")]


@pytest.mark.parametrize("failure", [NoReply("nothing"), Refused(6, "exception 6, server device busy")])
def test_nothing_is_written_when_what_it_depends_on_cannot_be_read(failure):
    conversation = station().write("flag", 1)
    next(conversation)
    with pytest.raises(NotWritable, match="flag, as register 30 could not be read: The device"):
        conversation.throw(failure)


@pytest.mark.parametrize(
    ("name", "value", "error", "text"),
    [
        ("limt", 1, Unknown, "variable limt (did you mean limit?)"),
        ("v1", 230, NotWritable, "v1 is only read"),
        ("limit", 6553.6, OutOfRange, "limit: found 6553.6, expected 0 to 6553.5"),
        ("power_limit", 100.1, OutOfRange, "power_limit: found 100.1, expected 0 to 100 %"),
        ("power_limit", -0.1, OutOfRange, "power_limit: found -0.1, expected 0 to 100 %"),
        ("mode", "run", OutOfRange, "mode: found 'run', expected one of 0 stop, 2 auto"),
        ("flag", 2, OutOfRange, "flag: found 2, expected 0 to 1"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_asked(name, value, error, text):
    with pytest.raises(error) as caught:
        station().write(name, value)
    assert caught.value.detail == text


def test_a_value_beyond_its_scale_factor_is_refused_before_it_is_written():
    conversation = station().write("scaled", 70000)
    next(conversation)
    with pytest.raises(OutOfRange):
        conversation.send(words(0))


def test_a_refusal_of_the_device_ends_the_conversation():
    conversation = station().write("limit", 1)
    next(conversation)
    with pytest.raises(Refused):
        conversation.throw(Refused(3))


def test_a_point_is_read_by_itself():
    asked, value = play(station().read_point("v1"), words(2301))
    assert ([one.request for one in asked], value) == ([frame("07 03 0001 0001")], 230.1)
    asked, value = play(station().read_point("scaled"), words(0xFFFE), words(1234))
    assert ([one.request for one in asked], value) == ([frame("07 03 0029 0001"), frame("07 03 0028 0001")], 12.34)
    asked, value = play(station().read_point("relay"), b"\x01")
    assert ([one.request for one in asked], value) == ([frame("07 01 0007 0001")], 1)
    asked, value = play(station().read_point("elsewhere"), words(4))
    assert ([one.request for one in asked], value) == ([frame("03 03 0032 0001")], 4)


def test_reading_an_unknown_point_is_refused_and_one_without_a_value_says_so():
    with pytest.raises(Unknown, match="did you mean limit"):
        station().read_point("limits")
    conversation = station().read_point("v1")
    next(conversation)
    with pytest.raises(CommandError, match="v1 has no value now, says the device"):
        conversation.send(words(0xFFFF))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("limit", 23.44, 23.4),
        ("ratio", 0.1, struct.unpack(">f", struct.pack(">f", 0.1))[0]),
        ("mode", "auto", 2),
        ("backwards", 65538, 65538),
        ("swapped", 65538.2, 65538),
        ("relay", True, 1),
    ],
)
def test_a_value_is_known_as_reading_gives_it(name, value, expected):
    assert station().as_read(name, value) == expected


def test_bits_and_scaled_values_are_known_as_reading_gives_them_once_they_were_read():
    meter = station()
    with pytest.raises(NotWritable, match="are not known"):
        meter.as_read("flag", 1)
    play(meter.read_point("flag"), words(0xFFF7))
    assert (meter.as_read("flag", 1), meter.as_read("flag", 0), meter.as_read("nibble", 5)) == (1, 0, 5)
    play(meter.read_point("scaled"), words(0xFFFF), words(1))
    assert meter.as_read("scaled", 12.34) == 12.3


def test_over_tcp_the_same_is_written_in_the_other_framing():
    asked, _ = play(station(protocol="modbus-tcp").write("limit", 1), None)
    assert asked[0].request == bytes.fromhex("0001 0000 0006 07 06 000A 000A")
    assert asked[0].is_patient
