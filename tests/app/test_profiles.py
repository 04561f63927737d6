from pathlib import Path

import pytest

from concentrator.app.profiles import catalogue_of, checked, lines_of, lines_of_checked, lines_of_one, listed, shown
from concentrator.model.errors import ProfileError
from concentrator.profile.catalogue import Catalogue
from tests.support.profiles import text, variable

PLUGINS = Path(__file__).parents[2] / "plugins"
CATALOGUE = Catalogue()


@pytest.fixture
def put(tmp_path):
    def put(key, source):
        path = tmp_path / f"{key}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        return path

    return put


def test_every_profile_that_comes_along_is_listed():
    found = {each["key"]: each for each in listed(CATALOGUE)}
    assert set(found) == {f"{path.parent.name}/{path.stem}" for path in PLUGINS.glob("*/*.toml")}
    assert (found["energycm/ccm"]["brand"], found["energycm/ccm"]["status"]) == ("energyCM", "proposed")


def test_the_list_can_be_of_one_type_or_brand_only():
    assert {each["type"] for each in listed(CATALOGUE, type="Inverter", brand=None)} == {"inverter"}
    assert [each["key"] for each in listed(CATALOGUE, brand="huawei")] == ["huawei/sun2000"]
    assert listed(CATALOGUE, type="meter", brand="huawei") == []


def test_the_list_is_a_line_a_profile_and_says_which_file_goes_before_which(tmp_path, put):
    own = put("own/acme/m1", text([variable()]))
    shipped = put("shipped/acme/m1", text([variable()]))
    put("shipped/acme/m22", text([variable()], {"series": "M22"}))
    catalogue = Catalogue([tmp_path / "own"], [tmp_path / "shipped"])
    assert list(lines_of(listed(catalogue))) == [
        "acme/m1   meter: Acme M1 (proposed)",
        f"          {own} goes before {shipped}",
        "acme/m22  meter: Acme M22 (proposed)",
    ]
    assert list(lines_of([])) == []


def test_one_is_shown_with_everything_it_says():
    lines = list(lines_of_one(shown(CATALOGUE, "sma/home-manager-2")))
    assert lines[0] == "sma/home-manager-2  analyser: SMA, three-phase, Sunny Home Manager 2.0"
    assert "status    cross-checked: 17 of 25 variables agree in two sources" in lines
    assert "sign      a positive power is taken from the grid" in lines
    assert "doubts    phase voltages, frequency and reactive powers have one source" in lines
    (power,) = [line.split() for line in lines if line.startswith("p ")]
    assert power == ["p", "W", "instantaneous", "fast", "holding", "30865", "s32", "yes"]


def test_the_one_of_m_bus_meters_is_shown_although_it_has_no_file():
    one = shown(Catalogue(), "mbus/generic")
    assert (one["file"], one["variables"], one["reads"]) == ("", [], [])
    said = "\n".join(lines_of_one(one))
    assert "file      none is needed" in said and "with every telegram" in said


@pytest.mark.parametrize(
    ("key", "verified"),
    [
        ("smartgen/hgm6100n", "verified for HGM6120N"),
        ("smartgen/hgm9500", "verified for no model"),
        ("comap/igs-nt", "verified for IGNT, IG-NT, IS-NT"),
    ],
)
def test_the_commands_of_one_are_shown_and_for_whom_they_are_verified(key, verified):
    said = [line.strip() for line in lines_of_one(shown(CATALOGUE, key))]
    place = next(number for number, line in enumerate(said) if line.startswith("commands  start, stop"))
    assert said[place + 1] == verified


def test_one_that_is_passed_through_says_that_nothing_is_read():
    assert list(lines_of_one(shown(CATALOGUE, "harsen/passthrough")))[-1] == (
        "nothing is read of it: it is only passed through to"
    )


def test_one_that_is_not_there_is_told_with_the_nearest():
    with pytest.raises(ProfileError, match="did you mean goodwe/et"):
        shown(CATALOGUE, "godwe/et")


def test_ones_own_files_are_judged_with_every_fault(tmp_path, put):
    first, second = (put(f"acme/{name}", "[profile]\nbrnad = 1\n") for name in ("one", "two"))
    assert {fault.file for fault in checked([tmp_path])[1]} == {str(first), str(second)}
    assert {fault.file for fault in checked([first])[1]} == {str(first)}
    assert ("brnad", "brand") in [(fault.key, fault.hint) for fault in checked([first])[1]]


def test_what_is_shipped_has_no_fault():
    profiles, faults = checked([PLUGINS])
    assert faults == ()
    assert [profile.key for profile in profiles] == list(CATALOGUE.keys())


def test_what_is_right_is_said_in_a_line(put):
    profiles, faults = checked([put("acme/m1", text([variable(), variable("v2", address=90)]))])
    assert (list(lines_of_checked(profiles)), faults) == (
        ["acme/m1: 2 variables in 2 reads, proposed, 0 exchanges decode as stated"],
        (),
    )


def test_evidence_that_decodes_to_something_else_is_a_fault(put):
    kept = {"source": "captured", "request": "01 03 00 00 00 01 84 0A", "response": "01 03 02 08 FE 3E 04"}
    told = [{**kept, "values": {"v1": 2302}}, {**kept, "values": {"v1": 230}}, {**kept, "response": "01", "values": {}}]
    path = put("acme/m1", text([variable()], evidence=told))
    assert [str(fault).partition("m1.toml: ")[2] for fault in checked([path])[1]] == [
        "[evidence[2]] v1: found 230, expected 2302, as it decodes",
        "[evidence[3]] response: found 01, expected a read and its answer, checksums included",
    ]


def test_a_folder_without_profiles_is_a_fault(tmp_path):
    (fault,) = checked([tmp_path])[1]
    assert str(fault) == f"{tmp_path}: found no profile, expected a folder with files BRAND/SERIES.toml"


def test_folders_that_are_not_there_are_left_out(tmp_path, put):
    put("acme/m1", text([variable()]))
    assert "acme/m1" in catalogue_of([tmp_path, tmp_path / "none"]).keys()  # noqa: SIM118
    assert catalogue_of([]).keys() == CATALOGUE.keys()
