"""What the MQTT uplink says, and where: topics and JSON payloads of records and of the box's own state. Pure; hides
the wire names, which are a contract with people's receivers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from attrs import frozen

from concentrator.model.record import EVENT_PERIOD, Record

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

    @property
    def _status(self) -> str:
        return f"{self.prefix}/{self.box}/status"


def is_live(record: Record, now: float) -> bool:
    """Whether a record sent at `now` (UTC seconds) tells of the present: its interval ended no longer ago than one
    more interval and ten seconds."""
    return now - record.draft.end <= record.draft.period + LIVE_MARGIN_S


def utc_text(at: float) -> str:
    """UTC seconds as ISO 8601 in whole seconds, with Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _interval(record: Record, alias: str, now: float) -> bytes:
    draft = record.draft
    return _packed(
        {
            "v": VERSION,
            "j": record.journal,
            "n": record.n,
            "serial": draft.serial,
            "alias": alias,
            "ts": utc_text(draft.end),
            "period": draft.period,
            "values": record.values,
            "quality": draft.quality.value,
            **_lateness(record, now),
        }
    )


def _event(record: Record, now: float) -> bytes:
    own = {"v": VERSION, "j": record.journal, "n": record.n, "ts": utc_text(record.draft.end)}
    facts = {name: fact for name, fact in record.draft.event.items() if name not in own}
    return _packed({**own, **facts, **_lateness(record, now)})


def _lateness(record: Record, now: float) -> Mapping[str, bool]:
    return {} if is_live(record, now) else {"backfill": True}


def _packed(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
