import json
import tomllib

import pytest

from concentrator.app.new_profile import QUESTIONS, answers, new_profile
from concentrator.app.profiles import checked
from concentrator.model.errors import ProfileError


def usual(key):
    return answers(key, {}, None)


@pytest.mark.parametrize("type_", ["meter", "analyser", "inverter", "genset"])
def test_a_new_profile_is_right_as_it_stands(tmp_path, type_):
    path = new_profile(tmp_path, "acme/a3", {**usual("acme/a3"), "type": type_})
    (profile,), faults = checked([path])
    assert faults == ()
    assert (profile.type, profile.brand, profile.series, profile.models) == (type_, "Acme", "A3", ("A3",))
    assert profile.sign == ("generation" if type_ in ("inverter", "genset") else "import")


def test_what_was_said_is_in_it_as_it_was_said(tmp_path):
    given = {"brand": 'Äcme "Ü"', "models": "A3-1, A3-2,", "sources": "a manual", "class": None}
    said = answers("acme/a3", given, None)
    profile = checked([new_profile(tmp_path, "acme/a3", said)])[0][0]
    assert (profile.brand, profile.models, profile.sources) == ('Äcme "Ü"', ("A3-1", "A3-2"), ("a manual",))


def test_what_is_not_given_is_asked_for_and_an_empty_answer_is_the_usual_one():
    asked = []

    def ask(question, usual):
        asked.append((question, usual))
        return "inverter" if question.startswith("what it is") else ""

    said = answers("acme/a3", {"brand": "ACME"}, ask)
    assert [question for question, _ in asked] == [text for name, (text, _) in QUESTIONS.items() if name != "brand"]
    assert (said["type"], said["brand"], said["series"], said["class"]) == ("inverter", "ACME", "A3", "three-phase")


def test_editors_find_the_schema_beside_it(tmp_path):
    path = new_profile(tmp_path, "acme/a3", usual("acme/a3"))
    first = path.read_text().splitlines()[0]
    assert first == "#:schema ../profile.schema.json"
    schema = json.loads((path.parent / first.partition(" ")[2]).read_text())
    assert set(tomllib.loads(path.read_text())) <= set(schema["properties"])


@pytest.mark.parametrize("key", ["a3", "Acme/a3", "acme/a3/b", "../a3", "acme/a_3"])
def test_a_key_that_is_none_is_refused(tmp_path, key):
    with pytest.raises(ProfileError, match="BRAND/SERIES"):
        new_profile(tmp_path, key, usual(key))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_as_it_is(tmp_path):
    path = new_profile(tmp_path, "acme/a3", usual("acme/a3"))
    path.write_text("mine")
    with pytest.raises(ProfileError, match="none yet"):
        new_profile(tmp_path, "acme/a3", usual("acme/a3"))
    assert path.read_text() == "mine"
