"""What one device did in one interval: readings are added to it while it is open, records of shorter intervals are
absorbed into it. Pure and exact: the same readings give the same record, however they were grouped on the way."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from attrs import define, evolve, field

from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality, Value
from concentrator.model.record import UNHEARD, Draft, Tally, in_steps


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
    _heard_s: float = field(default=0.0, init=False)
    _longest_s: float = field(default=0.0, init=False)
    _is_merged: bool = field(default=False, init=False)
    _is_cut: bool = field(default=False, init=False)
    _is_known: bool = field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        self._cells = [None] * len(self.columns)

    @classmethod
    def of(cls, draft: Draft) -> Interval:
        """An interval that holds what the draft does."""
        interval = cls(draft.uid, draft.serial, draft.columns)
        interval.absorb(draft)
        return interval

    def add(
        self, values: Mapping[str, Value], missing: Collection[str], quality: Quality, lasted_s: float = 0.0
    ) -> None:
        """Adds one reading, which speaks for so many seconds. Of a conflicting, suspended or silent one no value
        counts; text, numbers that are none, and names without a column are passed over."""
        steps: list[int | None] = [None] * len(self.columns)
        for i, column in enumerate(self.columns):
            value = values.get(column.name)
            if value is None or isinstance(value, str) or column.kind is Kind.TEXT or not math.isfinite(value):
                continue
            steps[i] = in_steps(value, column)
        self.take(steps, quality, lasted_s, len(missing))

    def take(self, steps: Sequence[int | None], quality: Quality, lasted_s: float = 0.0, missing: int = 0) -> None:
        """Adds one reading as steps of the columns, None where there is no value. `missing`: how many values it
        should have had besides; the seconds it speaks for count in proportion."""
        if quality in UNHEARD:
            self.note(quality)
            return
        self.note(Quality.PARTIAL if missing and quality is Quality.GOOD else quality)
        cells, come = self._cells, 0
        for i, step in enumerate(steps):
            if step is None:
                continue
            come += 1
            cell = cells[i]
            if cell is None:
                cells[i] = [1, step, step, step, step]
                continue
            cell[0] += 1
            cell[1] += step
            if step < cell[2]:
                cell[2] = step
            if step > cell[3]:
                cell[3] = step
            cell[4] = step
        self._heard_s += lasted_s * come / (come + missing) if missing else lasted_s
        self._longest_s = max(self._longest_s, lasted_s)

    def absorb(self, later: Draft) -> None:
        """Takes in what a later record of the same device holds. A column whose unit, kind or digits changed begins
        anew, and the interval is partial."""
        self.note(later.quality)
        self._is_merged = True
        self._heard_s += later.covered_s
        self._longest_s = max(self._longest_s, later.covered_s)
        self._is_known &= later.coverage is not None
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

    def cut(self) -> None:
        """Takes into account that the interval was begun, left or entered in its middle: it is partial if more of it
        is lacking than lies between two readings."""
        self._is_cut = True

    def draft(self, end: int, period: int) -> Draft:
        """The record of the interval (end - period, end]. With no value in it, it is as good as the newest reading;
        else it is good when everything in it was and nothing is lacking, and partial otherwise."""
        if not any(self._cells):
            quality, covered = self._newest, 0 if self._newest is Quality.PARTIAL else None
        elif self._seen <= {Quality.GOOD} and not self._lacks(period):
            quality = Quality.GOOD
            # Of a device that is asked less often than once an interval, a record speaks for more than its own.
            is_seldom = self._longest_s > period and not self._is_merged
            covered = math.ceil(self._heard_s) if is_seldom else None
        else:
            quality = Quality.PARTIAL
            covered = min(max(1, round(self._heard_s)), period) if self._is_known else None
        tallies = tuple(_tally(cell, column) for cell, column in zip(self._cells, self.columns, strict=True))
        return Draft(self.uid, self.serial, end, period, self.columns, tallies, quality, covered=covered)

    def _lacks(self, period: int) -> bool:
        if self._is_merged:
            return self._is_known and self._heard_s + self._longest_s <= period
        return self._is_cut and self._heard_s + self._longest_s < period

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


def corrected(held: Draft, later: Draft) -> Draft:
    """The record of an interval that had one already, made of what that says and of what has come since; as good as
    the better of the two, for it has all that either has."""
    whole = Interval.of(held)
    whole.absorb(later)
    draft = whole.draft(held.end, held.period)
    for part in (held, later):
        if part.quality is Quality.GOOD:
            return evolve(draft, quality=part.quality, covered=part.covered)
    return draft


def _tally(cell: list[int] | None, column: Quantity) -> Tally | None:
    if cell is None:
        return None
    count, total, least, most, last = cell
    if column.kind is Kind.INSTANTANEOUS:
        return Tally(count, total, least, most, last)
    return Tally(count, last, last, last, last)
