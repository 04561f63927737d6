"""Services › Cloud (SmartGen): the sessions of gensets, with the parameters of a CMM365 in the groups of its PC
program, Gateway, Module and Cloud, and its Monitoring page with the module's ID to print (CMM365-2G user manual, Form 1
and 5.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from concentrator.model.errors import WrongArguments
from concentrator.model.genset_models import MODELS
from concentrator.portal.cells import Cell
from concentrator.portal.config_form import Groups, Key
from concentrator.portal.house import House
from concentrator.portal.numbers import MISSING, count, fixed, joined
from concentrator.portal.pages.info import qr
from concentrator.portal.panel_cells import panel_cells
from concentrator.portal.service_pages import Decimal, ServiceKind, Shown, State, Tab, service_kind_routes
from concentrator.portal.words import Say, say_in
from concentrator.web.access import Role
from concentrator.web.forms import Entry, Field
from concentrator.web.route import Reply, Route, Visit

PATH, PICTURE = "/services/cloud", "/services/cloud-label.svg"
PORTS = ("rs485", "link", "rs232", "usb", "disabled")
_ONLINE_BUT, _WAITING = "Online, but the server refuses: ", "Waiting: "


def _gateway(section: str) -> Groups:
    return (
        (
            "",
            (
                Key(section, "enabled", "cloud.enabled", Entry.TICK),
                Key(section, "site", "cloud.site"),
                Key(section, "server", "cloud.server", usual="tcp:cm.smartgen.com.cn:81"),
                Key(section, "password", "cloud.password", Entry.SECRET),
                Key(section, "hostid", "cloud.own_hostid"),
            ),
        ),
        (
            "cloud.own_server",
            (
                Key(section, "ca_file", "cloud.ca_file", Entry.FILE),
                Key(section, "compress", "cloud.compress", Entry.TICK),
                Key(section, "set_clock", "cloud.set_clock", Entry.TICK),
            ),
        ),
    )


def _cloud(section: str) -> Groups:
    return (
        (
            "cloud.controller",
            (
                Key(section, "device", "cloud.device"),
                Key(section, "model", "cloud.model", Entry.CHOICE, choices=("", *MODELS)),
                Key(section, "name", "cloud.module_name"),
            ),
        ),
        (
            "cloud.wiring",
            (
                Key(section, "auto_port", "cloud.auto_port", Entry.TICK),
                Key(section, "port", "cloud.port", Entry.CHOICE, choices=PORTS),
                Key(
                    section,
                    "baudrate",
                    "cloud.baudrate",
                    Entry.CHOICE,
                    choices=("", "9600", "19200", "115200"),
                    is_whole=True,
                ),
                *(Key(section, f"{port}_line", f"cloud.{port}_line") for port in PORTS if port != "disabled"),
                Key(section, "allow_rewire", "cloud.allow_rewire", Entry.TICK),
            ),
        ),
        (
            "cloud.uploads",
            (
                Key(section, "live_interval", "cloud.live_interval"),
                Key(section, "history_interval", "cloud.history_interval"),
            ),
        ),
        (
            "cloud.place",
            (
                Key(section, "location", "cloud.location", Entry.CHOICE, choices=("off", "manual", "gps")),
                Decimal(section, "longitude", "cloud.longitude", Entry.NUMBER),
                Decimal(section, "latitude", "cloud.latitude", Entry.NUMBER),
                Decimal(section, "altitude", "cloud.altitude", Entry.NUMBER),
                Key(section, "coordinates", "cloud.coordinates", Entry.CHOICE, choices=("gps", "baidu")),
                Decimal(section, "time_zone", "cloud.time_zone", Entry.NUMBER),
            ),
        ),
        (
            "cloud.people",
            tuple(Key(section, each, f"cloud.{each}") for each in ("staff", "telephone", "installed")),
        ),
    )


def _module(section: str) -> Groups:
    rated = ("rated_speed", "rated_voltage", "rated_frequency", "rated_current", "rated_power")
    kinds = ("", *map(str, range(6)))
    return (
        (
            "",
            (
                Key(section, "module_type", "cloud.module_type", Entry.CHOICE, choices=kinds, is_whole=True),
                Key(section, "ac_supply", "cloud.ac_supply", Entry.CHOICE, choices=("3P4W", "3P3W", "2P3W", "1P2W")),
                *(Key(section, each, f"cloud.{each}", Entry.NUMBER, is_whole=True) for each in rated),
            ),
        ),
        ("cloud.descriptions", tuple(Key(section, f"description{n}", f"cloud.description{n}") for n in range(1, 6))),
    )


_MONITORED = (
    ("cloud.module", ("hostid", "model", "module_kind", "module_time", "wiring", "hardware", "software")),
    ("cloud.position", ("satellites", "longitude", "latitude", "altitude")),
    ("cloud.contacts", ("input1", "input2", "output1")),
    ("cloud.server_side", ("registers_at", "live_at", "history_at", "rate", "mode")),
    ("cloud.done", ("rounds", "unanswered", "uploaded", "written", "refused", "logins", "history_sent")),
)


async def _to_factory(house: House, visit: Visit, name: str) -> str:
    """Puts a session back to its factory settings, where that was confirmed."""
    say = house.say(visit)
    if visit.form.get("sure") != "on":
        raise WrongArguments(say("cloud.factory_unsure"))
    await house.ask(visit, "smartgen.reset_defaults", session=name)
    return say("cloud.factory_done")


def said(state: State, say: Say) -> str:
    """How a session stands, in a sentence."""
    standing, device = state["standing"], state["device"]
    if standing.startswith(_WAITING):
        return say("cloud.stands_waiting", why=standing.removeprefix(_WAITING))
    if standing.startswith(_ONLINE_BUT):
        return say("cloud.stands_but", why=standing.removeprefix(_ONLINE_BUT))
    searched = f" {say('cloud.searched', device=device)}" if state["is_searched_for"] else ""
    return say(f"cloud.stands_{standing.lower() or 'starting'}", device=device) + searched


def cells(house: House, state: State, language: str) -> Mapping[str, Cell]:
    """What the Monitoring page shows of a session, and of the box it is on."""
    say, box, panel = say_in(language), house.sources.box(), house.sources.panel()
    front = panel_cells(panel, say, language)
    place: Mapping[str, Any] = state["location"] or {}
    baud = state["baudrate"]
    texts = {
        "hostid": state["hostid"],
        "model": state["model"],
        "module_kind": say(f"cloud.module_type_{state['module_type']}"),
        "module_time": state["module_time"],
        "wiring": joined(say(f"cloud.port_{state['port']}"), "" if baud is None else f"{baud} Bd"),
        "hardware": box.get("hardware"),
        "software": box.get("version"),
        "satellites": None if state["satellites"] is None else count(state["satellites"]),
        "longitude": _degrees(place.get("longitude"), language),
        "latitude": _degrees(place.get("latitude"), language),
        "altitude": None if "altitude_m" not in place else joined(fixed(place["altitude_m"], 1, language), "m"),
        "input1": front[":input.1"]["text"] if ":input.1" in front else None,
        "input2": front[":input.2"]["text"] if ":input.2" in front else None,
        "output1": front[":output.relay1"]["text"] if ":output.relay1" in front else None,
        "registers_at": state["server"],
        "live_at": state["live"],
        "history_at": state["history"],
        "rate": joined(fixed(state["rate_s"], 0, language), "s"),
        "mode": say(f"cloud.mode_{state['mode']}"),
    }
    figures = state["figures"]
    counted = {name: count(figures["uploads" if name == "uploaded" else name]) for name in _MONITORED[-1][1]}
    return {part: {"text": str(text or MISSING)} for part, text in {**texts, **counted}.items()}


def _degrees(value: float | None, language: str) -> str | None:
    return None if value is None else joined(fixed(value, 6, language), "°")


def _asked(house: House, visit: Visit) -> Sequence[Field]:
    say = house.say(visit)
    devices = [(each.uid, each.alias or each.uid) for each in house.sources.devices()]
    return (
        Field("device", say("cloud.device"), Entry.CHOICE, choices=devices, hint=say("cloud.device_hint")),
        Field("server", say("cloud.server"), hint=say("cloud.server_hint"), value="tcp:cm.smartgen.com.cn:81"),
    )


CLOUD = ServiceKind(
    "smartgen",
    PATH,
    "cloud",
    (
        Shown("monitoring", _MONITORED, "cloud_state.html", act=_to_factory),
        Tab("gateway", _gateway),
        Tab("cloud", _cloud),
        Tab("module", _module),
        Shown("label", (), "cloud_label.html"),
    ),
    "smartgen.sessions",
    said,
    _asked,
    cells,
)


def cloud_routes(house: House) -> Iterator[Route]:
    """`/services/cloud`, and the picture of a module's ID."""

    def picture(visit: Visit) -> Reply | None:
        states: Any = house.look(CLOUD.action) or ()
        found = next((state for state in states if state["name"] == visit.asked("session")), None)
        return None if found is None else Reply(qr(found["hostid"]), content_type="image/svg+xml")

    yield from service_kind_routes(house, CLOUD)
    if house.table.permission(CLOUD.action) is not None:
        yield Route(PICTURE, Role.VIEWER, picture)
