import pytest

from concentrator.api import LineState
from concentrator.model.errors import Busy
from concentrator.portal.pages.scan import scan_cells
from concentrator.portal.words import say_in
from concentrator.web.access import Role
from tests.support.devices_box import DevicesBox, found
from tests.support.pages import words_of
from tests.support.web import device


@pytest.fixture
def box():
    return DevicesBox()


RANGE = {"line": "ext", "first": "1", "last": "247"}


@pytest.fixture
def go(box, site):
    def go(path="/devices/scan", **request):
        return box.as_(request.pop("role", Role.INSTALLER), site, path, **request)

    return go


def test_what_it_will_cost_is_told_before_it_begins(box, go):
    assert "247 IDs, about 1 min." in words_of(go().text)
    box.devices = [device("roof", line="ext")]
    assert "247 IDs, about 6 min; reading continues." in words_of(go().text)
    assert "10 IDs, about 15 s; reading continues." in words_of(go("/devices/scan?line=ext&first=11&last=20").text)
    assert "247 ID, unos 6 min; la lectura continúa." in words_of(go(accept_language="es").text)


def test_a_scan_lets_reading_go_on_where_there_is_anything_to_read(box, go):
    assert go(fields=RANGE).status == 303
    assert box.asked == [("scan", {"line": "ext", "first": 1, "last": 247, "while_polling": False})]
    box.devices = [device("roof", line="ext")]
    go(fields=RANGE)
    assert box.asked[-1][1]["while_polling"] is True


def test_hits_are_shown_as_they_come_each_with_the_way_on(box, go):
    address = go(fields=RANGE).headers["location"]
    assert "Nothing found yet." in words_of(go(address).text)
    box.tasks.all()[-1].tell(
        0.4, "…", [found(1, known="main"), found(9, profiles=["goodwe/et"], model="GW5K", serial="9")]
    )
    html = go(address).text
    assert "40 % asked, 2 found so far. ID 1: Main, known Data ID 9: GW5K 9 Add" in words_of(html)
    assert 'href="/devices/add?port=ext&amp;profile=goodwe%2Fet&amp;id=9"' in html


def test_whoever_comes_back_sees_the_scan_that_goes_on(box, go):
    go(fields=RANGE)
    assert "0 % asked" in words_of(go().text) and "Stop" in words_of(go().text)


def test_a_scan_can_be_stopped_and_what_was_found_stays(box, go):
    address = go(fields=RANGE).headers["location"]
    box.tasks.all()[-1].tell(0.5, "…", [found(9)])
    assert go("/devices/scan/stop", fields={"task": address.rpartition("=")[2]}).status == 303
    text = words_of(go(address).text)
    assert "Stopped. What was found so far stays." in text and "ID 9: answers, fits no profile" in text


def test_a_range_that_is_none_is_told_beside_its_field(box, go):
    html = go(fields=RANGE | {"first": "20", "last": "10"}).text
    assert "From ID: 20 is above To ID, 10." in html
    html = go(fields=RANGE | {"first": "0", "last": "x"}).text
    assert "From ID: found &#34;0&#34;. A whole number, 1 to 247." in html and 'value="x"' in html
    assert box.asked == []


def test_a_line_that_is_busy_says_so(box, go):
    box.answers["scan"] = Busy("line ext is being scanned")
    assert "line ext is being scanned" in words_of(go(fields=RANGE).text)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"state": "done", "result": [found(9)]}, "All IDs were asked: 1 found."),
        ({"state": "failed", "error": {"message": "the line is lost"}}, "The scan failed: the line is lost"),
        ({"state": "cancelled"}, "Stopped. What was found so far stays."),
    ],
)
def test_how_it_ended_is_told(task, said):
    known = {"name": "scan ext", "result": None, "error": None, "progress": 1.0}
    assert scan_cells(known | task, {}, say_in("en"))[":scan.said"]["text"] == said


@pytest.mark.parametrize(
    ("hit", "text"),
    [
        (found(9, profiles=["goodwe/et", "goodwe/dt"], serial="9"), "ID 9: goodwe/et 9"),
        (found(9, trouble="The answer is damaged."), "ID 9: The answer is damaged."),
        (found(9, known="gone"), "ID 9: gone, known"),
    ],
)
def test_a_hit_says_who_it_is_as_far_as_that_is_known(hit, text):
    task = {"name": "scan ext", "state": "running", "progress": 0.5, "result": [hit], "error": None}
    (row,) = scan_cells(task, {}, say_in("en"))[":scan.rows"]["rows"]
    assert row["text"] == text


def test_another_task_is_no_scan(box, go):
    go("/devices/add", fields={"port": "ext", "id": "9", "do": "detect"})
    id = box.tasks.all()[-1].id
    assert "asked" not in words_of(go(f"/devices/scan?task={id}").text)


def test_an_m_bus_is_not_scanned_for_modbus_ids(box, go):
    box.lines = [*box.lines, LineState("heat", "serial:/dev/ttyUSB2", True, role="mbus")]
    assert 'value="ext"' in go().text and 'value="heat"' not in go().text


def test_a_viewer_may_not(go):
    assert go(role=Role.VIEWER).status == 403
    assert go(role=Role.VIEWER, fields=RANGE).status == 403
