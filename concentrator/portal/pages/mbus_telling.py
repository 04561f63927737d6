"""What M-Bus meters are told from the portal: another primary address, to begin anew, and all of a line another speed.
Hides that the last takes its time, and how it goes is looked up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from concentrator.actions.mbus import RESET, SET_ADDRESS, SET_SPEED
from concentrator.model.errors import ConcentratorError, OutOfRange
from concentrator.portal.house import House
from concentrator.portal.pages.mbus import PATH, SERIAL, line_asked, with_line
from concentrator.web.access import Role
from concentrator.web.route import Reply, Route, Visit, see_other

SPEED, TELL = f"{PATH}/speed", f"{PATH}/tell"


def mbus_telling_routes(house: House) -> Iterator[Route]:
    """`/services/mbus/speed` and `/services/mbus/tell`. Nothing of a box that tells meters nothing."""
    if house.table.permission(SET_SPEED) is None:
        return
    pages = _Pages(house)
    do = Role.INSTALLER
    yield Route(SPEED, do, pages.speed, pages.change_speed)
    yield Route(TELL, do, post=pages.tell)


class _Pages:
    def __init__(self, house: House) -> None:
        self._house = house

    # -- a whole line

    def speed(self, visit: Visit) -> Reply | None:
        """How the change of a line's speed goes, or went."""
        line = line_asked(self._house, visit)
        task: Any = self._house.look("task.get", id=visit.asked("task"))
        if line is None or task is None or task["name"] != f"{SET_SPEED} {line.name}":
            return None
        return self._house.draw(
            visit,
            "mbus_speed.html",
            line=line,
            said=self._said(visit, task),
            is_running=task["state"] == "running",
            here=PATH,
        )

    def _said(self, visit: Visit, task: Any) -> str:
        say, done = self._house.say(visit), task["result"]
        if task["state"] == "done":
            return say("telling.speed_done", n=done["baudrate"], names=", ".join(done["meters"]))
        if task["state"] == "running":
            return say("telling.speed_running", p=int(100 * task["progress"]))
        if task["state"] == "cancelled":
            return say("telling.speed_cancelled")
        return say("telling.speed_failed", why=task["error"]["message"])

    async def change_speed(self, visit: Visit) -> Reply | None:
        """Begins it."""
        house, line, speed = self._house, line_asked(self._house, visit), visit.form.get("speed", "")
        if line is None:
            return None
        try:
            if not (speed.isdecimal() and speed.isascii() and len(speed) <= 5):
                raise OutOfRange(f"baudrate: found {speed[:20]}, expected a whole number")
            begun: Any = await house.ask(visit, SET_SPEED, line=line.name, baudrate=int(speed))
        except ConcentratorError as error:
            house.note(visit, error.sentence)
            return see_other(with_line(SERIAL, line.name))
        return see_other(f"{SPEED}?{urlencode({'line': line.name, 'task': begun['task']})}")

    # -- one meter

    async def tell(self, visit: Visit) -> Reply | None:
        """Gives a meter another primary address, or has it begin anew."""
        house, say, line = self._house, self._house.say(visit), line_asked(self._house, visit)
        if line is None:
            return None
        address, primary = visit.form.get("address", "").strip(), visit.form.get("primary", "").strip()
        try:
            if visit.form.get("do") == "reset":
                done: Any = await house.ask(visit, RESET, line=line.name, address=address)
                said = say("telling.reset_done", name=done["uid"])
            else:
                if not (primary.isdecimal() and primary.isascii() and len(primary) <= 3):
                    raise OutOfRange(f"primary: found {primary[:20]}, expected a whole number 1 … 250")
                done = await house.ask(visit, SET_ADDRESS, line=line.name, address=address, primary=int(primary))
                said = say("telling.moved", name=done["uid"], n=done["primary"])
                address = address if not address.isdecimal() or len(address) > 3 else primary
        except ConcentratorError as error:
            said = error.sentence
        house.note(visit, said)
        return see_other(f"{PATH}/telegram?{urlencode({'line': line.name, 'address': address})}")
