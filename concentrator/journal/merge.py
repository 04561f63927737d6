"""What one device did in one interval: readings are added to it while it is open, records of shorter intervals are
absorbed into it. Pure and exact: the same readings give the same record, however they were grouped on the way."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from attrs import define, field

from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality, Value
from concentrator.model.record import Draft, Tally, in_steps

_UNUSED = (Quality.CONFLICT, Quality.SUSPENDED, Quality.SILENT)


@define(eq=False)
class Interval:
    """An interval in the making. `uid` and `serial`: its device; `columns`: the quantities it keeps, which absorbing
    may add to."""

    uid: str
    serial: str
    columns: tuple[Quantity, ...]
    # Count, total, least, most and last of each column: lists, for this is done for every value of every reading.
    _cells: list[list[int] | None] = field(init=False)
    _seen: set[Quality] = field(factory=set, init=False)
    _newest: Quality = field(default=Quality.GOOD, init=False)

    def __attrs_post_init__(self) -> None:
        self._cells = [None] * len(self.columns)

    @classmethod
    def of(cls, draft: Draft) -> Interval:
        """An interval that holds what the draft does."""
        interval = cls(draft.uid, draft.serial, draft.columns)
        interval.absorb(draft)
        return interval

    def add(self, values: Mapping[str, Value], missing: Collection[str], quality: Quality) -> None:
        """Adds one reading. Of a conflicting, suspended or silent one no value counts; text, numbers that are none,
        and names without a column are passed over."""
        self.note(Quality.PARTIAL if missing and quality is Quality.GOOD else quality)
        if quality in _UNUSED:
            return
        for i, column in enumerate(self.columns):
            value = values.get(column.name)
            if value is None or isinstance(value, str) or column.kind is Kind.TEXT or not math.isfinite(value):
                continue
            steps = in_steps(value, column)
            self._merge(i, 1, steps, steps, steps, steps)

    def absorb(self, later: Draft) -> None:
        """Takes in what a later record of the same device holds. A column whose unit, kind or digits changed begins
        anew, and the interval is partial."""
        self.note(later.quality)
        if later.columns is not self.columns and later.columns != self.columns:
            self._adopt(later.columns)
        places = {column.name: i for i, column in enumerate(self.columns)}
        for column, tally in zip(later.columns, later.tallies, strict=True):
            if tally is not None:
                self._merge(places[column.name], tally.count, tally.total, tally.least, tally.most, tally.last)

    def note(self, quality: Quality) -> None:
        """Takes into account how good something in the interval was."""
        self._seen.add(quality)
        self._newest = quality

    def draft(self, end: int, period: int) -> Draft:
        """The record of the interval (end - period, end]. With no value in it, it is as good as the newest reading;
        else it is good when everything in it was, and partial otherwise."""
        if not any(self._cells):
            quality = self._newest
        else:
            quality = Quality.GOOD if self._seen <= {Quality.GOOD} else Quality.PARTIAL
        tallies = tuple(_tally(cell, column) for cell, column in zip(self._cells, self.columns, strict=True))
        return Draft(self.uid, self.serial, end, period, self.columns, tallies, quality)

    def _merge(self, place: int, count: int, total: int, least: int, most: int, last: int) -> None:
        cell = self._cells[place]
        if cell is None:
            self._cells[place] = [count, total, least, most, last]
            return
        cell[0] += count
        cell[1] += total
        if least < cell[2]:
            cell[2] = least
        if most > cell[3]:
            cell[3] = most
        cell[4] = last

    def _adopt(self, columns: tuple[Quantity, ...]) -> None:
        held = {column.name: (column, cell) for column, cell in zip(self.columns, self._cells, strict=True)}
        for column in columns:
            before, cell = held.get(column.name, (column, None))
            if (before.unit, before.kind, before.digits) != (column.unit, column.kind, column.digits):
                cell = None
                self._seen.add(Quality.PARTIAL)
            held[column.name] = (column, cell)
        self.columns = tuple(column for column, _ in held.values())
        self._cells = [cell for _, cell in held.values()]


def _tally(cell: list[int] | None, column: Quantity) -> Tally | None:
    if cell is None:
        return None
    count, total, least, most, last = cell
    if column.kind is Kind.INSTANTANEOUS:
        return Tally(count, total, least, most, last)
    return Tally(count, last, last, last, last)
