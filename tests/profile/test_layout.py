"""How a file's variables lie among each other and in its reads."""

import pytest

from concentrator.model.profile import Rate
from tests.support.profiles import faults, load, variable


def test_reads_become_blocks_and_give_their_cadence_to_what_they_bring():
    profile = load(
        variable("v1", address=1),
        variable("ea_imp", unit="kWh", type="u32", address=2),
        variable("p", unit="W", address=20),
        variable("q", unit="var", address=40),
        read=[
            {"function": "holding", "address": 0, "count": 10, "rate": "fast"},
            {"function": "holding", "address": 20, "count": 1, "every": "5 s"},
        ],
    )
    first, second = profile.blocks
    assert (first.address, first.count, first.rate, first.every_s) == (0, 10, Rate.FAST, None)
    assert [point.name for point in first.points] == ["v1", "ea_imp"]
    assert (second.every_s, [point.name for point in second.points]) == (5.0, ["p"])
    assert [point.polled for point in profile.points] == [True, True, True, False]
    assert profile.point("ea_imp").rate is Rate.FAST
    assert profile.point("p").every_s == 5.0
    assert first.points == profile.points[:2]


def test_a_read_without_a_cadence_is_made_as_often_as_its_most_wanted_variable():
    energy = variable("ea_imp", unit="kWh", address=0)
    read = {"function": "holding", "address": 0, "count": 2}
    assert load(energy, read=[read]).blocks[0].rate is Rate.NORMAL
    assert load(energy, variable("v1", address=1), read=[read]).blocks[0].rate is Rate.FAST
    assert load(variable(address=9), read=[read]).blocks[0].rate is Rate.SLOW


def test_without_reads_every_variable_is_polled():
    assert [point.polled for point in load(variable("v1"), variable("v2", address=9)).points] == [True, True]


def test_two_variables_of_one_name_are_a_fault():
    (fault,) = faults(variable("v1"), variable("v1", address=5))
    assert str(fault) == (
        'm1.toml: [variable[2] v1] name: found "v1", expected a name of its own: variable[1] v1 has this one'
    )


def test_registers_shared_in_part_are_a_fault_and_shared_whole_are_not():
    wide = variable("p", unit="W", type="u32", address=10)
    (fault,) = faults(wide, variable("v1", address=11))
    assert str(fault) == (
        "m1.toml: [variable[2] v1] address: found 11, 1 registers of holding, "
        "expected all or none of the registers 10 to 11 of p"
    )
    load(wide, variable("q", unit="var", type="s32", address=10))
    load(wide, variable("v1", address=11, function="input"))
    load(wide, variable("v1", address=11, unit_id=3))
    load(wide, variable("v1", address=11), profile={"one_object_per_request": True})
    load(variable("v1", address=11), variable("ea_imp", unit="kWh", type="u32", address=10, words=[10, 12]))
    flags = [variable(f"flag{n}", unit="", type="bool", bit=n, address=3) for n in range(16)]
    load(*flags)


@pytest.mark.parametrize(
    ("read", "key", "expected"),
    [
        ({"count": 126}, "count", "125 at most, the device's longest read"),
        ({"count": 2001, "function": "coil"}, "count", "2000 at most, the device's longest read"),
        ({"address": 65535, "count": 2}, "address", "the last register at 65535 at most"),
        ({"count": 1, "every": "soon"}, "every", 'a duration such as "5 s"'),
        ({"count": 1, "every": "0 s"}, "every", "a duration above 0"),
        ({"count": 1, "every": "5 s", "rate": "fast"}, "every", "either rate or every"),
        ({"count": 1, "rate": "often"}, "rate", "fast, normal, slow or control"),
    ],
)
def test_a_read_the_device_cannot_make_is_a_fault(read, key, expected):
    (fault,) = faults(variable(address=300), read=[{"function": "holding", "address": 0, **read}])
    assert (fault.section, fault.key, fault.expected) == ("read[1]", key, expected)


def test_a_variable_partly_in_a_read_is_a_fault():
    read = {"function": "holding", "address": 0, "count": 2}
    (fault,) = faults(variable("p", unit="W", type="u32", address=1), read=[read])
    assert fault.expected == "all of it in the [[read]] of 0 to 1, or none"


def test_a_cadence_of_a_variable_that_a_read_brings_is_a_fault():
    read = {"function": "holding", "address": 0, "count": 2}
    (fault,) = faults(variable(rate="slow"), read=[read])
    assert (fault.section, fault.expected) == ("variable[1] v1", "the cadence in read[1], which brings it")


def test_a_read_longer_than_the_devices_own_limit_is_a_fault():
    limit = {"max_read_registers": 2}
    (fault,) = faults(variable(address=9), profile=limit, read=[{"function": "holding", "address": 0, "count": 3}])
    assert fault.expected == "2 at most, the device's longest read"
    (fault,) = faults(variable("ea_imp", unit="kWh", type="u64"), profile=limit)
    assert fault.found == "4 registers"
