"""The cells of the page of link mode: what is on, what to press next, each meter as it gets its ID, and what went
wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from concentrator.api import DeviceState
from concentrator.model.reading import Quality
from concentrator.portal.addresses import address_of
from concentrator.portal.cells import Cell, main_readouts
from concentrator.portal.numbers import joined, shown
from concentrator.portal.words import Say

LINK_TOPIC = ":link."
"""How the topic of the page begins; the line's name follows."""
ENDED = ("alone", "interrupted")

Row = Mapping[str, str]
"""A row: `mark` is the icon before it, `text` what it says, and `href` and `label` a way on, empty where there is
none."""


def link_cells(status: Mapping[str, Any], devices: Sequence[DeviceState], say: Say, language: str) -> dict[str, Cell]:
    """The cells of a line's link mode by what `link.status` says of it."""
    by_serial = {state.serial: state for state in devices if state.serial and state.secondary is None}
    word = word_of(status, say)
    rows = list(_rows(status, by_serial, say, language))
    linked = [each for each in status["found"] if each["serial"] in by_serial]
    read = [each for each in linked if _is_read(by_serial[each["serial"]])]
    after = ""
    if not status["is_on"] and status["found"]:
        after = say("link.reading", n=len(read), all=len(status["found"]))
    aloud = word or after or (rows[-1]["text"] if status["found"] and not status["in_hand"] else "")
    return {
        ":link.state": {"text": "on" if status["is_on"] else "off"},
        ":link.lead": {"text": _lead(status, say)},
        ":link.ends": {"text": _ends(status, say)},
        ":link.word": {"text": word},
        ":link.rows": {"rows": rows},
        ":link.count": {"text": say("link.linked", n=len(status["found"])) if status["is_on"] or rows else ""},
        ":link.after": {"text": after},
        ":link.aloud": {"text": aloud},
    }


def word_of(status: Mapping[str, Any], say: Say) -> str:
    """What there is to say of what went wrong, or of how it ended; empty where there is nothing."""
    code = status["code"]
    if code == "interrupted":
        said = [say("link.interrupted", n=len(status["found"]))]
        said += [say("link.released", id=each["unit"]) for each in status["released"]]
        said += [say("link.undecided", id=each["unit"]) for each in status["undecided"]]
        return " ".join(said)
    if code == "failed":
        return say("link.failed", serial=status["serial"], id=status["unit"])
    if code == "full":
        return say("link.full", n=status["limit"])
    if code == "trouble":
        return say("link.trouble", why=status["text"])
    return say(f"link.{code}") if code else ""


def _lead(status: Mapping[str, Any], say: Say) -> str:
    if not status["is_on"]:
        return ""
    if status["state"] == "starting":
        return say("link.starting")
    return say("link.leaving") if status["state"] == "leaving" else say("link.press")


def _ends(status: Mapping[str, Any], say: Say) -> str:
    if not status["is_on"] or status["state"] in ("starting", "leaving"):
        return ""
    minutes, seconds = divmod(int(status["seconds_left"]), 60)
    return say("link.ends", t=f"{minutes}:{seconds:02}")


def _rows(status: Mapping[str, Any], by_serial: Mapping[str, DeviceState], say: Say, language: str) -> Sequence[Row]:
    rows = []
    for each in status["found"]:
        said = say("link.known" if each["is_known"] else "link.new", serial=each["serial"], id=each["unit"])
        state = by_serial.get(each["serial"])
        href = f"{address_of(state.uid)}/config" if state is not None else ""
        value = _value(state, language) if state is not None and not status["is_on"] else ""
        text = f"{said}: {value}" if value else said
        rows.append({"mark": "check", "text": text, "href": href, "label": say("link.name_it") if href else ""})
    if (meter := status["in_hand"]) is not None:
        key = "link.heard" if meter["unit"] else "link.heard_first"
        said = say(key, serial=meter["serial"], id=meter["unit"])
        rows.append({"mark": "doubtful", "text": said, "href": "", "label": ""})
    return rows


def _is_read(state: DeviceState) -> bool:
    return bool(state.values) and state.health == "answering" and state.quality != Quality.SUSPENDED


def _value(state: DeviceState, language: str) -> str:
    """The first of the main values, once it is read again."""
    if not _is_read(state):
        return ""
    for name, _, unit in main_readouts(state):
        if name in state.values:
            return joined(*shown(state.values[name][0], unit, False, language))
    return ""
