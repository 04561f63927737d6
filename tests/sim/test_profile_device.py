"""A device of any profile: read by our own polling it gives what it says it has, and what was written stays."""

import struct

import pytest

from concentrator.dialect.modbus import dialects
from concentrator.model.errors import Refused, WireError
from concentrator.model.profile import SUNSPEC
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.decode import encoding_at
from concentrator.profile.encodings import Form
from concentrator.profile.load import parse_profile
from concentrator.profile.recognise import is_match, marks, recognisable
from concentrator.sim.profile_device import profile_device
from concentrator.sim.profile_map import ProfileMap
from concentrator.sim.slave import BROADCAST, framed
from concentrator.sim.sunspec import sunspec_map

NOON, NIGHT = 1_795_262_400.0, 1_795_217_400.0
CATALOGUE = Catalogue()
KEYS = sorted({*CATALOGUE.keys()} - {"energycm/ccm"})
MARKED = [profile.key for profile in recognisable(CATALOGUE) if profile.key in KEYS]
UNIT = 7

SETTABLE = """
[profile]
type = "inverter"
brand = "B"
class = "c"
series = "S"
models = ["M"]
{more}
[enum.mode]
"1" = "off"
"2" = "on"
[[variable]]
name = "limit"
unit = "%"
function = "holding"
address = 10
type = "u16"
scale = 0.1
writable = true
kind = "setpoint"
range = [0, 55]
[[variable]]
name = "mode"
unit = ""
function = "holding"
address = 11
type = "u16"
enum = "mode"
writable = true
[[variable]]
name = "limit_w"
unit = "W"
function = "holding"
address = 12
type = "u32"
writable = true
stays = false
[[variable]]
name = "p"
unit = "W"
function = "holding"
address = 14
type = "s32"
[[variable]]
name = "relay"
unit = ""
function = "coil"
address = 3
type = "bool"
writable = true
[[command]]
name = "start"
function = "holding"
address = 100
value = [1, 2]
result_address = 110
result_ok = 7
"""


def device(key, unit=UNIT):
    profile = CATALOGUE.get(key)
    return profile_device(sunspec_map(profile) if profile.dialect == SUNSPEC else ProfileMap(profile), unit, "test")


def carried_out(conversation, subject, at):
    """The result of a conversation with a device."""
    try:
        transaction = next(conversation)
        while True:
            try:
                reply = transaction.expect(subject.reply(transaction.request, at), True)
            except WireError as error:
                transaction = conversation.throw(error)
            else:
                transaction = conversation.send(reply)
    except StopIteration as ended:
        return ended.value


def read_whole(subject, key, at):
    """Everything, as the cycle reads it: identity, then block by block, in parts where the device refuses."""
    station = dialects()["modbus-rtu"].station(CATALOGUE.get(key), subject.unit, {})
    values = dict(carried_out(station.identify(), subject, at).values)
    waiting = list(station.blocks)
    while waiting:
        block = waiting.pop(0)
        try:
            carried_out(station.read(block), subject, at)
        except Refused as error:
            pieces = station.refused(block, error.code)
            assert tuple(pieces) != (block,), "what is wanted is refused"
            waiting[:0] = pieces
    for block in station.blocks:  # now that every scale factor is known
        values |= carried_out(station.read(block), subject, at).values
    return values


@pytest.mark.parametrize("at", [NOON, NIGHT], ids=["noon", "night"])
@pytest.mark.parametrize("key", KEYS)
def test_our_own_polling_reads_what_the_device_says_it_has(key, at):
    subject = device(key)
    read, said = read_whole(subject, key, at), subject.values(at)
    assert set(said) == {point.name for point in subject.profile.points}
    for point in subject.profile.points:
        is_number = encoding_at(point).form in (Form.INTEGER, Form.FLOAT, Form.BITS)
        precision = 2e-7 if encoding_at(point).form is Form.FLOAT else 1e-12
        expected = pytest.approx(said[point.name], rel=precision) if is_number else said[point.name]
        assert read[point.name] == expected, point.name


@pytest.mark.parametrize("key", MARKED)
def test_it_is_recognised_as_what_it_is(key):
    read = read_whole(device(key), key, NOON)
    assert all(is_match(point, read[point.name]) for point in marks(CATALOGUE.get(key)))


@pytest.mark.parametrize("key", KEYS)
def test_counters_rise_and_powers_are_those_of_its_kind(key):
    subject = device(key)
    if subject.control is not None:
        subject.control.genset.set_mains(False, NOON - 60)  # while there are mains, a genset gives nothing
    earlier, later = dict(subject.values(NOON)), subject.values(NOON + 3600)
    if "p" in later:
        assert later["p"] > 100
    for counter in ("ea_imp", "e_total", "e_day"):
        if counter in later:
            assert later[counter] >= earlier[counter]
    if {"p", "e_total"} <= later.keys() and later["e_total"] < 60_000:
        gained = (later["e_total"] - earlier["e_total"]) * 1000
        assert gained == pytest.approx((later["p"] + earlier["p"]) / 2, rel=0.4, abs=1001)


def test_it_shows_the_same_for_a_whole_second_and_nobody_elses():
    subject = device("eastron/sdm630")
    assert subject.values(NOON) is subject.values(NOON + 0.9)
    assert dict(subject.values(NOON)) != dict(subject.values(NOON + 1))
    assert device("eastron/sdm630", 8).serial != subject.serial


