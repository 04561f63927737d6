import re

import pytest
import pytest_twisted
from attrs import evolve

from concentrator.api import LineState
from concentrator.portal.pages.info import label_text
from concentrator.web.access import Role
from tests.support.web import NOW, FakeBox, device


@pytest.fixture
def box():
    return FakeBox()


def info(box, site, **request):
    return re.sub(r"[\u00a0\u202f]", " ", box.as_(Role.VIEWER, site, "/info", **request).text)


def test_the_verdict_is_the_first_sentence_and_the_boxs_identity_is_there(box, site):
    page = info(box, site)
    assert re.search(r'<p class="lead" [^>]*>([^<]*)', page).group(1) == "All 2 devices answer. Data reaches MQTT."
    for fact in ("4220080001", "CcMaster PRO", "0.1.0", "02:1B:63:84:45:E6", "3 h 12 min"):
        assert f"<dd>{fact}</dd>" in page, fact


def test_open_troubles_are_named_and_lead_to_their_device(box, site):
    box.devices = [device("main"), device("pump", health="silent", last_seen=NOW - 600, tries=("no_reply",) * 3)]
    page = info(box, site)
    assert "1 of 2 devices do not answer. Data reaches MQTT." in page
    (trouble,) = re.findall(r'<a href="/devices/pump" class="trouble"[^>]*>([^<]*)</a>', page)
    assert trouble.startswith("Pump: No answer since ")
    assert re.search(r'<a href="/devices/main" class="trouble"[^>]* hidden>', page)


def test_services_and_lines_say_how_they_do(box, site):
    box.uplinks = [evolve(box.uplinks[0], is_up=False, since=NOW - 3600, trouble="connection refused", waiting=12)]
    box.lines = [LineState("native", "serial:x", True), LineState("<i>", "tcp:y:502", False, trouble="refused")]
    page = info(box, site)
    assert "No connection to MQTT since 09:41. 12 records wait on this box; none is lost." in page
    assert "connection refused" in page
    assert "2 of 2 devices answer" in page and "0 of 0 devices answer" in page
    assert "&lt;i&gt;" in page and "<i>" not in page


def test_a_box_with_nothing_says_so(box, site):
    box.devices, box.lines, box.uplinks = [], [], []
    page = info(box, site)
    assert "No devices yet. No uplink is on. Data stays on this box." in page
    assert "The configuration names no lines." in page


def test_it_speaks_spanish(box, site):
    page = info(box, site, accept_language="es")
    assert "Responden los 2 equipos. Los datos llegan a MQTT." in page
    assert "Número de serie" in page and '<html lang="es"' in page


def test_the_label_has_serial_and_mac_in_words_and_as_a_code(box, site):
    page = box.as_(Role.VIEWER, site, "/info/label")
    assert "<dd>4220080001</dd>" in page.text and "<dd>02:1B:63:84:45:E6</dd>" in page.text
    picture = box.as_(Role.VIEWER, site, "/info/label.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.startswith("<svg") and "style" not in picture.text


@pytest_twisted.ensureDeferred
async def test_the_label_has_the_password_the_box_made_while_it_is_in_use_for_an_administrator_only(box, site):
    await box.users.begin("admin")
    first = box.users.first().first
    assert f"<dd>{first}</dd>" in box.as_(Role.ADMINISTRATOR, site, "/info/label").text
    for role in (Role.VIEWER, Role.INSTALLER):
        assert first not in box.as_(role, site, "/info/label").text
    await box.users.set_password("admin", "another one of my own")
    page = box.as_(Role.ADMINISTRATOR, site, "/info/label").text
    assert first not in page and "First password" not in page


def test_the_code_says_what_the_label_does():
    assert label_text("4220080001", "02:1B:63:84:45:E6") == "4220080001\n02:1B:63:84:45:E6"
    assert label_text("4220080001", "") == "4220080001"
