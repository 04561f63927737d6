import pytest

from concentrator.portal.places import free_ids, id_of, place_fault
from concentrator.portal.words import say_in
from concentrator.web.forms import Field, Form
from tests.support.web import device

SAY = say_in("en")
HEAT = device("heat", alias="Heat pump", address=7)


@pytest.mark.parametrize(("typed", "found"), [("7", 7), ("0", 0), ("255", 255)])
def test_an_id_is_a_whole_number(typed, found):
    form = Form([Field("id", "ID")])
    assert id_of(typed, form, "id", SAY) == found and form.is_right


@pytest.mark.parametrize("typed", ["", "x", "256", "-1", "7.5", "٧"])
def test_what_is_no_id_is_told_beside_the_field(typed):
    form = Form([Field("id", "ID")])
    assert id_of(typed, form, "id", SAY) is None
    assert form.faults == {"id": f'ID Modbus: found "{typed}". A whole number, 0 to 255.'}


def test_an_id_that_is_taken_names_who_has_it_and_the_next_free_ones():
    fault = place_fault("id", [HEAT, device("x", address=9)], "native", 7, SAY)
    assert fault == {"id": 'ID Modbus: 7 is taken on this line by "Heat pump". Free: 8, 10, 11…'}
    spanish = place_fault("id", [HEAT], "native", 7, say_in("es"))["id"]
    assert spanish == "ID Modbus: 7 ya lo tiene en esta línea «Heat pump». Libres: 8, 9, 10…"


def test_an_id_may_be_used_on_another_line_and_by_the_device_itself():
    assert place_fault("id", [HEAT], "ext", 7, SAY) == {}
    assert place_fault("id", [HEAT], "native", 7, SAY, HEAT) == {}
    assert place_fault("id", [HEAT], "native", 8, SAY) == {}


def test_a_secondary_shares_the_id_of_its_principal():
    second = device("second", address=7, secondary=2)
    assert place_fault("id", [HEAT, second], "native", 7, SAY, second) == {}
    assert place_fault("id", [HEAT, second], "native", 7, SAY, device("third", address=8, secondary=2))


def test_the_free_ids_of_a_line_are_those_no_device_of_it_has():
    assert free_ids([HEAT, device("a", address=1), device("b", address=2, line="ext")], "native")[:7] == [
        2,
        3,
        4,
        5,
        6,
        8,
        9,
    ]
