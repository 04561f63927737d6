import re

import pytest
from twisted.internet.task import Clock

from concentrator.api import LineState
from concentrator.model.errors import Busy, NoReply
from concentrator.portal.pages.add import choice_of, new_uid
from concentrator.web.access import Role
from concentrator.web.route import COOKIE
from tests.support.devices_box import DevicesBox, identified, probed
from tests.support.pages import words_of
from tests.support.web import Visit, device


@pytest.fixture
def box():
    return DevicesBox()


GOODWE = {"port": "ext", "profile": "goodwe/et", "model": "GW5K-ET"}


@pytest.fixture
def go(box, site):
    def go(path, **request):
        return box.as_(request.pop("role", Role.INSTALLER), site, path, **request)

    return go


@pytest.fixture
def page(go):
    def page(address, **request):
        return words_of(go(address, **request).text)

    return page


def levels(html):
    """What was chosen, level by level."""
    return [words_of("<main" + each) for each in re.findall(r"<div><dt>(.*?) <a href", html)]


def test_a_search_lists_its_hits_with_their_number(go, page):
    text = page("/devices/add?q=goodwe")
    assert "3 found" in text and "GoodWe ET, EH, BT, BH GW5K-ET hybrid · inverter" in text
    assert 'href="/devices/add?port=ext&amp;profile=goodwe%2Fet&amp;model=GW5K-ET"' in go("/devices/add?q=goodwe").text
    assert 'Nothing called "zzz".' in page("/devices/add?q=zzz").replace("&#34;", '"')


def test_a_hit_fills_all_levels_and_tells_what_the_device_left_the_factory_with(go, page):
    address = "/devices/add?port=ext&profile=goodwe/et&model=GW10K-ET"
    text = page(address)
    assert levels(go(address).text) == [
        "Type inverter",
        "Brand GoodWe",
        "Class hybrid",
        "Serie ET, EH, BT, BH",
        "Model GW10K-ET",
    ]
    assert "The factory settings of this device, 9600 8N1, are those of this line." in text
    assert "Its Modbus ID from the factory is 247." in text


def test_the_device_is_chosen_level_by_level_and_a_single_choice_fills_itself(go):
    html = go("/devices/add").text
    assert re.search(r'<select id="level" name="type">.*<option>inverter</option>', html)
    html = go("/devices/add?type=meter&brand=energyCM").text
    assert 'name="class" value="' in html
    assert levels(html)[:4] == ["Type meter", "Brand energyCM", "Class native", "Serie CcM"]


def test_choosing_a_level_again_clears_only_what_is_below_it(go):
    html = go("/devices/add?port=ext&profile=goodwe/et&model=GW5K-ET").text
    assert 'href="/devices/add?port=ext&amp;type=inverter&amp;brand=GoodWe">Choose another' in html
    assert 'href="/devices/add?port=ext">Choose another' in html


def test_a_level_without_the_one_above_it_is_not_chosen(box):
    assert choice_of({"brand": ["GoodWe"], "model": ["x"]}, box.lines).levels == ("",) * 5
    assert choice_of({"type": ["meter"], "class": ["x"]}, box.lines).levels == ("meter", "", "", "", "")


def test_the_line_for_external_devices_is_proposed_and_one_that_is_not_there_is_none(box):
    assert choice_of({}, box.lines).port == "ext"
    assert choice_of({"port": ["native"]}, box.lines).port == "native"
    assert choice_of({"port": ["nobody"]}, box.lines).port == "ext"
    assert choice_of({}, []).port == ""


def test_an_m_bus_is_not_proposed_for_its_meters_are_searched_for(box):
    mbus = LineState("heat", "serial:/dev/ttyUSB2", True, role="mbus")
    assert choice_of({}, [mbus, *box.lines]).port == "ext"
    assert choice_of({"port": ["heat"]}, [mbus, *box.lines]).port == "heat"


def test_without_a_line_there_is_nothing_to_add_to(box, page):
    box.lines = []
    assert "There is no line on which devices could be added." in page("/devices/add")


def test_detect_reads_what_was_chosen_and_shows_its_first_values(box, go, page):
    box.answers["device.probe"] = probed()
    found = go("/devices/add", fields=GOODWE | {"id": "100", "alias": "Roof", "do": "detect"})
    assert found.status == 303
    assert box.asked == [("device.probe", {"line": "ext", "profile": "goodwe/et", "address": 100})]
    text = page(found.headers["location"].partition("#")[0])
    assert "GW5K-ET answered at ID 100: 3.10 kW, 231.0 V. Values look right?" in text
    assert "First values p active power 3.10 kW v1 voltage L1 231.0 V" in text
    assert "Save anyway" not in text


def test_what_was_detected_is_shown_once(box, go, page):
    box.answers["device.probe"] = probed()
    address = go("/devices/add", fields=GOODWE | {"id": "100", "do": "detect"}).headers["location"].partition("#")[0]
    assert "answered at ID 100" in page(address) and "answered at ID 100" not in page(address)


@pytest.mark.parametrize(
    ("error", "language", "said"),
    [
        (NoReply("nothing"), "en", "Nothing answered at ID 100 with 9600 8N1. Tried 1 settings."),
        (NoReply("nothing"), "es", "Nadie respondió en el ID 100 con 9600 8N1. Se probaron 1 ajustes."),
        (Busy("line ext: devices are being linked"), "en", "Could not ask: "),
    ],
)
def test_nobody_there_is_told_with_the_settings_that_were_tried(box, go, page, error, language, said):
    box.answers["device.probe"] = error
    found = go("/devices/add", fields=GOODWE | {"id": "100", "do": "detect"}, accept_language=language)
    assert said in page(found.headers["location"].partition("#")[0], accept_language=language)


