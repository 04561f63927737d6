"""The catalogue: keys without parsing, folders in order, a broken file breaks only itself."""

import os

import pytest

from concentrator.model.errors import ProfileError
from concentrator.profile import catalogue
from concentrator.profile.catalogue import Catalogue, shipped_folders
from tests.support.profiles import text, variable


def put(folder, key, source):
    path = folder / f"{key}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")


def profile_text(series):
    return text([variable()], {"series": series})


def test_the_shipped_profiles_are_there():
    assert "energycm/ccm" in Catalogue().keys()  # noqa: SIM118
    assert Catalogue().get("energycm/ccm").key == "energycm/ccm"


def test_keys_are_listed_without_opening_a_file(tmp_path):
    put(tmp_path, "b/two", "[broken")
    put(tmp_path, "a/one", "[broken")
    put(tmp_path, "a/deeper/three", "")
    put(tmp_path, "four", "")
    (tmp_path / "a" / "notes.txt").write_text("")
    assert Catalogue(shipped=[tmp_path]).keys() == ("a/one", "b/two")


def test_a_folder_of_the_box_goes_before_what_is_shipped(tmp_path):
    for folder in ("first", "second", "shipped"):
        put(tmp_path / folder, "a/one", profile_text(folder))
    put(tmp_path / "second", "a/two", profile_text("second"))
    put(tmp_path / "shipped", "a/three", profile_text("shipped"))
    folders = [tmp_path / "absent", tmp_path / "first", tmp_path / "second"]
    profiles = Catalogue(folders, [tmp_path / "shipped"])
    assert {key: profiles.get(key).series for key in profiles.keys()} == {  # noqa: SIM118
        "a/one": "first",
        "a/two": "second",
        "a/three": "shipped",
    }


def test_a_profile_is_parsed_once(tmp_path):
    put(tmp_path, "a/one", profile_text("One"))
    profiles = Catalogue(shipped=[tmp_path])
    first = profiles.get("a/one")
    put(tmp_path, "a/one", "[broken")
    assert profiles.get("a/one") is first


def test_an_unknown_key_is_told_with_the_nearest_one(tmp_path):
    put(tmp_path, "energycm/ccm", profile_text("CcM"))
    with pytest.raises(ProfileError) as caught:
        Catalogue(shipped=[tmp_path]).get("energycm/cmm")
    assert str(caught.value.faults[0]) == (
        'device profiles: found "energycm/cmm", expected a known profile (did you mean energycm/ccm?)'
    )


def test_a_broken_file_breaks_only_itself(tmp_path):
    put(tmp_path, "a/good", profile_text("Good"))
    put(tmp_path, "a/broken", "[broken")
    put(tmp_path, "a/wrong", text([variable(unit="A"), variable("v2", type="x9")]))
    profiles = Catalogue(shipped=[tmp_path])
    assert profiles.get("a/good").series == "Good"
    with pytest.raises(ProfileError):
        profiles.get("a/broken")
    assert [(fault.file.rpartition("/")[2], fault.key) for fault in profiles.faults()] == [
        ("broken.toml", ""),
        ("wrong.toml", "unit"),
        ("wrong.toml", "type"),
    ]


def test_an_installation_has_its_profiles_in_a_package_of_their_own(tmp_path, monkeypatch):
    put(tmp_path / "site" / "ccmaster_profiles", "a/one", profile_text("One"))
    (tmp_path / "site" / "concentrator").mkdir()
    monkeypatch.setattr(catalogue.concentrator, "__file__", str(tmp_path / "site" / "concentrator" / "__init__.py"))
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None)
    assert shipped_folders() == ()

    class Spec:
        submodule_search_locations = (str(tmp_path / "site" / "ccmaster_profiles"),)

    monkeypatch.setattr(catalogue, "find_spec", lambda name: Spec())
    assert Catalogue().keys() == ("a/one",)


def test_a_checkout_has_its_profiles_beside_the_package(tmp_path, monkeypatch):
    put(tmp_path / "plugins", "a/one", profile_text("One"))
    (tmp_path / "setup.cfg").write_text("")
    monkeypatch.setattr(catalogue.concentrator, "__file__", str(tmp_path / "concentrator" / "__init__.py"))
    assert shipped_folders() == (tmp_path / "plugins",)


def named(brand, series, models=("M1",), **keys):
    return text([variable()], {"type": "meter", "brand": brand, "series": series, "models": list(models), **keys})


