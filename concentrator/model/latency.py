"""Durations as people write them, and intervals aligned to the wall clock. Everything here is a pure function of
numbers: UTC seconds in, UTC seconds out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

_UNIT_S = {"s": 1, "min": 60, "h": 3600, "day": 86400, "days": 86400, "year": 31_536_000, "years": 31_536_000}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|days?|years?)\s*")

MQTT_LATENCIES_S = (10, 60, 300, 900, 3600)
"""The latencies an MQTT uplink offers, in seconds (CcMaster user manual, MQTT service)."""

BASE_INTERVAL_MAX_S = 60


def parse_duration(text: str) -> float:
    """Seconds of a duration such as "10 s", "15 min", "1 h", "7 days"; ValueError on anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return float(match[1]) * _UNIT_S[match[2]]


def format_duration(seconds: float) -> str:
    """The shortest way to write a duration so that `parse_duration` gives it back."""
    for unit in ("days", "h", "min"):
        if seconds >= _UNIT_S[unit] and seconds % _UNIT_S[unit] == 0:
            count = int(seconds // _UNIT_S[unit])
            return f"{count} {'day' if unit == 'days' and count == 1 else unit}"
    return f"{seconds:.15g} s"


def base_interval_s(latencies_s: Iterable[int]) -> int:
    """The base interval, in seconds: the smallest enabled latency, at most a minute (the minute where none is)."""
    return min((BASE_INTERVAL_MAX_S, *latencies_s))


def interval_end(at: float, period_s: int) -> int:
    """The end of the interval (end - period, end] that holds the moment `at`, in UTC seconds."""
    return -int((-at) // period_s) * period_s


def last_boundary(at: float, period_s: int) -> int:
    """The newest boundary at or before `at`, in UTC seconds."""
    return int(at // period_s) * period_s


def local_midnight(day: date, zone: ZoneInfo) -> int:
    """UTC seconds of the first moment of a local day (the first one of a midnight that is repeated)."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).timestamp())


def local_periods(at: float, latency_s: int, zone: ZoneInfo) -> tuple[int, ...]:
    """The boundaries of the local day that holds `at`: its midnight, one each latency after it, and the next
    midnight. A day of 23 or 25 hours has a shorter last period or more of them."""
    day = datetime.fromtimestamp(at, zone).date()
    start, end = local_midnight(day, zone), local_midnight(day + timedelta(days=1), zone)
    return (*range(start, end, latency_s), end)


def local_period(end: int, latency_s: int, zone: ZoneInfo) -> tuple[int, int]:
    """The file period (start, stop] that holds an interval ending at `end`, in UTC seconds."""
    bounds = local_periods(end - 1, latency_s, zone)
    return next((a, b) for a, b in pairwise(bounds) if a < end <= b)
