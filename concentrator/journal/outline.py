"""What a file will look like, learnt from its records one by one without keeping any of them: which of them become rows
and in what order, and which columns there are. Pure."""

from __future__ import annotations

from array import array
from itertools import pairwise

from attrs import define, field

from concentrator.model.quantity import Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import Record

_RANK = {quality: rank for rank, quality in enumerate(Quality)}


@define(eq=False)
class Outline:
    """The outline of the records that were put in. `uid`: the newest one's device; `period`: its length in seconds,
    None while there is no record."""

    uid: str = field(default="", init=False)
    period: int | None = field(default=None, init=False)
    _newest: tuple[int, int] = field(default=(0, 0), init=False)
    _numbers: array[int] = field(factory=lambda: array("q"), init=False)
    _ends: array[int] = field(factory=lambda: array("q"), init=False)
    _periods: array[int] = field(factory=lambda: array("q"), init=False)
    _grades: array[int] = field(factory=lambda: array("b"), init=False)
    _layouts: dict[tuple[Quantity, ...], tuple[int, int]] = field(factory=dict, init=False)

    def put(self, record: Record) -> None:
        """Takes note of a record."""
        draft = record.draft
        age = (draft.end, record.n)
        if age > self._newest:
            self._newest, self.uid, self.period = age, draft.uid, draft.period
        self._layouts[draft.columns] = max(age, self._layouts.get(draft.columns, age))
        self._numbers.append(record.n)
        self._ends.append(draft.end)
        self._periods.append(draft.period)
        self._grades.append(_RANK[draft.quality])

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all records, rising."""
        return tuple(sorted(self._numbers))

    @property
    def columns(self) -> tuple[Quantity, ...]:
        """The newest record's columns, and after them any that only older ones have."""
        found: dict[str, Quantity] = {}
        for columns in sorted(self._layouts, key=lambda columns: self._layouts[columns], reverse=True):
            for column in columns:
                found.setdefault(column.name, column)
        return tuple(found.values())

    def rows(self) -> array[int]:
        """The numbers of the records that become rows, in time order: of several for one interval the one of the best
        quality, and of equally good ones the newest."""
        if all(earlier < later for earlier, later in pairwise(self._ends)):
            return self._numbers  # they were told in time and once, as nearly always
        chosen: dict[tuple[int, int], int] = {}
        for i, interval in enumerate(zip(self._ends, self._periods, strict=True)):
            rival = chosen.get(interval)
            if rival is None or self._worth(i) > self._worth(rival):
                chosen[interval] = i
        return array("q", (self._numbers[chosen[interval]] for interval in sorted(chosen)))

    def _worth(self, i: int) -> tuple[int, int]:
        return -self._grades[i], self._numbers[i]
