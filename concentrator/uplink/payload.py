"""What the MQTT uplink says, and where: topics and JSON payloads of records and of the box's own state. Pure; hides
the wire names, which are a contract with people's receivers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from attrs import frozen

from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import EVENT_PERIOD, Draft, Record

VERSION = 1
LIVE_MARGIN_S = 10
"""How long after its interval, beyond one more interval, a record still counts as live."""

_SERIAL = re.compile(r"[A-Za-z0-9._-]+")


@frozen
class Message:
    """One publication: where it goes, its bytes, and whether the broker keeps it for those who come later."""

    topic: str
    payload: bytes
    retain: bool = False


@frozen
class Voice:
    """How one box speaks: everything it publishes begins with `prefix` (a leading /) and the box's serial number."""

    prefix: str
    box: str

    def record(self, record: Record, alias: str, now: float) -> Message:
        """An interval or an event, sent at `now` (UTC seconds); ValueError on what no receiver could take."""
        if record.draft.period == EVENT_PERIOD:
            return Message(f"{self.prefix}/{self.box}/event", _event(record, now))
        serial = record.draft.serial
        if not _SERIAL.fullmatch(serial):
            raise ValueError(f"serial: found {serial!r}, expected letters, digits, '.', '_' and '-'")
        return Message(f"{self.prefix}/{self.box}/{serial}/data", _interval(record, alias, now))

    def online(self, software: str, now: float) -> Message:
        """The birth message: the box is here, which version it runs, since when."""
        state = {"state": "online", "v": VERSION, "version": software, "ts": utc_text(now)}
        return Message(self._status, _packed(state), retain=True)

    def offline(self) -> Message:
        """The last will, and the last word."""
        return Message(self._status, _packed({"state": "offline"}), retain=True)

    def response(self, payload: bytes) -> Message:
        """The answer to a command."""
        return Message(f"{self.prefix}/{self.box}/rsp", payload)

    @property
    def _status(self) -> str:
        return f"{self.prefix}/{self.box}/status"


def is_live(record: Record, now: float) -> bool:
    """Whether a record sent at `now` (UTC seconds) tells of the present: its interval ended no longer ago than one
    more interval and ten seconds."""
    return now - record.draft.end <= record.draft.period + LIVE_MARGIN_S


def utc_text(at: float) -> str:
    """UTC seconds as ISO 8601 in whole seconds, with Z."""
    return _utc_text(int(at // 1))


@lru_cache(maxsize=16)  # the intervals of all devices end together
def _utc_text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _interval(record: Record, alias: str, now: float) -> bytes:
    """Written by hand, for there are many and most of each is numbers."""
    draft = record.draft
    heard = draft.coverage if draft.quality is Quality.PARTIAL else None
    coverage = "" if heard is None else f',"coverage":{heard}'
    late = "" if is_live(record, now) else ',"backfill":true'
    return (
        f'{{"v":{VERSION},"j":{_text(record.journal)},"n":{record.n},"serial":{_text(draft.serial)},'
        f'"alias":{_text(alias)},"ts":"{utc_text(draft.end)}","period":{draft.period},'
        f'"values":{{{_values(draft)}}},"quality":{_text(draft.quality.value)}{coverage}{late}}}'
    ).encode()


def _values(draft: Draft) -> str:
    """The values of an interval by name, as they stand in a JSON object: those of `Record.values`, and no
    dictionary."""
    found = []
    for (name, scale, is_mean), tally in zip(_spelling(draft.columns), draft.tallies, strict=True):
        if tally is None:
            continue
        count, total, _, _, steps = tally
        if is_mean and count == 1:
            steps = total
        elif is_mean:
            steps = (2 * total + count) // (2 * count) if total >= 0 else -((count - 2 * total) // (2 * count))
        found.append(f"{name}{steps / scale!r}" if scale else f"{name}{steps}")
    return ",".join(found)


_Spelling = tuple[tuple[str, int, bool], ...]
"""Of each column its name as a JSON key, what its steps are divided by (0: by nothing), whether it is a mean."""

_known: dict[int, tuple[Sequence[Quantity], _Spelling]] = {}
_MOST_KNOWN = 256


def _spelling(columns: Sequence[Quantity]) -> _Spelling:
    """How columns are spelt. It is known of the same object from the last time: its hash would cost more than that."""
    known = _known.get(id(columns))
    if known is not None and known[0] is columns:
        return known[1]
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    spelling = tuple(
        (f"{_text(each.name)}:", 10**each.digits if each.digits else 0, each.kind is Kind.INSTANTANEOUS)
        for each in columns
    )
    _known[id(columns)] = columns, spelling
    return spelling


def _event(record: Record, now: float) -> bytes:
    own = {"v": VERSION, "j": record.journal, "n": record.n, "ts": utc_text(record.draft.end)}
    facts = {name: fact for name, fact in record.draft.event.items() if name not in own}
    return _packed({**own, **facts, **_lateness(record, now)})


def _lateness(record: Record, now: float) -> Mapping[str, bool]:
    return {} if is_live(record, now) else {"backfill": True}


@lru_cache(maxsize=1024)
def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _packed(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
