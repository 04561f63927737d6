"""Link mode as a guided page: entered and left, and each meter shown as it arrives. Hides that it may be entered at the
box as well, which the page then shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from concentrator.model.errors import ConcentratorError
from concentrator.portal.cells import Cell
from concentrator.portal.house import House
from concentrator.portal.link_cells import LINK_TOPIC, link_cells
from concentrator.portal.words import say_in
from concentrator.web.access import Role
from concentrator.web.route import Reply, Route, Visit, see_other

HERE = "/devices/link"


def link_routes(house: House) -> Iterator[Route]:
    """`/devices/link`, and what its buttons do."""

    def statuses() -> list[Mapping[str, Any]]:
        found: Any = house.look("link.list")
        return list(found or ())

    def cells(line: str, language: str) -> Mapping[str, Cell] | None:
        status = next((each for each in statuses() if each["line"] == line), None)
        if status is None:
            return None
        return link_cells(status, house.sources.devices(), say_in(language), language)

    def page(visit: Visit) -> Reply:
        there = statuses()
        status = next((each for each in there if each["line"] == visit.asked("line")), there[0] if there else None)
        if status is None:
            return house.draw(visit, "link.html", link=None, here=HERE)
        line = status["line"]
        linked = " ".join(each["serial"] for each in status["found"])
        return house.draw(
            visit,
            "link.html",
            cells(line, visit.language),
            link=status,
            others=[
                (each["line"], f"{HERE}?{urlencode({'line': each['line']})}") for each in there if each is not status
            ],
            view=f"/devices/ccm?{urlencode({'linked': linked})}" if linked else "/devices/ccm",
            topic=LINK_TOPIC + line,
            here=HERE,
        )

    def acting(action: str) -> Any:
        async def act(visit: Visit) -> Reply:
            line = visit.form.get("line", "")
            try:
                await house.ask(visit, action, line=line)
            except ConcentratorError as error:
                house.note(visit, house.say(visit)("link.trouble", why=error.sentence))
            return see_other(f"{HERE}?{urlencode({'line': line})}" if line else HERE)

        return act

    house.topics[LINK_TOPIC] = cells
    yield Route(HERE, Role.INSTALLER, page, acting("link.start"))
    yield Route(f"{HERE}/finish", Role.INSTALLER, post=acting("link.stop"))
