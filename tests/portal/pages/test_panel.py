import re

import pytest
from attrs import evolve

from concentrator.actions.panel import panel_actions
from concentrator.api import OutputState, PanelState
from concentrator.model.features import FEATURES
from concentrator.panel.board import VirtualBoard
from concentrator.panel.panel import Panel
from concentrator.web.access import Role
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
    )
    box.pressed = []
    for action in panel_actions(panel, lambda held_s: box.pressed.append(held_s) or "link"):
        box.table.register(action)
    box.works = panel
    box.patterns = {"blue": "off", "green": "two", "yellow": "steady"}
    box.panel = lambda: PanelState(box.patterns, panel.outputs(), panel.inputs())
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
    assert box.works.inputs() == (False, True)
    assert "Input 2: active." in box.as_(Role.INSTALLER, site, "/panel").text
    box.as_(Role.INSTALLER, site, "/panel", fields={"input": "2", "active": ""})
    assert box.works.inputs() == (False, False)


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
    box.panel = lambda: PanelState({"blue": "off", "green": "blink"}, (), (False, False))
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
