import re

import pytest

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.model.errors import NotConfirmed, WrongArguments
from concentrator.model.trouble import Trouble
from concentrator.web.access import Role
from tests.support.devices_box import DevicesBox
from tests.support.pages import words_of
from tests.support.web import device


@pytest.fixture
def box():
    return DevicesBox()


@pytest.fixture
def go(box, site):
    def go(path, **request):
        return box.as_(request.pop("role", Role.INSTALLER), site, path, **request)

    return go


FIELDS = {"alias": "Main", "line": "native", "address": "1", "interval": "3 s", "serial": ""}


@pytest.fixture(autouse=True)
def ccm(box):
    box.devices = [
        device("main", profile="energycm/ccm", values={"p": 1.0, "direction_mode": 1}),
        device("heat", alias="Heat pump", address=7),
    ]


def test_the_form_shows_what_the_configuration_says(box, go):
    box.sections["main"] = {"alias": "Sótano <1>", "interval": "500 ms", "allow_write": True}
    html = go("/devices/main/config").text
    assert 'value="Sótano &lt;1&gt;"' in html and 'value="500 ms"' in html
    assert re.search(r'name="allow_write"[^>]*checked', html)
    assert '<option value="native" selected>' in html


def test_a_genset_says_its_model_and_what_it_may_be_told(box, go):
    assert 'name="allow_commands"' not in go("/devices/main/config").text
    box.table.register(
        Action("genset.status", "", Permission.READ, (Argument("uid", Kind.TEXT, ""),), lambda uid: {"uid": uid})
    )
    box.sections["main"] = {"model": "HGM6120N", "allow_raw": True}
    html = go("/devices/main/config").text
    assert 'value="HGM6120N"' in html and re.search(r'name="allow_raw"[^>]*checked', html)
    assert not re.search(r'name="allow_commands"[^>]*checked', html)
    assert go("/devices/main/config", fields=FIELDS | {"model": "HGM6110", "allow_commands": "on"}).status == 303
    changed = {"model": "HGM6110", "allow_commands": True, "allow_raw": False}
    assert box.asked == [("device.change", {"uid": "main", **changed})]


def test_only_what_was_changed_is_saved_and_the_page_says_when(box, go):
    found = go("/devices/main/config", fields=FIELDS | {"alias": "Cellar", "address": "9", "allow_write": "on"})
    assert (found.status, found.headers["location"]) == (303, "/devices/main/config")
    assert box.asked == [("device.change", {"uid": "main", "alias": "Cellar", "address": 9, "allow_write": True})]
    assert "Saved at 10:41." in words_of(go("/devices/main/config").text)


def test_a_form_that_changes_nothing_asks_nothing(box, go):
    assert go("/devices/main/config", fields=FIELDS).status == 303
    assert box.asked == []


def test_an_id_that_another_device_has_is_told_beside_the_field_and_nothing_is_lost(box, go):
    found = go("/devices/main/config", fields=FIELDS | {"alias": "Cellar", "address": "7"})
    assert found.status == 200 and box.asked == []
    said = 'ID Modbus: 7 is taken on this line by "Heat pump". Free: 8, 9, 10…'
    text = words_of(found.text).replace("&#34;", '"')
    assert text.count(said) == 2
    assert 'value="Cellar"' in found.text and 'value="7"' in found.text and 'aria-invalid="true"' in found.text


@pytest.mark.parametrize("typed", ["x", "256", ""])
def test_an_id_that_is_none_is_told(box, go, typed):
    found = go("/devices/main/config", fields=FIELDS | {"address": typed})
    assert "A whole number, 0 to 255." in found.text and box.asked == []


@pytest.mark.parametrize(("typed", "address"), [("5", 5), ("12345678", "12345678"), ("251", "251")])
def test_a_meter_on_an_m_bus_has_an_address_of_either_kind(box, go, typed, address):
    box.devices = [device("flat", profile="mbus/generic", selected="87654321"), device("main", address=5)]
    box.sections["flat"] = {"line": "native", "address": "87654321"}
    html = go("/devices/flat/config").text
    assert (
        'value="87654321"' in html and "Primary (0 to 250) or secondary" in html and "ID Modbus" not in words_of(html)
    )
    assert go("/devices/flat/config", fields=FIELDS | {"address": typed}).status == 303
    assert box.asked == [("device.change", {"uid": "flat", "address": address})]


