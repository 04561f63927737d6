"""concentrator.portal.service_pages: what the pages of cloud sessions, modems and slave ports have in common."""

import pytest
from twisted.internet.task import Clock

from concentrator.portal.config_form import Listed
from concentrator.portal.service_pages import Decimal
from concentrator.web.access import Role
from concentrator.web.kept import Typed
from tests.support.pages import Visitor, kept
from tests.support.service_box import ServiceBox
from tests.support.web import FakeBox

CLOUD, SMS, SLAVE = "/services/cloud", "/services/sms", "/services/modbus-slave"


@pytest.fixture
def box(tmp_path):
    return ServiceBox(tmp_path)


@pytest.mark.parametrize(
    ("path", "name", "words"),
    [
        (CLOUD, "first", "first : Online with g1."),
        (SMS, "modem", "modem : Ready."),
        (SLAVE, "scada", "scada : Answers at tcp:1502, Modbus ID 1. It shows the map of all devices."),
    ],
)
def test_all_of_a_kind_are_listed_with_how_each_stands(visitor, path, name, words):
    page = visitor.open(path)
    assert words in page.words
    assert f'href="{path}/{name}"' in page.html


def test_one_that_is_not_at_work_says_so(box, visitor):
    box.clouds = []
    assert "first : Switched on; not at work yet." in visitor.open(CLOUD).words
    visitor.send(f"{CLOUD}/first/gateway", smartgen__first__enabled=None)
    assert "first : Off." in visitor.open(CLOUD).words


def test_a_new_one_is_added_and_its_settings_follow(box, visitor):
    answer = visitor.send(SLAVE, name="plc", port="1503", line="", serve="mirror", device="g1").answer
    assert (answer.status, answer.headers["location"]) == (303, f"{SLAVE}/plc")
    assert kept(box)["modbus_slave"]["plc"] == {"port": 1503, "serve": "mirror", "device": "g1"}
    assert "plc is there. Complete its settings here." in visitor.open(f"{SLAVE}/plc/settings").words


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"name": ""}, "name", "Name: use 1 to 32 letters"),
        ({"name": "a b"}, "name", "Name: use 1 to 32 letters"),
        ({"name": "scada"}, "name", "Name: there is one of this name"),
        ({"name": "plc", "port": "99999"}, "port", "TCP port: found 99999. Use a whole number from 0 to 65535."),
        ({"name": "plc", "port": "high"}, "port", 'TCP port: found "high"'),
        ({"name": "plc", "port": "9" * 5000}, "port", 'TCP port: found "9999'),
        ({"name": "plc", "port": "1503", "serve": "mirror", "device": "g2"}, "device", "Device: found"),
    ],
)
def test_what_is_wrong_with_a_new_one_stands_beside_its_field_and_nothing_typed_is_lost(
    box, visitor, typed, field, words
):
    before = box.text
    page = visitor.send(SLAVE, **({"port": "", "line": "", "serve": "map", "device": ""} | typed))
    assert page.answer.status == 200
    assert page.fault(field).startswith(words)
    assert 'value="99999"' in page.html or typed.get("port") != "99999"
    assert box.text == before


def test_settings_are_changed_in_their_tab_and_remarks_stay(box, visitor):
    page = visitor.send(f"{CLOUD}/first/gateway", smartgen__first__site="Barn", smartgen__first__compress="on")
    assert page.answer.status == 303
    assert kept(box)["smartgen"]["first"] == {"device": "g1", "enabled": True, "site": "Barn", "compress": True}
    assert "# where it is" in box.text
    assert "Saved at" in visitor.open(f"{CLOUD}/first/gateway").words


def test_numbers_with_decimals_below_zero_and_lists_are_values_of_their_kind(box, visitor):
    visitor.send(
        f"{CLOUD}/first/cloud",
        smartgen__first__longitude="-3,703790",
        smartgen__first__altitude="650",
        smartgen__first__time_zone="-3",
    )
    section = kept(box)["smartgen"]["first"]
    assert (section["longitude"], section["altitude"], section["time_zone"]) == (-3.70379, 650, -3)
    visitor.send(f"{SMS}/modem/alarms_and_orders", sms__modem__numbers="34600123456 34600999888")
    assert kept(box)["sms"]["modem"]["numbers"] == ["34600123456", "34600999888"]


