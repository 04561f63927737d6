"""The JSON Schema of the profile format says what the loader says, as far as single keys go."""

import tomllib
from pathlib import Path

import jsonschema
import pytest

from concentrator.profile.catalogue import Catalogue
from concentrator.profile.json_schema import profile_schema, profile_schema_text
from concentrator.profile.schema import LISTS, TABLES
from tests.support.profiles import faults_of, text, variable

FILE = Path(__file__).parents[2] / "docs" / "profile.schema.json"
VALIDATOR = jsonschema.Draft7Validator(profile_schema())
CATALOGUE = Catalogue()


def test_the_file_in_docs_is_the_programs_own():
    assert FILE.read_text() == profile_schema_text(), "run: make docs"


def test_it_is_a_schema():
    jsonschema.Draft7Validator.check_schema(profile_schema())


@pytest.mark.parametrize("key", CATALOGUE.keys())
def test_every_shipped_profile_keeps_to_it(key):
    document = tomllib.loads(CATALOGUE.file(key).read_text())
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize(
    ("profile", "variables", "sections"),
    [
        ({"stauts": "verified"}, [variable()], {}),
        ({"status": "sure"}, [variable()], {}),
        ({"sign": "+"}, [variable()], {}),
        ({"max_registers": 126}, [variable()], {}),
        ({"write_function": 5}, [variable()], {}),
        ({}, [variable("V1")], {}),
        ({}, [variable(unit="Volt")], {}),
        ({}, [variable(type="f23")], {}),
        ({}, [variable(address=65536)], {}),
        ({}, [variable(address=True)], {}),
        ({}, [variable(words=[1, "2"])], {}),
        ({}, [variable(nan=True)], {}),
        ({}, [variable()], {"identify": [{"what": "model"}]}),
        ({}, [variable()], {"command": [{"name": "x", "function": "coil", "address": 1, "value": []}]}),
        ({}, [variable()], {"serial": {"baud": 9600, "parity": "N", "stopbits": 3}}),
        ({}, [variable()], {"enum": {"mode": {"one": "auto"}}}),
        ({}, [variable()], {"other": {}}),
    ],
)
def test_what_is_wrong_to_it_is_wrong_to_the_loader(profile, variables, sections):
    source = text(variables, profile, **sections)
    assert not VALIDATOR.is_valid(tomllib.loads(source))
    assert faults_of(source)


def test_every_key_of_the_format_is_in_it_with_what_it_must_hold():
    sections = profile_schema()["properties"]
    for name, keys in {**TABLES, **LISTS}.items():
        section = sections[name] if name in TABLES else sections[name]["items"]
        assert set(section["properties"]) == set(keys)
        assert set(section["required"]) == {key for key, rule in keys.items() if rule.required}
        assert all(form["description"] for form in section["properties"].values())
