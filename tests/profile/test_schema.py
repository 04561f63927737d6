"""The shape of a profile file: what a key may hold, how a fault is told, which name is nearest."""

import pytest

from concentrator.model.words import nearest
from concentrator.profile.schema import LISTS, SECTIONS, TABLES, Faults, shown


def checked(table, keys):
    faults = Faults("m1.toml")
    known = faults.checked(table, keys, "here")
    return known, [(fault.key, fault.found, fault.expected) for fault in faults.found]


TCP = TABLES["tcp"]


def test_a_table_that_is_right_comes_back_as_it_is():
    assert checked({"port": 502, "note": "x"}, TCP) == ({"port": 502, "note": "x"}, [])


def test_an_unknown_key_is_a_fault_and_the_rest_is_still_looked_at():
    known, found = checked({"port": 502, "prot": 1}, TCP)
    assert known == {"port": 502}
    assert found == [("prot", "an unknown key", "one of its keys")]


def test_a_wrong_or_a_missing_key_leaves_nothing_to_look_at():
    assert checked({"port": "502"}, TCP) == (None, [("port", '"502"', "a whole number from 0 to 65535")])
    assert checked({"note": "x"}, TCP) == (None, [("port", "nothing", "a whole number from 0 to 65535")])


@pytest.mark.parametrize(
    ("section", "key", "good", "bad"),
    [
        ("variable", "address", 0x8000, 65536),
        ("variable", "address", 0, True),
        ("variable", "scale", 0.1, "0.1"),
        ("variable", "scale", 1, float("nan")),
        ("variable", "checked", True, 1),
        ("variable", "words", [1, 2], [1, "2"]),
        ("variable", "kind", "period_counter", "meter"),
        ("read", "rate", "control", "now"),
        ("command", "value", [1, 2], []),
        ("command", "value", 0xFF00, -1),
        ("command", "leads_to", ["running", "auto mode"], ["flying"]),
        ("evidence", "values", {}, []),
        ("identify", "len", 1, 0),
        ("variable", "stays", False, 0),
        ("secondary", "address", 5, -1),
    ],
)
def test_a_key_holds_what_it_must(section, key, good, bad):
    assert LISTS[section][key].holds(good)
    assert not LISTS[section][key].holds(bad)


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("write_function", 6, 5),
        ("write_function", 16, "16"),
        ("settle_ms", 0, -1),
        ("secondary_from", 0x100, 65536),
        ("secondary_entry", 16, 0),
        ("secondary_models", ["CcM1-C"], [1]),
    ],
)
def test_a_key_of_the_whole_profile_holds_what_it_must(key, good, bad):
    assert TABLES["profile"][key].holds(good)
    assert not TABLES["profile"][key].holds(bad)


def test_every_section_has_its_keys():
    assert set(SECTIONS) == {*TABLES, *LISTS, "enum"}
    for keys in (*TABLES.values(), *LISTS.values()):
        assert all(key.expected for key in keys.values())


def test_a_long_value_is_cut_where_it_is_shown():
    assert shown("x" * 100) == '"' + "x" * 56 + "..."
    assert shown([1, "ä"]) == '[1, "ä"]'


@pytest.mark.parametrize(
    ("name", "expected"), [("kwh", "kWh"), ("adress", "address"), ("f23", "f32"), ("qqq", ""), ("", "")]
)
def test_the_nearest_name_is_one_that_looks_alike(name, expected):
    assert nearest(name, ["kvarh", "kWh", "address", "f32"]) == expected
