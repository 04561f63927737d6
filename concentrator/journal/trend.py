"""Trends from the records: a device's series put together in longer steps, and where there is nothing and why. Runs in
the worker's thread."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from concentrator.journal.history import Series, series
from concentrator.journal.tables import Tables
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality, Value
from concentrator.model.record import UNHEARD
from concentrator.model.trend import Course, Gap, Trend, joined


def trend(
    tables: Tables, device: str, names: Sequence[str], period: int, start: int, ends: Sequence[int], until: int
) -> Trend:
    """What those quantities of a device (short id or serial) did from `start` on in steps with these ends (UTC seconds,
    rising), by its records of a period in seconds; gaps are told of up to the moment `until`. Raises Corrupt."""
    found = series(tables, device, names, period, start, ends[-1], extremes=True)
    courses = {name: _course(found, name, found.columns[name], ends) for name in names if name in found.columns}
    # The newest record comes a little after its end.
    last = ends[-1] if ends[-1] <= until else until - period
    return Trend(courses, joined(_gaps(found, period, start, last)))


def counted(tables: Tables, devices: Sequence[str], period: int, start: int, stop: int) -> int:
    """About how many records of a period those devices have that end in (start, stop]: of blocks that lie across the
    ends, their share."""
    ids = [each for device in devices for each in tables.names.device_ids(device)]
    among = f"period = ? AND device IN ({','.join('?' * len(ids))})"
    rows = f"SELECT count(*) FROM record WHERE {among} AND stop > ? AND stop <= ?"
    found: int = tables.sql.execute(rows, (period, *ids, start, stop)).fetchone()[0]
    blocks = f"SELECT count, first_end, last_end FROM block WHERE {among} AND last_end > ? AND first_end <= ?"
    for count, first, last in tables.sql.execute(blocks, (period, *ids, start, stop)):
        whole = last - first + period
        inside = min(last, stop) - max(first - period, start)
        found += round(count * min(1.0, inside / whole))
    return found


def _course(found: Series, name: str, column: Quantity, ends: Sequence[int]) -> Course:
    values = found.values[name]
    if column.kind is not Kind.INSTANTANEOUS:
        return Course(column.unit, _lasts(found.ends, values, ends))
    means: list[Value | None] = [None] * len(ends)
    least: list[Value | None] = [None] * len(ends)
    most: list[Value | None] = [None] * len(ends)
    for place, first, last in _steps(found.ends, ends):
        there = [value for value in values[first:last] if isinstance(value, int | float)]
        if not there:
            continue
        means[place] = there[0] if len(there) == 1 else round(sum(there) / len(there), column.digits + 1)
        least[place] = min(v for v in found.least[name][first:last] if isinstance(v, int | float))
        most[place] = max(v for v in found.most[name][first:last] if isinstance(v, int | float))
    return Course(column.unit, means, least, most)


def _lasts(given: Sequence[int], values: Sequence[Value | None], ends: Sequence[int]) -> list[Value | None]:
    lasts: list[Value | None] = [None] * len(ends)
    for place, first, last in _steps(given, ends):
        lasts[place] = next((value for value in reversed(values[first:last]) if value is not None), None)
    return lasts


def _steps(given: Sequence[int], ends: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Each step that has records: its place, and the range of these among the `given` ends."""
    at = 0
    while at < len(given):
        place = bisect_left(ends, given[at])
        if place == len(ends):
            return
        following = bisect_left(given, ends[place] + 1, at)
        yield place, at, following
        at = following


def _gaps(found: Series, period: int, start: int, until: int) -> Iterator[Gap]:
    """Every interval that nothing is known of. What lies before the first record that is not there is one too."""
    at = start
    runs = list(found.values.values())
    for i, end in enumerate(found.ends):
        covered = found.covered[i]
        begin = end - max(period, covered or 0)
        if end - period > at and begin > at:
            yield Gap(at, min(begin, end - period))
        if found.qualities[i] in UNHEARD or (
            found.qualities[i] is not Quality.GOOD and all(run[i] is None for run in runs)
        ):
            yield Gap(max(at, end - period), end, found.qualities[i].value)
        at = end
    if until - at >= period:
        yield Gap(at, until)
