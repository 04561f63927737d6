import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.actions.schema import Argument, Kind, checked, describe
from concentrator.model.errors import CommandError, OutOfRange, WrongArguments

SCHEMA = (
    Argument("uid", Kind.TEXT, "which", least=1),
    Argument("value", Kind.NUMBER, "how much", least=-10, most=10),
    Argument("tries", Kind.INTEGER, "how often", required=False, default=3, least=1),
    Argument("urgent", Kind.FLAG, "at once", required=False, default=False),
    Argument("mode", Kind.TEXT, "how", required=False, choices=("on", "off")),
)
GOOD = {"uid": "main", "value": 1.5}


def test_what_is_not_given_gets_its_default():
    assert checked(SCHEMA, GOOD) == {"uid": "main", "value": 1.5, "tries": 3, "urgent": False, "mode": None}


def test_what_is_given_stays_what_it_is():
    given = {"uid": "x", "value": -10, "tries": 1, "urgent": True, "mode": "off"}
    assert checked(SCHEMA, given) == given


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"uid": 7}, WrongArguments, "uid: found 7, expected a text of 1 to 256 characters"),
        ({"uid": None}, WrongArguments, "uid: found null, expected a text of 1 to 256 characters"),
        ({"uid": ""}, OutOfRange, 'uid: found "", expected a text of 1 to 256 characters'),
        ({"uid": "x" * 257}, OutOfRange, 'uid: found "' + "x" * 58 + "…, expected a text of 1 to 256 characters"),
        ({"value": "1"}, WrongArguments, 'value: found "1", expected a number of -10 to 10'),
        ({"value": True}, WrongArguments, "value: found true, expected a number of -10 to 10"),
        ({"value": float("nan")}, WrongArguments, "value: found NaN, expected a number of -10 to 10"),
        ({"value": 10**400}, WrongArguments, "expected a number of -10 to 10"),
        ({"value": float("inf")}, WrongArguments, "value: found Infinity, expected a number of -10 to 10"),
        ({"value": 10.01}, OutOfRange, "value: found 10.01, expected a number of -10 to 10"),
        ({"tries": 2.0}, WrongArguments, "tries: found 2.0, expected a whole number of at least 1"),
        ({"tries": 0}, OutOfRange, "tries: found 0, expected a whole number of at least 1"),
        ({"urgent": 1}, WrongArguments, "urgent: found 1, expected true or false"),
        ({"mode": "auto"}, OutOfRange, 'mode: found "auto", expected one of on, off'),
        ({"mood": "on"}, WrongArguments, "mood: no such argument, expected uid, value, tries, urgent, mode"),
        ({"trys": 1}, WrongArguments, "(did you mean tries?)"),
        ({"value": [1]}, WrongArguments, "value: found [1], expected a number of -10 to 10"),
    ],
)
def test_a_misfit_is_told_by_name_value_and_rule(change, error, words):
    with pytest.raises(CommandError) as raised:
        checked(SCHEMA, GOOD | change)
    assert type(raised.value) is error
    assert words in raised.value.detail


def test_every_fault_is_told_at_once():
    with pytest.raises(WrongArguments) as raised:
        checked(SCHEMA, {"value": 11, "tries": "x", "colour": 1})
    assert [fault.split(":")[0] for fault in raised.value.detail.split("; ")] == ["colour", "uid", "tries", "value"]


def test_an_action_without_arguments_takes_none():
    assert checked((), {}) == {}
    with pytest.raises(WrongArguments, match="uid: no such argument, expected none"):
        checked((), {"uid": "main"})


def test_a_table_of_arguments_is_a_json_schema():
    assert json.loads(json.dumps(describe(SCHEMA))) == {
        "type": "object",
        "properties": {
            "uid": {"type": "string", "description": "which", "minLength": 1, "maxLength": 256},
            "value": {"type": "number", "description": "how much", "minimum": -10, "maximum": 10},
            "tries": {"type": "integer", "description": "how often", "minimum": 1, "default": 3},
            "urgent": {"type": "boolean", "description": "at once", "default": False},
            "mode": {"type": "string", "description": "how", "enum": ["on", "off"]},
        },
        "required": ["uid", "value"],
        "additionalProperties": False,
    }


POINT = (Argument("value", Kind.VALUE, "what to write"),)


@pytest.mark.parametrize("value", [1, -2.5, 0, "", "bidirectional", "1", "x" * 256])
def test_a_value_is_a_number_or_a_text(value):
    assert checked(POINT, {"value": value}) == {"value": value}


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (True, WrongArguments),
        (None, WrongArguments),
        ([1], WrongArguments),
        (10**400, WrongArguments),
        (float("nan"), WrongArguments),
        ("x" * 257, OutOfRange),
    ],
)
def test_what_is_neither_is_told_what_a_value_is(value, error):
    with pytest.raises(error, match="expected a number, or a text of at most 256 characters"):
        checked(POINT, {"value": value})


def test_the_schema_of_a_value_allows_both():
    said = describe(POINT)["properties"]["value"]
    assert said == {"type": ["number", "string"], "description": "what to write", "maxLength": 256}


MANY = (
    Argument("names", Kind.TEXTS, "which", required=False, default=[], most=2),
    Argument("changes", Kind.OBJECT, "what", required=False),
)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"names": "p"}, WrongArguments, 'names: found "p", expected a list of texts of at most 2 items'),
        ({"names": ["p", 1]}, WrongArguments, "names: found"),
        ({"names": ["p", "q", "r"]}, OutOfRange, "of at most 2 items"),
        ({"changes": []}, WrongArguments, "changes: found [], expected an object"),
    ],
)
def test_lists_and_objects_are_judged_too(given, error, words):
    with pytest.raises(error) as raised:
        checked(MANY, given)
    assert words in raised.value.detail


def test_lists_and_objects_that_fit_stay_what_they_are():
    assert checked(MANY, {"names": ["p"], "changes": {"a": {}}}) == {"names": ["p"], "changes": {"a": {}}}
    assert checked(MANY, {}) == {"names": [], "changes": None}


def test_the_schema_of_a_list_says_what_is_in_it():
    said = describe(MANY)["properties"]
    assert said["names"] == {
        "type": "array", "description": "which", "items": {"type": "string"}, "maxItems": 2, "default": [],
    }  # fmt: skip
    assert said["changes"] == {"type": "object", "description": "what"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([argument.name for argument in (*SCHEMA, *MANY)]) | st.text(), JSON))
def test_any_json_is_taken_or_refused_in_words(arguments):
    for schema in (SCHEMA, MANY):
        try:
            values = checked(schema, arguments)
        except CommandError as error:
            assert error.detail
        else:
            assert set(values) == {argument.name for argument in schema}
