"""Services › M-Bus › Meters: those that are read, the search for more with the way to add each, and what any of them
says now, as bytes and decoded. Hides that a search goes on when its page is left, and where what was read is kept until
it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

from concentrator.actions.mbus import READ, SEARCH
from concentrator.api import DeviceState, LineState
from concentrator.line.serial_address import M_BUS_PORT, parse_serial
from concentrator.model.errors import ConcentratorError
from concentrator.portal.addresses import address_of
from concentrator.portal.cells import Cell
from concentrator.portal.house import House
from concentrator.portal.mbus_cells import SEARCH_TOPIC, search_cells
from concentrator.portal.numbers import clock_time, count, span
from concentrator.portal.pages.add import new_uid
from concentrator.portal.pages.mbus import PATH, line_asked, mbus_lines, with_line
from concentrator.portal.places import is_primary
from concentrator.portal.telegrams import telegram_views
from concentrator.portal.words import Say, say_in
from concentrator.profile.mbus import KEY
from concentrator.web.access import Role
from concentrator.web.forms import Entry, Field, Form
from concentrator.web.route import Reply, Route, Visit, see_other
from concentrator.wire.mbus_frame import HIGHEST_PRIMARY
from concentrator.wire.mbus_talk import wait_s

METERS, STOP, ADD, TELEGRAM = f"{PATH}/meters", f"{PATH}/stop", f"{PATH}/add", f"{PATH}/telegram"
WAYS = ("secondary", "primary")


@frozen
class _Read:
    """What a meter said, kept for the page that is shown next: of which line and address, when, and its telegrams or
    why there are none."""

    line: str
    address: str
    at: float
    telegrams: Any = ()
    trouble: str = ""


def mbus_meter_routes(house: House) -> Iterator[Route]:
    """`/services/mbus/meters`, and what is done from there. Nothing of a box that cannot search an M-Bus."""
    if house.table.permission(SEARCH) is None:
        return
    pages = _Pages(house)
    do = Role.INSTALLER
    house.topics[SEARCH_TOPIC] = pages.cells
    yield Route(METERS, do, pages.meters, pages.search)
    yield Route(STOP, do, post=pages.stop)
    yield Route(ADD, do, pages.add, pages.added)
    yield Route(TELEGRAM, do, pages.telegram, pages.read)


class _Pages:
    def __init__(self, house: House) -> None:
        self._house = house

    def cells(self, id: str, language: str) -> Mapping[str, Cell] | None:
        """How a search goes; None where there is none of that id."""
        task: Any = self._house.look("task.get", id=id)
        if task is None or not task["name"].startswith(f"{SEARCH} "):
            return None
        names = {state.uid: state.alias or state.uid for state in self._house.sources.devices()}
        return search_cells(task, names, say_in(language))

    # -- searching

    def meters(self, visit: Visit) -> Reply | None:
        """The meters of a line, and the search of it that goes on, or was the last."""
        line = line_asked(self._house, visit)
        if line is None:
            return None if visit.asked("line") else self._house.draw(visit, "mbus_none.html", here=PATH)
        return self._drawn(visit, line, search_form(self._house.say(visit)))

    def _drawn(self, visit: Visit, line: LineState, form: Form) -> Reply:
        house, say = self._house, self._house.say(visit)
        id = self._newest(line.name)
        shown = self.cells(id, visit.language) if id else None
        return house.draw(
            visit,
            "mbus_meters.html",
            shown,
            line=line,
            lines=[each.name for each in mbus_lines(house)],
            tab="meters",
            form=form,
            cost=cost_of(line, say),
            meters=[(state, address_of(state.uid), place_of(state)) for state in self._of(line.name)],
            task=id if shown is not None else "",
            is_running=shown is not None and shown[":search.state"]["text"] == "running",
            topic=SEARCH_TOPIC + id if shown is not None else "",
            here=PATH,
        )

    async def search(self, visit: Visit) -> Reply | None:
        """Begins a search."""
        house, line = self._house, line_asked(self._house, visit)
        if line is None:
            return None
        form = search_form(house.say(visit)).take(visit.form)
        by = form.value("by")
        mask = form.value("mask") if by == "secondary" else ""
        try:
            await house.ask(visit, SEARCH, line=line.name, by=by, mask=mask)
        except ConcentratorError as error:
            form.fault("mask" if mask and "address" in error.detail else "", error.sentence)
            return self._drawn(visit, line, form)
        return see_other(with_line(METERS, line.name))

    async def stop(self, visit: Visit) -> Reply:
        """Gives a search up."""
        try:
            await self._house.ask(visit, "task.cancel", id=visit.form.get("task", ""))
        except ConcentratorError as error:
            self._house.note(visit, error.sentence)
        return see_other(with_line(METERS, visit.form.get("line", "")))

    # -- adding

    def add(self, visit: Visit) -> Reply | None:
        """The last step of a find: which address it is read by, and its name."""
        line = line_asked(self._house, visit)
        form = self._add_form(visit)
        return None if line is None or form is None else self._adding(visit, line, form)

    async def added(self, visit: Visit) -> Reply | None:
        """Has it read from now on."""
        house, line, form = self._house, line_asked(self._house, visit), self._add_form(visit)
        if line is None or form is None:
            return None
        form.take(visit.form)
        address, alias = form.value("address"), form.value("alias")
        uid = new_uid(alias or f"meter-{address}", {state.uid for state in house.sources.devices()})
        place = int(address) if is_primary(address) else address
        try:
            await house.ask(visit, "device.add", uid=uid, line=line.name, profile=KEY, address=place, alias=alias)
        except ConcentratorError as error:
            form.fault("", error.sentence)
            return self._adding(visit, line, form)
        at = clock_time(house.sources.wall.now(), house.sources.zone)[:5]
        house.note(visit, house.say(visit)("add.saved", name=alias or uid, t=at))
        return see_other(with_line(METERS, line.name))

    def _adding(self, visit: Visit, line: LineState, form: Form) -> Reply:
        found = visit.asked("address") or visit.asked("primary")
        return self._house.draw(visit, "mbus_add.html", line=line, form=form, found=found, here=PATH)

    def _add_form(self, visit: Visit) -> Form | None:
        """None where the page was not told what was found."""
        say, secondary, primary = self._house.say(visit), visit.asked("address"), visit.asked("primary")
        choices = [(secondary, say("meters.by_secondary", at=secondary))] if secondary else []
        if is_primary(primary):
            choices.append((primary, say("meters.by_primary", at=primary)))
        if not choices:
            return None
        # A meter that nobody gave an address is at 0, as are all others of its kind.
        likeliest = choices[-1][0] if primary != "0" else choices[0][0]
        return Form(
            [
                Field("address", say("meters.address"), Entry.CHOICE, likeliest, choices=choices),
                Field("alias", say("add.alias"), hint=say("conf.alias_hint"), most=64),
            ]
        )

    # -- reading

    def telegram(self, visit: Visit) -> Reply | None:
        """What a meter said when it was read last from here."""
        line = line_asked(self._house, visit)
        if line is None:
            return None
        kept = visit.session.saved.pop("telegram", None) if visit.session else None
        return self._said(visit, line, kept if isinstance(kept, _Read) and kept.line == line.name else None)

    def _said(self, visit: Visit, line: LineState, read: _Read | None) -> Reply:
        house, say = self._house, self._house.say(visit)
        form = Form([Field("address", say("meters.address"), value=visit.asked("address"), most=24)])
        if read is not None and read.trouble:
            form.fault("address", read.trouble)
        return house.draw(
            visit,
            "mbus_telegram.html",
            line=line,
            lines=[each.name for each in mbus_lines(house)],
            tab="telegram",
            form=form,
            device=next((each for each in self._of(line.name) if place_of(each) == visit.asked("address")), None),
            address_of=address_of,
            at=clock_time(read.at, house.sources.zone) if read is not None else "",
            telegrams=telegram_views(read.telegrams, visit.language) if read is not None else [],
            here=PATH,
        )

    async def read(self, visit: Visit) -> Reply | None:
        """Reads a meter at once."""
        house, line = self._house, line_asked(self._house, visit)
        if line is None or visit.session is None:
            return None
        address = visit.form.get("address", "").strip()
        now = house.sources.wall.now()
        try:
            told: Any = await house.ask(visit, READ, line=line.name, address=address)
        except ConcentratorError as error:
            visit.session.saved["telegram"] = _Read(line.name, address, now, trouble=error.sentence)
        else:
            visit.session.saved["telegram"] = _Read(line.name, address, house.sources.wall.now(), told)
        return see_other(f"{TELEGRAM}?{urlencode({'line': line.name, 'address': address})}")

    # -- what all have

    def _of(self, line: str) -> list[DeviceState]:
        return [state for state in self._house.sources.devices() if state.line == line]

    def _newest(self, line: str) -> str:
        """The search of a line that runs, or the last one; empty where there was none."""
        tasks: Any = self._house.look("task.list") or ()
        ids = [task["id"] for task in tasks if task["name"] == f"{SEARCH} {line}"]
        return str(ids[-1]) if ids else ""


def search_form(say: Say) -> Form:
    """The form with which a search begins."""
    ways = [(way, say(f"meters.{way}")) for way in WAYS]
    return Form(
        [
            Field("by", say("meters.by"), Entry.CHOICE, WAYS[0], choices=ways),
            Field("mask", say("meters.mask"), hint=say("meters.mask_hint"), most=24),
        ]
    )


def cost_of(line: LineState, say: Say) -> str:
    """What a search of all primary addresses costs at most, in words; a rest follows each for those that are read."""
    at = parse_serial(line.endpoint, M_BUS_PORT)
    seconds = 2 * (HIGHEST_PRIMARY + 1) * wait_s(None if at is None else at.settings)
    return say("meters.cost", n=count(HIGHEST_PRIMARY + 1), t=span(seconds))


def place_of(state: DeviceState) -> str:
    """What a meter is asked by."""
    return state.selected or str(state.address)
