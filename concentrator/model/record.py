"""Records: what the journal keeps and the uplinks send. An interval record holds, for each column, exact integer
tallies in steps of 10^-digits, so that merging records in any order gives the same sums to the last digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from attrs import field, frozen

from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality, Value

EVENT_PERIOD = 0
"""The period of an event record: it belongs to a moment, not to an interval."""

UNHEARD = (Quality.CONFLICT, Quality.SUSPENDED, Quality.SILENT)
"""What is read with these qualities does not count."""


class Tally(NamedTuple):
    """What one quantity did in one interval, in integer steps of 10^-digits of its column.

    Kinds other than instantaneous keep `count` and `last` only; their `total`, `least` and `most` equal `last`.
    """

    # A tuple, for there are forty of them in a record and this is the cheapest thing there is with names.
    count: int  # type: ignore[assignment]
    total: int
    least: int
    most: int
    last: int

    def merged(self, later: Tally, kind: Kind) -> Tally:
        """This tally and the one of a later interval as one; exact, whatever the grouping."""
        if kind is not Kind.INSTANTANEOUS:
            return Tally(self.count + later.count, later.last, later.last, later.last, later.last)
        return Tally(
            self.count + later.count,
            self.total + later.total,
            min(self.least, later.least),
            max(self.most, later.most),
            later.last,
        )

    def value(self, column: Quantity) -> Value:
        """The interval's value: the mean of an instantaneous quantity, the last of any other, rounded to the
        column's digits (half away from zero)."""
        if column.kind is Kind.INSTANTANEOUS:
            steps = (2 * abs(self.total) + self.count) // (2 * self.count)
            steps = -steps if self.total < 0 else steps
        else:
            steps = self.last
        return in_unit(steps, column)


def in_unit(steps: int, column: Quantity) -> Value:
    """An integer number of steps as a number in the column's unit: an int where it has no digits."""
    return steps if column.digits == 0 else steps / 10**column.digits


def in_steps(value: float, column: Quantity) -> int:
    """A number in the column's unit as the nearest integer number of its steps."""
    return round(value * 10**column.digits) if column.digits else round(value)


@frozen
class Draft:
    """A record before the journal has numbered it.

    `end`: UTC seconds of the interval's end, the interval being (end - period, end]; `period`: its length in seconds,
    0 for an event, whose moment `end` then is; `columns`: the quantities, in order, and `tallies` one for each or
    None where nothing was read; `event`: name and facts of an event, JSON-able, empty for an interval record;
    `covered`: for how many seconds of the interval the device was heard; None: for as long as its quality says, which
    is all of it for a good record and nothing for one without a value.
    """

    uid: str
    serial: str
    end: int
    period: int
    columns: tuple[Quantity, ...] = ()
    tallies: Sequence[Tally | None] = ()
    quality: Quality = Quality.GOOD
    event: Mapping[str, object] = field(factory=dict)
    covered: int | None = None

    @property
    def covered_s(self) -> int:
        """Seconds of the interval in which the device was heard; more than its period for a device that is asked less
        often than that, since a reading speaks for the time since the one before."""
        if self.covered is not None:
            return self.covered
        return 0 if self.quality in UNHEARD else self.period

    @property
    def coverage(self) -> float | None:
        """The share of the interval in which the device was heard, 0 to 1 in hundredths and below 1 where anything is
        lacking; None where that is not known, or no question."""
        if not self.period or (self.covered is None and self.quality is Quality.PARTIAL):
            return None
        if self.covered_s >= self.period:
            return 1.0
        return min(0.99, round(self.covered_s / self.period, 2))


@frozen
class Record:
    """A numbered record, readable because it is on the disk. Box serial, `journal` (the journal's id) and `n`
    (rising) identify it for ever; its fields are those of the `draft` it was made from."""

    journal: str
    n: int
    draft: Draft

    @property
    def values(self) -> dict[str, Value]:
        """Quantity name → value of the interval, for what was read in it, in column order."""
        return {
            column.name: tally.value(column)
            for column, tally in zip(self.draft.columns, self.draft.tallies, strict=True)
            if tally is not None
        }


@frozen
class Batch:
    """Records handed to one reader, oldest first, to be settled together.

    `span`: first and last number that were looked at; settling the batch settles every number in it but those of
    records neither accepted nor rejected.
    """

    reader: str
    records: Sequence[Record]
    span: tuple[int, int]


@frozen
class Receipt:
    """What became of a batch: the numbers the far side has taken, and those it never will, with the reason. Records
    in neither stay with the reader."""

    accepted: frozenset[int]
    rejected: Mapping[int, str] = field(factory=dict)
