"""A genset's page: how it is, and what it can be told to do."""

import pytest
from attrs import evolve

from concentrator.model.errors import NotConfirmed
from concentrator.model.genset import Alarm, GensetStatus, Mode
from concentrator.portal.pages.genset import command_words
from concentrator.portal.words import say_in, words
from concentrator.web.access import Role
from tests.support.genset_box import RUNNING, Carried, GensetBox
from tests.support.pages import Visitor

PATH = "/devices/g1/genset"


@pytest.fixture
def box():
    return GensetBox()


def test_how_it_is_stands_in_sentences(box, visitor):
    words = visitor.open(PATH).words.replace("\u202f", " ").replace("\xa0", " ")
    assert (
        "Auto mode. The engine runs (normal running). Mains failed. The mains breaker is open. "
        "The load is on the generator. A warning. Alarms low fuel"
    ) in words
    assert "gen_v1 231.4 V speed 1501 r/min" in words or "gen_v1 231.4 V speed 1501 rpm" in words
    box.state.status = GensetStatus()
    assert "Its mode is not known. Whether there is an alarm is not known." in visitor.open(PATH).words


def test_what_it_measures_has_its_label_in_the_visitors_language(box, site):
    points = (("gen_v1", "generator voltage L1", "V"), ("speed", "engine speed", "rpm"))
    box.devices = [evolve(box.devices[0], points=points)]
    assert "gen_v1 generator voltage L1 231.4" in Visitor(box, site).open(PATH).words
    words = Visitor(box, site, language="es").open(PATH).words
    assert "gen_v1 tensión del generador L1 231,4" in words and "engine speed" not in words


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_mode_and_alarm_has_its_words(box, site, language):
    visitor = Visitor(box, site, language=language)
    for mode in Mode:
        for alarm in Alarm:
            for flag in (True, False):
                box.state.status = evolve(
                    RUNNING,
                    mode=mode,
                    alarm=alarm,
                    is_running=flag,
                    mains_ok=flag,
                    mains_on_load=flag,
                    gen_on_load=flag,
                )
                assert visitor.open(PATH).answer.status == 200


def test_one_that_is_only_passed_through_says_so(box, visitor):
    box.state.passes_through, box.state.commands = True, ()
    page = visitor.open(PATH)
    assert "This controller is only passed through to its cloud" in page.words and "Commands" not in page.words


def test_a_command_is_asked_for_twice_and_given_once(box, visitor):
    assert "Start" in visitor.open(PATH).words
    assert "Start: Farm?" in visitor.open(f"{PATH}?command=start").words
    assert box.given == []
    visitor.send(PATH, command="start")
    assert box.given == [("g1", "start", "installer")]
    assert "Start: done, and confirmed by the controller's status." in visitor.open(PATH).words


def test_what_was_not_confirmed_is_said_to_be(box, visitor):
    box.ends = NotConfirmed("start was sent, but auto mode is still there")
    visitor.send(PATH, command="start")
    assert "Start: not done." in visitor.open(PATH).words
    box.ends = Carried("accepted")
    visitor.send(PATH, command="dance_slowly")
    assert "dance slowly: the controller took it; its status does not tell more." in visitor.open(PATH).words


def test_what_is_forbidden_is_said_in_place_of_the_commands(box, visitor):
    box.state.forbidden = "allow_commands of g1 is false"
    page = visitor.open(PATH)
    assert "allow_commands of g1 is false" in page.words and "?command=" not in page.html


def test_a_viewer_commands_nothing(box, site):
    viewer = Visitor(box, site, Role.VIEWER)
    assert "Commands" not in viewer.open(PATH).words
    assert viewer.send(PATH, command="start").answer.status == 403
    assert box.given == []


def test_only_a_genset_has_such_a_page(box, visitor):
    assert f'href="{PATH}"' in visitor.open("/devices/g1").html
    assert "/genset" not in visitor.open("/devices/main").html
    assert visitor.open("/devices/main/genset").answer.status == 404
    assert visitor.open("/devices/none/genset").answer.status == 404
    assert visitor.send("/devices/none/genset", visitor.open(PATH), command="start").answer.status == 404


def test_every_word_of_a_command_is_there_in_both_languages():
    for key in words("en"):
        if key.startswith("genset.do_"):
            assert command_words(key.removeprefix("genset.do_"), say_in("es")) == words("es")[key]
