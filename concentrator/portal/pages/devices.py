"""The Devices pages: all devices at a glance, those of one kind, and one with every variable. Hides the order people
see them in; what stands in them is made by the cells."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from io import StringIO
from itertools import groupby
from urllib.parse import quote

from attrs import frozen

from concentrator.api import DeviceState
from concentrator.portal.addresses import address_of, address_of_line, uid_of
from concentrator.portal.cells import ALL, CCM, EXTERNAL, card_readouts, is_ccm, main_readouts, of_kind, usual_variable
from concentrator.portal.house import House
from concentrator.portal.labels import label_in
from concentrator.portal.scale import range_of
from concentrator.web.access import Role
from concentrator.web.route import Reply, Route, Visit, see_other

_PAGES = (
    ("/devices", ALL, "devs.empty"),
    ("/devices/ccm", CCM, "devs.empty_ccm"),
    ("/devices/external", EXTERNAL, "devs.empty_ext"),
)


@frozen
class Card:
    """A device as it is drawn among others: where its pages are, its main readouts, and whether it stands behind the
    one before it."""

    state: DeviceState
    address: str
    readouts: Sequence[tuple[str, str, str]]
    is_behind: bool
    is_new: bool


def device_routes(house: House) -> Iterator[Route]:
    """`/devices`, `/devices/ccm`, `/devices/external`, `/devices/<uid>` and its values as a file."""

    def many(visit: Visit, topic: str, empty: str) -> Reply:
        sources, cells = house.sources, house.cells(visit.language)
        states = of_kind(sources.devices(), topic)
        linked = set(visit.asked("linked").split())
        return house.draw(
            visit,
            "devices.html",
            cells.overview(states),
            cards=_cards(states, cells.troubled(states), linked),
            lines=[
                (line, address_of_line(line.name)) for line in sources.lines() if _is_shown(line.name, states, topic)
            ],
            uplinks=sources.uplinks() if topic == ALL else (),
            kind=topic,
            empty=empty,
            label=label_in(visit.language),
            topic=topic,
        )

    def device(visit: Visit, name: str) -> Reply | None:
        """One device with every variable of its profile; None where there is no such device."""
        state = state_of(house, name)
        if state is None:
            return None
        cells = house.cells(visit.language).device(state, [name for name, _, _ in state.points])
        return house.draw(
            visit,
            "device.html",
            cells,
            state=state,
            address=address_of(state.uid),
            past_variable=usual_variable(state),
            readouts=[(*point, range_of(state, point[0])) for point in main_readouts(state)],
            label=label_in(visit.language),
            is_genset=house.look("genset.status", uid=state.uid) is not None,
            topic=state.uid,
            here=home_of(state),
        )

    def values(visit: Visit, name: str) -> Reply | None:
        """The newest values as a file, plain as programs want them."""
        state = state_of(house, name)
        if state is None:
            return None
        kept = f"attachment; filename*=UTF-8''{quote(f'{state.uid}.csv', safe='')}"
        return Reply(
            as_csv(state).encode(), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": kept}
        )

    yield Route("/", Role.VIEWER, lambda visit: see_other("/info" if "/info" in house.paths else "/devices"))
    for path, topic, empty in _PAGES:
        yield Route(path, Role.VIEWER, lambda visit, topic=topic, empty=empty: many(visit, topic, empty))
    yield Route("/devices/*", Role.VIEWER, device)
    yield Route("/devices/*/values.csv", Role.VIEWER, values)


def state_of(house: House, name: str) -> DeviceState | None:
    """The device that has a name in the addresses of its pages, None where there is none."""
    uid = uid_of(name)
    return next((state for state in house.sources.devices() if state.uid == uid), None)


def home_of(state: DeviceState) -> str:
    """The page in the menu that a device belongs to."""
    return "/devices/ccm" if is_ccm(state) else "/devices/external"


def as_csv(state: DeviceState) -> str:
    """A device's newest values: variable, label, value, unit and the moment of its reading in UTC."""
    out = StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("variable", "label", "value", "unit", "at"))
    for name, label, unit in state.points:
        value, at = state.values.get(name, ("", None))
        then = "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows.writerow((name, label, _cell(value), unit, then))
    return out.getvalue()


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula is told as a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value


def _is_shown(line: str, states: Sequence[DeviceState], topic: str) -> bool:
    return topic == ALL or any(state.line == line for state in states)


def _cards(states: Sequence[DeviceState], troubled: Collection[str], linked: Collection[str]) -> list[Card]:
    """Those with trouble first, else by line and Modbus ID; who stands behind a principal stays with it."""
    at_one_id = sorted(states, key=lambda state: (state.line, state.address, state.secondary or 0))
    groups = [list(group) for _, group in groupby(at_one_id, lambda state: (state.line, state.address))]
    groups.sort(key=lambda group: not any(state.uid in troubled for state in group))
    return [
        Card(
            state,
            address_of(state.uid),
            card_readouts(state),
            state.secondary is not None and place > 0,
            state.serial in linked,
        )
        for group in groups
        for place, state in enumerate(group)
    ]
