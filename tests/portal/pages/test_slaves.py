"""Services › Modbus slave: what masters ask of the box, and the register map."""

import pytest
from attrs import evolve

from concentrator.app.slave_map import COMMON
from concentrator.portal.words import say_in
from concentrator.slave.register_map import State
from concentrator.slave.windows import HEADER
from tests.support.pages import Visitor
from tests.support.service_box import PORT, ServiceBox
from tests.support.web import NOW

PATH = "/services/modbus-slave/scada"


@pytest.fixture
def box(tmp_path):
    return ServiceBox(tmp_path)


def test_a_slave_port_shows_what_it_was_asked_and_by_whom(box, visitor):
    box.ports = [evolve(PORT, last_asked=NOW - 5, figures={"denied": 3, "crowded": 0, "strange": 1})]
    words = visitor.open(PATH).words.replace("\u202f", " ").replace("\xa0", " ")
    assert "At tcp:1502 Modbus ID 1 Last asked 10:41 Reads 48 211 Writes 0 Refused, by exception code 2: 5" in words
    assert "Connected 192.168.1.20 Passed over address not allowed: 3, too many clients: 0, no Modbus TCP: 1" in words


def test_one_on_a_line_says_what_the_line_passed_over(box, visitor):
    figures = {"others": 2, "damaged": 1, "broadcasts": 0, "late": 4}
    box.ports = [evolve(PORT, where="line out", serves="mirror", device="g1", figures=figures)]
    words = visitor.open(PATH).words
    assert "Answers at line out, Modbus ID 1. It shows the registers of g1." in words
    assert "for other slaves: 2, damaged: 1, for all: 0, too late: 4" in words


def test_one_that_cannot_be_reached_says_why(box, visitor):
    box.ports = [evolve(PORT, is_open=False, trouble="Port 1502 is taken.")]
    assert (
        "Does not answer at tcp:1502. It shows the map of all devices. Port 1502 is taken." in visitor.open(PATH).words
    )


@pytest.mark.parametrize(("language", "label"), [("en", "voltage L1"), ("es", "tensión L1")])
def test_the_register_map_has_every_register_with_its_meaning(box, site, language, label):
    words = Visitor(box, site, language=language).open("/services/modbus-slave-map").words
    for shown in ("40002 1 uint16 Other of the box's own", f"40110 2 float32 v1 {label} [V]", "Main ("):
        assert shown in words


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("table", "rows"), [("common", COMMON), ("header", HEADER)])
def test_every_register_of_the_map_has_its_meaning_in_words(language, table, rows):
    meant = {name: say_in(language)(f"slave.{table}_{name.lower()}") for name, *_ in rows}
    meant.pop("State", None)  # the page has no other place for the states
    if language == "en":
        assert meant == {name: meaning for name, _, _, meaning in rows if name != "State"}


def test_the_states_of_a_device_stand_with_their_numbers():
    said = say_in("en")("slave.header_state")
    assert [f" {int(state)} " in said for state in State] == [True] * len(State)


def test_the_register_map_speaks_spanish(box, site):
    words = Visitor(box, site, language="es").open("/services/modbus-slave-map").words
    assert "40003 1 uint16 L 66: registros del modelo común después de este" in words
