import json

import pytest
from attrs import frozen

from concentrator.actions.catalogue import catalogue_actions, search
from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.model.errors import Fault, OutOfRange, ProfileError, Unknown
from concentrator.model.profile import Status
from concentrator.profile.catalogue import Catalogue

READER = Caller("page", frozenset({Permission.READ}))
CATALOGUE = Catalogue()


@frozen
class Heading:
    key: str
    type: str
    brand: str
    device_class: str
    series: str
    models: tuple[str, ...]
    status: Status = Status.PROPOSED


HEADINGS = (
    Heading("goodwe/et", "inverter", "GoodWe", "hybrid", "ET", ("GW5K-ET", "GW10K-ET")),
    Heading("goodwe/dt", "inverter", "GoodWe", "string", "DT", ("GW6000-DT",)),
    Heading("eastron/sdm630", "meter", "Eastron", "three-phase", "SDM630", ("SDM630-Modbus", "SDM630-MCT")),
    Heading("circe/a", "analyser", "Circé", "three-phase", "A", ("A1",)),
)


@pytest.fixture
def call():
    table = ActionTable(lambda entry: None)
    for action in catalogue_actions(CATALOGUE, CATALOGUE.get):
        table.register(action)

    def call(name, **arguments):
        found = []
        table.call(name, arguments, READER).addBoth(found.append)
        error = getattr(found[0], "value", None)
        return error if isinstance(error, Exception) else json.loads(json.dumps(found[0]))

    return call


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("goodwe et", ["goodwe/et"]),
        ("ET", ["goodwe/et"]),
        ("goodwe", ["goodwe/dt", "goodwe/et"]),
        ("sdm 630", ["eastron/sdm630"]),
        ("SDM630-MCT", ["eastron/sdm630"]),
        ("circe", ["circe/a"]),
        ("CIRCÉ", ["circe/a"]),
        ("inverter string", ["goodwe/dt"]),
        ("goodwe sdm", []),
        ("", ["circe/a", "eastron/sdm630", "goodwe/dt", "goodwe/et"]),
        ("..", ["circe/a", "eastron/sdm630", "goodwe/dt", "goodwe/et"]),
    ],
)
def test_a_series_is_found_by_all_the_words_wherever_they_are(text, keys):
    assert [each["profile"] for each in search(HEADINGS, text)] == keys


def test_a_hit_names_the_model_that_was_meant():
    assert [each["model"] for each in search(HEADINGS, "sdm630 mct")] == ["SDM630-MCT"]
    assert [each["model"] for each in search(HEADINGS, "eastron")] == ["SDM630-Modbus"]


def test_a_whole_word_goes_before_the_beginning_of_one_and_that_before_the_middle():
    others = (Heading("a/x", "meter", "Bettyx", "c", "B", ("m",)), Heading("b/x", "meter", "Etty", "c", "B", ("m",)))
    assert [
        each["profile"] for each in search((*others, Heading("c/x", "meter", "Ettyx", "c", "B", ("m",))), "etty")
    ] == [
        "b/x",
        "c/x",
        "a/x",
    ]


def test_hits_are_counted_beyond_the_limit(call):
    found = call("catalogue.search", text="", limit=3)
    assert found["count"] == len(CATALOGUE.headings()) and len(found["hits"]) == 3
    assert len(call("catalogue.search", limit=0)["hits"]) == found["count"]
    assert isinstance(call("catalogue.search", limit=-1), OutOfRange)


def test_a_device_is_chosen_level_by_level(call):
    chosen = {}
    for level, choice in (("type", "meter"), ("brand", "energyCM")):
        offered = call("catalogue.choices", **chosen)
        assert offered["level"] == level and choice in offered["choices"] and offered["profile"] == ""
        chosen[level] = choice
    for _ in range(3):
        offered = call("catalogue.choices", **chosen)
        chosen[offered["level"]] = offered["choices"][0]
    offered = call("catalogue.choices", **chosen)
    assert (offered["level"], offered["choices"]) == ("", [])
    assert CATALOGUE.get(offered["profile"]).brand == "energyCM"


def test_a_level_below_one_that_is_not_chosen_does_not_count(call):
    assert call("catalogue.choices", brand="energyCM") == call("catalogue.choices")


def test_a_profile_is_told_with_its_doubts_and_what_can_be_written(call):
    told = call("catalogue.get", profile="energycm/ccm")
    profile = CATALOGUE.get("energycm/ccm")
    assert told["doubts"] == list(profile.doubts) and len(told["variables"]) == len(profile.points)
    (direction,) = (each for each in told["variables"] if each["name"] == "direction_mode")
    assert direction["is_writable"] and direction["choices"]["1"] == "bidirectional"
    assert call("catalogue.get", profile="goodwe/et")["serial_line"] == "9600 8N1"


def test_every_profile_can_be_told(call):
    for heading in CATALOGUE.headings():
        key = heading.key
        assert call("catalogue.get", profile=key)["profile"] == key


def test_a_profile_that_is_not_there_or_wrong_is_unknown(call):
    assert isinstance(call("catalogue.get", profile="no/such"), Unknown)

    def broken(key):
        raise ProfileError([Fault("x", "", "", "1", "2")])

    table = ActionTable(lambda entry: None)
    for action in catalogue_actions(CATALOGUE, broken):
        table.register(action)
    found = []
    table.call("catalogue.get", {"profile": "a/b"}, READER).addErrback(found.append)
    assert found[0].check(Unknown)
