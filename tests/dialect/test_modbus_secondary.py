"""concentrator.dialect.modbus: secondaries, read through their principal."""

import struct

import pytest

from concentrator.dialect.modbus import dialects
from concentrator.model.errors import NoReply, Refused
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.secondary import secondary_profile

CCM = Catalogue().get("energycm/ccm")
ENTRY = struct.pack(">10s5H", b"0119060072", 101, 0x2823, 4, 17, 1)


def station(secondary=2, profile=CCM):
    return dialects()["modbus-rtu"].station(profile, 5, {"secondary": secondary})


def result(conversation, reply):
    """The first request of a conversation, and what it gives for a reply or a failure."""
    request = next(conversation).request
    with pytest.raises(StopIteration) as ended:
        conversation.throw(reply) if isinstance(reply, Exception) else conversation.send(reply)
    return request[:6].hex(), ended.value.value


def test_a_secondary_is_read_at_the_id_of_its_principal():
    meter = station()
    assert [block.address for block in meter.blocks] == [0x1100, 0x1140]
    assert [block.address for block in meter.who] == [0x0420]
    fast = bytearray(104)
    fast[72:76] = struct.pack(">i", -1234)
    request, taken = result(meter.read(meter.blocks[0]), bytes(fast))
    assert request == "050311000034"
    assert (taken.values["p"], taken.missing) == (-123.4, ())


def test_a_secondary_is_who_its_principal_says():
    request, taken = result(station().identify(), ENTRY)
    assert request == "05030420000a"
    assert taken.values == {
        "serial": "0119060072",
        "model": 101,
        "firmware": "0X2823",
        "status_word": 4,
        "heard_before": 17,
        "phases": 1,
    }


def test_a_secondary_that_is_not_listed_is_not_there():
    meter = station()
    for conversation in (meter.identify(), meter.read(meter.blocks[0]), meter.read_point("p")):
        next(conversation)
        with pytest.raises(NoReply, match="the principal with ID 5 lists no secondary 2"):
            conversation.throw(Refused(2))


def test_an_entry_without_a_serial_is_nobody():
    conversation = station().identify()
    next(conversation)
    with pytest.raises(NoReply, match="lists no secondary 2"):
        conversation.send(bytes(20))


def test_what_a_principal_refuses_otherwise_stays_a_refusal():
    conversation = station().identify()
    next(conversation)
    with pytest.raises(Refused):
        conversation.throw(Refused(6))


def test_the_profile_of_a_secondary_will_do_as_well():
    assert [block.address for block in station(2, secondary_profile(CCM, 2)).blocks] == [0x1100, 0x1140]


def test_principals_and_secondaries_do_not_share_a_plan():
    dialect = dialects()["modbus-rtu"]
    first, second, other = (dialect.station(CCM, 5, {"secondary": n}).blocks for n in (1, 2, 1))
    assert first is other
    assert first != second
    assert dialect.station(CCM, 5, {"secondary": None}).blocks[0].address != first[0].address
