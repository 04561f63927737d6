"""A simulated SunSpec device has a chain that ends, of models as they are defined, and says what it has not."""

import struct

import pytest

from concentrator.profile.catalogue import Catalogue
from concentrator.sim.profile_device import profile_device
from concentrator.sim.slave import framed
from concentrator.sim.sunspec import sunspec_map

NOON = 1_795_262_400.0
CATALOGUE = Catalogue()


def device(key):
    return profile_device(sunspec_map(CATALOGUE.get(key)), 1, "test")


def registers(subject, address, count):
    reply = subject.reply(framed(1, struct.pack(">BHH", 3, address, count)), NOON)
    return struct.unpack(f">{count}H", reply[3:-2])


def chain(subject, base=40000):
    """Number and length of the models, as a walk finds them."""
    assert registers(subject, base, 2) == (0x5375, 0x6E53)
    found, address = [], base + 2
    while (header := registers(subject, address, 2)) != (0xFFFF, 0):
        found.append(header)
        address += 2 + header[1]
    return found


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("sunspec/inverter-int", [(1, 66), (103, 50), (160, 48), (124, 24), (203, 105)]),
        ("sunspec/meter-float", [(1, 66), (213, 124)]),
        ("sunspec/mppt", [(1, 66), (160, 48)]),
        ("sma/sunspec", [(1, 66), (103, 50)]),
    ],
)
def test_the_chain_has_the_models_the_profile_wants(key, expected):
    assert chain(device(key))[: len(expected)] == expected


def test_strings_are_as_many_as_it_says():
    subject = device("sunspec/mppt")
    assert registers(subject, 40070 + 8, 1) == (2,)
    assert {"dc_v1", "dc_v2"} <= set(subject.values(NOON))
    assert "dc_v3" not in subject.values(NOON)


def test_what_no_variable_is_for_is_not_implemented():
    subject = device("sunspec/inverter-int")
    model = CATALOGUE.get("sunspec/inverter-int").point("p")
    assert registers(subject, 40070 + model.address, 1) != (0x8000,)
    assert registers(subject, 40070 + 48, 2) == (0xFFFF, 0xFFFF), "the third of the maker's event bits"