def test_it_hears_its_own_id_only():
    subject = device("eastron/sdm630")
    request = bytes.fromhex("04 0000 0002")
    assert subject.reply(framed(8, request), NOON) is None
    assert subject.reply(framed(BROADCAST, request), NOON) is None
    assert subject.reply(framed(UNIT, request), NOON)[:3] == bytes((UNIT, 4, 4))


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        ("04 0400 0002", 2),
        ("03 0000 0002", 2),
        ("01 0000 0001", 2),
        ("04 0000 007E", 3),
        ("06 0000 0001", 2),
        ("2B 00", 1),
    ],
)
def test_what_it_has_not_is_refused(pdu, code):
    request = bytes.fromhex(pdu)
    assert device("eastron/sdm630").reply(framed(UNIT, request), NOON)[1:3] == bytes((request[0] | 0x80, code))


def test_no_read_is_longer_than_the_device_bears():
    assert CATALOGUE.get("goodwe/et").traits.longest_read == 100
    request = bytes.fromhex("03 88B8 0065")
    assert device("goodwe/et").reply(framed(UNIT, request), NOON)[1:3] == b"\x83\x03"


class Settable:
    def __init__(self, more=""):
        self.device = profile_device(ProfileMap(parse_profile(SETTABLE.format(more=more), "b/s")), UNIT, "test")

    def ask(self, pdu, at=NOON):
        return self.device.reply(framed(UNIT, bytes.fromhex(pdu)), at)[1:-2].hex(" ")


def test_what_is_written_stays_and_is_read_back():
    scene = Settable()
    assert scene.device.values(NOON)["limit"] == 55.0, "what is usual lies above what can be set"
    assert scene.ask("06 000A 01F4") == "06 00 0a 01 f4"
    assert scene.ask("03 000A 0001", NOON + 900) == "03 02 01 f4"
    assert scene.device.values(NOON + 900)["limit"] == 50.0
    assert scene.ask("05 0003 FF00") == "05 00 03 ff 00"
    assert scene.ask("01 0003 0001") == "01 01 01"
    assert scene.ask("0F 0003 0001 01 00") == "0f 00 03 00 01"
    assert scene.device.values(NOON)["relay"] == 0


def test_several_variables_are_written_at_once():
    scene = Settable()
    assert scene.ask("10 000A 0002 04 0064 0001") == "10 00 0a 00 02"
    assert (scene.device.values(NOON)["limit"], scene.device.values(NOON)["mode"]) == (10.0, 1)


@pytest.mark.parametrize(
    ("pdu", "reply"),
    [
        ("06 000C 0001", "86 02"),  # half a variable
        ("06 000E 0001", "86 02"),  # only read
        ("10 000D 0002 04 0001 0001", "90 02"),
        ("06 000B 0003", "86 03"),  # no such mode
        ("06 000A 0227", "86 03"),  # 55.1 %
        ("05 0009 FF00", "85 02"),
        ("05 0003 0001", "85 03"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is_changed(pdu, reply):
    scene = Settable()
    before = dict(scene.device.values(NOON))
    assert scene.ask(pdu) == reply
    assert scene.device.values(NOON) == before


def test_what_does_not_stay_is_taken_and_forgotten():
    scene = Settable()
    before = scene.ask("03 000C 0002")
    assert scene.ask("10 000C 0002 04 0000 0001") == "10 00 0c 00 02"
    assert scene.ask("03 000C 0002") == before


def test_a_command_leaves_its_result():
    scene = Settable()
    assert scene.ask("03 006E 0001") == "03 02 00 00"
    assert scene.ask("10 0064 0002 04 0001 0003") == "90 02"
    assert scene.ask("10 0064 0002 04 0001 0002") == "10 00 64 00 02"
    assert scene.ask("03 006E 0001") == "03 02 00 07"


def test_a_device_that_is_written_by_function_16_only_refuses_the_other():
    scene = Settable("write_function = 16")
    assert scene.ask("06 000A 0001") == "86 01"
    assert scene.ask("10 000A 0001 02 0001") == "10 00 0a 00 01"


def test_an_object_that_is_read_alone_is_written_alone():
    scene = Settable("one_object_per_request = true")
    assert scene.ask("06 000A 01F4") == "06 00 0a 01 f4"
    assert scene.ask("03 000A 0001") == "03 02 01 f4"
    assert scene.ask("03 000A 0002") == "83 02"
    assert scene.device.values(NOON)["limit"] == 50.0


def test_a_device_may_answer_at_a_second_id():
    text = SETTABLE.format(more="") + '[[variable]]\nname = "q"\nunit = "var"\nfunction = "input"\naddress = 5\n'
    subject = profile_device(ProfileMap(parse_profile(f'{text}type = "f32"\nunit_id = 2\n', "b/s")), UNIT, "test")
    said = subject.reply(framed(2, bytes.fromhex("04 0005 0002")), NOON)
    assert said[:3] == b"\x02\x04\x04"
    assert struct.unpack(">f", said[3:7])[0] == pytest.approx(subject.values(NOON)["q"])
    assert subject.reply(framed(UNIT, bytes.fromhex("04 0005 0002")), NOON)[1:3] == b"\x84\x02"
