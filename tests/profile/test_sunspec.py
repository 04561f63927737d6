"""concentrator.profile.sunspec: the chain of a device and a profile of the catalogue become the device's profile."""

import attrs
import pytest

from concentrator.model.profile import Function, Rate, Traits
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.sunspec import Chain, bases_of, chain_profile, is_of, unfound_profile, wanted_models
from concentrator.profile.sunspec_models import Model

LENGTHS = {1: 66, 101: 50, 102: 50, 103: 50, 111: 60, 112: 60, 113: 60, 120: 26, 123: 24, 124: 24, 160: 88, 203: 105}
LENGTHS |= {701: 153, 201: 105, 202: 105, 204: 105, 211: 124, 212: 124, 213: 124, 214: 124, 713: 7, 714: 18, 802: 62}


def chain(*models, base=40000):
    """Models one after the other, by their number, or number and length."""
    found, address = [], base + 2
    for each in models:
        number, length = each if isinstance(each, tuple) else (each, LENGTHS[each])
        found.append(Model(number, address, length))
        address = found[-1].end
    return Chain(base, tuple(found))


def of(key, *models, maker="Acme", **changes):
    profile = attrs.evolve(Catalogue().get(key), **changes)
    return chain_profile(profile, chain(*models), maker)


def names(profile):
    return [point.name for point in profile.points]


FILES = [("inverter-int", 101), ("inverter-int", 103), ("inverter-float", 112), ("inverter-float", 113)]
FILES += [("meter-int", 201), ("meter-int", 204), ("meter-float", 211), ("meter-float", 213), ("mppt", 160)]


@pytest.mark.parametrize(("file", "number"), FILES)
def test_the_published_map_and_the_definitions_say_the_same(file, number):
    """The files were made from the facts; the definitions are pysunspec2's. Both have each variable at its register."""
    listed = Catalogue().get(f"sunspec/{file}")
    found = of(f"sunspec/{file}", 1, number)
    start = 40070
    of_file = {point.name: point for point in listed.points if not point.match}
    for point in found.points:
        if point.identifies:
            continue
        told = of_file.pop(point.name)
        assert (point.address - start, point.encoding, point.count) == (told.address, told.encoding, told.count)
        assert (point.scale, point.sentinels, point.quantity) == (told.scale, told.sentinels, told.quantity)
        assert told.sf_address == (None if point.sf_address is None else point.sf_address - start)
        assert point.checked == told.checked
        assert point.enum == (told.enum or point.enum)
    assert not of_file


@pytest.mark.parametrize("key", ["sma/sunspec", "kostal/sunspec"])
def test_a_makers_own_file_agrees_too(key):
    listed, found = Catalogue().get(key), of(key, 1, 103)
    assert {p.name: p.address + 40070 for p in listed.points if not p.match} == {
        p.name: p.address for p in found.points if not p.identifies
    }


def test_every_profile_of_the_catalogue_says_which_models_it_reads_and_is_known_by():
    relative = [heading.key for heading in Catalogue().headings() if heading.dialect == "sunspec"]
    assert len(relative) >= 7
    for key in relative:
        profile = Catalogue().get(key)
        assert wanted_models(profile)
        assert not is_of(profile, chain(1))
        assert not is_of(profile, chain(1, (64999, 3)))


def test_the_places_a_profile_names_come_first():
    assert bases_of(Catalogue().get("sma/sunspec")) == (40000, 50000, 0)
    elsewhere = attrs.evolve(Catalogue().get("sma/sunspec"), settings={"sunspec": {"bases": [0]}})
    assert bases_of(elsewhere) == (0, 40000, 50000)
    assert bases_of(attrs.evolve(elsewhere, settings={})) == (40000, 50000, 0)


def test_a_profile_without_marks_is_of_any_device_with_a_model_that_it_reads():
    anything = attrs.evolve(Catalogue().get("sunspec/mppt"), points=(), settings={})
    assert is_of(anything, chain(1, 103))
    assert not is_of(anything, chain(1, (64999, 3)))


