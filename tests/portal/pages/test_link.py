import pytest
from attrs import evolve
from twisted.internet.task import Clock

from concentrator.model.errors import Busy
from concentrator.poll.link_news import Linked
from concentrator.web.access import Role
from concentrator.web.route import COOKIE
from tests.support.devices_box import METER, DevicesBox
from tests.support.pages import words_of
from tests.support.web import Visit, device


@pytest.fixture
def box():
    return DevicesBox()


@pytest.fixture
def go(box, site):
    def go(path="/devices/link", **request):
        return box.as_(request.pop("role", Role.INSTALLER), site, path, **request)

    return go


def test_before_it_says_what_it_costs_and_how_many_are_linked(go):
    text = words_of(go().text)
    assert "Reading stops while you link. Linked now: 3 of 32." in text
    assert "Start link mode or hold the box's button 2 to 5 s" in text.replace("&#39;", "'")
    assert "La lectura se detiene mientras vincula. Vinculados ahora: 3 de 32." in words_of(
        go(accept_language="es").text
    )


def test_it_is_started_and_finished_by_buttons(box, go):
    found = go(fields={"line": "native"})
    assert (found.status, found.headers["location"]) == (303, "/devices/link?line=native")
    text = words_of(go("/devices/link?line=native").text)
    assert "Link mode is on. Press the black button on one meter" in text and "9:42" in text
    assert "Show what happened" in text and "Start link mode" not in text
    assert go("/devices/link/finish", fields={"line": "native"}).status == 303
    assert not box.linking.state.is_on


def test_who_linked_last_is_marked_among_the_meters(box, go):
    box.linking.state = evolve(box.linking.state, found=(Linked(METER, 3), Linked("0420020118", 4)))
    assert f'href="/devices/ccm?linked={METER}+0420020118"' in go().text


def test_each_meter_is_a_row_with_the_way_to_name_it(box, go):
    box.devices = [device("ccm-1", serial=METER)]
    box.linking.state = evolve(box.linking.state, is_on=True, state="looking", found=(Linked(METER, 3),))
    html = go().text
    assert f"{METER} — new, got ID 3 Name it" in words_of(html)
    assert 'href="/devices/ccm-1/config"' in html


def test_what_goes_wrong_is_told_on_the_page(box, go):
    box.linking.state = evolve(box.linking.state, is_on=True, state="collision", code="collision")
    assert "Two meters answered at once. No ID was given to either." in words_of(go().text)
    assert "Han respondido dos contadores a la vez." in words_of(go(accept_language="es").text)


def test_that_it_cannot_be_started_now_is_told(box, go):
    box.linking.refused = Busy("native is not read now: another")
    go(fields={"line": "native"})
    said = words_of(go().text)
    assert "It did not work: " in said and "native is not read now: another" in said


def test_the_stream_of_the_page_tells_what_happens_within_a_second(box):
    clock = Clock()
    site = box.site(clock)
    visitor = Visit(site)
    visitor.ask("/live?of=%3Alink.native", cookie=f"{COOKIE}={box.keys[Role.INSTALLER]}")
    assert dict(visitor.frames())["cells"][":link.state"]["text"] == "off"
    box.linking.start()
    box.linking.state = evolve(box.linking.state, in_hand=Linked(METER, 3))
    clock.advance(1)
    cells = dict(visitor.frames())["cells"]
    assert cells[":link.state"]["text"] == "on"
    assert "giving it ID 3" in cells[":link.rows"]["rows"][0]["text"]
    visitor.end()
    assert not clock.getDelayedCalls()


def test_a_viewer_may_not(box, go):
    assert go(role=Role.VIEWER).status == 403
    assert go(role=Role.VIEWER, fields={"line": "native"}).status == 403
    assert not box.linking.state.is_on


def test_without_a_native_line_it_says_so(box, go):
    box.linked_lines.clear()
    assert "There is no line on which meters could be linked." in words_of(go().text)
