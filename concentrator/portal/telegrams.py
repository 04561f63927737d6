"""What an M-Bus meter said, in words: its telegrams as `mbus.read` tells them, become rows to be shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from concentrator.portal.labels import label_in
from concentrator.portal.mbus_cells import medium_of
from concentrator.portal.numbers import MISSING
from concentrator.portal.words import say_in


@frozen
class RecordRow:
    """A record: the variable's name and label, its value and unit as we have them, what else it says of itself, what is
    wrong with it, and its bytes."""

    name: str
    label: str
    value: str
    unit: str
    more: str
    trouble: str
    hex: str


@frozen
class TelegramView:
    """A telegram: who says it, its records, the maker's own bytes behind them, and all of it as bytes."""

    said: str
    records: Sequence[RecordRow]
    rest: str
    hex: str


def telegram_views(telegrams: Sequence[Mapping[str, Any]], language: str) -> list[TelegramView]:
    """The telegrams of one read, in a language."""
    say, label = say_in(language), label_in(language)
    views = []
    for each in telegrams:
        who = f"{each['address']}, {medium_of(each['medium'], say)}" if each["address"] else say("telegram.nameless")
        states = [say(f"telegram.{state.replace(' ', '_')}") for state in each["state"]]
        said = say("telegram.said", who=who, access=each["access"], status=f"{each['status']:02X}")
        rows = [_row(record, language, label(record["label"])) for record in each["records"]]
        views.append(TelegramView(" ".join((said, *states)), rows, each["rest"], each["hex"]))
    return views


def _row(record: Mapping[str, Any], language: str, label: str) -> RecordRow:
    say = say_in(language)
    more = [say(f"telegram.{key}", n=record[key]) for key in ("storage", "tariff", "subunit") if record[key]]
    if record["function"] != "instantaneous":
        more.insert(0, say(f"telegram.{record['function'].replace(' ', '_')}"))
    return RecordRow(
        record["name"],
        label,
        plain(record["value"], language),
        record["unit"],
        ", ".join((*more, *record["notes"])),
        record["trouble"],
        record["hex"],
    )


def plain(value: object, language: str) -> str:
    """A value with every digit it came with, and the language's decimal sign."""
    if value is None:
        return MISSING
    return str(value).replace(".", ",") if isinstance(value, float) and language == "es" else str(value)