def test_who_the_device_is_is_read_at_leisure_and_is_no_measurement():
    found = of("sunspec/inverter-int", 1, 103)
    who = [point for point in found.points if point.identifies]
    assert [point.name for point in who] == ["manufacturer", "model", "options", "firmware", "serial"]
    assert not any(point.recorded or point.polled for point in who)
    assert {(block.address, block.count, block.rate) for block in found.blocks} == {
        (40002, 66, Rate.NORMAL),
        (40070, 48, Rate.FAST),
    }


def test_before_its_models_are_found_it_has_what_its_file_says_and_who_it_is():
    unfound = unfound_profile(Catalogue().get("sunspec/inverter-int"))
    assert {"p", "e_total", "serial", "model", "firmware"} <= set(names(unfound))


def test_the_read_of_a_model_begins_with_its_header_and_has_its_scale_factors():
    found = of("sunspec/inverter-int", 1, 103, 160, 124, 802)
    starts = {model.address for model in chain(1, 103, 160, 124, 802).models}
    assert {block.address for block in found.blocks} == starts
    for block in found.blocks:
        for point in block.points:
            assert block.address <= point.address
            assert point.address + point.count <= block.address + block.count
            if point.sf_address is not None:
                assert block.address <= point.sf_address < block.address + block.count


def test_a_model_that_is_too_long_for_one_read_is_read_in_parts_that_cut_no_value():
    found = of("sunspec/meter-int", 1, 203, traits=Traits(longest_read=20))
    block = found.blocks[-1]
    assert len(block.parts) > 4
    assert all(part.count <= 20 and part.function is Function.HOLDING for part in block.parts)
    assert sorted(p.name for part in block.parts for p in part.points) == sorted(p.name for p in block.points)
    for part in block.parts:
        assert all(part.address <= p.address and p.address + p.count <= part.address + part.count for p in part.points)


def test_as_many_inputs_as_the_model_has_room_for():
    found = of("sunspec/inverter-int", 1, 103, (160, 8 + 20 * 6))
    assert [name for name in names(found) if name.startswith("dc_p")] == ["dc_p", *(f"dc_p{n}" for n in range(1, 7))]
    many = of("sunspec/mppt", 1, (160, 8 + 20 * 30))
    assert len([name for name in names(many) if name.startswith("dc_p")]) == 24


def test_a_meter_behind_an_inverter_is_the_one_at_its_grid():
    found = of("kostal/sunspec", 1, 103, 1, 203)
    assert found.point("p").address == 40070 + 14
    assert found.point("grid_p").address == 40070 + 52 + 68 + 18
    assert {"grid_p1", "grid_v1", "grid_i3", "grid_f", "grid_ea_imp", "grid_ea_exp"} <= set(names(found))
    assert [name for name in names(found) if name == "alarm"] == ["alarm"], "the inverter's"


def test_what_two_models_tell_is_taken_from_the_first():
    found = of("sunspec/inverter-int", 1, 802, 103, 124)
    assert [name for name in names(found) if name == "soc"] == ["soc"]
    assert found.point("soc").address < 40100
    twice = of("sunspec/meter-int", 1, 203, 203)
    assert len(twice.blocks) == 2


def test_models_that_the_profile_does_not_name_are_not_read():
    assert "grid_p" not in names(of("sma/sunspec", 1, 103, 203))
    assert names(of("sunspec/inverter-int", 1, 103, (64999, 4), 120)) == names(of("sunspec/inverter-int", 1, 103))


@pytest.mark.parametrize(("maker", "sign"), [("SolarEdge ", -1.0), ("Fronius", 1.0), ("", 1.0)])
@pytest.mark.parametrize(("key", "prefix"), [("sunspec/meter-int", ""), ("sunspec/inverter-int", "grid_")])
def test_power_is_positive_while_it_is_taken_from_the_grid_whoever_made_the_meter(key, prefix, maker, sign):
    found = of(key, 1, 103, 203, maker=maker)
    assert {found.point(f"{prefix}{name}").scale for name in ("p", "p1", "p2", "p3")} == {sign}
    assert found.point(f"{prefix}ea_imp").scale == 0.001
    if prefix:
        assert found.point("p").scale == 1.0, "what the inverter gives out is positive with all of them"


def test_only_a_control_can_be_written():
    found = of("sunspec/inverter-int", 1, 103, 123, 124, 802)
    assert [point.name for point in found.points if point.writable] == ["p_limit", "p_limit_on"]
    assert not found.point("p_limit").recorded
