"""The books of a journal: everything that ever stood in it, as looked up from outside, against what arrived at a broker
and in files. Pure; says in words what is missing, doubled, changed or invented."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from attrs import define, field, frozen

from concentrator.model.reading import Quality
from concentrator.model.record import EVENT_PERIOD, Record
from tests.support.whole import at, rows_of

Identity = tuple[str, int]
_RANK = {quality: rank for rank, quality in enumerate(Quality)}
_NAME = re.compile(r"\d{10}_(?P<serial>.+)_(?P<span>\w{16}_\w{16})\.(?P<form>csv|json)(?P<ousted>\.\d+)?")
"""A file's name, read from both ends, for a serial may contain underscores; a number follows it where the file had to
make room."""
_CHANGING = ("backfill", "alias")
"""What two copies of one message may differ in: the one may have come late, and a device may have been renamed."""


def identity(record: Record) -> Identity:
    """What a record is known by for ever."""
    return record.journal, record.n


@frozen
class Row:
    """A row of a file: the device's serial, its end, values, quality (`late` in a CSV file's late rows), number where
    the file says it, and whether the file had to make room for another one of its name."""

    serial: str
    end: int
    values: Mapping[str, float]
    quality: str
    n: int | None
    is_ousted: bool = False

    def tells_of(self, record: Record) -> bool:
        """Whether this row is the record, to the letter."""
        draft = record.draft
        return (
            (self.serial, self.end) == (draft.serial, draft.end)
            and self.values == record.values
            and self.quality in (draft.quality.value, "late")
            and self.n in (None, record.n)
        )


@define
class Ledger:
    """`known`: every record that was ever seen in a journal; `gone`: those of them that went with a journal that was
    damaged or put back; `again`: those that stood in it afterwards, and so may be told again."""

    known: dict[Identity, Record] = field(factory=dict)
    gone: set[Identity] = field(factory=set)
    again: set[Identity] = field(factory=set)
    _present: set[Identity] = field(factory=set)

    def looked(self, records: Iterable[Record], may_lose: bool = False) -> list[str]:
        """Enters what a journal holds now. What it held the last time must be there still, unless `may_lose`: it was
        damaged or put back since. Gives what is wrong with it."""
        faults, now = [], set()
        for record in records:
            name = identity(record)
            if name in now:
                faults.append(f"{_said(name)} stands in the journal twice")
            now.add(name)
            before = self.known.setdefault(name, record)
            if (before.draft, before.values) != (record.draft, record.values):
                faults.append(
                    f"{_told(before)} is now {_told(record)}: {_differences(_message_of(before), _message_of(record))}"
                )
                self.known[name] = record
        missing = self._present - now
        if missing and not may_lose:
            faults.append(f"{len(missing)} records vanished from the journal, the first is {_said(min(missing))}")
        if may_lose:
            self.again |= now
        self._present = now
        self.gone = (self.gone | missing) - now
        return faults

    def of_period(self, period_s: int, until: float) -> list[Record]:
        """The known records of a period that are not gone and ended at or before `until`, by number."""
        mine = (self.known[name] for name in self.known.keys() - self.gone)
        return sorted((r for r in mine if r.draft.period == period_s and r.draft.end <= until), key=lambda r: r.n)

    # -- the broker

    def unpublished(self, period_s: int, until: float, payloads: Iterable[Mapping[str, Any]]) -> list[str]:
        """Which records that ended at or before `until` (events: period 0) no message tells; in words."""
        got = {(payload["j"], payload["n"]) for payload in payloads if "n" in payload}
        return [
            f"{_told(record)} was not published"
            for record in self.of_period(period_s, until)
            if identity(record) not in got
        ]

    def misprinted(self, payloads: Iterable[Mapping[str, Any]]) -> list[str]:
        """Which messages tell what no journal held, or of one record two things; in words."""
        faults = []
        for payload in payloads:
            record = self.known.get((payload["j"], payload["n"]))
            if record is None:
                faults.append(f"message {payload['j']}/{payload['n']} was in no journal")
            elif _facts(payload) != _facts(_message_of(record)):
                wrong = _differences(_facts(payload), _facts(_message_of(record)))
                faults.append(f"the message of {_told(record)} differs: {wrong}")
        return faults

    # -- the files

    def unfiled(self, period_s: int, until: float, rows: Iterable[Row]) -> list[str]:
        """Which records that ended at or before `until` no row tells, nor one of a better or newer record of the same
        interval; in words."""
        by_interval = _by_interval(rows)
        known = defaultdict(list)
        for record in self.known.values():
            if record.draft.period == period_s:
                known[record.draft.serial, record.draft.end].append(record)
        faults = []
        for record in self.of_period(period_s, until):
            interval = record.draft.serial, record.draft.end
            as_good = [rival for rival in known[interval] if _worth(rival) >= _worth(record)]
            if not any(row.tells_of(rival) for row in by_interval[interval] for rival in as_good):
                faults.append(f"{_told(record)} is in no file")
        return faults

    def misfiled(self, period_s: int, rows: Iterable[Row]) -> list[str]:
        """Which rows tell what no journal held, or tell a record once more; in words."""
        known = defaultdict(list)
        for record in self.known.values():
            if record.draft.period == period_s:
                known[record.draft.serial, record.draft.end].append(record)
        faults = []
        told: Counter[Identity] = Counter()
        for row in rows:
            meant = [record for record in known[row.serial, row.end] if row.tells_of(record)]
            if not meant:
                faults.append(f"{row} was in no journal")
            elif not row.is_ousted and not self.again.intersection(map(identity, meant)):
                # records that say the same stand for each other
                told[min(map(identity, meant), key=lambda name: told[name])] += 1
        return faults + [f"{_told(self.known[name])} is in {count} files" for name, count in told.items() if count > 1]


def rows_in(files: Mapping[str, bytes]) -> list[Row]:
    """The rows of all complete files, CSV or JSON."""
    rows = []
    for name, content in sorted(files.items()):
        if (parsed := _NAME.fullmatch(PurePath(name).name)) is None:
            continue
        serial, is_ousted = parsed["serial"], parsed["ousted"] is not None
        if parsed["form"] == "json":
            for row in json.loads(content)["rows"]:
                quality = "late" if row.get("late") else row["quality"]
                rows.append(Row(serial, at(row["time"]), row["values"], quality, row["n"], is_ousted))
        else:
            for end, values, quality in rows_of(content.decode()):
                rows.append(Row(serial, end, values, quality, None, is_ousted))
    return rows


def untidy(files: Iterable[str]) -> list[str]:
    """Files with names that none should have, and periods with more than one file; in words."""
    names = [PurePath(name).name for name in files]
    strange = [
        f"{name} is no file's name" for name in names if not _NAME.fullmatch(name) and not name.endswith(".part")
    ]
    whole = Counter(
        (parsed["serial"], parsed["span"])
        for name in names
        if (parsed := _NAME.fullmatch(name)) is not None and parsed["ousted"] is None
    )
    return strange + [f"{period} has {count} files" for period, count in whole.items() if count > 1]


def _by_interval(rows: Iterable[Row]) -> dict[tuple[str, int], list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[row.serial, row.end].append(row)
    return found


def _worth(record: Record) -> tuple[int, int]:
    return -_RANK[record.draft.quality], record.n


def _facts(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fact for name, fact in payload.items() if name not in _CHANGING}


def _message_of(record: Record) -> dict[str, Any]:
    draft = record.draft
    own = {"v": 1, "j": record.journal, "n": record.n}
    if draft.period == EVENT_PERIOD:
        return {**draft.event, **own, "ts": _utc_text(draft.end)}
    return {
        **own,
        "serial": draft.serial,
        "ts": _utc_text(draft.end),
        "period": draft.period,
        "values": record.values,
        "quality": draft.quality.value,
        **({"coverage": draft.coverage} if draft.quality is Quality.PARTIAL and draft.coverage is not None else {}),
    }


def _utc_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _told(record: Record) -> str:
    draft = record.draft
    what = f"{draft.serial} {draft.end}" if draft.period else f"event {draft.event.get('event')}"
    return f"{_said(identity(record))} ({what}, {draft.quality.value})"


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return str({name: (one.get(name), other.get(name)) for name in names})[:300]


def _said(name: Identity) -> str:
    return f"{name[0]}/{name[1]}"
