"""The first run: pages that guide through what a new box needs, a step at a time, each of which is kept when it is
left. Hides which steps there are, in what order, and how each was left; what a step sets is set by the same actions as
from its own page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from attrs import frozen

from concentrator.actions.commissioning import DONE, SKIPPED
from concentrator.api import DeviceState
from concentrator.model.errors import CommandError, ConfigError, Unknown
from concentrator.portal.cells import main_readouts
from concentrator.portal.config_form import ConfigPage, Key, config_page, grouped, keys_of
from concentrator.portal.house import House
from concentrator.portal.pages.login import change_password, password_form
from concentrator.portal.pages.services import FTP_KEYS, begin_trial, mqtt_keys, service_sentence
from concentrator.portal.pages.settings import clock_sentence, timezone_keys
from concentrator.portal.trial import TrialView, trial_view
from concentrator.web.access import Role
from concentrator.web.forms import Form
from concentrator.web.gate import Gate
from concentrator.web.route import Reply, Route, Visit, see_other

PASSWORD, ZONE, LINES, LINK, EXTERNAL, DELIVERY, REPORT = "1", "2", "4", "5", "6", "8", "9"
STEPS = (PASSWORD, ZONE, LINES, LINK, EXTERNAL, DELIVERY, REPORT)
"""Those of the nine that this version has: 3, the network, and 7, the plant, come with their pages."""
NAMES = {
    PASSWORD: "password",
    ZONE: "zone",
    LINES: "lines",
    LINK: "link",
    EXTERNAL: "external",
    DELIVERY: "delivery",
    REPORT: "report",
}
_ESSENTIAL = {"enabled", "host", "port", "user", "password", "ca_file", "server", "directory", "tls"}


@frozen
class Commissioning:
    """How far the first run has come: how many of its steps were done, of how many, and where it goes on (empty when
    it is over)."""

    done: int
    of: int
    onward: str


async def commissioning(house: House, visit: Visit) -> Commissioning | None:
    """How far the first run has come, for whoever may go on with it; None for others and when it is over."""
    if not visit.may(Role.INSTALLER):
        return None
    try:
        steps = await _steps(house, visit)
    except Unknown:  # a box that does not remember it
        return None
    if REPORT in steps:
        return None
    onward = next((f"/start/{step}" for step in STEPS if step not in steps), "/start")
    done = sum(steps.get(step) == DONE for step in STEPS)
    return Commissioning(done, len(STEPS), onward if steps else "/start")


def start_routes(house: House, gate: Gate) -> Iterator[Route]:
    """`/start` and `/start/<step>`."""
    pages = _Pages(house, gate)
    yield Route("/start", Role.INSTALLER, pages.welcome)
    yield Route("/start/*", Role.INSTALLER, pages.step, pages.leave)


class _Pages:
    def __init__(self, house: House, gate: Gate) -> None:
        self._house = house
        self._gate = gate

    def welcome(self, visit: Visit) -> Reply:
        """What comes."""
        return self._house.draw(visit, "start.html", steps=len(STEPS), here="/start")

    async def step(self, visit: Visit, step: str) -> Reply | None:
        """A step."""
        if step not in STEPS:
            return None
        if step == PASSWORD:
            return await self._drawn(visit, step, form=password_form(self._house, visit))
        keys = _keys(step)
        page = await config_page(self._house, visit, keys_of(keys)) if keys else None
        return await self._drawn(visit, step, page=page)

    async def leave(self, visit: Visit, step: str) -> Reply | None:
        """Leaves a step: saves what it asked for, or skips it."""
        if step not in STEPS:
            return None
        do = visit.form.get("do", "")
        if do == "skip" and step not in (PASSWORD, REPORT):
            return await self._left(visit, step, SKIPPED)
        if step == PASSWORD:
            return await self._password(visit)
        keys = _keys(step)
        if not keys:
            return await self._left(visit, step, DONE)
        page = await config_page(self._house, visit, keys_of(keys))
        await page.take()
        if do.startswith("test-"):
            return await self._tried(page, step, do.removeprefix("test-"))
        if await page.save():
            return await self._left(visit, step, DONE)
        return await self._drawn(visit, step, page=page)

    async def _password(self, visit: Visit) -> Reply:
        """Takes another password, where one is typed; the one in use is one's own already."""
        form = password_form(self._house, visit).take(visit.form)
        if any(form.value(each.name) for each in form.fields) and not await change_password(
            self._house, self._gate, visit, form
        ):
            return await self._drawn(visit, PASSWORD, form=form)
        return await self._left(visit, PASSWORD, DONE)

    async def _tried(self, page: ConfigPage, step: str, place: str) -> Reply:
        trial = None
        if page.form.is_right and place in ("mqtt", "ftp"):
            try:
                task = await begin_trial(self._house, page, place)
                trial = await trial_view(self._house, page.visit, task, at_its_end=True)
            except (ConfigError, CommandError) as error:
                page.refuse(error)
        return await self._drawn(page.visit, step, page=page, trial=trial)

    async def _left(self, visit: Visit, step: str, state: str) -> Reply:
        await self._house.ask(visit, "commissioning.note", step=step, state=state)
        after = STEPS.index(step) + 1
        return see_other(f"/start/{STEPS[after]}" if after < len(STEPS) else "/info")

    async def _drawn(
        self,
        visit: Visit,
        step: str,
        *,
        page: ConfigPage | None = None,
        form: Form | None = None,
        trial: TrialView | None = None,
    ) -> Reply:
        house, sources, at = self._house, self._house.sources, STEPS.index(step)
        devices = sources.devices()
        steps = await _steps(house, visit)
        return house.draw(
            visit,
            "step.html",
            here="/start",
            step=step,
            called=NAMES[step],
            at=at + 1,
            of=len(STEPS),
            before=f"/start/{STEPS[at - 1]}" if at else "/start",
            form=page.form if page is not None else form,
            page=page,
            groups=grouped(page, _keys(step)) if page is not None else [],
            trial=trial,
            clock=await clock_sentence(house, visit) if step in (ZONE, REPORT) else "",
            lines=[(line, _on(devices, line.name)) for line in sources.lines()],
            linked=_of_role(house, devices, "native"),
            external=_of_role(house, devices, "external"),
            services=[service_sentence(house, visit, place, False) for place in ("mqtt", "ftp")],
            report=[(NAMES[each], steps.get(each, "")) for each in STEPS if each != REPORT],
            readouts=[(state, _readout(house, visit, state)) for state in devices] if step == REPORT else [],
        )


