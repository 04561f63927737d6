"""The first run: every step is kept when it is left, all but the password can be skipped, nothing is asked twice."""

from itertools import pairwise

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from concentrator.api import LineState
from concentrator.portal.pages import start
from concentrator.portal.pages.start import STEPS, Commissioning, commissioning
from concentrator.web.access import Role
from concentrator.web.route import Visit
from tests.support.config_box import ConfigBox
from tests.support.pages import Visitor, kept
from tests.support.web import device

results = SynchronousTestCase()


@pytest.fixture
def box(tmp_path):
    box = ConfigBox(tmp_path)
    box.lines = [
        LineState("native", "serial:/dev/x", True, role="native"),
        LineState("bus2", "serial:/dev/y", False, "no such port", role="external"),
    ]
    box.devices = [device("main"), device("roof", line="bus2", address=7, health="silent", model="ET")]
    return box


@pytest.fixture
def site(box):
    return box.site(Clock())


def onward(page):
    assert page.answer.status == 303
    return page.answer.headers["location"]


def test_it_begins_with_which_box_this_is_and_how_long_it_takes(visitor):
    page = visitor.open("/start")
    assert "7 steps, about 15 minutes. Stop whenever you like; each step is kept." in page.words
    assert "4220080001" in page.words and "CcMaster PRO" in page.words and 'href="/start/1"' in page.html


def test_each_step_leads_to_the_next_and_is_kept(box, visitor):
    for step, after in pairwise(STEPS):
        assert onward(visitor.send(f"/start/{step}", do="next")) == f"/start/{after}"
        assert box.commissioning.steps()[step] == "done"
    assert onward(visitor.send("/start/9", do="next")) == "/info"


def test_all_but_the_password_and_the_report_can_be_skipped(box, visitor):
    for step in STEPS:
        page = visitor.open(f"/start/{step}")
        assert ("Skip" in page.words) == (step not in ("1", "9"))
        visitor.send(f"/start/{step}", page, do="skip")
    assert box.commissioning.steps() == {step: "done" if step in ("1", "9") else "skipped" for step in STEPS}


def test_steps_that_this_version_does_not_have_are_not_there(visitor):
    for step in ("0", "3", "7", "10", "x"):
        assert visitor.open(f"/start/{step}").answer.status == 404
        assert visitor.send(f"/start/{step}", visitor.open("/start")).answer.status == 404


def test_the_password_stays_where_none_is_typed_and_is_changed_where_one_is(box, visitor):
    page = visitor.open("/start/1")
    assert "The password of installer is not the factory one any more." in page.words
    refused = visitor.send("/start/1", page, do="next", new="a row of words", again="another row")
    assert refused.answer.status == 200 and "Nothing was saved. Correct 1 field." in refused.words
    assert box.commissioning.steps() == {}


def test_the_zone_is_saved_on_next(box, visitor):
    assert "The clock is right" in visitor.open("/start/2").words
    assert onward(visitor.send("/start/2", box__timezone="Atlantic/Canary", do="next")) == "/start/4"
    assert kept(box)["box"]["timezone"] == "Atlantic/Canary"
    assert "Works after a restart: Time zone." in visitor.open("/start/4").words


def test_lines_and_who_answers_on_them_are_shown(visitor):
    words = visitor.open("/start/4").words
    assert "native native · serial:/dev/x" in words and "bus2 external · serial:/dev/y · no such port" in words
    assert "Main CcM4 · 0420020081 · ID 1 answers" in words.replace("\u00a0", " ")
    assert "Roof ET · 0420020081 · ID 7 no answer" in words.replace("\u00a0", " ")


def test_meters_and_external_devices_have_a_step_each(box, visitor):
    assert "1 linked." in visitor.open("/start/5").words and "Roof" not in visitor.open("/start/5").words
    assert "Roof" in visitor.open("/start/6").words and "Main" not in visitor.open("/start/6").words
    box.devices = []
    assert "No meters yet." in visitor.open("/start/5").words
    assert "No external devices yet." in visitor.open("/start/6").words
    box.lines = []
    assert "The configuration names no lines." in visitor.open("/start/4").words


