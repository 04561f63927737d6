"""How readings come into intervals: each device's values sifted from what cannot be, in the columns its records have,
with the time they speak for. Hides what is remembered of a device from one reading to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from concentrator.api import Report
from concentrator.journal.merge import Interval
from concentrator.journal.plausible import Watch
from concentrator.model.quantity import Quantity
from concentrator.model.reading import Reading
from concentrator.model.record import UNHEARD

TELL_EVERY_S = 3600.0
"""How often a device's absurd values are told at most."""

Describe = Callable[[str], tuple[str, tuple[Quantity, ...]]]
"""A device's serial (empty while it is not known) and the columns of its records."""


@define(eq=False)
class Intake:
    """Makes intervals of `base_s` seconds and puts readings into them. What devices say that cannot be is told by
    `value.absurd`: {device, values, text}."""

    _describe: Describe
    _base_s: int
    _clock: IReactorTime
    _report: Report
    _began: float = field(init=False)
    _watches: dict[str, Watch] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._began = self._clock.seconds()

    def interval(self, uid: str) -> Interval:
        """A new interval of a device."""
        serial, columns = self._describe(uid)
        watch = self._watches.get(uid)
        if watch is None or watch.columns != columns:
            now = self._clock.seconds()
            # Devices that are first heard shortly after the start were asked all the time.
            is_first = watch is None and now - self._began <= 2 * self._base_s
            watch = self._watches[uid] = Watch(columns, max(self._began, now - self._base_s) if is_first else None)
        return Interval(uid, serial, watch.columns)

    def serial(self, uid: str) -> str:
        """What a device is called in its records, as far as that is known by now."""
        return self._describe(uid)[0] or uid

    def put(self, reading: Reading, interval: Interval) -> None:
        """Puts a reading into an interval of its device that was made here."""
        watch, now = self._watches[reading.uid], self._clock.seconds()
        is_heard = reading.quality not in UNHEARD
        lasted_s = watch.lasted(now, is_heard)
        if not is_heard:
            interval.note(reading.quality)
        elif interval.columns is watch.columns:
            steps = watch.sifted(reading.values, now)
            interval.take(steps, reading.quality, lasted_s, len(reading.missing) + watch.withheld)
            if watch.held:
                self._tell(reading.uid, watch, now)
        else:
            # Its columns have become others since the interval was begun.
            interval.add(reading.values, reading.missing, reading.quality, lasted_s)

    def _tell(self, uid: str, watch: Watch, now: float) -> None:
        if now - watch.told_at < TELL_EVERY_S:
            return
        watch.told_at = now
        units = {column.name: column.unit for column in watch.columns}
        shown = ", ".join(f"{name} = {value:.12g} {units[name]}".rstrip() for name, value in watch.held.items())
        facts: dict[str, Any] = {"device": uid, "values": dict(watch.held)}
        text = f"It says {shown}, which cannot be. That is left out until it is read three times in a row."
        self._report("value.absurd", {**facts, "text": text})
        watch.held.clear()
