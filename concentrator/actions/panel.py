"""The panel as actions: outputs, inputs and the button. Hides nothing but how they are asked for; whether an output may
be set at all is the permission's matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from attrs import asdict

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Caller, Permission
from concentrator.model.errors import WrongArguments


class Panel(Protocol):
    """The front of the box."""

    def outputs(self) -> Sequence[Any]:
        """All outputs as they are."""

    def inputs(self) -> Sequence[bool]:
        """Whether each input is active."""

    def set_output(self, name: str, value: bool | float, who: str) -> Any:
        """Sets one, reads it back, and gives its state. Raises Unknown, OutOfRange, NotConfirmed."""

    def set_input(self, number: int, is_active: bool) -> None:
        """Says of an input of a virtual board whether it is active. Raises Unknown."""


def panel_actions(panel: Panel, pressed: Callable[[float], str]) -> tuple[Action, ...]:
    """`panel.get`, `output.set`, `input.set` and `button.press`. `pressed(held_s)` does what holding the button for so
    many seconds does, and gives what that was."""

    def shown() -> dict[str, object]:
        inputs = [{"input": number, "active": is_active} for number, is_active in enumerate(panel.inputs(), 1)]
        return {"outputs": [asdict(each) for each in panel.outputs()], "inputs": inputs}

    def set_output(caller: Caller, output: str, on: bool | None, volts: float | None) -> dict[str, object]:
        given = [value for value in (on, volts) if value is not None]
        if len(given) != 1:
            raise WrongArguments(
                f"output.set: found {'both on and volts' if given else 'neither on nor volts'}, expected one"
            )
        return asdict(panel.set_output(output, given[0], caller.name))

    output = Argument("output", Kind.TEXT, "relay1, relay2 or analogue, as far as the model has them")
    return (
        Action("panel.get", "The outputs and inputs of the box as they are.", Permission.READ, (), shown),
        Action(
            "output.set",
            "Sets an output and reads it back; its state is kept over a restart.",
            Permission.OUTPUT,
            (
                output,
                Argument("on", Kind.FLAG, "of a relay: whether it is closed", False),
                Argument("volts", Kind.NUMBER, "of the analogue output: 0 to 10", False, least=0, most=10),
            ),
            set_output,
            heeds_caller=True,
        ),
        Action(
            "input.set",
            "Says of an input of the virtual panel whether it is active; real ones say it themselves.",
            Permission.OUTPUT,
            (
                Argument("input", Kind.INTEGER, "its number, from 1", least=1),
                Argument("active", Kind.FLAG, "whether it is"),
            ),
            lambda input, active: panel.set_input(input, active),
        ),
        Action(
            "button.press",
            "Does what the multi-function button does when it is held for so long: 2 to 5 s begins or ends link mode.",
            Permission.LINK,
            (Argument("held_s", Kind.NUMBER, "for how many seconds", least=0, most=60),),
            lambda held_s: {"gesture": pressed(held_s)},
        ),
    )
