"""The past as charts and tables want it: in a few hundred steps, whatever the range. Hides how long a step has to be,
and in how many small questions the journal is asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import tzinfo

from attrs import frozen
from twisted.internet.defer import Deferred

from concentrator.actions.history import DAY_S, moment_of, stranger
from concentrator.actions.present import stamp
from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.api import Wall
from concentrator.model.errors import OutOfRange, Unknown
from concentrator.model.reading import Value
from concentrator.model.trend import Course, Gap, Trend, joined, step_for, steps_of
from concentrator.model.words import hint

AT_ONCE = 3000
"""About how many records of a device are looked at in one go, so that a commit never waits long."""
STEPS_MOST = 2000
NAMES_MOST = 10
LATEST = 2**33
"""What lies later is not looked at: the calendar of steps ends some time after."""
GAPS_MOST = 200
DEVICES_MOST = 300

Ask = Callable[[str, Sequence[str], int, int, Sequence[int], int], Deferred[Trend]]
"""`ask(device, names, period, start, ends, until)`: the trend in the steps with those ends."""


@frozen
class TrendView:
    """What can be seen of the past in steps: short id and serial of every device with records; their trends; about how
    many records of a period some devices have in (start, stop]; the names that a device has now; the period of history
    in seconds, whether it is kept at all; and the zone whose days are meant."""

    devices: Callable[[], Deferred[list[tuple[str, str]]]]
    ask: Ask
    counted: Callable[[Sequence[str], int, int, int], Deferred[int]]
    names: Callable[[str], Collection[str]]
    period_s: Callable[[], int]
    is_kept: Callable[[], bool]
    zone: tzinfo


def trend_actions(past: TrendView, wall: Wall) -> tuple[Action, ...]:
    """`history.trend` and `history.count`."""

    async def trend(
        device: str,
        names: list[str],
        start: object,
        stop: object,
        period: int | None,
        step: int | None,
        steps: int,
    ) -> object:
        first, last = _range(start, stop, wall)
        (found,) = await _known(past, [device])
        uid, serial = found
        stranger(names, past.names(uid), device)
        period = period or past.period_s()
        step = step_for(last - first, period, steps) if step is None else step
        if step % period:
            raise OutOfRange(f"step: found {step}, expected a multiple of {period}, the seconds of a record")
        if (last - first) > STEPS_MOST * step:
            raise OutOfRange(f"step: found {step}, expected one with which the range has at most {STEPS_MOST} steps")
        ends = steps_of(first, last, step, period, past.zone)
        made = await _asked(past, uid, names, period, first, ends, int(wall.now()))
        return {
            "device": uid,
            "serial": serial,
            "period": period,
            "step": step,
            "kept": past.is_kept(),
            "ends": ends,
            "columns": [
                {"name": name, "unit": c.unit, "value": c.values, "least": c.least, "most": c.most}
                for name, c in made.courses.items()
            ],
            "gaps": [
                {"start": stamp(gap.start), "stop": stamp(gap.stop), "reason": gap.reason}
                for gap in made.gaps[:GAPS_MOST]
            ],
        }

    async def count(devices: list[str], start: object, stop: object, period: int | None) -> object:
        first, last = _range(start, stop, wall)
        period = period or past.period_s()
        uids = [uid for uid, _ in await _known(past, devices)]
        rows = await past.counted(uids, period, first, last)
        return {"period": period, "rows": rows, "kept": past.is_kept()}

    begin = Argument("start", Kind.VALUE, "ISO 8601 with offset, or UTC seconds; not included")
    end = Argument("stop", Kind.VALUE, "likewise; included; now where it is left out", False)
    period = Argument("period", Kind.INTEGER, "seconds of a record; that of history", False, least=1, most=DAY_S)
    return (
        Action(
            "history.trend",
            "What variables of a device did, in steps for a chart: of means the mean and extremes of each step, of "
            "counters and states the last value. ends: UTC seconds at which the steps end, by the local clock where "
            "they are longer than an hour; value, least, most: one for each, null where there is none; gaps: where "
            "there is nothing, and of which quality its records are.",
            Permission.READ,
            (
                Argument("device", Kind.TEXT, "its short id or serial", least=1),
                Argument("names", Kind.TEXTS, "the variables", least=1, most=NAMES_MOST),
                begin,
                end,
                period,
                Argument("step", Kind.INTEGER, "seconds of a step; the shortest that fits", False, least=1, most=DAY_S),
                Argument("steps", Kind.INTEGER, "at most so many, if it can be", False, 400, least=10, most=STEPS_MOST),
            ),
            lambda **arguments: Deferred.fromCoroutine(trend(**arguments)),
        ),
        Action(
            "history.count",
            "About how many records some devices have that end in (start, stop].",
            Permission.READ,
            (Argument("devices", Kind.TEXTS, "short ids or serials", least=1, most=DEVICES_MOST), begin, end, period),
            lambda **arguments: Deferred.fromCoroutine(count(**arguments)),
        ),
    )


def _range(start: object, stop: object, wall: Wall) -> tuple[int, int]:
    first, last = moment_of("start", start), wall.now() if stop is None else moment_of("stop", stop)
    if min(int(last), LATEST) <= int(first):
        raise OutOfRange("stop: expected a moment after start")
    return int(first), min(int(last), LATEST)


async def _known(past: TrendView, devices: Sequence[str]) -> list[tuple[str, str]]:
    """Short id and newest serial of devices by either. Raises Unknown."""
    known = await past.devices()
    found = []
    for device in devices:
        pairs = [pair for pair in known if device in pair]
        if not pairs:
            names = {each for pair in known for each in pair if each}
            raise Unknown(f"records of device {device}{hint(device, names)}")
        found.append(pairs[-1])
    return found


async def _asked(
    past: TrendView, uid: str, names: Sequence[str], period: int, start: int, ends: Sequence[int], now: int
) -> Trend:
    """The trend, some steps at a time."""
    step = max(1, (ends[-1] - start) // len(ends))
    at_once = max(1, AT_ONCE * period // step)
    units: dict[str, str] = {}
    runs: dict[tuple[str, str], list[Value | None]] = {}
    gaps: list[Gap] = []
    for place in range(0, len(ends), at_once):
        some = ends[place : place + at_once]
        made = await past.ask(uid, names, period, ends[place - 1] if place else start, some, now)
        gaps += made.gaps
        for name, course in made.courses.items():
            units[name] = course.unit
            for kind, run in (("value", course.values), ("least", course.least), ("most", course.most)):
                if run:
                    whole = runs.setdefault((name, kind), [None] * len(ends))
                    whole[place : place + len(some)] = run
    kinds = ("value", "least", "most")
    courses = {
        name: Course(units[name], *(runs.get((name, kind), ()) for kind in kinds)) for name in names if name in units
    }
    return Trend(courses, joined(gaps))
