import pytest

from concentrator.actions.panel import panel_actions
from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.model.errors import Denied, OutOfRange, WrongArguments
from concentrator.model.features import FEATURES
from concentrator.panel.board import VirtualBoard
from concentrator.panel.panel import Panel

ANA = Caller("ana", frozenset(Permission))


@pytest.fixture
def panel(tmp_path):
    return Panel(
        VirtualBoard(),
        FEATURES["PRO"],
        tmp_path / "outputs.json",
        lambda path, content: None,
        lambda *told: None,
        lambda: 9.0,
    )


@pytest.fixture
def ask(panel):
    table = ActionTable(lambda entry: None)
    for action in panel_actions(panel, lambda held_s: f"held {held_s}"):
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
    assert ask("panel.get")["inputs"] == [{"input": 1, "active": True}, {"input": 2, "active": False}]


def test_the_button_is_pressed_for_as_long_as_is_said(ask):
    assert ask("button.press", held_s=3) == {"gesture": "held 3"}
