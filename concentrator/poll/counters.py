"""Counters that fall: what it means when a counter, which only ever rises, gives less than before. Hides how a register
that ran over is told from a device that began anew, and that a last digit may tremble. No difference is ever negative.

Theory. A whole-number register of w bits starts at 0 again after 2^w - 1. When the counter was just below that end and
is just above 0 now, it wrapped, and what passed between the two is known exactly. Every other fall is a reset: the
device was exchanged, set back or cleared, and what passed is not known. It is told once a second reading says so too:
a device that says 0 for once and goes on where it was has lost nothing. Less by one step of the counter is neither: a
meter that sums up phases or rounds a float may take a step back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from attrs import define, field, frozen

from concentrator.api import Report
from concentrator.model.profile import DeviceProfile, Point
from concentrator.model.quantity import Kind, unit_digits
from concentrator.model.reading import Quality, Reading, Value
from concentrator.profile.decode import encoding_at
from concentrator.profile.encodings import Form

WRAP_SHARE = 1 / 32
"""A counter has wrapped when no more than this share of its range passed since the last value: many times what any
meter counts while a line is down, and little enough that one set back at random is hardly ever taken for it."""

_FLOAT_STEP = {"f32": 2.0**-22, "f64": 2.0**-51}
"""Two steps of a floating point number, as a share of it (IEEE 754)."""


class Course(StrEnum):
    """What became of a counter between two readings."""

    ROSE = "rose"
    WRAPPED = "wrapped"
    RESET = "reset"


@frozen
class Difference:
    """What a counter counted between two readings, never less than 0; of one that was reset it is not known, and 0."""

    amount: float
    course: Course = Course.ROSE


@frozen
class Range:
    """How a counter counts, in its quantity's unit: it starts anew at `wrap_at`, or nobody knows where (None); `step`
    is its least step, or `share` of its value where that is more."""

    wrap_at: float | None = None
    step: float = 0.0
    share: float = 0.0

    @classmethod
    def of(cls, point: Point) -> Range:
        """The range of a point; one without an encoding tells its values itself, and not where they start anew."""
        if not point.encoding:
            return cls(None, 10.0**-point.quantity.digits, _FLOAT_STEP["f32"])
        encoding = encoding_at(point)
        if encoding.form is Form.FLOAT:
            return cls(None, 10.0**-point.quantity.digits, _FLOAT_STEP[encoding.name])
        if point.sf_address is not None:
            return cls(None, 10.0 ** -unit_digits(point.quantity.unit))
        step = abs(point.scale)
        return cls(step * 2.0**encoding.width, step)


def difference(before: float, after: float, wrap_at: float | None = None, tremble: float = 0.0) -> Difference:
    """What a counter counted from one value to the next. `wrap_at`: the value at which it starts at 0 again, None where
    that is not known; `tremble`: how much less is still the same."""
    fall = before - after
    if fall <= 0:
        return Difference(-fall)
    if fall <= tremble:
        return Difference(0.0)
    if wrap_at is not None and 0 <= (amount := wrap_at - fall) <= wrap_at * WRAP_SHARE:
        return Difference(amount, Course.WRAPPED)
    return Difference(0.0, Course.RESET)


def counters_of(profile: DeviceProfile) -> Mapping[str, Range]:
    """The counters among a device's points, by name; those that fall by design (the energy of a day) are none."""
    return {point.name: Range.of(point) for point in profile.points if point.quantity.kind is Kind.COUNTER}


@define(eq=False)
class CounterWatch:
    """A subscriber of the hub that tells when counters fall: by `counter.wrapped` and `counter.reset`, each {device,
    counters: {name: {from, to}}, text}, one event for all the counters of a reading that share a fate. `ranges` gives
    the counters of a device by its short id; empty where it is not known. What went before the program began, it does
    not know; values of another device (quality conflict) are not looked at."""

    report: Report
    ranges: Callable[[str], Mapping[str, Range]]
    _last: dict[str, dict[str, float]] = field(factory=dict, init=False)
    # What counters fell to that have not been read since.
    _doubted: dict[tuple[str, str], float] = field(factory=dict, init=False)

    def reading_received(self, reading: Reading) -> None:
        """Compares a reading's counters with what they were."""
        if not reading.values or reading.quality is Quality.CONFLICT:
            return
        last = self._last.setdefault(reading.uid, {})
        fallen: dict[Course, dict[str, tuple[float, float]]] = {}
        for name, limits in self.ranges(reading.uid).items():
            value = reading.values.get(name)
            if value is None or isinstance(value, str):
                continue
            before = last.get(name, value)
            if value < before:
                tremble = max(limits.step, before * limits.share)
                # Half a step more, for the values are floats and their difference is not exact.
                course = difference(before, value, limits.wrap_at, tremble + limits.step / 2).course
                if course is Course.ROSE:
                    continue
                fell_to = self._doubted.get((reading.uid, name))
                if course is Course.RESET and fell_to is None:
                    self._doubted[reading.uid, name] = value
                    continue
                fallen.setdefault(course, {})[name] = before, value if fell_to is None else fell_to
            last[name] = value
            self._doubted.pop((reading.uid, name), None)
        for course, counters in fallen.items():
            self._tell(reading.uid, course, counters)

    def forget(self, uid: str) -> None:
        """The device is another one from now on, or gone."""
        for name in self._last.pop(uid, {}):
            self._doubted.pop((uid, name), None)

    def _tell(self, uid: str, course: Course, counters: Mapping[str, tuple[Value, Value]]) -> None:
        told = ", ".join(f"{name} from {before:.12g} to {after:.12g}" for name, (before, after) in counters.items())
        facts = {name: {"from": before, "to": after} for name, (before, after) in counters.items()}
        self.report(f"counter.{course}", {"device": uid, "counters": facts, "text": told})
