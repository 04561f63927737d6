"""The Panel page: the front of the box as it is, to be worked where the real one cannot be reached or is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from concentrator.model.errors import ConcentratorError
from concentrator.portal.house import House
from concentrator.portal.numbers import fixed
from concentrator.portal.panel_cells import PANEL_TOPIC
from concentrator.web.access import Role
from concentrator.web.route import Reply, Route, Visit, see_other

ANALOGUE = "analogue"


def panel_routes(house: House) -> Iterator[Route]:
    """`/panel`, and what is done there: an output set, an input said, the button held."""

    def panel(visit: Visit, fault: str = "", typed: str = "") -> Reply:
        state = house.sources.panel()
        return house.draw(
            visit,
            "panel.html",
            house.cells(visit.language).of_topic(PANEL_TOPIC),
            panel=state,
            fault=fault,
            typed=typed,
            linking=state.lights.get("blue") == "blink",
            can_link="/devices/link" in house.paths,
            may=visit.may(Role.INSTALLER),
            topic=PANEL_TOPIC,
            here="/panel",
        )

    async def take(visit: Visit) -> Reply:
        """Does one thing, and goes back to the page."""
        form, say = visit.form, house.say(visit)
        try:
            if output := form.get("output"):
                value = await _set_output(house, visit, output)
                said = say("panel.set", name=name_of(output, say), value=value)
            elif number := form.get("input"):
                is_active = form.get("active") == "on"
                await house.ask(visit, "input.set", input=int(number), active=is_active)
                said = say(
                    "panel.set",
                    name=say("panel.input", n=number),
                    value=say("panel.active" if is_active else "panel.inactive"),
                )
            else:
                pressed = await house.ask(visit, "button.press", held_s=float(form.get("held_s", "0")))
                assert isinstance(pressed, dict)
                said = say("panel.done_link" if pressed["gesture"] == "link" else "panel.done_nothing")
        except ValueError:
            return panel(visit, say("panel.volts"), form.get("volts", ""))
        except ConcentratorError as error:
            return panel(visit, str(error), form.get("volts", ""))
        house.note(visit, said)
        return see_other("/panel")

    yield Route("/panel", Role.VIEWER, panel, take, Role.INSTALLER)


async def _set_output(house: House, visit: Visit, output: str) -> str:
    form, say = visit.form, house.say(visit)
    if output == ANALOGUE:
        volts = float(form.get("volts", "").strip().replace(",", "."))
        await house.ask(visit, "output.set", output=output, volts=volts)
        return f"{fixed(volts, 1, visit.language)}\N{NO-BREAK SPACE}V"
    is_on = form.get("on") == "on"
    await house.ask(visit, "output.set", output=output, on=is_on)
    return say("panel.on" if is_on else "panel.off")


def name_of(output: str, say: Callable[..., str]) -> str:
    """An output as people call it."""
    return say("panel.analogue") if output == ANALOGUE else say("panel.relay", n=output.removeprefix("relay"))
