"""Network › Modem: how the data connection stands, and its settings."""

import pytest
from attrs import evolve

from concentrator.portal.words import say_in
from tests.support.pages import Visitor, kept
from tests.support.service_box import DATA, ServiceBox

PATH = "/network/modem/wan"
STANDINGS = (
    *("Connected", "Connecting", "Not connected", "Searching for a network", "Looking for the modem", "No modem"),
    *("No NetworkManager", "Locked", "Switched off"),
)


@pytest.fixture
def box(tmp_path):
    return ServiceBox(tmp_path)


def test_a_connection_shows_its_network(visitor):
    words = visitor.open(PATH).words.replace("\u202f", " ").replace("\xa0", " ")
    assert "Connected." in words
    assert "Radio registered Operator Movistar Signal 71 % NetworkManager's name for it ccmaster-wan" in words


def test_a_trouble_stands_with_how_it_stands(box, visitor):
    box.data = [evolve(DATA, standing="Locked", is_connected=False, trouble="The SIM asks for its PIN.")]
    assert "The SIM is locked. The SIM asks for its PIN." in visitor.open(PATH).words
    assert "wan : The SIM is locked." in visitor.open("/network/modem").words


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_standing_and_every_radio_has_its_words(box, site, language):
    visitor, say = Visitor(box, site, language=language), say_in(language)
    for standing in STANDINGS:
        box.data = [evolve(DATA, standing=standing)]
        assert say(f"modem.stands_{standing.lower().replace(' ', '_')}") in visitor.open(PATH).words
    for radio in ("off", "searching", "registered"):
        box.data = [evolve(DATA, radio=radio)]
        assert say(f"modem.radio_{radio}") in visitor.open(PATH).words


def test_settings_are_kept_and_secrets_are_not_shown(box, visitor):
    keys = {"apn": "m2m.example", "user": "me", "password": "sesame", "pin": "90210"}
    visitor.send(f"{PATH}/settings", **{f"modem__wan__{key}": value for key, value in keys.items()})
    assert kept(box)["modem"]["wan"] == {"enabled": True, **keys}
    page = visitor.open(f"{PATH}/settings")
    assert "m2m.example" in page.html and "sesame" not in page.html
    assert "90210" not in page.html


def test_what_cannot_be_a_pin_is_refused_at_its_field(box, visitor):
    page = visitor.send(f"{PATH}/settings", modem__wan__pin="12")
    assert "PIN of the SIM: must have 4 to 8 digits." in page.words
    assert "pin" not in kept(box)["modem"]["wan"]


def test_a_new_connection_is_added_with_its_access_point(box, visitor):
    visitor.send(f"{PATH}/settings", modem__wan__enabled=None)
    answer = visitor.send("/network/modem", name="second", apn="internet").answer
    assert (answer.status, answer.headers["location"]) == (303, "/network/modem/second")
    assert kept(box)["modem"]["second"] == {"apn": "internet"}
