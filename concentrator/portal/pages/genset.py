"""A genset's own page: how it is in a few sentences, its alarms, what it measures, and what it can be told to do, which
is asked twice. Nothing is told to it that the configuration does not allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from concentrator.model.errors import ConcentratorError
from concentrator.portal.addresses import address_of
from concentrator.portal.cells import Cell
from concentrator.portal.house import House
from concentrator.portal.labels import label_in
from concentrator.portal.numbers import joined, shown
from concentrator.portal.pages.devices import home_of, state_of
from concentrator.portal.words import Say, say_in
from concentrator.web.access import Role
from concentrator.web.route import Reply, Route, Visit, see_other

TOPIC = ":genset."
_ALARMS = {"warning": "warning", "trip": "trouble", "shutdown": "trouble"}


def genset_routes(house: House) -> Iterator[Route]:
    """`/devices/<uid>/genset`."""
    pages = _Pages(house)
    house.topics[TOPIC] = pages.cells
    yield Route("/devices/*/genset", Role.VIEWER, pages.page, pages.order, Role.INSTALLER)


class _Pages:
    def __init__(self, house: House) -> None:
        self._house = house

    def cells(self, uid: str, language: str) -> Mapping[str, Cell] | None:
        """What the page is kept alive with; None where there is no such genset."""
        status: Any = self._house.look("genset.status", uid=uid)
        return None if status is None else genset_cells(status, language)

    def page(self, visit: Visit, name: str) -> Reply | None:
        """How the genset is, and what it can be told to do; of one command, whether that is meant."""
        state = state_of(self._house, name)
        status: Any = None if state is None else self._house.look("genset.status", uid=state.uid)
        if state is None or status is None:
            return None
        command, label = visit.asked("command"), label_in(visit.language)
        english = {name: words for name, words, _ in state.points}
        return self._house.draw(
            visit,
            "genset.html",
            genset_cells(status, visit.language),
            topic=TOPIC + state.uid,
            here=home_of(state),
            state=state,
            address=address_of(state.uid),
            genset=status,
            asked=command if command in status["commands"] else "",
            commands=[(each, command_words(each, self._house.say(visit))) for each in status["commands"]],
            values=[(name, label(english.get(name, ""))) for name in status["values"]],
        )

    async def order(self, visit: Visit, name: str) -> Reply | None:
        """Gives a command, and says what came of it."""
        house, say = self._house, self._house.say(visit)
        state = state_of(house, name)
        if state is None:
            return None
        command = visit.form.get("command", "")
        words = command_words(command, say)
        try:
            done: Any = await house.ask(visit, "genset.command", uid=state.uid, command=command)
        except ConcentratorError as error:
            house.note(visit, say("genset.not_done", command=words, why=error.sentence))
        else:
            house.note(visit, say(f"genset.done_{done['outcome']}", command=words))
        return see_other(f"{address_of(state.uid)}/genset")


def command_words(command: str, say: Say) -> str:
    """A command in words, or its name where there are none."""
    try:
        return say(f"genset.do_{command}")
    except KeyError:
        return command.replace("_", " ")


def genset_cells(status: Mapping[str, Any], language: str) -> dict[str, Cell]:
    """How a genset is, as `genset.status` tells it."""
    say = say_in(language)
    cells: dict[str, Cell] = {
        ":genset.said": {"text": genset_sentence(status, say)},
        ":genset.alarms": {"rows": _alarm_rows(status, say)},
    }
    for name, each in status["values"].items():
        value = each["value"]
        number = str(value) if isinstance(value, str) else joined(*shown(value, each["unit"], language=language))
        cells[f":genset.value.{name}"] = {"text": number}
    return cells


def genset_sentence(status: Mapping[str, Any], say: Say) -> str:
    """How a genset is, in a few short sentences; nothing is said of what is not known."""
    if status["passes_through"]:
        return say("genset.passes_through")
    running = status["running"]
    runs = "" if running is None else say("genset.runs" if running else "genset.rests")
    engine = f" ({status['engine']})" if status["engine"] and runs else ""
    known = [name for name in ("mains_ok", "mains_on_load", "gen_on_load") if status[name] is not None]
    sources = [say(f"genset.{name}_{'true' if status[name] else 'false'}") for name in known]
    said = [say(f"genset.mode_{status['mode']}"), f"{runs}{engine}." if runs else "", *sources]
    return " ".join(filter(None, [*said, say(f"genset.alarm_{status['alarm']}")]))


def _alarm_rows(status: Mapping[str, Any], say: Say) -> list[Mapping[str, str]]:
    mark = _ALARMS.get(status["alarm"], "note")
    return [{"mark": mark, "text": name.replace("_", " "), "href": "", "label": ""} for name in status["alarms"]]
