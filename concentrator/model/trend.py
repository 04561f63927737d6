"""Trends: what quantities did in a stretch of time, in steps that a chart or a table can show. Pure; hides where steps
begin and end, which for those longer than an hour is by the clocks on the wall, so that a local day of 23 or 25 hours
is one step, or 23 or 25 of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from attrs import frozen

from concentrator.model.latency import interval_end
from concentrator.model.reading import Value

STEPS_S = (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""The steps that are chosen from, besides the records' own period, in seconds."""
_HOUR_S = 3600


@frozen
class Gap:
    """A stretch without values, UTC seconds, and why: the quality its records have (conflict, suspended, silent), empty
    where there are no records."""

    start: int
    stop: int
    reason: str = ""


@frozen
class Course:
    """What one quantity did in each step: its mean and extremes, or of a counter or a state the last value alone; None
    where it has none. Of those that keep no extremes `least` and `most` are empty."""

    unit: str
    values: Sequence[Value | None]
    least: Sequence[Value | None] = ()
    most: Sequence[Value | None] = ()


@frozen
class Trend:
    """The courses of a device's quantities by name, of those it has at all, and the gaps, oldest first."""

    courses: Mapping[str, Course]
    gaps: Sequence[Gap] = ()


def step_for(span_s: int, period_s: int, most: int) -> int:
    """The shortest step, in seconds, that has a range of `span_s` in at most so many steps: the records' own period or
    a multiple of it. Of a range too long for that, a day."""
    steps = [period_s, *(step for step in STEPS_S if step > period_s and step % period_s == 0)]
    return next((step for step in steps if span_s <= step * most), steps[-1])


def steps_of(start: int, stop: int, step_s: int, period_s: int, zone: tzinfo) -> list[int]:
    """The ends of the steps that lie in (start, stop], UTC seconds, the last one at or after `stop`. Steps of the
    records' period end where records do; others by the local clock, up to an hour evenly."""
    if step_s == period_s or step_s <= _HOUR_S:
        shift = 0 if step_s == period_s else _offset(start, zone) % step_s
        end = interval_end(start + 1 + shift, step_s) - shift
        return list(range(end, stop + step_s, step_s))
    ends: list[int] = []
    local = _aligned(datetime.fromtimestamp(start, zone).replace(tzinfo=None), step_s)
    while not ends or ends[-1] < stop:
        local += timedelta(seconds=step_s)
        end = int(local.replace(tzinfo=zone).astimezone(UTC).timestamp())
        if end > max([start, *ends[-1:]]):
            ends.append(end)
    return ends


def joined(gaps: Iterable[Gap]) -> list[Gap]:
    """Gaps, of which those that touch and have one reason are one."""
    found: list[Gap] = []
    for gap in gaps:
        if found and found[-1].stop == gap.start and found[-1].reason == gap.reason:
            found[-1] = Gap(found[-1].start, gap.stop, gap.reason)
        else:
            found.append(gap)
    return found


def _aligned(local: datetime, step_s: int) -> datetime:
    """The last boundary of local time at or before a local time."""
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(seconds=(local - midnight).seconds // step_s * step_s)


def _offset(at: int, zone: tzinfo) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0
