from pathlib import Path

from concentrator.app.profiles import faults_in, lines_of, listed

PLUGINS = Path(__file__).parents[2] / "plugins"


def test_every_profile_that_comes_along_is_listed():
    found = {each["key"]: each for each in listed()}
    assert set(found) == {f"{path.parent.name}/{path.stem}" for path in PLUGINS.glob("*/*.toml")}
    assert (found["energycm/ccm"]["brand"], found["energycm/ccm"]["series"]) == ("energyCM", "CcM")
    assert found["energycm/ccm"]["variables"] > 40


def test_the_list_is_a_line_a_profile():
    profiles = [{"key": "a/b", "type": "meter", "brand": "A", "series": "B"}]
    assert list(lines_of(profiles)) == ["a/b  meter: A B"]
    assert list(lines_of([])) == []


def test_ones_own_files_are_judged_with_every_fault(tmp_path):
    (tmp_path / "acme").mkdir()
    for name in ("one", "two"):
        (tmp_path / "acme" / f"{name}.toml").write_text("[profile]\nbrnad = 1\n")
    assert faults_in([PLUGINS]) == ()
    found = [(fault.file, fault.key) for fault in faults_in([PLUGINS, tmp_path])]
    assert (f"{tmp_path}/acme/one.toml", "brnad") in found
    assert (f"{tmp_path}/acme/two.toml", "brnad") in found


def test_a_folder_without_profiles_is_a_fault(tmp_path):
    (fault,) = faults_in([tmp_path])
    assert str(fault) == f"{tmp_path}: found no profile, expected a folder with files BRAND/SERIES.toml"
