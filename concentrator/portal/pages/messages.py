"""Services › SMS: the modems with their last messages, a message to try them, and their settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from concentrator.portal.cells import Cell
from concentrator.portal.config_form import Groups, Key, Listed
from concentrator.portal.house import House
from concentrator.portal.mbus_cells import slug
from concentrator.portal.numbers import GAP, MISSING, count, moment
from concentrator.portal.service_pages import ServiceKind, Shown, State, Tab, service_kind_routes
from concentrator.portal.words import Say, say_in
from concentrator.sms.detail import ITEMS
from concentrator.web.forms import Entry, Field
from concentrator.web.route import Route, Visit

PATH = "/services/sms"


def _modem(section: str) -> Groups:
    return (
        (
            "",
            (
                Key(section, "enabled", "messages.enabled", Entry.TICK),
                Key(section, "driver", "messages.driver", Entry.CHOICE, choices=("modemmanager", "at")),
                Key(section, "modem", "messages.modem"),
                Key(section, "endpoint", "messages.endpoint"),
                Key(section, "message_center", "messages.message_center"),
                Key(section, "alphabet", "messages.alphabet", Entry.CHOICE, choices=("gsm", "unicode")),
                Key(section, "delivery_reports", "messages.delivery_reports", Entry.TICK),
            ),
        ),
    )


def _alarms(section: str) -> Groups:
    return (
        (
            "messages.who",
            (Listed(section, "numbers", "messages.numbers"), Key(section, "device", "messages.device")),
        ),
        (
            "messages.alarm_messages",
            tuple(Key(section, each, f"messages.{each}", Entry.TICK) for each in ("alarms", "warnings", "cleared")),
        ),
        (
            "messages.order_messages",
            (
                Key(section, "orders", "messages.orders", Entry.TICK),
                Key(section, "most_per_hour", "messages.most_per_hour", Entry.NUMBER, is_whole=True),
                Key(section, "detail", "messages.detail", Entry.TICKS, choices=ITEMS),
            ),
        ),
    )


_SHOWN = (("messages.modem_title", ("operator", "signal", "numbers", "waiting", "received", "refused", "answered")),)


async def _try(house: House, visit: Visit, name: str) -> str:
    """Sends a message to all configured numbers."""
    await house.ask(visit, "sms.send", name=name, text=visit.form.get("text", ""))
    return house.say(visit)("messages.on_its_way")


def said(state: State, say: Say) -> str:
    """How a modem stands, in a sentence; a word of its own where it is none of ours."""
    try:
        standing = say(f"messages.stands_{slug(state['standing'])}")
    except KeyError:
        standing = state["standing"]
    return " ".join(filter(None, (standing, state["trouble"])))


def cells(house: House, state: State, language: str) -> Mapping[str, Cell]:
    """What is known of a modem, and its last messages."""
    say = say_in(language)
    texts = {
        "operator": state["operator"],
        "signal": "" if state["signal"] is None else f"{state['signal']}{GAP}%",
        "numbers": ", ".join(state["numbers"]),
        **{name: count(state[name]) for name in ("waiting", "received", "refused", "answered")},
    }
    rows = [_row(house, each, say, language) for each in state["messages"]]
    return {**{part: {"text": text or MISSING} for part, text in texts.items()}, "messages": {"rows": rows}}


def _row(house: House, message: Mapping[str, Any], say: Say, language: str) -> Mapping[str, str]:
    sources = house.sources
    at = moment(message["at"], sources.wall.now(), sources.zone, language)
    way = say("messages.from" if message["direction"] == "in" else "messages.to", number=message["number"])
    fate = say(f"messages.fate_{message['fate']}")
    reason = f" ({message['reason']})" if message["reason"] else ""
    mark = "warning" if message["fate"] in ("failed", "undelivered") else "note"
    return {
        "mark": mark,
        "text": f"{at} · {way} · {fate}{reason}: {message['text'] or MISSING}",
        "href": "",
        "label": "",
    }


def _asked(house: House, visit: Visit) -> Sequence[Field]:
    say = house.say(visit)
    drivers = [(each, say(f"messages.driver_{each}")) for each in ("modemmanager", "at")]
    return (
        Field("driver", say("messages.driver"), Entry.CHOICE, choices=drivers),
        Field("endpoint", say("messages.endpoint"), hint=say("messages.endpoint_hint")),
    )


SMS = ServiceKind(
    "sms",
    PATH,
    "messages",
    (
        Shown("state", _SHOWN, "sms_state.html", act=_try),
        Tab("alarms_and_orders", _alarms),
        Tab("modem_tab", _modem),
    ),
    "sms.state",
    said,
    _asked,
    cells,
)


def message_routes(house: House) -> Iterator[Route]:
    """`/services/sms`."""
    yield from service_kind_routes(house, SMS)
