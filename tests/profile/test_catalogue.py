"""The catalogue: keys without parsing, folders in order, a broken file breaks only itself."""

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
