"""The panel as actions: outputs, inputs and the button. Hides nothing but how they are asked for; whether an output may
be set at all is the permission's matter."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

from attrs import asdict
from twisted.internet.defer import Deferred

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Caller, Permission
from concentrator.api import InputState, PanelState
from concentrator.model.errors import WrongArguments


class Panel(Protocol):
    """The outputs and inputs of the box."""

    def outputs(self) -> Sequence[Any]:
        """All outputs as they are."""

    def inputs(self) -> Sequence[InputState]:
        """Each input as it is."""

    def set_output(self, name: str, value: bool | float, who: str) -> Any:
        """Sets one, reads it back, and gives its state. Raises Unknown, OutOfRange, NotConfirmed."""

    def set_input(self, number: int, is_active: bool) -> None:
        """Says of an input of a virtual board whether it is active. Raises Unknown."""


class Front(Protocol):
    """The lights and the button of the box."""

    def pressed(self, held_s: float, caller: Caller) -> Awaitable[str]:
        """Does what holding the button for so many seconds does, and gives what that was. Raises Denied where the
        caller may not have that done."""

    def lamp_test(self) -> float:
        """Every light is on for a while; gives for how many seconds."""

    def state(self) -> PanelState:
        """What people see of the front."""


def panel_actions(panel: Panel, front: Front) -> tuple[Action, ...]:
    """`panel.get`, `output.set`, `input.set`, `button.press` and `panel.lamp_test`."""

    def shown() -> dict[str, object]:
        state = front.state()
        inputs = [
            {"input": number, "active": each.is_active, "function": str(each.function)}
            for number, each in enumerate(panel.inputs(), 1)
        ]
        return {
            "scheme": str(state.scheme),
            "lights": {name: str(pattern) for name, pattern in state.lights.items()},
            "outputs": [asdict(each) for each in panel.outputs()],
            "inputs": inputs,
        }

    def pressed(caller: Caller, held_s: float) -> Deferred[dict[str, str]]:
        async def press() -> dict[str, str]:
            return {"gesture": str(await front.pressed(held_s, caller))}

        return Deferred.fromCoroutine(press())

    def set_output(caller: Caller, output: str, on: bool | None, volts: float | None) -> dict[str, object]:
        given = [value for value in (on, volts) if value is not None]
        if len(given) != 1:
            raise WrongArguments(
                f"output.set: found {'both on and volts' if given else 'neither on nor volts'}, expected one"
            )
        return asdict(panel.set_output(output, given[0], caller.name))

    output = Argument("output", Kind.TEXT, "relay1, relay2 or analogue, as far as the model has them")
    return (
        Action("panel.get", "The lights, outputs and inputs of the box as they are.", Permission.READ, (), shown),
        Action(
            "output.set",
            "Sets an output and reads it back; its state is kept over a restart. One that has a function of its own in "
            "[output.NAME] is left to it.",
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
            "Does what the button does when it is held for so long. CcMaster: 2 to 5 s begins or ends link mode. "
            "CMM365: 1 to 10 s tests the lamps; from 10 s on inputs, outputs and cloud sessions become as they left "
            "the factory, for which the caller must be allowed `config`.",
            Permission.LINK,
            (Argument("held_s", Kind.NUMBER, "for how many seconds", least=0, most=60),),
            pressed,
            heeds_caller=True,
        ),
        Action(
            "panel.lamp_test",
            "Has every light on for some seconds; gives for how many.",
            Permission.OUTPUT,
            (),
            lambda: {"for_s": front.lamp_test()},
        ),
    )