def test_both_services_are_saved_in_one_step_and_what_is_wrong_holds_it_up(box, visitor):
    page = visitor.send("/start/8", mqtt__host="broker", ftp__enabled="on", ftp__server="", do="next")
    assert page.answer.status == 200 and len(page.summary) == 2
    assert box.commissioning.steps() == {}
    sent = visitor.send("/start/8", page, mqtt__host="mqtts://b2", ftp__server="files.example", do="next")
    assert onward(sent) == "/start/9"
    assert kept(box)["mqtt"]["host"] == "mqtts://b2"
    assert kept(box)["ftp"] == {"enabled": True, "server": "files.example"}


@pytest.mark.parametrize(("button", "place"), [("test-mqtt", "mqtt"), ("test-ftp", "ftp")])
def test_each_service_is_tried_with_what_is_typed(box, visitor, button, place):
    result = {"passed": False, "stages": [], "reason": "auth", "said": "", "facts": {"user": "box"}}
    box.played.ends = lambda tell: succeed(result)
    page = visitor.send("/start/8", mqtt__user="typed", ftp__user="typed", do=button)
    assert box.played.asked == [(place, {"user": "typed"})]
    assert 'refused user "box".' in page.words and "Save anyway (the test failed)" in page.words
    assert page.fields["mqtt-user"] == "typed" and box.commissioning.steps() == {}


def test_the_report_says_how_each_step_was_left_and_what_is_read_now(box, visitor):
    visitor.send("/start/2", do="next")
    visitor.send("/start/4", do="skip")
    words = visitor.open("/start/9").words
    assert "– Password not done ✓ Time zone and clock – Lines skipped" in words
    assert "Main −1.24 kW answers" in words.replace("\u00a0", " ")
    assert "MQTT: Connected since 10:31" in words and "FTP: Off." in words


def test_a_viewer_is_not_guided(box, site):
    assert Visitor(box, site, Role.VIEWER).open("/start").answer.status == 403
    assert Visitor(box, site, Role.VIEWER).open("/start/2").answer.status == 403


def card(box, role=Role.INSTALLER):
    """The card of Info for somebody."""
    house = box.house
    session = box.sessions.find(box.keys[role])
    visit = Visit(None, session, "en", "", {})
    return results.successResultOf(Deferred.fromCoroutine(commissioning(house, visit)))


@pytest.fixture
def with_house(box, monkeypatch):
    made = []
    real = start.start_routes

    def noted(house, gate):
        box.house = house
        return real(house, gate)

    monkeypatch.setattr("concentrator.portal.pages.start.start_routes", noted)
    made.append(box.site(Clock()))
    Visitor(box, made[0]).open("/start")
    return box, made[0]


def test_the_card_says_how_far_it_is_and_where_it_goes_on(with_house):
    box, site = with_house
    visitor = Visitor(box, site)
    assert card(box) == Commissioning(0, 7, "/start")
    visitor.send("/start/1", do="next")
    visitor.send("/start/2", do="skip")
    visitor.send("/start/4", do="next")
    assert card(box) == Commissioning(2, 7, "/start/5")
    words = visitor.open("/info").words
    assert "Commissioning 2 of 7 steps are done. Go on" in words and 'href="/start/5"' in visitor.open("/info").html
    assert card(box, Role.VIEWER) is None
    assert "Commissioning" not in Visitor(box, site, Role.VIEWER).open("/info").words
    visitor.send("/start/9", do="next")
    assert card(box) is None


def test_readouts_of_devices_without_values_are_dashes(box, visitor):
    box.devices = [evolve(device("main"), values={}, points=())]
    assert "Main — answers" in visitor.open("/start/9").words
