"""Network › Modem: the modem's data connection, how it stands, and its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from concentrator.portal.cells import Cell
from concentrator.portal.config_form import Groups, Key
from concentrator.portal.house import House
from concentrator.portal.mbus_cells import slug
from concentrator.portal.numbers import GAP, MISSING
from concentrator.portal.service_pages import ServiceKind, Shown, State, Tab, service_kind_routes
from concentrator.portal.words import Say, say_in
from concentrator.web.forms import Entry, Field
from concentrator.web.route import Route, Visit

PATH = "/network/modem"
_SHOWN = (("modem.network", ("radio", "operator", "signal", "connection")),)


def _settings(section: str) -> Groups:
    return (
        (
            "",
            (
                Key(section, "enabled", "modem.enabled", Entry.TICK),
                Key(section, "modem", "modem.modem"),
                Key(section, "apn", "modem.apn"),
                Key(section, "user", "modem.user"),
                Key(section, "password", "modem.password", Entry.SECRET),
                Key(section, "pin", "modem.pin", Entry.SECRET),
            ),
        ),
    )


def said(state: State, say: Say) -> str:
    """How a data connection stands, in a sentence or two."""
    return " ".join(filter(None, (say(f"modem.stands_{slug(state['standing'])}"), state["trouble"])))


def cells(house: House, state: State, language: str) -> Mapping[str, Cell]:
    """What is known of a modem."""
    texts = {
        "radio": say_in(language)(f"modem.radio_{state['radio']}"),
        "operator": state["operator"],
        "signal": "" if state["signal"] is None else f"{state['signal']}{GAP}%",
        "connection": state["connection"],
    }
    return {part: {"text": text or MISSING} for part, text in texts.items()}


def _asked(house: House, visit: Visit) -> Sequence[Field]:
    say = house.say(visit)
    return (Field("apn", say("modem.apn"), hint=say("modem.apn_hint"), most=40),)


MODEM = ServiceKind(
    "modem",
    PATH,
    "modem",
    (Shown("state", _SHOWN), Tab("settings", _settings)),
    "modem.state",
    said,
    _asked,
    cells,
)


def modem_routes(house: House) -> Iterator[Route]:
    """`/network/modem`."""
    yield from service_kind_routes(house, MODEM)