@pytest.mark.parametrize(
    ("path", "name", "value", "words"),
    [
        (f"{CLOUD}/first/cloud", "smartgen-first-longitude", "181", "Longitude: found 181"),
        (f"{CLOUD}/first/cloud", "smartgen-first-latitude", "north", 'Latitude: found "north"'),
        (f"{CLOUD}/first/module", "smartgen-first-rated_power", "6001", "Rated Power: found 6001"),
        (f"{CLOUD}/first/cloud", "smartgen-first-live_interval", "30 s", 'Live Data upload interval: found "30 s"'),
        (f"{SMS}/modem/alarms_and_orders", "sms-modem-numbers", "+34", "Phone Numbers: found"),
        (f"{SLAVE}/scada/settings", "modbus_slave-scada-unit", "300", "Modbus ID: found 300"),
    ],
)
def test_what_breaks_a_rule_is_refused_beside_its_field(box, visitor, path, name, value, words):
    before = box.text
    page = visitor.send(path, **{name.replace("-", "__"): value})
    assert page.fault(name).startswith(words)
    assert page.fields[name] == value
    assert box.text == before


def test_one_is_removed_after_it_was_asked_whether_it_should_be(box, visitor):
    question = visitor.open(f"{SLAVE}/scada/remove")
    assert "Remove scada?" in question.words
    answer = visitor.send(f"{SLAVE}/scada/remove", question).answer
    assert (answer.status, answer.headers["location"]) == (303, SLAVE)
    assert "modbus_slave" not in kept(box)
    assert "scada was removed." in visitor.open(SLAVE).words


def test_a_viewer_sees_and_changes_nothing(box, site):
    viewer, before = Visitor(box, site, Role.VIEWER), box.text
    for path in (CLOUD, f"{CLOUD}/first/gateway", f"{SMS}/modem/modem_tab", f"{SLAVE}/scada"):
        page = viewer.open(path)
        assert page.answer.status == 200
        assert viewer.send(path, page, name="x").answer.status == 403
    assert viewer.open(f"{CLOUD}/first/remove").answer.status == 404
    assert box.text == before


@pytest.mark.parametrize("path", [f"{CLOUD}/none", f"{CLOUD}/first/none", f"{SMS}/modem/gateway", f"{SLAVE}/scada/x"])
def test_what_is_not_there_is_not_found(visitor, path):
    assert visitor.open(path).answer.status == 404
    assert visitor.send(path, visitor.open(CLOUD)).answer.status == 404


def test_a_secret_is_never_shown(box, visitor):
    visitor.send(f"{CLOUD}/first/gateway", smartgen__first__password="hunter2")
    assert kept(box)["smartgen"]["first"]["password"] == "hunter2"
    page = visitor.open(f"{CLOUD}/first/gateway")
    assert "hunter2" not in page.html


def test_a_box_without_such_services_has_no_such_pages():
    bare = FakeBox()
    site = bare.site(Clock())
    assert Visitor(bare, site).open(CLOUD).answer.status == 404


@pytest.mark.parametrize(
    "path", [CLOUD, f"{CLOUD}/first/module", SMS, f"{SMS}/modem", SLAVE, f"{SLAVE}/scada/settings"]
)
def test_the_pages_speak_spanish_too(box, site, path):
    words = Visitor(box, site, language="es").open(path).words
    assert "Nombre" in words or "Guardar" in words or "Últimos mensajes" in words


def test_items_and_decimals_that_are_none_stay_for_the_rule_to_refuse():
    assert Listed("a", "b", "c", is_whole=True).value("1; x,2") == [1, "x", 2]
    assert Listed("a", "b", "c", is_whole=True).value("1 " + "9" * 5000) == [1, "9" * 5000]
    assert Listed("a", "b", "c").value("  ") is None
    decimal = Decimal("a", "b", "c")
    assert [decimal.value(each) for each in ("1.5", "-2", "+3,25", "1.2.3", "", "٣")] == [
        1.5,
        -2,
        3.25,
        "1.2.3",
        None,
        "٣",
    ]


def test_what_was_typed_for_a_new_one_is_there_again_after_a_new_login(box, site, visitor):
    visitor.open(SLAVE)
    session = box.sessions.find(box.keys[Role.INSTALLER])
    session.saved["typed"] = Typed(SLAVE, {"name": "plc", "port": "1503"})
    page = visitor.open(SLAVE)
    assert (page.fields["name"], page.fields["port"]) == ("plc", "1503")
    assert visitor.open(SLAVE).fields["name"] == ""
