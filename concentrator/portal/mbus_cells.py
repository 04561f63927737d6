"""The cells of the M-Bus pages: how a gateway stands with everything it counts, and how a search for meters goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from concentrator.actions.mbus import SEARCH
from concentrator.portal.addresses import address_of
from concentrator.portal.cells import Cell
from concentrator.portal.numbers import MISSING, count
from concentrator.portal.words import Say

GATEWAY_TOPIC, SEARCH_TOPIC = ":gateway.", ":mbus-search."
CONNECTS = re.compile(r"Connect (\d+) Connection Time")
"""The counters of connections in connect mode, which the CMe3000 shows and nobody here makes."""


def slug(label: str) -> str:
    """An English label as a key of the words: completed_accepts for Completed Accepts."""
    return re.sub(r"\W+", "_", label.lower()).strip("_")


def gateway_cells(state: Mapping[str, Any], say: Say) -> dict[str, Cell]:
    """How a gateway stands, as `mbus.gateways` tells it: a sentence on who is connected, where it listens, and every
    counter."""
    client, queued = state["client"], state["queued"]
    said = say(f"tunnel.{slug(state['standing'])}", client=client or MISSING, line=state["line"])
    ports = ", ".join(state["listening"])
    where = say("mbus.listening", ports=ports) if ports else say("mbus.not_listening")
    cells: dict[str, Cell] = {
        ":gateway.said": {"text": f"{said} {say('mbus.queued', n=queued)}" if queued else said},
        ":gateway.where": {"text": where},
        ":gateway.trouble": {"text": state["trouble"]},
    }
    for label, value in state["statistics"].items():
        text = count(value) if isinstance(value, int) else str(value).replace("days", say("mbus.days"))
        cells[f":gateway.count.{slug(label)}"] = {"text": text}
    for label, (received, sent) in state["serial"].items():
        cells[f":gateway.received.{slug(label)}"] = {"text": "" if received is None else count(received)}
        cells[f":gateway.sent.{slug(label)}"] = {"text": "" if sent is None else count(sent)}
    return cells


def label_of(label: str, say: Say) -> str:
    """What a counter is called, in the CMe3000's words or their translation."""
    connect = CONNECTS.fullmatch(label)
    return say("counter.connect_connection_time", n=connect[1]) if connect else say(f"counter.{slug(label)}")


def medium_of(medium: str, say: Say) -> str:
    """What a meter measures, in words; the code that it says where that is none of EN 13757-3."""
    try:
        return say(f"medium.{slug(medium)}")
    except KeyError:
        return medium


def search_cells(task: Mapping[str, Any], names: Mapping[str, str], say: Say) -> dict[str, Cell]:
    """The cells of a search, by its task; `names` are those of the devices by short id."""
    line = task["name"].removeprefix(f"{SEARCH} ")
    found = task["result"] or []
    said = {
        "running": lambda: say("meters.running", p=int(100 * task["progress"]), n=len(found)),
        "done": lambda: say("meters.done", n=len(found)),
        "cancelled": lambda: say("meters.cancelled"),
    }.get(task["state"], lambda: say("meters.failed", why=(task["error"] or {}).get("message", "")))()
    return {
        ":search.state": {"text": task["state"]},
        ":search.said": {"text": said},
        ":search.rows": {"rows": [_row(each, line, names, say) for each in found]},
    }


def _row(each: Mapping[str, Any], line: str, names: Mapping[str, str], say: Say) -> Mapping[str, str]:
    known, primary = each["known"], each["primary"]
    at = [each["address"], "" if primary is None else say("meters.at_primary", id=primary)]
    where = ", ".join(filter(None, at))
    if known:
        text = say("meters.known", at=where, name=names.get(known, known))
        return {"mark": "check", "text": text, "href": address_of(known), "label": say("meters.view")}
    what = " ".join(filter(None, (each["manufacturer"], medium_of(each["medium"], say)))) or say("meters.answers")
    text = ". ".join(filter(None, (f"{where}: {what}", each["trouble"].rstrip("."))))
    asked = {"line": line, "address": each["address"], "primary": "" if primary is None else primary}
    href = f"/services/mbus/add?{urlencode({key: value for key, value in asked.items() if value != ''})}"
    return {"mark": "new", "text": text, "href": href, "label": say("meters.add")}
