"""Settings › Panel and inputs."""

import pytest
from twisted.internet.task import Clock

from concentrator.api import PanelState
from concentrator.web.access import Role
from tests.support.config_box import ConfigBox
from tests.support.pages import Visitor, kept

SETTINGS = "/settings/panel"


@pytest.fixture
def box(tmp_path):
    return ConfigBox(tmp_path)


@pytest.fixture
def visitor(box):
    return Visitor(box, box.site(Clock()))


def test_every_function_of_the_forms_can_be_chosen_and_is_saved(box, visitor):
    fields = visitor.open(SETTINGS).fields
    fields.pop("was")
    assert fields == {
        "panel-scheme": "ccmaster",
        "input-1-function": "usual",
        "input-1-active": "closed",
        "input-1-delay": "0 s",
        "input-2-function": "usual",
        "input-2-active": "closed",
        "input-2-delay": "0 s",
        "output-relay1-function": "manual",
        "output-relay2-function": "manual",
    }
    sent = visitor.send(
        SETTINGS,
        panel__scheme="cmm365",
        input__1__function="fire_alarm",
        input__1__active="open",
        input__1__delay="2.5 s",
        output__relay1__function="common_alarm",
    )
    assert sent.answer.status == 303
    assert "Saved" in visitor.open(SETTINGS).words
    found = kept(box)
    assert found["panel"] == {"scheme": "cmm365"}
    assert found["input"] == {"1": {"function": "fire_alarm", "active": "open", "delay": "2.5 s"}}
    assert found["output"] == {"relay1": {"function": "common_alarm"}}


def test_a_delay_beyond_twenty_seconds_is_refused_beside_its_field(box, visitor):
    page = visitor.send(SETTINGS, input__2__delay="21 s")
    assert page.answer.status == 200 and "20 s" in page.fault("input-2-delay")
    assert "input" not in kept(box)


def test_it_is_there_in_spanish_and_for_whoever_may_only_look(box):
    page = Visitor(box, box.site(Clock()), language="es", role=Role.VIEWER).open(SETTINGS)
    assert "Entrada digital 1" in page.words and "Alarma de incendio" in page.words


def test_lines_are_put_to_their_ports(box, visitor):
    sent = visitor.send(SETTINGS, **{"panel-link_lines-native": "on"})
    assert sent.answer.status == 303, sent.summary
    assert kept(box)["panel"] == {"link_lines": ["native"]}


def test_a_model_without_relays_has_no_outputs_to_set(box, visitor):
    box.panel = lambda: PanelState(scheme="cmm365")
    fields = visitor.open(SETTINGS).fields
    assert not [name for name in fields if name.startswith("output")]
    assert "The front has the lights and the button of a CMM365." in visitor.open(SETTINGS).words


def test_who_may_only_look_changes_nothing(box):
    site = box.site(Clock())
    assert Visitor(box, site, role=Role.VIEWER).send(SETTINGS, panel__scheme="cmm365").answer.status == 403
    assert "panel" not in kept(box)