@pytest.fixture
def shelf(tmp_path):
    put(tmp_path, "acme/m1", named("Acme", "M1", ["M1b", "M1a"]))
    put(tmp_path, "acme/m2", named("Acme", "M2", type="inverter"))
    put(tmp_path, "bolt/b1", named("bolt", "B1", **{"class": "single-phase"}))
    return Catalogue(shipped=[tmp_path])


def test_one_chooses_type_then_brand_class_series_and_model(shelf):
    assert shelf.choices() == ("inverter", "meter")
    assert shelf.choices("meter") == ("Acme", "bolt")
    assert shelf.choices("meter", "Acme") == ("three-phase",)
    assert shelf.choices("meter", "Acme", "three-phase") == ("M1",)
    assert shelf.choices("meter", "Acme", "three-phase", "M1") == ("M1a", "M1b")
    assert shelf.choices("meter", "Acme", "three-phase", "M1", "M1a") == ()
    assert shelf.choices("meter", "Nobody") == ()


def test_what_was_chosen_leads_to_its_profile(shelf):
    assert shelf.chosen("meter", "Acme", "three-phase", "M1").key == "acme/m1"
    assert shelf.chosen("meter", "Acme", "three-phase", "M9") is None


def test_choosing_reads_no_variables(tmp_path):
    put(tmp_path, "acme/m1", named("Acme", "M1").replace("[[variable]]", "[[variable]]\n[broken", 1))
    assert Catalogue(shipped=[tmp_path]).choices("meter") == ("Acme",)


def test_the_file_that_counts_and_those_it_hides_are_named(tmp_path):
    for folder in ("own", "shipped"):
        put(tmp_path / folder, "acme/m1", named("Acme", folder))
    profiles = Catalogue([tmp_path / "own"], [tmp_path / "shipped"])
    (heading,) = profiles.headings()
    assert (heading.series, heading.file) == ("own", tmp_path / "own/acme/m1.toml")
    assert heading.hidden == (tmp_path / "shipped/acme/m1.toml",)
    assert profiles.file("acme/m1") == heading.file
    assert profiles.faults() == ()


def test_a_series_that_two_files_have_is_refused_to_the_later_one(tmp_path):
    put(tmp_path / "own", "mine/zz", named("Acme", "M1"))
    put(tmp_path / "shipped", "acme/m1", named("Acme", "M1"))
    profiles = Catalogue([tmp_path / "own"], [tmp_path / "shipped"])
    assert [heading.key for heading in profiles.headings()] == ["mine/zz"]
    assert [str(fault) for fault in profiles.faults()] == [
        f'{tmp_path}/shipped/acme/m1.toml: [profile] series: found "M1", expected a series of its own: '
        f"{tmp_path}/own/mine/zz.toml has this one"
    ]


def test_what_cannot_be_read_is_not_offered_but_told_once(tmp_path):
    put(tmp_path, "acme/m1", named("Acme", "M1"))
    put(tmp_path, "acme/broken", "[profile")
    profiles = Catalogue(shipped=[tmp_path])
    assert [heading.key for heading in profiles.headings()] == ["acme/m1"]
    assert [fault.file for fault in profiles.faults()] == [f"{tmp_path}/acme/broken.toml"]


def test_a_file_that_comes_goes_or_changes_is_noticed(tmp_path, shelf):
    assert shelf.choices("meter") == ("Acme", "bolt")
    put(tmp_path, "nut/n1", named("Nut", "N1"))
    assert shelf.choices("meter") == ("Acme", "bolt", "Nut")
    put(tmp_path, "nut/n1", named("Nuts", "N1"))
    os.utime(tmp_path / "nut/n1.toml", ns=(1, 1))
    assert shelf.choices("meter") == ("Acme", "bolt", "Nuts")
    (tmp_path / "nut/n1.toml").unlink()
    assert shelf.choices("meter") == ("Acme", "bolt")


def test_a_heading_is_read_once_while_its_file_stays_the_same(shelf):
    assert all(one is other for one, other in zip(shelf.headings(), shelf.headings(), strict=True))


@pytest.mark.parametrize("key", ["", "m1", "../m1", "acme/../m1", "/etc/passwd"])
def test_a_key_leads_nowhere_but_into_the_folders(tmp_path, key):
    put(tmp_path, "acme/m1", named("Acme", "M1"))
    (tmp_path / "m1.toml").write_text(named("Acme", "M1"))
    with pytest.raises(ProfileError, match="a known profile"):
        Catalogue(shipped=[tmp_path / "acme"]).get(key)
