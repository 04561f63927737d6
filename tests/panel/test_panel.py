import json

import pytest

from concentrator.api import InputState, OutputState
from concentrator.model.errors import NotConfirmed, NotWritable, OutOfRange, Unknown
from concentrator.model.features import FEATURES
from concentrator.panel.board import VirtualBoard
from concentrator.panel.functions import OutputFunction
from concentrator.panel.inputs import InputTerms
from concentrator.panel.panel import Panel
from concentrator.system.files import write_whole


class World:
    """A panel that can be started again, and what it told."""

    def __init__(self, folder, clock):
        self.file = folder / "outputs.json"
        self.clock = clock
        self.kept = []
        self.told = []

    def panel(self, model="PRO", board=None, functions=None):
        panel = Panel(
            board or VirtualBoard(),
            FEATURES[model],
            self.file,
            self.keep,
            lambda *told: self.told.append(told),
            lambda: 9.0,
            self.clock,
        )
        panel.arrange(functions or {})
        panel.start()
        return panel

    def keep(self, path, content):
        self.kept.append(content)
        write_whole(path, content)


@pytest.fixture
def world(tmp_path, clock):
    return World(tmp_path, clock)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("Lite", []),
        ("Lite Plus", ["relay1", "relay2"]),
        ("Lite NBIoT", ["relay1", "relay2"]),
        ("PRO", ["relay1", "relay2", "analogue"]),
    ],
)
def test_a_model_has_its_outputs_and_no_others(world, model, names):
    panel = world.panel(model)
    assert [each.name for each in panel.outputs()] == names
    with pytest.raises(Unknown, match="output relay3"):
        panel.set_output("relay3", True, "ana")


def test_an_output_that_was_set_says_so_with_who_and_when_and_is_an_event(world):
    panel = world.panel()
    assert panel.set_output("relay2", True, "ana") == OutputState("relay2", True, "ana", 9.0)
    assert panel.set_output("analogue", 3.5, "ben").value == 3.5
    assert [each.value for each in panel.outputs()] == [False, True, 3.5]
    assert [(name, facts["output"], facts["by"], facts["text"]) for name, facts in world.told] == [
        ("output.changed", "relay2", "ana", "relay2 is on"),
        ("output.changed", "analogue", "ben", "analogue is 3.5 V"),
    ]


def test_setting_what_is_already_so_wears_nothing_out_and_tells_nobody(world):
    panel = world.panel()
    panel.set_output("relay1", False, "ana")
    panel.set_output("relay1", True, "ana")
    panel.set_output("relay1", True, "ben")
    assert len(world.kept) == len(world.told) == 1
    assert panel.outputs()[0].set_by == "ben"


@pytest.mark.parametrize(
    ("output", "value"), [("relay1", 1), ("relay1", 0.0), ("analogue", True), ("analogue", -0.1), ("analogue", 10.1)]
)
def test_a_value_that_is_none_of_its_is_refused_by_its_rule(world, output, value):
    panel = world.panel()
    with pytest.raises(OutOfRange, match=rf"output {output}: found .*, expected (true or false|0 to 10 V)"):
        panel.set_output(output, value, "ana")
    assert world.told == world.kept == []


def test_states_are_kept_over_a_restart(world):
    panel = world.panel()
    panel.set_output("relay1", True, "ana")
    panel.set_output("analogue", 2.5, "ana")
    assert [each.value for each in world.panel().outputs()] == [True, False, 2.5]
    assert [each.value for each in world.panel("Lite Plus").outputs()] == [True, False]


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"relay1": 7, "analogue": 11, "relay9": true}'])
def test_what_cannot_be_read_leaves_the_outputs_off(world, content):
    world.file.write_text(content)
    assert [each.value for each in world.panel().outputs()] == [False, False, 0.0]


