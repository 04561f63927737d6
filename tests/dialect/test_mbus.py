"""An M-Bus meter as a station: it describes itself, and is who it says."""

import pytest

from concentrator.dialect.mbus import MOST_NAMES, MbusDialect
from concentrator.model.errors import NotWritable, Refused, Unknown
from concentrator.profile.mbus import GENERIC
from concentrator.sim.mbus_meter import MbusMeter, bcd
from concentrator.wire.mbus_address import parse_address
from concentrator.wire.mbus_frame import Frame
from tests.support.mbus import MBUS, VirtualMbus

ADDRESS = parse_address("12345678-KAM-08-04").raw
ENERGY = bytes.fromhex("0C 06 39 05 00 00")


@pytest.fixture
def meter():
    return MbusMeter(ADDRESS, 5, (ENERGY,))


@pytest.fixture
def said(meter):
    """`said(conversation)` gives what it gives on a line with the meter."""
    bus = VirtualMbus(meter)
    line = bus.line()
    yield lambda conversation: bus.said(line, conversation)
    bus.run(2.0)
    bus.stop(line)


def station(address=5, **parameters):
    return MbusDialect().station(GENERIC, address, {"settings": MBUS, **parameters})


def measured(taken):
    return {name: value for name, value in taken.values.items() if name not in ("serial", "model")}


@pytest.mark.parametrize("where", [{}, {"address": 253, "selected": "12345678"}], ids=["primary", "selected"])
def test_a_meter_says_who_it_is_and_all_it_measures(said, where):
    taken = said(station(**where).identify())
    assert taken.values == {
        "serial": "12345678-KAM-08-04",
        "model": "KAM heat (outlet), version 08",
        "mbus_status": 0,
        "heat_e": 539,
    }
    assert taken.missing == ()


def test_its_profile_grows_with_what_it_says_and_forgets_nothing(said, meter):
    known = station()
    assert [point.name for point in known.profile.points] == ["serial", "model"]
    said(known.identify())
    before = known.profile
    said(known.read(known.blocks[0]))
    assert known.profile is before
    meter.telegrams = (bytes.fromhex("0A 5A 39 05"),)
    assert measured(said(known.read(known.blocks[0]))) == {"mbus_status": 0, "temp_flow": 53.9}
    assert [point.name for point in known.profile.points] == ["serial", "model", "mbus_status", "heat_e", "temp_flow"]


def test_a_meter_that_numbers_its_storages_on_and_on_does_not_fill_the_memory():
    known = station()
    sizes = []
    for number in range(0, 2 * MOST_NAMES, 16):
        parts = range(number, number + 16)
        numbered = [bytes((0x84, 0x80 | part & 0xF, 0x80 | part >> 4 & 0xF, part >> 8, 0x06)) for part in parts]
        records = b"".join(each + bytes(4) for each in numbered)
        frame = Frame(0x08, 5, 0x72, ADDRESS + bytes(4) + records)
        conversation = known.read(known.blocks[0])
        conversation.send(None)
        conversation.send(b"\xe5")
        conversation.send(frame)
        with pytest.raises(StopIteration):
            conversation.send(b"\xe5")
        sizes.append(len(known.profile.points))
        assert {"serial", "model"} <= {point.name for point in known.profile.points}
    assert max(sizes) <= MOST_NAMES + 3


def test_what_it_has_no_value_for_is_missing(said, meter):
    meter.telegrams = (bytes.fromhex("0C 06 39 05 00 D0"),)
    known = station()
    assert said(known.read(known.blocks[0])).missing == ("heat_e",)


def test_what_has_no_value_changes_no_column_and_is_missing_only_where_it_is_recorded(said, meter):
    known = station()
    meter.telegrams = (bytes.fromhex("0B 3B 39 05 00 42 6C 7F 1C 3B 3B 01 00 00"),)
    assert said(known.identify()).missing == ()
    before = known.profile
    meter.telegrams = (bytes.fromhex("0B 3B BB EE DD 42 6C 00 00 3B 3B BB EE DD"),)
    assert said(known.identify()).missing == ("flow",)
    assert known.profile is before
    recorded = [point.name for point in known.profile.points if point.recorded]
    assert recorded == ["mbus_status", "flow"]


def test_several_telegrams_are_one_read(said, meter):
    meter.telegrams = (ENERGY + b"\x1f", b"\x4c\x06" + bcd(7, 4))
    known = station()
    assert measured(said(known.read(known.blocks[0]))) == {"mbus_status": 0, "heat_e": 539, "heat_e_s1": 7}


def test_who_it_is_comes_with_every_read(said, meter):
    known = station()
    assert said(known.read(known.blocks[0])).tells_who
    meter.address = parse_address("87654321-KAM-08-04").raw
    assert said(known.read(known.blocks[0])).values["serial"] == "87654321-KAM-08-04"


def test_one_variable_is_read_fresh(said, meter):
    known = station()
    with pytest.raises(Unknown):
        known.read_point("heat_e")
    said(known.identify())
    meter.telegrams = (b"\x0c\x06" + bcd(540, 4),)
    assert said(known.read_point("heat_e")) == 540
    meter.telegrams = (b"",)
    assert isinstance(said(known.read_point("heat_e")), Unknown)


def test_nothing_is_written(said):
    known = station()
    said(known.identify())
    for refused in (known.write, known.as_read):
        with pytest.raises(NotWritable):
            refused("heat_e", 1)
        with pytest.raises(Unknown):
            refused("heat", 1)


def test_a_busy_meter_is_told_as_one_that_is_asked_again_soon():
    known = station()
    conversation = known.read(known.blocks[0])
    conversation.send(None)
    conversation.send(b"\xe5")
    conversation.send(Frame(0x08, 5, 0x70, b"\x08"))
    with pytest.raises(Refused, match="application busy") as caught:
        conversation.send(b"\xe5")
    assert caught.value.code == 6


def test_a_block_that_was_refused_is_asked_for_again_as_it_is():
    known = station()
    assert known.refused(known.blocks[0], 2) == known.blocks
