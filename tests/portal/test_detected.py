import re

import pytest

from concentrator.portal.detected import detected_of, first_values, identified_of
from concentrator.portal.words import say_in
from tests.support.devices_box import identified, probed

SAY = say_in("en")


def spaced(text):
    return re.sub("[\u00a0\u202f]", " ", text)


def of_task(result=None, state="done", error=None, language="en"):
    return identified_of({"state": state, "result": result, "error": error}, say_in(language), language)


def test_what_answered_is_told_with_its_first_values():
    found = detected_of(probed(), "GW5K-ET", SAY, "en")
    assert spaced(found.said) == "GW5K-ET answered at ID 100: 3.10 kW, 231.0 V. Values look right?"
    assert found.is_right and found.notes == []
    spanish = detected_of(probed(model=""), "GW5K-ET", say_in("es"), "es")
    assert spaced(spanish.said) == "GW5K-ET respondió en el ID 100: 3,10 kW, 231,0 V. ¿Son correctos los valores?"
    assert [spaced(" ".join(value)) for value in spanish.values] == [
        "p potencia activa 3,10 kW",
        "v1 tensión L1 231,0 V",
    ]


def test_what_does_not_fit_and_what_did_not_come_is_noted():
    found = detected_of(probed(misfits=["model: found 3, expected 70"], missing=["a", "b"]), "X", SAY, "en")
    assert not found.is_right
    assert found.notes == ["It does not fit in all: model: found 3, expected 70.", "2 variables did not come."]


def test_without_a_value_there_is_a_dash():
    assert "ID 100: —." in detected_of(probed(values=[], first=[]), "X", SAY, "en").said


def test_what_is_only_passed_through_to_has_no_values_and_is_right():
    found = detected_of(probed(values=[], first=[], passes_through=True), "HGM9320", SAY, "en")
    assert found.is_right and found.values == ()
    assert found.said.startswith("Nothing is known of the registers of HGM9320")


def test_who_was_identified_is_proposed():
    found = of_task(identified())
    assert spaced(found.said).startswith("GW5K-ET answered at ID 100")
    assert found.proposals == [("goodwe/et", "GoodWe ET, inverter")]
    assert of_task(identified(model="")).said.startswith("GoodWe ET answered")


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (identified(answered="", profiles=[]), "Nothing answered at ID 100 with 9600 8N1. Tried 1 settings."),
        (identified(answered="", line_settings=""), "Nothing answered at ID 100 on ext."),
        (identified(trouble="it is damaged"), "Something answers at ID 100, but not understandably: it is damaged"),
        (identified(profiles=[]), "Something answers at ID 100, but it fits no profile that can be recognised."),
    ],
)
def test_what_was_not_identified_is_explained(result, said):
    assert of_task(result).said.startswith(said)


def test_other_settings_than_the_lines_are_told():
    notes = of_task(identified(settings="19200 8E1")).notes
    assert notes == ["The factory settings of this device: 19200 8E1. This line runs with 9600 8N1."]


def test_a_search_that_failed_or_was_given_up_says_so():
    assert of_task(None, "failed", {"message": "the line is lost"}).said == "Could not ask: the line is lost"
    assert of_task(None, "cancelled").said == "Could not ask: cancelled"


def test_only_values_that_came_are_first():
    assert first_values(probed(first=["p", "gone"]), "en")[0][0] == "p"
    assert len(first_values(probed(first=["p", "gone"]), "en")) == 1