def test_over_the_network_no_settings_are_told(box, go, page):
    box.lines = [type(box.lines[0])("net", "tcp:192.168.1.9:502", True)]
    box.answers["device.probe"] = NoReply("nothing")
    found = go("/devices/add", fields=GOODWE | {"port": "net", "id": "1", "do": "detect"})
    assert "Nothing answered at ID 1 on net." in page(found.headers["location"].partition("#")[0])


def test_detect_without_a_model_finds_out_who_is_there(box, go, page):
    address = go("/devices/add", fields={"port": "ext", "id": "100", "do": "detect"}).headers["location"]
    assert box.asked == [("device.identify", {"line": "ext", "address": 100})]
    assert "Asking…" in page(address)
    box.works[-1].callback(identified())
    html = go(address).text
    assert "GW5K-ET answered at ID 100" in words_of(html)
    assert 'href="/devices/add?port=ext&amp;profile=goodwe%2Fet&amp;id=100">GoodWe ET, inverter' in html


def test_how_far_the_search_is_comes_by_the_stream(box):
    clock = Clock()
    site = box.site(clock)
    fields = {"port": "ext", "id": "100", "do": "detect"}
    address = box.as_(Role.INSTALLER, site, "/devices/add", fields=fields).headers["location"]
    task = box.tasks.all()[-1]
    assert f'data-events="/live?of=%3Aidentify.{task.id}"' in box.as_(Role.INSTALLER, site, address).text
    visitor = Visit(site)
    visitor.ask(f"/live?of=%3Aidentify.{task.id}", cookie=f"{COOKIE}={box.keys[Role.INSTALLER]}")
    visitor.frames()
    task.tell(0.5, "is it a GoodWe ET?")
    clock.advance(1)
    assert dict(visitor.frames())["cells"][":task"]["text"] == "50\u00a0%"
    visitor.end()
    assert not clock.getDelayedCalls()


def test_a_search_that_is_forgotten_is_no_fault(page):
    assert "Asking" not in page("/devices/add?task=gone-1")


def test_saving_adds_the_device_and_says_so(box, go, page):
    found = go("/devices/add", fields=GOODWE | {"id": "100", "alias": "Tejado Añó", "do": "save"})
    assert (found.status, found.headers["location"]) == (303, "/devices/external")
    section = {"line": "ext", "profile": "goodwe/et", "address": 100, "alias": "Tejado Añó"}
    assert box.asked == [("device.add", {"uid": "tejado-ano", **section})]
    assert "Tejado Añó was added at 10:41. Its first values come within a minute." in page("/devices/external")


def test_an_id_that_is_taken_names_who_has_it(box, go):
    box.devices.append(device("heat", alias="Heat pump", line="ext", address=7))
    html = go("/devices/add", fields=GOODWE | {"id": "7", "alias": "Roof", "do": "save"}).text
    text = words_of(html).replace("&#34;", '"')
    assert 'ID Modbus: 7 is taken on this line by "Heat pump". Free: 8, 9, 10…' in text
    assert 'value="Roof"' in html and box.asked == []


def test_the_id_that_is_proposed_is_the_factorys_or_the_first_free_one(box, go):
    assert re.search(r'value="247"[^>]* id="f-id"', go("/devices/add?profile=goodwe/et").text)
    box.devices = [device("a", line="ext", address=1), device("b", line="ext", address=247)]
    assert re.search(r'value="2"[^>]* id="f-id"', go("/devices/add?port=ext&profile=goodwe/et").text)


def test_without_a_model_nothing_is_saved(box, go):
    html = go("/devices/add", fields={"port": "ext", "id": "100", "do": "save"}).text
    assert "Choose a model first." in html and box.asked == []


def test_what_the_configuration_refuses_is_told(box, go, page):
    box.answers["device.add"] = Busy("the file is locked")
    assert "the file is locked" in words_of(go("/devices/add", fields=GOODWE | {"id": "100", "do": "save"}).text)


def test_the_script_is_given_hits_that_lead_to_the_filled_page(go):
    found = go("/devices/add/hits?q=sdm630&port=ext").json
    assert found["count"] == 1 and found["said"] == "1 found"
    (hit,) = found["hits"]
    assert hit["text"] == "Eastron SDM630 SDM630-Modbus" and hit["more"].endswith("analyser")
    assert hit["href"] == "/devices/add?port=ext&profile=eastron%2Fsdm630&model=SDM630-Modbus"
    many = go("/devices/add/hits?q=e").json
    assert len(many["hits"]) == 12 < many["count"] and "The first 12 are shown" in many["said"]


@pytest.mark.parametrize(
    ("name", "there", "uid"),
    [
        ("Roof", set(), "roof"),
        ("Roof", {"roof"}, "roof-2"),
        ("Roof", {"roof", "roof-2"}, "roof-3"),
        ("add", set(), "add-2"),
        ("¡!", set(), "device"),
        ("x" * 80, set(), "x" * 32),
    ],
)
def test_a_new_device_gets_a_short_id_of_its_own(name, there, uid):
    assert new_uid(name, there) == uid


def test_a_viewer_may_not(go):
    for path in ("/devices/add", "/devices/add/hits?q=a"):
        assert go(path, role=Role.VIEWER).status == 403


def test_what_somebody_typed_is_shown_as_text(go):
    html = go("/devices/add?q=%3Cscript%3Ealert(1)%3C/script%3E&alias=%22%3E%3Cb%3E&id=%3Cb%3E&task=%3Cb%3E").text
    assert "<script>alert" not in html and '"><b>' not in html