async def _steps(house: House, visit: Visit) -> Mapping[str, str]:
    told = cast(Mapping[str, Any], await house.ask(visit, "commissioning.get"))
    return cast(Mapping[str, str], told["steps"])


def _keys(step: str) -> tuple[tuple[str, tuple[Key, ...]], ...]:
    """What a step asks for of the configuration."""
    if step == ZONE:
        return timezone_keys()
    if step == DELIVERY:
        return tuple(
            (
                title,
                tuple(
                    key
                    for key in keys_of(groups)
                    if key.key in _ESSENTIAL and (key.section, key.key) != ("mqtt", "tls")
                ),
            )
            for title, groups in (("menu.mqtt", mqtt_keys()), ("menu.ftp", FTP_KEYS))
        )
    return ()


def _on(devices: Sequence[DeviceState], line: str) -> list[DeviceState]:
    return [state for state in devices if state.line == line]


def _of_role(house: House, devices: Sequence[DeviceState], role: str) -> list[DeviceState]:
    """The devices on lines of a role."""
    lines = {line.name for line in house.sources.lines() if line.role == role}
    return [state for state in devices if state.line in lines]


def _readout(house: House, visit: Visit, state: DeviceState) -> str:
    """The main value of a device now, as a text."""
    cells = house.cells(visit.language).device(state, [name for name, _, _ in main_readouts(state)][:1])
    cell = next((cell for name, cell in cells.items() if name.startswith(f"{state.uid}.")), None)
    return "—" if cell is None else f"{cell['text']} {cell['unit']}"
