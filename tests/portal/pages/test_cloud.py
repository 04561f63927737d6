"""Services › Cloud (SmartGen): the CMM365's PC program as pages (its manual, Form 1 and 5.2)."""

import pytest

from concentrator.api import InputState, OutputState, PanelState
from concentrator.portal.pages.cloud import said
from concentrator.portal.words import say_in
from concentrator.web.access import Role
from tests.support.pages import Visitor, kept
from tests.support.service_box import CLOUD, ServiceBox

PATH = "/services/cloud/first"


@pytest.fixture
def box(tmp_path):
    return ServiceBox(tmp_path)


def test_monitoring_shows_what_the_pc_program_shows(box, visitor):
    box.panel = lambda: PanelState(
        outputs=(OutputState("relay1", True),), inputs=(InputState(True, "fire_alarm"), InputState())
    )
    words = visitor.open(PATH).words.replace("\u202f", " ").replace("\xa0", " ")
    for shown in (
        "Module ID 383033313334510900560037",
        "Genset Type HGM6120N",
        "Type AMF module",
        "Module Time 2026-11-21 18:00:00",
        "Port RS485 9600 Bd",
        "Hardware Ver. 2",
        "Software Ver. 0.1.0",
        "Satellite Num. —",
        "Longitude −3.700000 °",
        "Latitude 40.400000 °",
        "Altitude 650.0 m",
        "Output 1 on",
        "Live data to cloud.example:21318",
        "Uploads every 3 s Uploads what changed",
        "Rounds of questions 1200 Questions unanswered 3 Uploads 1180 Orders carried out 2 Orders refused 1",
    ):
        assert shown in words, shown


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        ("", "Starting."),
        ("Registering", "Registering the controller g1."),
        ("Connecting", "Registered; connecting."),
        ("Online", "Online with g1."),
        ("Online, but the server refuses: 000012 full", "Online, but the server refuses: 000012 full"),
        ("Waiting: no answer in 30 s", "Waiting: no answer in 30 s"),
        ("Stopped", "Stopped."),
    ],
)
def test_every_way_a_session_stands_has_its_words(box, visitor, standing, words):
    box.cloud(standing=standing)
    assert words in visitor.open(PATH).words
    assert said({"standing": standing, "device": "g1", "is_searched_for": False}, say_in("es"))


def test_that_the_controller_is_looked_for_is_said(box, visitor):
    box.cloud(is_searched_for=True)
    assert "g1 does not answer and is being looked for." in visitor.open(PATH).words


def test_the_tabs_have_every_parameter_of_form_1(visitor):
    gateway, cloud, module = (visitor.open(f"{PATH}/{tab}").words for tab in ("gateway", "cloud", "module"))
    for label in ("Site Name", "Server", "Security Code"):
        assert label in gateway
    for label in (
        "Obtain Port automatically",
        "Communication Port",
        "Baud Rate",
        "Location Info",
        "Longitude",
        "Latitude",
        "Altitude",
        "Genset Type",
        "Module Name",
        "Debugger Name",
        "Phone Number",
        "Installation Date",
        "Historic upload interval",
        "Time Zone",
        "Live Data upload interval",
    ):
        assert label in cloud, label
    rated = ("Rated Speed", "Rated Volt", "Rated Freq", "Rated Current", "Rated Power")
    for label in ("Type", "AC Supply", *rated, *(f"Custom Description {n}" for n in range(1, 6))):
        assert label in module, label


def test_every_controller_of_form_4_can_be_chosen(box, visitor):
    page = visitor.open(f"{PATH}/cloud")
    for model in ("HGM6110", "HGM9580", "DSE8620", "AMF25 II", "GU320B"):
        assert f'<option value="{model}"' in page.html
    visitor.send(f"{PATH}/cloud", page, smartgen__first__model="DSE7320", smartgen__first__baudrate="19200")
    assert (kept(box)["smartgen"]["first"]["model"], kept(box)["smartgen"]["first"]["baudrate"]) == ("DSE7320", 19200)


def test_the_modules_id_is_there_to_be_printed(box, visitor):
    page = visitor.open(f"{PATH}/label")
    assert CLOUD.hostid in page.words
    picture = visitor.open("/services/cloud-label.svg?session=first").answer
    assert picture.headers["content-type"] == "image/svg+xml" and picture.text.startswith("<svg")
    assert visitor.open("/services/cloud-label.svg?session=none").answer.status == 404


def test_factory_settings_come_back_only_when_somebody_is_sure(box, site, visitor):
    assert "tick that you are sure" in visitor.send(PATH).words
    assert box.reset == []
    visitor.send(PATH, sure="on")
    assert box.reset == ["first"]
    assert "The session has its factory settings." in visitor.open(PATH).words
    viewer = Visitor(box, site, Role.VIEWER)
    assert viewer.send(PATH, sure="on").answer.status == 403


def test_a_session_that_is_gone_meanwhile_is_not_reset(box, visitor):
    box.clouds = []
    assert "session first" in visitor.send(PATH, sure="on").words
