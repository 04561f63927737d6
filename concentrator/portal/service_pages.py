"""Pages over the sections of one kind of service: all of them with how each does, a new one, the settings of one in its
tabs, and taking it out. What is special about a kind is data; hides the rest, which is the same for all."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from attrs import define, frozen

from concentrator.model.errors import CommandError, ConfigError
from concentrator.portal.cells import Cell
from concentrator.portal.config_form import (
    ConfigPage,
    Groups,
    Key,
    config_page,
    fault_said,
    grouped,
    keys_of,
    sections_of,
    whole_or_text,
)
from concentrator.portal.house import House
from concentrator.portal.words import Say, say_in
from concentrator.web.access import Role
from concentrator.web.forms import Entry, Field, Form
from concentrator.web.route import Reply, Route, Visit, see_other

NAME = "name"
"""The field of a new section's name."""
REMOVE = "remove"
SECTION_NAME = r"[A-Za-z0-9_-]{1,32}"

State = Mapping[str, Any]
"""How one stands, as its action tells it; `name` is the section's."""


@frozen
class Decimal(Key):
    """A number that may be below zero, and may have decimals after a point or a comma."""

    def value(self, text: str) -> Any:
        """The number; what is none stays as it was typed, for the rule to refuse."""
        if not re.fullmatch(r"[+-]?\d{1,12}([.,]\d{0,12})?", text, re.ASCII):
            return text or None
        return int(text) if text.lstrip("+-").isdecimal() else float(text.replace(",", "."))


@frozen
class Tab:
    """A page of settings: its name in the address, and in the kind's table of words; the fields of a section at a
    place, in groups."""

    name: str
    groups: Callable[[str], Groups]


@frozen
class Shown:
    """A page of what is known of a section: its name as above; the parts it shows, in groups, the key of each group's
    title in the words first; what its template is drawn with besides; and what its own form does, which raises what
    the box says and gives what is to be said of it."""

    name: str
    parts: Sequence[tuple[str, Sequence[str]]]
    template: str = "service_state.html"
    values: Callable[[House, Visit, str], Mapping[str, Any]] = lambda house, visit, name: {}
    act: Callable[[House, Visit, str], Awaitable[str]] | None = None


@frozen
class ServiceKind:
    """A kind of service: its sections [kind.NAME], the path of its pages, the table of its words.

    `action` tells how each of them stands, and `said` makes of that what people read first, `cells` what else its pages
    keep alive, by part, in a language. `asked` are the fields of a new one besides its name, by the key they stand for;
    the first tab is where a section's page begins.
    """

    kind: str
    path: str
    words: str
    tabs: Sequence[Tab | Shown]
    action: str
    said: Callable[[State, Say], str]
    asked: Callable[[House, Visit], Sequence[Field]]
    cells: Callable[[House, State, str], Mapping[str, Cell]]

    @property
    def topic(self) -> str:
        """How the topics of its pages begin."""
        return f":{self.kind}"

    def cell(self, name: str, part: str) -> str:
        """The name of a cell of a section."""
        return f":{self.kind}.{name}.{part}"

    def address(self, name: str, tab: str = "") -> str:
        """Where a section's page is."""
        return "/".join(filter(None, (self.path, quote(name, safe=""), tab)))


def service_kind_routes(house: House, kind: ServiceKind) -> Iterator[Route]:
    """The pages of a kind; nothing of a box that has no such service."""
    if house.table.permission(kind.action) is None:
        return
    pages = _Pages(house, kind)
    see, do = Role.VIEWER, Role.INSTALLER
    house.topics[kind.topic] = pages.cells
    yield Route(kind.path, see, pages.all, pages.add, do)
    yield Route(f"{kind.path}/*", see, pages.one, pages.change, do)
    yield Route(f"{kind.path}/*/*", see, pages.one, pages.change, do)


