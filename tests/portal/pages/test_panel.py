import re

import pytest
from attrs import evolve
from twisted.internet.task import Clock

from concentrator.actions.panel import panel_actions
from concentrator.api import InputState, OutputState, PanelState
from concentrator.model.features import FEATURES
from concentrator.panel.board import VirtualBoard
from concentrator.panel.functions import InputFunction, OutputFunction
from concentrator.panel.inputs import InputTerms
from concentrator.panel.panel import Panel
from concentrator.web.access import Role
from tests.support.front import FakeFront
from tests.support.web import NOW, FakeBox


@pytest.fixture
def box(tmp_path):
    box = FakeBox()
    panel = Panel(
        VirtualBoard(),
        FEATURES["PRO"],
        tmp_path / "outputs.json",
        lambda path, content: None,
        lambda name, facts: None,
        lambda: NOW,
        Clock(),
    )
    box.front = FakeFront(box)
    box.pressed = box.front.presses
    for action in panel_actions(panel, box.front):
        box.table.register(action)
    box.works = panel
    box.patterns, box.scheme = {"blue": "off", "green": "two", "yellow": "steady"}, "ccmaster"
    box.panel = lambda: PanelState(box.patterns, panel.outputs(), panel.inputs(), scheme=box.scheme)
    return box


def test_it_shows_lights_outputs_and_inputs_in_words(box, site):
    box.works.set_output("relay2", True, "ana")
    page = box.as_(Role.VIEWER, site, "/panel").text
    for words in ("two blinks each 3 s", "Data server", "Modem registered", "Relay 1", "0–10 V", "Input 2"):
        assert words in page, words
    assert re.search(r'data-cell=":output.relay2"[^>]*>on<', page)
    assert "This panel is there on this page only" in page


def test_an_output_is_set_and_the_page_says_so(box, site):
    done = box.as_(Role.INSTALLER, site, "/panel", fields={"output": "relay1", "on": "on"})
    assert (done.status, done.headers["location"]) == (303, "/panel")
    assert "Relay 1: on." in box.as_(Role.INSTALLER, site, "/panel").text
    box.as_(Role.INSTALLER, site, "/panel", fields={"output": "analogue", "volts": "2,5"})
    assert [each.value for each in box.works.outputs()] == [True, False, 2.5]
    box.as_(Role.INSTALLER, site, "/panel", fields={"output": "relay1", "on": ""})
    assert box.works.outputs()[0].value is False
    assert box.works.outputs()[0].set_by == "installer"


@pytest.mark.parametrize("volts", ["", "eleven", "11", "-1", "nan"])
def test_volts_that_are_none_stay_in_their_field_with_the_rule(box, site, volts):
    page = box.as_(Role.INSTALLER, site, "/panel", fields={"output": "analogue", "volts": volts})
    assert page.status == 200
    assert 'role="alert"' in page.text and 'aria-invalid="true"' in page.text
    assert f'value="{volts}"' in page.text
    assert box.works.outputs()[2].value == 0.0


def test_an_input_of_the_virtual_panel_is_worked(box, site):
    box.as_(Role.INSTALLER, site, "/panel", fields={"input": "2", "active": "on"})
    assert [each.is_active for each in box.works.inputs()] == [False, True]
    assert "Input 2: active." in box.as_(Role.INSTALLER, site, "/panel").text
    box.as_(Role.INSTALLER, site, "/panel", fields={"input": "2", "active": ""})
    assert [each.is_active for each in box.works.inputs()] == [False, False]


def test_the_button_is_held_for_as_long_as_is_sent(box, site):
    box.as_(Role.INSTALLER, site, "/panel", fields={"held_s": "3"})
    assert box.pressed == [3.0]
    assert "Link mode was switched." in box.as_(Role.INSTALLER, site, "/panel").text


@pytest.mark.parametrize(
    "fields", [{"input": "x"}, {"held_s": "long"}, {"output": "relay9", "on": "on"}, {"input": "3"}]
)
def test_what_makes_no_sense_does_nothing(box, site, fields):
    page = box.as_(Role.INSTALLER, site, "/panel", fields=fields)
    assert page.status == 200 and 'role="alert"' in page.text
    assert box.pressed == []


