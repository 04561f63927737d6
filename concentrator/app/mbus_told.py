"""What M-Bus meters say and what a search finds, as JSON has it and as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from concentrator.app.control import table
from concentrator.dialect.mbus_names import Named, named
from concentrator.wire.mbus_record import PERMANENT_ERROR, POWER_LOW, TEMPORARY_ERROR, Record, Telegram
from concentrator.wire.mbus_units import MEDIA

_STATUS = ((POWER_LOW, "power low"), (PERMANENT_ERROR, "permanent error"), (TEMPORARY_ERROR, "temporary error"))

Said = dict[str, Any]


def told(telegrams: Sequence[Telegram]) -> list[Said]:
    """Telegrams of one read as JSON has them: every record as it came, and as a value of ours."""
    names = iter([(each, each.record) for each in named(telegrams) if each.record is not None])
    return [_told(telegram, names) for telegram in telegrams]


def _told(telegram: Telegram, names: Iterator[tuple[Named, Record]]) -> Said:
    header = telegram.header
    address = header.address
    return {
        "address": str(address) if address else "",
        "medium": MEDIA.get(address.medium, f"{address.medium:02X}") if address else "",
        "access": header.access,
        "status": header.status,
        "state": [words for bit, words in _STATUS if header.status & bit],
        "records": [_record(*next(names)) for _ in telegram.records],
        "rest": telegram.rest.hex(" ").upper(),
        "more": telegram.has_more,
        "hex": telegram.raw.hex(" ").upper(),
    }


def _record(each: Named, record: Record) -> Said:
    quantity = each.point.quantity
    return {
        "name": quantity.name,
        "value": each.value,
        "unit": quantity.unit,
        "label": quantity.label,
        "said": record.value,
        "said_unit": record.meaning.unit,
        "meaning": record.meaning.word,
        "function": str(record.function),
        "storage": record.storage,
        "tariff": record.tariff,
        "subunit": record.subunit,
        "notes": list(record.notes),
        "trouble": record.trouble,
        "hex": record.raw.hex(" ").upper(),
    }


def said_lines(telegrams: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The same for people."""
    for each in telegrams:
        state = f", {', '.join(each['state'])}" if each["state"] else ""
        who = f"{each['address']}, {each['medium']}" if each["address"] else "it does not say who it is"
        yield f"{who}; access {each['access']}, status {each['status']:02X}{state}"
        rows = [["NAME", "VALUE", "UNIT", "MEANING", "BYTES"]]
        for record in each["records"]:
            value = record["trouble"] if record["value"] is None else f"{record['value']}"
            rows.append([record["name"], value, record["unit"], record["label"], record["hex"]])
        if len(rows) > 1:
            yield from table(rows)
        if each["rest"]:
            yield f"the maker's own: {each['rest']}"
        if each["more"]:
            yield "more telegrams follow"


def found_lines(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The finds of a search as a table, or that there are none."""
    rows = [["ADDRESS", "PRIMARY", "MAKER", "MEDIUM", "KNOWN AS", "TROUBLE"]]
    for each in found:
        primary = "" if each["primary"] is None else str(each["primary"])
        who = (each["manufacturer"], each["medium"], each["known"], each["trouble"])
        rows.append([each["address"], primary, *who])
    yield from table(rows) if len(rows) > 1 else ["nobody answers"]
