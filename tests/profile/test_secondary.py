"""concentrator.profile.secondary: where a principal keeps its secondaries, and what is read of each."""

import pytest

from concentrator.model.profile import Rate
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.plan import plan_blocks, plan_identity
from concentrator.profile.secondary import NEEDED, has_secondaries, secondary_number, secondary_profile
from tests.support.profiles import faults, load, said, variable

CCM = Catalogue().get("energycm/ccm")
KEYS = {
    "secondary_table": 0x400,
    "secondary_entry": 16,
    "secondary_from": 0x100,
    "secondary_base": 0x1000,
    "secondary_stride": 0x100,
    "secondary_models": ["M1-C"],
}
SERIAL = variable("serial", unit="", type="ascii10", kind="info")


@pytest.mark.parametrize(("n", "fast", "energies", "entry"), [(1, 0x1000, 0x1040, 0x410), (32, 0x2F00, 0x2F40, 0x600)])
def test_a_ccm_keeps_each_secondary_at_a_place_of_its_own(n, fast, energies, entry):
    blocks = secondary_profile(CCM, n).blocks
    assert [(block.address, block.count) for block in blocks] == [(fast, 52), (energies, 64), (entry, 10)]


def test_a_secondary_measures_what_its_principal_does_as_often():
    profile = secondary_profile(CCM, 1)
    cadences = [(block.rate, block.every_s) for block in CCM.blocks]
    assert [(block.rate, block.every_s) for block in profile.blocks] == [*cadences[1:3], (Rate.NORMAL, None)]
    assert cadences[1] == (Rate.FAST, None)
    own = [point.name for block in CCM.blocks[1:3] for point in block.points]
    assert [point.name for point in profile.points if point.address >= 0x1000] == own
    assert (profile.point("p").address, profile.point("p").scale) == (0x1024, 0.1)
    assert profile.point("ea_exp3").address == 0x1074
    assert all(point in profile.points for block in profile.blocks for point in block.points)


def test_who_a_secondary_is_stands_in_the_table():
    profile = secondary_profile(CCM, 2)
    (who,) = plan_identity(profile)
    assert (who.address, [point.name for point in who.points if point.identifies]) == (
        0x420,
        ["serial", "model", "firmware", "phases"],
    )
    assert profile.models == ("CcM1-C", "CcM3-C")
    assert profile.point("model").enum[101] == "CcM1-C"


def test_nothing_of_a_secondary_is_configured_linked_or_commanded():
    profile = secondary_profile(CCM, 1)
    names = {point.name for point in profile.points}
    assert not names & {"direction_mode", "unlock", "identify", "modbus_id", "link_state", "secondaries"}
    assert not [point.name for point in profile.points if point.writable]
    assert (profile.commands, profile.evidence) == ((), ())


def test_what_a_principal_lets_be_written_of_its_measurements_is_only_read_behind_it():
    profile = load(variable("limit", unit="", address=0x105, writable=True), profile=KEYS, secondary=[SERIAL])
    assert not secondary_profile(profile, 1).point("limit").writable


def test_it_says_which_it_is_and_stays_itself():
    profile = secondary_profile(CCM, 3)
    assert (secondary_number(profile), secondary_number(CCM)) == (3, None)
    assert profile.key != secondary_profile(CCM, 4).key != CCM.key
    assert secondary_profile(profile, 3) is profile
    assert (has_secondaries(CCM), has_secondaries(profile)) == (True, False)


def test_only_a_profile_that_knows_of_secondaries_has_any():
    for profile, n in ((load(variable()), 1), (CCM, 0), (secondary_profile(CCM, 3), 4)):
        with pytest.raises(ValueError, match=f"secondary: found {n}, expected"):
            secondary_profile(profile, n)


def test_without_reads_in_the_file_the_reads_of_a_secondary_are_planned():
    profile = load(
        variable("v1", address=0x110),
        variable("v2", address=0x111, sf_address=0x112),
        variable("v3", address=0x1FF, type="u32"),
        variable("f", unit="Hz", address=0x201),
        profile=KEYS,
        secondary=[SERIAL],
    )
    secondary = secondary_profile(profile, 2)
    assert [point.name for point in secondary.points] == ["v1", "v2", "serial"]
    assert secondary.point("v2").sf_address == 0x1112
    assert [(block.address, block.count) for block in plan_blocks(secondary)] == [(0x1110, 3), (0x420, 5)]


def test_every_shipped_secondary_has_a_name_for_each_of_its_points():
    catalogue = Catalogue()
    for profile in map(catalogue.get, catalogue.keys()):
        if has_secondaries(profile):
            names = [point.name for point in secondary_profile(profile, 1).points]
            assert len(set(names)) == len(names)
            assert "serial" in names


@pytest.mark.parametrize("key", NEEDED)
def test_a_file_that_speaks_of_secondaries_says_all_of_it(key):
    keys = {name: value for name, value in KEYS.items() if name != key}
    assert said(faults(variable(), profile=keys, secondary=[SERIAL])) == [
        f"m1.toml: [profile] {key}: found nothing, expected all of {', '.join(NEEDED)}, for it speaks of secondaries"
    ]


def test_a_table_of_secondaries_holds_their_serials():
    expected = (
        "m1.toml: secondary: found no serial, expected a [[secondary]] that is the serial, in an entry of the table"
    )
    assert said(faults(variable(), profile=KEYS)) == [expected]
    assert said(faults(variable(), profile=KEYS, secondary=[variable("model", unit="", kind="info")])) == [expected]


def test_the_faults_of_an_entry_are_told_by_its_section():
    found = faults(variable(), profile=KEYS, secondary=[SERIAL, variable("model", unit="", address=1)])
    assert said(found) == [
        "m1.toml: [secondary[2] model] address: found 1, 1 registers of holding, "
        "expected all or none of the registers 0 to 4 of serial"
    ]
