"""Which record goes into which file, and when files are sent. Pure: numbers, ends and a time zone in, intents out; a
day of 23 or 25 hours is a day like any other."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from math import floor
from zoneinfo import ZoneInfo

from attrs import define, field

from concentrator.journal.intent import Intent
from concentrator.model.latency import local_period, local_periods

File = tuple[str, int, int]
"""A device's serial, and start and stop of a file period in UTC seconds."""


def last_moment(at: float, time_of_day_s: int, latency_s: int, zone: ZoneInfo) -> int:
    """The newest sending moment at or before `at`, in UTC seconds: every day they begin when the clock on the wall says
    `time_of_day_s` (seconds of an ordinary day), and come each `latency_s` until they begin again."""
    days = [day for day in _days(at, time_of_day_s, latency_s, zone) if day.start <= at]
    return max(day[min(len(day) - 1, int(at - day.start) // latency_s)] for day in days)


def next_moment(at: float, time_of_day_s: int, latency_s: int, zone: ZoneInfo) -> int:
    """The first sending moment after `at`."""
    days = [(day, max(0, floor(at - day.start) // latency_s + 1)) for day in _days(at, time_of_day_s, latency_s, zone)]
    return min(day[following] for day, following in days if following < len(day))


def last_stop(moment: int, latency_s: int, zone: ZoneInfo) -> int:
    """The end of the newest file period that is over at a moment."""
    return max(stop for stop in local_periods(moment, latency_s, zone) if stop <= moment)


def stem(box_serial: str, serial: str, start: int, stop: int) -> str:
    """A file's name without its ending."""
    return f"{box_serial}_{serial}_{_stamp(start)}_{_stamp(stop)}"


@define(eq=False)
class _Contents:
    numbers: array[int] = field(factory=lambda: array("q"))
    oldest: int = 2**62

    def put(self, n: int, end: int) -> None:
        self.numbers.append(n)
        self.oldest = min(self.oldest, end)

    def take(self, other: _Contents) -> None:
        self.numbers.extend(other.numbers)
        self.oldest = min(self.oldest, other.oldest)


@define(eq=False)
class Filing:
    """Sorts unsettled records into the files that are due when all periods up to `stop` are over. `kept`: the numbers
    of records that are in none of them."""

    stop: int
    latency_s: int
    zone: ZoneInfo
    kept: list[int] = field(factory=list, init=False)
    _files: dict[File, _Contents] = field(factory=dict, init=False)
    _period: tuple[int, int] = field(default=(0, 0), init=False)

    def put(self, n: int, serial: str, end: int) -> None:
        """Puts in a record; their numbers come rising."""
        if end > self.stop:
            self.kept.append(n)
            return
        if not self._period[0] < end <= self._period[1]:
            self._period = local_period(end, self.latency_s, self.zone)
        self._files.setdefault((serial, *self._period), _Contents()).put(n, end)

    @property
    def files(self) -> list[File]:
        """The files the records belong into, and for each device the one that may take late ones alone."""
        due = local_period(self.stop, self.latency_s, self.zone)
        return [*{*self._files, *((serial, *due) for serial, _, _ in self._files)}]

    def intents(self, reader: str, period: int, filed: Collection[File]) -> list[Intent]:
        """The files owed, in the order they are to be sent. The records of a file that was made before, one of
        `filed`, are late: they go into the device's next file, or wait for it."""
        owed = {file: contents for file, contents in self._files.items() if file not in filed}
        for (serial, start, stop), late in self._files.items():
            if (serial, start, stop) not in filed:
                continue
            later = [file for file in (*owed, *self.files) if file[0] == serial and file[1] >= stop]
            free = [file for file in later if file not in filed]
            if free:
                owed.setdefault(min(free, key=_age), _Contents()).take(late)
            else:
                self.kept += late.numbers
        return [
            Intent(reader, serial, period, start, stop, contents.oldest, tuple(sorted(contents.numbers)))
            for (serial, start, stop), contents in sorted(owed.items(), key=lambda item: _age(item[0]))
        ]


def _age(file: File) -> tuple[int, int, str]:
    serial, start, stop = file
    return stop, start, serial


def _days(at: float, time_of_day_s: int, latency_s: int, zone: ZoneInfo) -> Iterator[range]:
    """The sending moments of the days around."""
    today = datetime.fromtimestamp(at, zone).date()
    for offset in (-2, -1, 0, 1):
        begin, end = (_at(today + timedelta(offset + i), time_of_day_s, zone) for i in (0, 1))
        yield range(begin, end, latency_s)


def _at(day: date, time_of_day_s: int, zone: ZoneInfo) -> int:
    """UTC seconds of a time of a local day: the first one where it comes twice, and where the clock leaps over it, as
    much later as it leaps."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=time_of_day_s)
    return int(local.astimezone(UTC).timestamp())


def _stamp(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