def test_an_output_that_does_not_obey_is_not_believed(world):
    class Stuck(VirtualBoard):
        def set_relay(self, number, is_on):
            pass

    panel = world.panel(board=Stuck())
    with pytest.raises(NotConfirmed, match="relay1: true was set, and false read back"):
        panel.set_output("relay1", True, "ana")
    assert world.told == world.kept == []


def test_an_input_that_changes_is_an_event(world):
    panel = world.panel()
    panel.set_input(2, True)
    panel.set_input(2, False)
    assert panel.inputs() == (InputState(False), InputState(False))
    assert [(name, facts["input"], facts["active"], facts["text"]) for name, facts in world.told] == [
        ("input.changed", 2, True, "input 2 is active"),
        ("input.changed", 2, False, "input 2 is no longer active"),
    ]
    with pytest.raises(Unknown, match="input 3"):
        panel.set_input(3, True)


def test_nobody_says_of_a_real_input_what_it_is(world):
    class Real:
        name = "gpio"

        def __getattr__(self, name):
            return getattr(VirtualBoard(), name)

    with pytest.raises(Unknown, match="the board is gpio"):
        world.panel(board=Real()).set_input(1, True)


def test_people_say_that_an_input_is_active_whichever_way_its_contact_means_it(world):
    panel = world.panel()
    panel.wired.arrange({1: InputTerms(is_active_when_open=True)})
    assert panel.inputs()[0].is_active, "its contact is open"
    panel.set_input(1, False)
    assert (panel.board.input(1), panel.inputs()[0].is_active) == (True, False)
    panel.set_input(1, True)
    assert (panel.board.input(1), panel.inputs()[0].is_active) == (False, True)


def test_an_output_with_a_function_obeys_nobody_else_and_is_then_as_it_was(world):
    panel = world.panel()
    panel.set_output("relay1", True, "ana")
    panel.arrange({"relay1": OutputFunction.COMMON_ALARM, "relay2": OutputFunction.MANUAL})
    panel.follow("relay1", False)
    assert panel.outputs()[0] == OutputState("relay1", False, "common_alarm", 9.0, "common_alarm")
    with pytest.raises(NotWritable, match="relay1: it has the function common_alarm"):
        panel.set_output("relay1", True, "ana")
    panel.set_output("relay2", True, "ana")
    panel.arrange({})
    assert [each.value for each in panel.outputs()] == [True, True, 0.0]
    assert [(facts["output"], facts["value"], facts["by"]) for _, facts in world.told] == [
        ("relay1", True, "ana"),
        ("relay1", False, "common_alarm"),
        ("relay2", True, "ana"),
        ("relay1", True, "the settings"),
    ]


def test_what_a_function_made_of_an_output_is_not_kept_over_a_restart(world):
    panel = world.panel()
    panel.set_output("relay1", True, "ana")
    panel.arrange({"relay1": OutputFunction.INPUT_1})
    panel.follow("relay1", False)
    panel.set_output("relay2", True, "ana")
    assert json.loads(world.file.read_bytes()) == {"relay1": True, "relay2": True, "analogue": 0.0}
    again = world.panel(functions={"relay1": OutputFunction.INPUT_1})
    assert [each.value for each in again.outputs()] == [False, True, 0.0]
    again.arrange({})
    assert again.outputs()[0].value is True


def test_an_output_with_a_function_that_does_not_obey_is_tried_again(world):
    class Stiff(VirtualBoard):
        tries = 0

        def set_relay(self, number, is_on):
            Stiff.tries += 1
            if Stiff.tries > 2:
                super().set_relay(number, is_on)

    panel = world.panel(board=Stiff(), functions={"relay1": OutputFunction.COMMON_ALARM})
    seen = []
    for _ in range(4):
        panel.follow("relay1", True)
        seen.append(panel.outputs()[0].value)
    assert (seen, Stiff.tries, len(world.told)) == ([False, False, True, True], 3, 1)


def test_what_is_kept_is_plain_json(world):
    world.panel().set_output("relay1", True, "ana")
    assert json.loads(world.file.read_bytes()) == {"relay1": True, "relay2": False, "analogue": 0.0}