def test_who_may_only_look_works_nothing(box, site):
    page = box.as_(Role.VIEWER, site, "/panel").text
    assert 'action="/panel"' not in page
    refused = box.as_(Role.VIEWER, site, "/panel", fields={"output": "relay1", "on": "on"})
    assert refused.status == 403
    assert box.works.outputs()[0].value is False


def test_a_model_without_outputs_says_which_have_them(box, site):
    box.panel = lambda: PanelState({"blue": "off", "green": "blink"}, (), (InputState(), InputState()))
    assert "has no outputs. Lite Plus, Lite NBIoT and PRO have two relays." in box.as_(Role.VIEWER, site, "/panel").text


def test_every_page_has_the_lights_of_the_box_at_its_top(box, site):
    for path in ("/info", "/devices", "/menu"):
        page = box.as_(Role.VIEWER, site, path, accept_language="es").text
        assert re.search(r'class="light green" data-cell=":light.green"[^>]* data-health="two"', page)
        assert "Servidor de datos" in page
    box.patterns = evolve(box.sources.panel(), lights={"blue": "blink", "green": "blink"}).lights
    page = box.as_(Role.VIEWER, site, "/info").text
    assert "Link mode" in page and "Offline" in page and "light yellow" not in page


def test_an_output_is_told_by_its_state(box, site):
    outputs = (OutputState("analogue", 3.5),)
    box.panel = lambda: PanelState(box.patterns, outputs, ())
    assert "3.5\u00a0V" in box.as_(Role.VIEWER, site, "/panel").text


# -- a CMM365's


LIT = {"power": "red", "alarm": "steady", "rs485_master": "blink", "rs485_slave": "off", "gprs": "off", "link": "off"}


@pytest.fixture
def module(box):
    box.patterns, box.scheme = LIT, "cmm365"
    return box


def test_the_lights_of_a_cmm365_are_on_its_page_and_at_the_top_of_every_other(module, site):
    page = module.as_(Role.VIEWER, site, "/panel").text
    for words in ("Power", "RS485 master", "on, red", "Common alarm", "Not logged in", "LINK unused"):
        assert words in page, words
    top = module.as_(Role.VIEWER, site, "/info").text
    assert re.search(r'class="light power" data-cell=":light.power"[^>]* data-health="red"', top)
    assert "light blue" not in top


def test_the_lamps_are_tested_with_a_button_of_their_own(box, site):
    done = box.as_(Role.INSTALLER, site, "/panel", fields={"do": "lamp_test"})
    assert (done.status, box.front.tests) == (303, 1)
    assert "All lights are on for some seconds." in box.as_(Role.INSTALLER, site, "/panel").text


def test_a_second_on_a_cmm365_is_a_lamp_test_and_needs_no_question(module, site):
    module.front.gesture = "lamp_test"
    module.as_(Role.INSTALLER, site, "/panel", fields={"held_s": "1.5"})
    assert module.pressed == [1.5]
    assert "All lights are on for some seconds." in module.as_(Role.INSTALLER, site, "/panel").text


def test_ten_seconds_on_a_cmm365_are_asked_about_first(module, site):
    module.front.gesture = "factory"
    page = module.as_(Role.INSTALLER, site, "/panel", fields={"held_s": "12"})
    assert page.status == 200 and module.pressed == []
    assert 'role="alert"' in page.text and "become as they left the factory" in page.text
    module.as_(Role.INSTALLER, site, "/panel", fields={"held_s": "10", "sure": "on"})
    assert module.pressed == [10.0]
    assert "are as they left the factory." in module.as_(Role.INSTALLER, site, "/panel").text


def test_what_an_output_or_input_does_by_itself_stands_beside_it(box, site):
    box.works.arrange({"relay1": OutputFunction.COMMON_ALARM})
    box.works.wired.arrange({2: InputTerms(InputFunction.FIRE_ALARM)})
    page = box.as_(Role.INSTALLER, site, "/panel").text
    assert "Common alarm" in page and "fire alarm" in page
    assert 'name="output" value="relay1"' not in page, "nobody sets it by hand"
    assert 'name="output" value="relay2"' in page
    refused = box.as_(Role.INSTALLER, site, "/panel", fields={"output": "relay1", "on": "on"})
    assert refused.status == 200 and "it has the function common_alarm" in refused.text
