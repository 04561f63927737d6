"""Services › M-Bus: what meters are told, one of them or all of a line."""

import pytest
from twisted.python.failure import Failure

from concentrator.model.errors import Denied, NotConfirmed
from concentrator.web.access import Role
from tests.support.mbus_box import MbusBox
from tests.support.pages import Page, Visitor
from tests.support.web import device

PATH = "/services/mbus"
HEAT = "?line=heat"
WHOLE = "12345678-KAM-08-04"


@pytest.fixture
def box(tmp_path):
    box = MbusBox(tmp_path)
    box.devices = [
        device("flat", line="heat", address=5, protocol="MBUS", selected=""),
        device("flat2", line="heat", address=253, protocol="MBUS", selected=WHOLE),
    ]
    return box


@pytest.fixture
def go(box, site):
    def go(path, **request):
        return box.as_(request.pop("role", Role.INSTALLER), site, PATH + path, **request)

    return go


def words(answer):
    return Page(answer).words.replace("\u00a0", " ")


def followed(go, answer):
    assert answer.status == 303
    return words(go(answer.headers["location"].removeprefix(PATH)))


# -- a whole line


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_of_the_speed_offers_the_others_for_the_meters_too(box, site, language):
    html = Visitor(box, site, language=language).open(f"{PATH}/serial{HEAT}").html
    speeds = html.partition('name="speed"')[2].partition("</select>")[0]
    assert 'value="300"' in speeds and 'value="2400"' not in speeds
    assert 'name="speed"' not in Visitor(box, site, Role.VIEWER).open(f"{PATH}/serial{HEAT}").html
    assert 'name="speed"' not in Visitor(box, site).open(f"{PATH}/serial?line=far").html


def test_how_a_change_goes_is_looked_up_until_it_is_over(box, go):
    begun = go(f"/speed{HEAT}", fields={"speed": "9600"})
    assert box.asked == [("heat", 9600)]
    assert "25 % done." in followed(go, begun)
    box.works[0].callback({"line": "heat", "baudrate": 9600, "meters": ["flat", "flat2"]})
    said = followed(go, begun)
    assert "The line talks at 9600 bits per second now, and so do flat, flat2." in said


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda work: work.errback(Failure(NotConfirmed("no answer of flat"))), "All talk as before: "),
        (lambda work: work.cancel(), "Given up. All talk as before."),
    ],
)
def test_where_it_failed_it_says_why(box, go, end, said):
    begun = go(f"/speed{HEAT}", fields={"speed": "9600"})
    end(box.works[0])
    assert said in followed(go, begun)


@pytest.mark.parametrize("speed", ["", "fast", "9600000000", "٣٠٠", "100"])
def test_what_is_no_speed_is_told(box, go, speed):
    said = followed(go, go(f"/speed{HEAT}", fields={"speed": speed}))
    assert "baudrate" in said and "Statistics" in said
    assert box.asked == []


def test_another_task_is_no_change_of_speed(box, go):
    task = box.tasks.start("scan heat", lambda tell: box.works[-1])
    for id in (task.id, "x", ""):
        assert go(f"/speed{HEAT}&task={id}").status == 404
    begun = go(f"/speed{HEAT}", fields={"speed": "9600"})
    id = begun.headers["location"].rpartition("=")[2]
    assert go(f"/speed{HEAT}&task={id}").status == 200
    assert go(f"/speed?line=far&task={id}").status == 404


# -- one meter


def test_a_meter_that_is_a_device_is_told_something_where_it_is_read(go):
    assert "Give it this address" in words(go(f"/telegram{HEAT}&address=5"))
    assert "Give it this address" not in words(go(f"/telegram{HEAT}&address=9"))


@pytest.mark.parametrize(("address", "afterwards"), [("5", "7"), (WHOLE, WHOLE)])
def test_it_gets_another_address_and_is_found_there(box, go, address, afterwards):
    answer = go(f"/tell{HEAT}", fields={"do": "move", "address": address, "primary": "7"})
    assert answer.headers["location"] == f"{PATH}/telegram{HEAT}&address={afterwards}"
    assert box.asked == [("heat", address, 7)]
    assert "flat answers at primary address 7 now." in followed(go, answer)


def test_it_begins_anew(box, go):
    answer = go(f"/tell{HEAT}", fields={"do": "reset", "address": "5"})
    assert box.asked == [("heat", "5", "reset")]
    assert "flat begins anew." in followed(go, answer)


@pytest.mark.parametrize("primary", ["", "x", "٧", "251", "0", "9999"])
def test_what_is_no_primary_address_is_told(box, go, primary):
    said = followed(go, go(f"/tell{HEAT}", fields={"do": "move", "address": "5", "primary": primary}))
    assert "primary" in said and box.asked == []


def test_why_it_was_not_done_is_told(box, go):
    box.said = Denied("allow_write of flat is false")
    for do in ("move", "reset"):
        said = followed(go, go(f"/tell{HEAT}", fields={"do": do, "address": "5", "primary": "7"}))
        assert "allow_write of flat is false" in said


def test_a_viewer_tells_nothing(box, go):
    for path in ("/tell", "/speed"):
        fields = {"do": "reset", "address": "5", "speed": "9600"}
        assert go(path + HEAT, role=Role.VIEWER, fields=fields).status == 403
    assert box.asked == []


def test_a_line_that_is_no_m_bus_is_told_nothing(go):
    for path in ("/tell", "/speed"):
        assert go(f"{path}?line=native", fields={"do": "reset", "address": "5", "speed": "9600"}).status == 404
