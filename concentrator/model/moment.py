"""Moments as people write them. Pure: a text, the present and a time zone in, UTC seconds out."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

RULE = (
    "a day such as 2026-11-21, today or yesterday, a time such as 2026-11-21T10:15 or with offset "
    "2026-11-21T10:15+01:00, or now"
)
"""What may be written."""

_DAYS = {"today": 0, "yesterday": 1}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def moment(text: str, now: float, zone: tzinfo, *, is_end: bool = False) -> int:
    """UTC seconds of a moment. A day is its first moment, or where a range ends with it (`is_end`) the first one after
    it; times without an offset are those of `zone`, the first one where it comes twice. Raises ValueError."""
    try:
        return _read(text.strip(), now, zone, is_end)
    except OverflowError:
        raise ValueError(f"{text} is out of range") from None


def _read(text: str, now: float, zone: tzinfo, is_end: bool) -> int:
    if text == "now":
        return int(now)
    if text in _DAYS:
        return _midnight(datetime.fromtimestamp(now, zone).date() - timedelta(_DAYS[text] - is_end), zone)
    if _DAY.fullmatch(text):
        return _midnight(date.fromisoformat(text) + timedelta(is_end), zone)
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    return _seconds(found)


def _midnight(day: date, zone: tzinfo) -> int:
    return _seconds(datetime(day.year, day.month, day.day, tzinfo=zone))


def _seconds(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp())