def test_a_fault_the_configuration_finds_is_told_beside_its_field(box, go):
    box.answers["device.change"] = WrongArguments("interval: found 1 day, expected 100 ms … 1 h; serial: found ?")
    html = go("/devices/main/config", fields=FIELDS | {"interval": "1 day"}).text
    assert '<a href="#f-interval">interval: found 1 day, expected 100 ms … 1 h</a>' in html
    assert '<a href="#f-serial">' in html and 'value="1 day"' in html


def test_the_measuring_direction_is_only_written_where_writing_is_allowed(box, go):
    assert (
        "The meter says: bidirectional. To change it, allow writing first and save." in go("/devices/main/config").text
    )
    box.sections["main"] = {"allow_write": True}
    html = go("/devices/main/config").text
    assert "<option selected>bidirectional</option>" in html and "<option>bidirectional reverse</option>" in html


def test_the_measuring_direction_is_written_and_told_as_it_was_read_back(box, go):
    box.answers["device.write"] = {"uid": "main", "name": "direction_mode", "value": 2, "unit": ""}
    found = go("/devices/main/direction", fields={"direction": "bidirectional reverse"})
    assert found.headers["location"] == "/devices/main/config"
    assert box.asked == [("device.write", {"uid": "main", "name": "direction_mode", "value": "bidirectional reverse"})]
    assert "Written at 10:41; the meter now says: bidirectional reverse." in words_of(go("/devices/main/config").text)


def test_a_direction_that_the_meter_did_not_take_is_told(box, go):
    box.answers["device.write"] = NotConfirmed("it still says unidirectional")
    text = words_of(go("/devices/main/direction", fields={"direction": "bidirectional"}).text)
    assert "The device did not confirm what was written: it still says unidirectional" in text


def test_a_device_without_a_direction_shows_none(box, go):
    box.devices = [device("main", profile="goodwe/et"), device("odd", profile="no/such")]
    for uid in ("main", "odd"):
        html = go(f"/devices/{uid}/config").text
        assert "Measuring direction" not in html and 'name="alias"' in html


def test_a_replaced_meter_goes_on_under_its_new_serial(box, go):
    box.devices[0] = device("main", trouble=Trouble("…", "foreign", found="0220060112", expected="0420020081"))
    html = go("/devices/main/config").text
    assert "Go on with 0220060112" in html
    assert go("/devices/main/replaced", fields={}).status == 303
    assert box.asked == [("device.change", {"uid": "main", "serial": "0220060112"})]


def test_a_meter_that_nobody_replaced_keeps_its_serial(box, go):
    assert "Go on with" not in go("/devices/main/config").text
    go("/devices/main/replaced", fields={})
    assert box.asked == []


def test_deleting_asks_first_and_says_what_goes_and_what_stays(box, go):
    html = go("/devices/heat/delete").text
    text = words_of(html)
    assert text.index("What goes") < text.index("Its Modbus ID 7 on native is free") < text.index("What stays")
    assert text.index("Keep it") < text.index("Delete it")
    assert box.asked == []
    found = go("/devices/heat/delete", fields={})
    assert (found.status, found.headers["location"]) == (303, "/devices/ccm")
    assert box.asked == [("device.remove", {"uid": "heat"})]
    assert "Heat pump was deleted at 10:41." in words_of(go("/devices/ccm").text)


def test_a_device_that_cannot_be_deleted_now_says_why(box, go):
    box.answers["device.remove"] = WrongArguments("the principal at 7 has secondaries")
    text = words_of(go("/devices/heat/delete", fields={}).text)
    assert "the principal at 7 has secondaries" in text


@pytest.mark.parametrize("page", ["config", "delete"])
def test_a_viewer_may_not(go, page):
    assert go(f"/devices/main/{page}", role=Role.VIEWER).status == 403
    assert go(f"/devices/main/{page}", role=Role.VIEWER, fields={}).status == 403


@pytest.mark.parametrize("page", ["config", "delete", "direction", "replaced"])
def test_of_a_device_that_is_not_there_nothing_is_done(box, go, page):
    assert go(f"/devices/nobody/{page}", fields=FIELDS).status == 404
    assert box.asked == []


def test_the_page_is_in_the_visitors_language(go):
    text = words_of(go("/devices/main/config", accept_language="es").text)
    assert "Escritura permitida" in text and "El contador indica: bidirectional." in text
