"""Ranges of the past as people ask for them: a stretch of local time, and those that lie beside it, within it and
around it. Pure; hides that a local day may have 23 or 25 hours, and that an hour may come twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from attrs import frozen

from concentrator.model.moment import moment

HOUR_S, DAY_S, WEEK_S = 3600, 86_400, 604_800
LEAST_S = 600
"""No closer look than this."""
MOST_S = 3 * 366 * DAY_S


@frozen
class Range:
    """The stretch (start, stop] in UTC seconds, in a zone."""

    start: int
    stop: int
    zone: tzinfo

    @property
    def length_s(self) -> int:
        """Seconds of it."""
        return self.stop - self.start

    @property
    def has_change(self) -> bool:
        """Whether the clocks are changed within."""
        return _local(self.start, self.zone).utcoffset() != _local(self.stop, self.zone).utcoffset()

    @property
    def days(self) -> int:
        """Of how many whole local days it is; 0 where it is not of whole ones."""
        first, last = _local(self.start, self.zone), _local(self.stop, self.zone)
        is_whole = (first.hour, first.minute, last.hour, last.minute) == (0, 0, 0, 0)
        return (last.date() - first.date()).days if is_whole else 0

    def beside(self, places: int) -> Range:
        """The range of the same length so many lengths later (earlier, where negative): of days by the calendar."""
        if self.days:
            move = timedelta(days=self.days * places)
            return Range(_moved(self.start, move, self.zone), _moved(self.stop, move, self.zone), self.zone)
        return Range(self.start + places * self.length_s, self.stop + places * self.length_s, self.zone)

    def around(self, length_s: int) -> Range:
        """The range of a length around its middle."""
        length_s = min(max(length_s, LEAST_S), MOST_S)
        start = self.start + (self.length_s - length_s) // 2
        start -= start % 60
        return Range(start, start + length_s, self.zone)

    def last(self, length_s: int) -> Range:
        """The end of it, or what ends with it."""
        return Range(self.stop - length_s, self.stop, self.zone)

    def day(self, days: int = 0) -> Range:
        """The local day of its end, or one so many days from that."""
        midnight = _local(self.stop - 1, self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        first = midnight + timedelta(days=days)
        return Range(_utc(first), _utc(first + timedelta(days=1)), self.zone)

    def texts(self) -> tuple[str, str]:
        """Its bounds as a field for a date and a time has them, and as `asked` reads them again."""
        return _text(self.start, self.zone), _text(self.stop, self.zone)


def asked(first: str, last: str, now: float, zone: tzinfo) -> Range:
    """The range between two moments as people write them, each empty where none was given: the last day. Raises
    ValueError for what is no moment, no range, or longer than three years."""
    stop = moment(last, now, zone, is_end=True) if last else int(now)
    start = moment(first, now, zone) if first else stop - DAY_S
    if start >= stop or stop - start > MOST_S or start < 0:
        raise ValueError(f"{first} to {last} is no range")
    return Range(start, stop, zone)


def _local(at: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at, zone)


def _utc(local: datetime) -> int:
    return int(local.astimezone(UTC).timestamp())


def _moved(at: int, by: timedelta, zone: tzinfo) -> int:
    return _utc(_local(at, zone).replace(fold=0) + by)


def _text(at: int, zone: tzinfo) -> str:
    local = _local(at, zone)
    # Of an hour that comes twice the second one is said with its offset.
    return local.isoformat(timespec="minutes") if local.fold else f"{local:%Y-%m-%dT%H:%M}"
