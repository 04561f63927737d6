"""Services › Modbus slave: the places at which the box answers other masters, what they ask, and the register map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from concentrator.portal.cells import Cell
from concentrator.portal.config_form import Groups, Key, Listed
from concentrator.portal.house import House
from concentrator.portal.labels import label_in
from concentrator.portal.numbers import MISSING, count, moment
from concentrator.portal.service_pages import ServiceKind, Shown, State, Tab, service_kind_routes
from concentrator.portal.words import Say, say_in
from concentrator.web.access import Role
from concentrator.web.forms import Entry, Field
from concentrator.web.route import Reply, Route, Visit

PATH, MAP_PATH = "/services/modbus-slave", "/services/modbus-slave-map"
_SHOWN = (
    ("slave.asked", ("where", "unit", "last_asked", "reads", "writes", "refused")),
    ("slave.who", ("clients", "figures")),
)


def _settings(section: str) -> Groups:
    return (
        (
            "slave.place",
            (
                Key(section, "enabled", "slave.enabled", Entry.TICK),
                Key(section, "line", "slave.line"),
                Key(section, "port", "slave.port", Entry.NUMBER, is_whole=True),
                Key(section, "unit", "slave.unit", Entry.NUMBER, is_whole=True),
                Key(section, "interface", "slave.interface"),
                Listed(section, "allow", "slave.allow"),
                Key(section, "clients", "slave.most_clients", Entry.NUMBER, is_whole=True),
            ),
        ),
        (
            "slave.content",
            (
                Key(section, "serve", "slave.serve", Entry.CHOICE, choices=("map", "mirror")),
                Key(section, "device", "slave.device"),
                Key(section, "max_age", "slave.max_age"),
                Key(section, "ask", "slave.ask", Entry.TICK),
                Key(section, "write", "slave.write", Entry.TICK),
            ),
        ),
    )


def said(state: State, say: Say) -> str:
    """How a slave port stands, in a sentence or two."""
    where = _where(state["where"], say)
    what = say(f"slave.serves_{state['serves']}", device=state["device"])
    stands = say("slave.stands_open" if state["is_open"] else "slave.stands_closed", where=where, unit=state["unit"])
    return " ".join(filter(None, (stands, what, state["trouble"])))


def cells(house: House, state: State, language: str) -> Mapping[str, Cell]:
    """What was asked of a slave port, and by whom."""
    say, sources = say_in(language), house.sources
    last = state["last_asked"]
    refused = ", ".join(f"{code}: {count(n)}" for code, n in state["refused"].items() if n)
    figures = ", ".join(f"{say(f'slave.figure_{name}')} {count(n)}" for name, n in state["figures"].items())
    texts = {
        "where": _where(state["where"], say),
        "unit": str(state["unit"]),
        "last_asked": "" if last is None else moment(last, sources.wall.now(), sources.zone, language),
        "reads": count(state["reads"]),
        "writes": count(state["writes"]),
        "refused": refused,
        "clients": ", ".join(state["clients"]),
        "figures": figures,
    }
    return {part: {"text": text or MISSING} for part, text in texts.items()}


def _where(where: str, say: Say) -> str:
    kind, _, name = where.partition(" ")
    return say("slave.on_line", line=name) if name else kind


def _meant(row: Mapping[str, Any], table: str, say: Say) -> Mapping[str, Any]:
    """A register with its meaning in the visitor's language, or as the box tells it where there are no words."""
    with suppress(KeyError):
        return {**row, "meaning": say(f"slave.{table}_{row['name'].lower()}")}
    return row


def _asked(house: House, visit: Visit) -> Sequence[Field]:
    say = house.say(visit)
    serves = [(each, say(f"slave.serve_{each}")) for each in ("map", "mirror")]
    return (
        Field("port", say("slave.port"), Entry.NUMBER, hint=say("slave.port_hint")),
        Field("line", say("slave.line"), hint=say("slave.line_hint")),
        Field("serve", say("slave.serve"), Entry.CHOICE, choices=serves),
        Field("device", say("slave.device"), hint=say("slave.device_hint")),
    )


SLAVE = ServiceKind(
    "modbus_slave",
    PATH,
    "slave",
    (Shown("state", _SHOWN, "slave_state.html"), Tab("settings", _settings)),
    "slave.states",
    said,
    _asked,
    cells,
)


def slave_routes(house: House) -> Iterator[Route]:
    """`/services/modbus-slave`, and the register map."""

    async def register_map(visit: Visit) -> Reply:
        """Every register that masters may read."""
        found: Any = await house.ask(visit, "slave.map")
        say = house.say(visit)
        tables = [(table, [_meant(row, table, say) for row in found[table]]) for table in ("common", "header")]
        label = label_in(visit.language)
        return house.draw(visit, "slave_map.html", here=PATH, map=found, tables=tables, label=label)

    yield from service_kind_routes(house, SLAVE)
    if house.table.permission(SLAVE.action) is not None:
        yield Route(MAP_PATH, Role.VIEWER, register_map)
