import pytest

from concentrator.actions.panel import panel_actions
from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.api import PanelState
from concentrator.model.errors import Denied, NotWritable, OutOfRange, WrongArguments
from concentrator.model.features import FEATURES
from concentrator.panel.board import VirtualBoard
from concentrator.panel.functions import OutputFunction
from concentrator.panel.panel import Panel

ANA = Caller("ana", frozenset(Permission))


class Front:
    """The lights and the button of a panel; who pressed it, and for how long."""

    def __init__(self, panel):
        self.panel, self.presses = panel, []

    async def pressed(self, held_s, caller):
        self.presses.append((held_s, caller.name))
        return "link"

    def lamp_test(self):
        return 5.0

    def state(self):
        return PanelState({"power": "red"}, self.panel.outputs(), self.panel.inputs(), scheme="cmm365")


@pytest.fixture
def panel(tmp_path, clock):
    return Panel(
        VirtualBoard(),
        FEATURES["PRO"],
        tmp_path / "outputs.json",
        lambda path, content: None,
        lambda *told: None,
        lambda: 9.0,
        clock,
    )


@pytest.fixture
def front(panel):
    return Front(panel)


@pytest.fixture
def ask(panel, front):
    table = ActionTable(lambda entry: None)
    for action in panel_actions(panel, front):
        table.register(action)

    def ask(name, caller=ANA, **arguments):
        results, failures = [], []
        table.call(name, arguments, caller).addCallbacks(results.append, failures.append)
        if failures:
            failures[0].raiseException()
        return results[0]

    return ask


def test_outputs_are_set_by_name_in_the_callers_name(ask):
    assert ask("output.set", output="relay2", on=True) == {
        "name": "relay2",
        "value": True,
        "set_by": "ana",
        "set_at": 9.0,
        "function": "manual",
    }
    assert ask("output.set", output="analogue", volts=7.5)["value"] == 7.5
    assert [each["value"] for each in ask("panel.get")["outputs"]] == [False, True, 7.5]


@pytest.mark.parametrize("given", [{}, {"on": True, "volts": 1.0}])
def test_an_output_is_either_switched_or_given_volts(ask, given):
    with pytest.raises(WrongArguments, match="expected one"):
        ask("output.set", output="relay1", **given)


def test_volts_beyond_ten_are_refused(ask):
    with pytest.raises(OutOfRange, match="volts"):
        ask("output.set", output="analogue", volts=10.5)


def test_who_may_only_look_sets_nothing(ask, panel):
    viewer = Caller("ben", frozenset({Permission.READ}))
    with pytest.raises(Denied):
        ask("output.set", viewer, output="relay1", on=True)
    assert [each["value"] for each in ask("panel.get", viewer)["outputs"]] == [False, False, 0.0]


def test_inputs_of_the_virtual_panel_are_what_people_say(ask):
    ask("input.set", input=1, active=True)
    assert ask("panel.get")["inputs"] == [
        {"input": 1, "active": True, "function": "none"},
        {"input": 2, "active": False, "function": "none"},
    ]


def test_the_front_is_shown_with_its_lights(ask):
    shown = ask("panel.get")
    assert (shown["scheme"], shown["lights"]) == ("cmm365", {"power": "red"})


def test_an_output_with_a_function_is_not_set(ask, panel):
    panel.arrange({"relay1": OutputFunction.COMMON_ALARM})
    with pytest.raises(NotWritable, match="common_alarm"):
        ask("output.set", output="relay1", on=True)
    assert ask("panel.get")["outputs"][0]["function"] == "common_alarm"


def test_the_button_is_pressed_for_as_long_as_is_said_by_who_presses_it(ask, front):
    assert ask("button.press", held_s=3) == {"gesture": "link"}
    assert front.presses == [(3, "ana")]


def test_the_lamps_are_tested_by_who_may_work_outputs(ask):
    assert ask("panel.lamp_test") == {"for_s": 5.0}
    with pytest.raises(Denied):
        ask("panel.lamp_test", Caller("ben", frozenset({Permission.READ})))
