"""The Config page of a device: its name, its place, how it is read, what may be written to it; and the page that asks
before it is deleted. Hides that a fault found by the configuration is told beside the field it is about, and that a
replaced meter is a serial number that is expected from now on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from concentrator.api import DeviceState
from concentrator.model.errors import ConcentratorError
from concentrator.model.trouble import facts_of, kind_of
from concentrator.portal.addresses import address_of
from concentrator.portal.house import House
from concentrator.portal.numbers import clock_time
from concentrator.portal.pages.devices import home_of, state_of
from concentrator.portal.places import id_of, is_primary, place_fault
from concentrator.portal.words import Say
from concentrator.profile.mbus import KEY as M_BUS
from concentrator.web.access import Role
from concentrator.web.forms import Entry, Field, Form
from concentrator.web.route import Reply, Route, Visit, see_other

DIRECTION = "direction_mode"
"""The variable in which a meter keeps its measuring direction."""
_KEYS = {"alias": "alias", "line": "line", "address": "address", "interval": "interval", "serial": "serial"}
_KEYS |= {"model": "model"}
_ORDERED = ("allow_commands", "allow_unverified", "allow_raw")
"""What a genset may be told, besides being written to."""


def device_config_routes(house: House) -> Iterator[Route]:
    """`/devices/<uid>/config`, what its buttons do, and `/devices/<uid>/delete`."""

    async def config(visit: Visit, name: str) -> Reply | None:
        state = state_of(house, name)
        return None if state is None else await drawn(visit, state, await form_of(visit, state))

    async def drawn(visit: Visit, state: DeviceState, form: Form) -> Reply:
        is_foreign = kind_of(state.trouble) == "foreign"
        return house.draw(
            visit,
            "device_config.html",
            house.cells(visit.language).device(state, []),
            state=state,
            form=form,
            address=address_of(state.uid),
            direction=await direction_of(visit, state),
            may_write=form.fields[-1].value == "on",
            foreign=dict(facts_of(state.trouble)) if is_foreign else {},
            topic=state.uid,
            here=home_of(state),
        )

    async def form_of(visit: Visit, state: DeviceState) -> Form:
        place = f"device.{state.uid}"
        said: Any = await house.ask(visit, "config.get", section=place)
        lines = [line.name for line in house.sources.lines()]
        is_genset = house.look("genset.status", uid=state.uid) is not None
        kind = {"is_mbus": state.profile == M_BUS, "is_genset": is_genset}
        return _form(said["values"][place], house.say(visit), lines, **kind)

    async def direction_of(visit: Visit, state: DeviceState) -> Mapping[str, Any]:
        """The measuring direction: its texts by number, and the one of now; nothing where the device has none."""
        try:
            profile: Any = await house.ask(visit, "catalogue.get", profile=state.profile)
        except ConcentratorError:
            return {}
        found = next((each for each in profile["variables"] if each["name"] == DIRECTION and each["choices"]), None)
        if found is None:
            return {}
        value, _ = state.values.get(DIRECTION, (None, 0.0))
        return {"choices": found["choices"], "now": found["choices"].get(str(value), "" if value is None else value)}

    async def save(visit: Visit, name: str) -> Reply | None:
        state = state_of(house, name)
        if state is None:
            return None
        form, say = (await form_of(visit, state)).take(visit.form), house.say(visit)
        changes: dict[str, object] = dict(form.changes())
        if state.profile == M_BUS:
            # What the configuration says of such an address is said beside its field too.
            typed = form.value("address")
            changes |= {"address": int(typed) if is_primary(typed) else typed} if "address" in changes else {}
        elif "address" in changes:
            changes["address"] = id_of(str(changes["address"]), form, "address", say)
        if state.profile != M_BUS and form.is_right and {"address", "line"} & changes.keys():
            unit, line = id_of(form.value("address"), form, "address", say), form.value("line")
            form.faults |= place_fault("address", house.sources.devices(), line, unit, say, state)
        changes |= {key: form.is_on(key) for key in ("allow_write", *_ORDERED) if key in changes}
        if form.is_right and changes:
            try:
                await house.ask(visit, "device.change", uid=state.uid, **changes)
            except ConcentratorError as error:
                _tell(form, error)
        if not form.is_right:
            return await drawn(visit, state, form)
        return done(visit, state, say("conf.saved", t=now()))

    async def turn(visit: Visit, name: str) -> Reply | None:
        """Writes the measuring direction to the meter."""
        state = state_of(house, name)
        if state is None:
            return None
        say = house.say(visit)
        try:
            found: Any = await house.ask(
                visit, "device.write", uid=state.uid, name=DIRECTION, value=visit.form.get("direction", "")
            )
        except ConcentratorError as error:
            form = await form_of(visit, state)
            form.fault("", error.sentence)
            return await drawn(visit, state, form)
        texts = (await direction_of(visit, state)).get("choices", {})
        said = texts.get(str(found["value"]), found["value"])
        return done(visit, state, say("conf.written", t=now(), now=said))

    async def replaced(visit: Visit, name: str) -> Reply | None:
        """The meter was replaced: the serial that answers is the one to expect."""
        state = state_of(house, name)
        if state is None:
            return None
        if kind_of(state.trouble) == "foreign":
            try:
                await house.ask(visit, "device.change", uid=state.uid, serial=str(facts_of(state.trouble)["found"]))
            except ConcentratorError as error:
                form = await form_of(visit, state)
                _tell(form, error)
                return await drawn(visit, state, form)
            house.note(visit, house.say(visit)("conf.saved", t=now()))
        return see_other(f"{address_of(state.uid)}/config")

    def ask_first(visit: Visit, name: str) -> Reply | None:
        state = state_of(house, name)
        if state is None:
            return None
        cells = house.cells(visit.language).device(state, [])
        address, here = address_of(state.uid), home_of(state)
        return house.draw(visit, "device_delete.html", cells, state=state, address=address, topic=state.uid, here=here)

    async def delete(visit: Visit, name: str) -> Reply | None:
        state = state_of(house, name)
        if state is None:
            return None
        try:
            await house.ask(visit, "device.remove", uid=state.uid)
        except ConcentratorError as error:
            form = await form_of(visit, state)
            form.fault("", error.sentence)
            return await drawn(visit, state, form)
        house.note(visit, house.say(visit)("conf.deleted", name=state.alias or state.uid, t=now()))
        return see_other(home_of(state))

    def done(visit: Visit, state: DeviceState, said: str) -> Reply:
        house.note(visit, said)
        return see_other(f"{address_of(state.uid)}/config")

    def now() -> str:
        return clock_time(house.sources.wall.now(), house.sources.zone)[:5]

    yield Route("/devices/*/config", Role.INSTALLER, config, save)
    yield Route("/devices/*/direction", Role.INSTALLER, post=turn)
    yield Route("/devices/*/replaced", Role.INSTALLER, post=replaced)
    yield Route("/devices/*/delete", Role.INSTALLER, ask_first, delete)


def _form(values: Mapping[str, Any], say: Say, lines: list[str], *, is_mbus: bool, is_genset: bool) -> Form:
    def text(key: str) -> str:
        return "" if values.get(key) is None else str(values[key])

    def tick(key: str, words: str) -> Field:
        return Field(key, say(f"conf.{words}"), Entry.TICK, "on" if values.get(key) else "", say(f"conf.{words}_hint"))

    model = Field("model", say("conf.model"), value=text("model"), hint=say("conf.model_hint"), most=64)
    ordered = [model, *(tick(key, key) for key in _ORDERED)]
    return Form(
        [
            Field("alias", say("conf.alias"), value=text("alias"), hint=say("conf.alias_hint"), most=64),
            Field("line", say("conf.line"), Entry.CHOICE, text("line"), choices=[(each, each) for each in lines]),
            Field("address", say("meters.address"), value=text("address"), hint=say("telegram.address_hint"), most=24)
            if is_mbus
            else Field("address", say("conf.address"), Entry.NUMBER, text("address"), say("conf.address_hint"), most=3),
            Field("interval", say("conf.interval"), value=text("interval"), hint=say("conf.interval_hint"), most=20),
            Field("serial", say("conf.serial"), value=text("serial"), hint=say("conf.serial_hint"), most=64),
            *(ordered if is_genset else ()),
            tick("allow_write", "write"),
        ]
    )


def _tell(form: Form, error: ConcentratorError) -> None:
    """Tells the faults of an error, each beside the field it is about, where it is about one."""
    for said in error.detail.split("; ") or [error.sentence]:
        key = said.partition(" ")[0].rstrip(":")
        form.fault(_KEYS.get(key, ""), said)