@define(eq=False)
class _Pages:
    _house: House
    _kind: ServiceKind

    def cells(self, rest: str, language: str) -> Mapping[str, Cell] | None:
        """What its pages are kept alive with: how each section stands, and of one all that is shown."""
        return self._alive(self._states(), rest.removeprefix("."), language)

    # -- all of them

    async def all(self, visit: Visit) -> Reply:
        """The sections there are, and the form of a new one, with what stood in it when a session had ended."""
        form = self._new(visit)
        if typed := self._house.typed(visit):
            form.take(typed)
            self._house.note(visit, self._house.say(visit)("form.resumed"))
        return await self._list(visit, form)

    async def add(self, visit: Visit) -> Reply:
        """Adds a section."""
        house, form = self._house, self._new(visit).take(visit.form)
        name, say = form.value(NAME), house.say(visit)
        place = f"{self._kind.kind}.{name}"
        if not re.fullmatch(SECTION_NAME, name):
            form.fault(NAME, f"{form.field(NAME).label}: {say('named.name_rule')}")
        elif name in await self._sections():
            form.fault(NAME, f"{form.field(NAME).label}: {say('named.name_taken')}")
        if form.is_right:
            given = {each.name: _typed(each, form.value(each.name)) for each in form.fields if each.name != NAME}
            keys = {key: value for key, value in given.items() if value not in ("", None)}
            try:
                await house.ask(visit, "config.set", changes={place: keys or {"enabled": True}})
            except ConfigError as error:
                _put(error, place, form, say)
            except CommandError as error:
                form.fault("", error.sentence)
            else:
                house.note(visit, say("named.added", name=name))
                return see_other(self._kind.address(name))
        return await self._list(visit, form)

    async def _list(self, visit: Visit, form: Form) -> Reply:
        kind, sections = self._kind, await self._sections()
        return self._house.draw(
            visit,
            "services.html",
            self._drawn_cells(visit, "", sections),
            topic=kind.topic,
            here=kind.path,
            kind=kind,
            sections=sections,
            form=form,
            status=HTTPStatus.OK,
        )

    def _new(self, visit: Visit) -> Form:
        say = self._house.say(visit)
        name = Field(NAME, say("named.name"), hint=say("named.name_hint"), is_required=True, most=32)
        return Form([name, *self._kind.asked(self._house, visit)])

    # -- one of them

    async def one(self, visit: Visit, name: str, tab: str = "") -> Reply | None:
        """A tab of a section's, or the question whether to take it out; None where there is none of that name."""
        if name not in await self._sections():
            return None
        if tab == REMOVE:
            return await self._drawn(visit, name, tab, "service_remove.html") if visit.may(Role.INSTALLER) else None
        wanted = self._tab(tab)
        if isinstance(wanted, Shown):
            return await self._known(visit, name, wanted, {})
        if wanted is None:
            return None
        groups = wanted.groups(f"{self._kind.kind}.{name}")
        return await self._form(await self._page(visit, groups), name, wanted.name, groups)

    async def change(self, visit: Visit, name: str, tab: str = "") -> Reply | None:
        """Saves what was typed, does what a page has to be done, or takes the section out."""
        house, kind, wanted = self._house, self._kind, self._tab(tab)
        if name not in await self._sections():
            return None
        if tab == REMOVE:
            try:
                await house.ask(visit, "config.set", changes={f"{kind.kind}.{name}": None})
            except (ConfigError, CommandError) as error:
                house.note(visit, error.sentence)
                return see_other(kind.address(name))
            house.note(visit, house.say(visit)("named.removed", name=name))
            return see_other(kind.path)
        if isinstance(wanted, Shown) and wanted.act is not None and visit.may(Role.INSTALLER):
            try:
                house.note(visit, await wanted.act(house, visit, name))
            except (ConfigError, CommandError) as error:
                house.note(visit, error.sentence)
                return await self._known(visit, name, wanted, visit.form)
            return see_other(visit.path)
        if not isinstance(wanted, Tab):
            return None
        groups = wanted.groups(f"{kind.kind}.{name}")
        page = await self._page(visit, groups)
        await page.take()
        return see_other(visit.path) if await page.save() else await self._form(page, name, wanted.name, groups)

    def _tab(self, name: str) -> Tab | Shown | None:
        tabs = self._kind.tabs
        return next((each for each in tabs if each.name == name), None) if name else tabs[0]

    async def _known(self, visit: Visit, name: str, wanted: Shown, typed: Mapping[str, str]) -> Reply:
        """A page of what is known, with what was typed in its own form where that was refused."""
        values = wanted.values(self._house, visit, name)
        return await self._drawn(visit, name, wanted.name, wanted.template, shown=wanted, typed=typed, **values)

    async def _page(self, visit: Visit, groups: Groups) -> ConfigPage:
        return await config_page(self._house, visit, keys_of(groups))

    async def _form(self, page: ConfigPage, name: str, tab: str, groups: Groups) -> Reply:
        shown = grouped(page, groups)
        return await self._drawn(page.visit, name, tab, "service_tab.html", page=page, form=page.form, groups=shown)

    async def _drawn(self, visit: Visit, name: str, tab: str, template: str, **values: Any) -> Reply:
        kind = self._kind
        cells = self._drawn_cells(visit, name, await self._sections())
        values |= {"kind": kind, "one": name, "tab": tab, "state": self._states().get(name)}
        topic, status = f"{kind.topic}.{name}", HTTPStatus.OK
        return self._house.draw(visit, template, cells, topic=topic, here=kind.path, status=status, **values)

    # -- what is known of them

    def _states(self) -> dict[str, State]:
        states: Any = self._house.look(self._kind.action) or ()
        return {state["name"]: state for state in states}

    async def _sections(self) -> dict[str, Mapping[str, Any]]:
        """The sections by name."""
        beginning = f"{self._kind.kind}."
        found = await sections_of(self._house)
        return {place.removeprefix(beginning): keys for place, keys in found.items() if place.startswith(beginning)}

    def _alive(self, states: Mapping[str, State], name: str, language: str) -> dict[str, Cell]:
        kind, say = self._kind, say_in(language)
        cells: dict[str, Cell] = {kind.cell(each, "said"): {"text": kind.said(states[each], say)} for each in states}
        if name in states:
            parts = kind.cells(self._house, states[name], language)
            cells |= {kind.cell(name, part): cell for part, cell in parts.items()}
        return cells

    def _drawn_cells(self, visit: Visit, name: str, sections: Mapping[str, Mapping[str, Any]]) -> dict[str, Cell]:
        """The cells of a page; of a section that is not at work, that it is not."""
        kind, say, states = self._kind, self._house.say(visit), self._states()
        cells: dict[str, Cell] = {}
        for each, keys in sections.items():
            said = say("service.starting" if keys.get("enabled", True) else "service.off")
            cells[kind.cell(each, "said")] = {"text": said}
        return cells | self._alive(states, name, visit.language)


def _typed(each: Field, text: str) -> Any:
    """What was typed as a value of the file."""
    if each.entry is Entry.TICK:
        return text == "on"
    return whole_or_text(text) if each.entry is Entry.NUMBER else text


def _put(error: ConfigError, place: str, form: Form, say: Say) -> None:
    """Puts what speaks against a new section beside its fields."""
    names = {each.name for each in form.fields}
    for fault in error.faults:
        name = fault.key if fault.section == place and fault.key in names else ""
        label = form.field(name).label if name else f"[{fault.section}] {fault.key}".strip()
        form.fault(name, f"{label}: {fault_said(fault, say)}")
