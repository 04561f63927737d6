"""The Panel page: the front of the box as it is, to be worked where the real one cannot be reached or is not there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from concentrator.api import PanelState
from concentrator.model.errors import ConcentratorError
from concentrator.panel.button import GESTURES, HANGS_S, Gesture
from concentrator.panel.lights import Scheme
from concentrator.portal.cells import Cell
from concentrator.portal.house import House
from concentrator.portal.numbers import fixed
from concentrator.portal.panel_cells import PANEL_TOPIC, panel_cells
from concentrator.portal.words import Say, say_in
from concentrator.web.access import Role
from concentrator.web.route import Reply, Route, Visit, see_other

ANALOGUE = "analogue"
RESET_S = 10.0

# What letting the button go will do: the gesture's words, and whether it does anything.
_PROMISES: Mapping[Scheme, Mapping[Gesture, tuple[str, bool]]] = {
    Scheme.CCMASTER: {
        Gesture.SHORT: ("panel.will_short", False),
        Gesture.LINK: ("panel.will_link", True),
        Gesture.NOTHING: ("panel.will_nothing", False),
        Gesture.FACTORY: ("panel.will_factory", False),
    },
    Scheme.CMM365: {
        Gesture.NOTHING: ("panel.will_too_short", False),
        Gesture.LAMP_TEST: ("panel.will_lamp_test", True),
        Gesture.FACTORY: ("panel.will_reset", True),
    },
}


def panel_routes(house: House) -> Iterator[Route]:
    """`/panel`, and what is done there: an output set, an input said, the lamps tested, the button held."""
    front = _Front(house)
    house.topics[PANEL_TOPIC] = front.cells
    yield Route("/panel", Role.VIEWER, front.shown, front.take, Role.INSTALLER)


class _Front:
    def __init__(self, house: House) -> None:
        self._house = house

    def cells(self, rest: str, language: str) -> Mapping[str, Cell]:
        """What the page is kept alive with."""
        return panel_cells(self._house.sources.panel(), say_in(language), language)

    def shown(self, visit: Visit, fault: str = "", typed: str = "", *, is_asked: bool = False) -> Reply:
        """The front; `is_asked`: whether somebody has to say first that he means it."""
        house, state = self._house, self._house.sources.panel()
        return house.draw(
            visit,
            "panel.html",
            house.of_topic(PANEL_TOPIC, visit.language),
            panel=state,
            fault=fault,
            typed=typed,
            sure=is_asked,
            linking=state.lights.get("blue") == "blink",
            steps=self._steps(state, house.say(visit)),
            may=visit.may(Role.INSTALLER),
            topic=PANEL_TOPIC,
            here="/panel",
        )

    def _steps(self, state: PanelState, say: Say) -> str:
        """From which second on the button does what, for the page's script; empty where it does nothing at all."""
        scheme = Scheme(state.scheme)
        if scheme is Scheme.CCMASTER and "/devices/link" not in self._house.paths:
            return ""
        promises = _PROMISES[scheme]
        steps = [(since_s, *promises[gesture]) for since_s, gesture in GESTURES[scheme] if since_s < HANGS_S]
        return json.dumps([{"since": since_s, "words": say(words), "acts": acts} for since_s, words, acts in steps])

    async def take(self, visit: Visit) -> Reply:
        """Does one thing, and goes back to the page."""
        form, say = visit.form, self._house.say(visit)
        try:
            if output := form.get("output"):
                value = await _set_output(self._house, visit, output)
                said = say("panel.set", name=name_of(output, say), value=value)
            elif number := form.get("input"):
                is_active = form.get("active") == "on"
                await self._house.ask(visit, "input.set", input=int(number), active=is_active)
                said = say(
                    "panel.set",
                    name=say("panel.input", n=number),
                    value=say("panel.active" if is_active else "panel.inactive"),
                )
            elif form.get("do") == "lamp_test":
                await self._house.ask(visit, "panel.lamp_test")
                said = say("panel.done_lamp_test")
            else:
                held_s = float(form.get("held_s", "0"))
                scheme = Scheme(self._house.sources.panel().scheme)
                if scheme is Scheme.CMM365 and held_s >= RESET_S and form.get("sure") != "on":
                    return self.shown(visit, is_asked=True)
                pressed = await self._house.ask(visit, "button.press", held_s=held_s)
                assert isinstance(pressed, dict)
                said = say(f"panel.done_{_done(pressed['gesture'])}")
        except ValueError:
            return self.shown(visit, say("panel.volts"), form.get("volts", ""))
        except ConcentratorError as error:
            return self.shown(visit, str(error), form.get("volts", ""))
        self._house.note(visit, said)
        return see_other("/panel")


def _done(gesture: object) -> str:
    """How it is said what a press did."""
    return str(gesture) if gesture in (Gesture.LINK, Gesture.LAMP_TEST, Gesture.FACTORY) else "nothing"


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
