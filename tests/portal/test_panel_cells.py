import pytest

from concentrator.api import InputState, OutputState, PanelState
from concentrator.panel import cmm365
from concentrator.panel.lights import Lights, Pattern
from concentrator.portal.panel_cells import light_cells, output_words, panel_cells
from concentrator.portal.words import say_in, words
from concentrator.web.route import LANGUAGES


def test_a_light_says_what_it_means_and_how_it_goes():
    panel = PanelState({"blue": "blink", "green": "two"})
    assert light_cells(panel, say_in("en")) == {
        ":light.blue": {"text": "Link mode", "health": "blink"},
        ":light.green": {"text": "Data server", "health": "two"},
    }
    assert panel_cells(panel, say_in("es"), "es")[":pattern.green"] == {"text": "dos destellos cada 3 s"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_pattern_has_its_words_and_every_light_the_meanings_it_can_have(language):
    known = words(language)
    assert {f"light.{pattern}" for pattern in Pattern} <= known.keys()
    can_be = {
        "blue": ("off", "blink", "fast"),
        "green": ("blink", "one", "two"),
        "yellow": ("off", "slow", "steady", "fast"),
    }
    assert {f"light.{colour}_{each}" for colour, patterns in can_be.items() for each in patterns} <= known.keys()
    assert set(can_be) == {name for name in Lights.__annotations__}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_light_of_a_cmm365_has_the_meanings_it_can_have(language):
    can_be = {
        "power": ("steady", "slow", "red", "red_blink"),
        "alarm": ("off", "steady"),
        "rs485_master": ("off", "steady", "blink"),
        "rs485_slave": ("off", "blink"),
        "gprs": ("off", "steady", "blink"),
        "link": ("off", "steady", "blink"),
    }
    assert tuple(can_be) == cmm365.LIGHTS
    meanings = {f"light.{name}_{pattern}" for name, patterns in can_be.items() for pattern in patterns}
    assert meanings | {f"light.{name}" for name in can_be} <= words(language).keys()


def test_while_all_lights_show_one_thing_together_that_is_what_they_mean():
    panel = PanelState({"power": "blink", "gprs": "blink"}, showing="reset")
    assert {cell["text"] for cell in light_cells(panel, say_in("en")).values()} == {"Reset"}
    assert light_cells(PanelState({"blue": "steady"}, showing="lamp_test"), say_in("es"))[":light.blue"] == {
        "text": "Prueba de lámparas",
        "health": "steady",
    }


@pytest.mark.parametrize(
    ("value", "language", "said"),
    [
        (True, "en", "on"),
        (False, "es", "desactivado"),
        (3.5, "en", "3.5\u00a0V"),
        (3.5, "es", "3,5\u00a0V"),
        (0.0, "en", "0.0\u00a0V"),
    ],
)
def test_an_output_is_told_by_its_state(value, language, said):
    assert output_words(OutputState("x", value), say_in(language), language) == said


def test_outputs_and_inputs_have_cells_of_their_own():
    panel = PanelState({}, (OutputState("relay1", True),), (InputState(), InputState(True)))
    assert panel_cells(panel, say_in("en"), "en") == {
        ":output.relay1": {"text": "on", "health": "up"},
        ":input.1": {"text": "not active", "health": "idle"},
        ":input.2": {"text": "active", "health": "up"},
    }
