import pytest
from twisted.internet.defer import fail, succeed

from concentrator.api import UplinkState
from concentrator.app.front import build_front
from concentrator.app.link import Links
from concentrator.model.errors import Busy


class Mode:
    """Link mode of a line, which is on or off."""

    def __init__(self, fails=False):
        self.is_on = False
        self.fails = fails

    def start(self):
        if self.fails:
            return fail(Busy("the line is being scanned"))
        self.is_on = True
        return succeed(None)

    def stop(self):
        self.is_on = False
        return succeed(None)


class World:
    def __init__(self, folder):
        self.folder = folder
        self.links = Links()
        self.uplinks = []
        self.told = []

    def front(self, model="PRO"):
        return build_front(
            model,
            "virtual",
            self.folder,
            self.links,
            lambda: self.uplinks,
            lambda *told: self.told.append(told),
            lambda: 9.0,
        )


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def uplink(is_up):
    return UplinkState("mqtt", "mqtt", "mqtt://x", is_up)


def test_the_lights_say_how_the_box_stands(world):
    front = world.front()
    assert front.state().lights == {"blue": "off", "green": "blink", "yellow": "off"}
    world.uplinks = [uplink(True), uplink(False)]
    world.links._modes["native"] = mode = Mode()
    mode.start()
    assert front.state().lights == {"blue": "blink", "green": "one", "yellow": "off"}
    world.uplinks = [uplink(True)]
    assert front.state().lights["green"] == "two"


@pytest.mark.parametrize(("model", "lights"), [("Lite", 2), ("Lite Plus", 2), ("Lite NBIoT", 3), ("PRO", 3)])
def test_only_a_model_with_a_modem_has_the_yellow_light(world, model, lights):
    assert len(world.front(model).state().lights) == lights


def test_the_outputs_are_as_they_were_before_the_program_ended(world):
    world.front().panel.set_output("relay2", True, "ana")
    assert [each.value for each in world.front().state().outputs] == [False, True, 0.0]
    assert world.front().state().inputs == (False, False)


def test_two_to_five_seconds_begin_link_mode_and_end_it(world):
    world.links._modes["native"] = mode = Mode()
    front = world.front()
    assert front.pressed(3) == "link"
    assert mode.is_on
    assert front.pressed(2) == "link"
    assert not mode.is_on


@pytest.mark.parametrize("held_s", [0.5, 7, 12])
def test_any_other_press_does_nothing_yet_and_says_so(world, held_s):
    world.links._modes["native"] = mode = Mode()
    assert world.front().pressed(held_s) == "nothing"
    assert not mode.is_on


def test_with_several_buses_the_button_ends_what_is_on_before_it_begins_anything(world):
    one, other = world.links._modes["a"], world.links._modes["b"] = Mode(), Mode()
    one.start()
    world.front().pressed(3)
    assert (one.is_on, other.is_on) == (False, False)
    world.front().pressed(3)
    assert (one.is_on, other.is_on) == (True, True)


def test_a_bus_that_cannot_be_linked_now_harms_nobody(world):
    world.links._modes["native"] = mode = Mode(fails=True)
    assert world.front().pressed(3) == "link"
    assert not mode.is_on


def test_without_a_native_bus_the_button_does_nothing(world):
    assert world.front().pressed(3) == "nothing"
