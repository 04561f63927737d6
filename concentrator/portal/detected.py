"""What was detected at a Modbus ID, in words: the sentence, the first values, and which profiles it may be of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from concentrator.portal.labels import label_in
from concentrator.portal.numbers import MISSING, joined, shown
from concentrator.portal.words import Say

SAID = 2
"""How many values the sentence has; all that came first are in the table."""


@frozen
class Detected:
    """`said`: what was found; `values`: (name, label, value) of what came first; `notes`: what to mind;
    `proposals`: (profile's key, what it is) of those it may be; `is_right`: whether it is what was chosen."""

    said: str
    values: Sequence[tuple[str, str, str]] = ()
    notes: Sequence[str] = ()
    proposals: Sequence[tuple[str, str]] = ()
    is_right: bool = False


def detected_of(told: Mapping[str, Any], model: str, say: Say, language: str) -> Detected:
    """Of what `device.probe` gives for the model that was chosen."""
    if told.get("passes_through"):
        return Detected(say("add.passes_through", model=model), is_right=True)
    values = first_values(told, language)
    notes = [say("add.misfits", what=each) for each in told["misfits"]]
    if told["missing"]:
        notes.append(say("add.missing", n=len(told["missing"])))
    words = _said(values)
    said = say("det.ok", model=told["model"] or model, id=told["address"], values=words)
    return Detected(said, values, notes, is_right=not told["misfits"])


def identified_of(task: Mapping[str, Any], say: Say, language: str) -> Detected:
    """Of the task that `device.identify` began and that is over."""
    told = task["result"]
    if task["state"] != "done" or not isinstance(told, Mapping):
        return Detected(say("add.trouble", why=task["error"]["message"] if task["error"] else task["state"]))
    unit = told["unit"]
    if not told["answered"]:
        baud, _, fmt = str(told["line_settings"]).partition(" ")
        if not fmt:
            return Detected(say("det.none_net", id=unit, line=told["line"]))
        return Detected(say("det.none", id=unit, baud=baud, fmt=fmt, n=told["tried"]))
    if told["trouble"]:
        return Detected(say("det.odd", id=unit, why=told["trouble"]))
    if not told["profiles"]:
        return Detected(say("det.unknown", id=unit))
    values = first_values(told, language)
    best = told["profiles"][0]
    name = told["model"] or f"{best['brand']} {best['series']}"
    notes = []
    if told["settings"] != told["line_settings"]:
        notes.append(say("add.settings", line=told["settings"], now=told["line_settings"]))
    proposals = [(each["profile"], f"{each['brand']} {each['series']}, {each['type']}") for each in told["profiles"]]
    return Detected(say("det.ok", model=name, id=unit, values=_said(values)), values, notes, proposals)


def first_values(told: Mapping[str, Any], language: str) -> list[tuple[str, str, str]]:
    """The values to look at first, as people read them."""
    label = label_in(language)
    by_name = {each["name"]: each for each in told["values"]}
    found = (by_name[name] for name in told["first"] if name in by_name)
    return [
        (each["name"], label(each["label"]), joined(*shown(each["value"], each["unit"], False, language)))
        for each in found
    ]


def _said(values: Sequence[tuple[str, str, str]]) -> str:
    return ", ".join(value for _, _, value in values[:SAID]) or MISSING
