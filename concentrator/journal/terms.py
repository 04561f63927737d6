"""Which periods a reader takes, from which record number on. Pure. A reader whose latency is changed still gets the
records of the former period that it had not taken by then, and none of them twice: what it takes is decided by a
record's number, and only from the change on by the new periods."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from attrs import frozen

from concentrator.journal.position import Span

_NO_END = 2**62


@frozen
class Terms:
    """The first numbers of the terms, rising, and the periods (seconds) that are taken in each; the last one is open
    at the top, and what is below the first belongs to it."""

    firsts: tuple[int, ...]
    periods: tuple[frozenset[int], ...]

    @classmethod
    def of(cls, periods: Iterable[int]) -> Terms:
        """One term for all numbers."""
        return cls((0,), (frozenset(periods),))

    @property
    def now(self) -> frozenset[int]:
        """What is taken from now on."""
        return self.periods[-1]

    def at(self, n: int) -> frozenset[int]:
        """What is taken of the record `n`."""
        return self.periods[self._index(n)]

    def take(self, period: int) -> bool:
        """Whether records of that period are taken in any term."""
        return any(period in periods for periods in self.periods)

    def changed(self, n: int, periods: Iterable[int], unsettled_from: int) -> Terms:
        """The terms once other periods are taken from the number `n` on; those that end below `unsettled_from` have
        nothing left to say and go."""
        wanted = frozenset(periods)
        kept = [each for each in zip(self.firsts, self.periods, strict=True) if each[0] < n]
        if not kept or kept[-1][1] != wanted:
            kept.append((n, wanted))
        start = bisect_right([first for first, _ in kept], max(unsettled_from, kept[0][0])) - 1
        firsts, taken = zip(*kept[start:], strict=True)
        return Terms(firsts, taken)

    def split(self, spans: Iterable[Span]) -> tuple[tuple[Span, frozenset[int]], ...]:
        """The ranges, cut where a term ends, each with what is taken there."""
        found = []
        for first, last in spans:
            while first <= last:
                _, end = self._bounds(first)
                found.append(((first, min(end, last)), self.at(first)))
                first = min(end, last) + 1
        return tuple(found)

    def leading(self, spans: Sequence[Span], newest: bool = False) -> tuple[tuple[Span, ...], frozenset[int]]:
        """What of the ranges lies in the term of the first of them (of its newest number where the ranges come newest
        first), in the same order, and what is taken there."""
        n = spans[0][1] if newest else spans[0][0]
        low, high = self._bounds(n)
        within = [(max(first, low), min(last, high)) for first, last in spans]
        return tuple(span for span in within if span[0] <= span[1]), self.at(n)

    def _index(self, n: int) -> int:
        return max(0, bisect_right(self.firsts, n) - 1)

    def _bounds(self, n: int) -> Span:
        i = self._index(n)
        ends = (*self.firsts[1:], _NO_END)
        return (self.firsts[i] if i else 0), ends[i] - 1
