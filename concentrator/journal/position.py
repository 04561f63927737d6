"""A reader's place in the journal: which numbers it has not settled yet. Pure; a short list of ranges whose last one
is open at the top, so that settling out of order, and keeping some numbers back, are the same operation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from attrs import frozen

Span = tuple[int, int]
"""The first and the last of a run of numbers, both included."""

_NO_END = 2**62


@frozen
class Position:
    """The unsettled numbers: the `closed` ranges, rising and apart from each other, and every one from `open_from`."""

    open_from: int
    closed: tuple[Span, ...] = ()

    def __contains__(self, n: int) -> bool:
        return n >= self.open_from or any(first <= n <= last for first, last in self.closed)

    def oldest(self, top: int) -> tuple[Span, ...]:
        """The unsettled ranges up to the number `top`, oldest first."""
        ranges = [(first, min(last, top)) for first, last in (*self.closed, (self.open_from, top))]
        return tuple((first, last) for first, last in ranges if first <= last)

    def newest(self, top: int) -> tuple[Span, ...]:
        """The same ranges, newest first."""
        return self.oldest(top)[::-1]

    def settle(self, span: Span, kept: Iterable[int] = ()) -> Position:
        """The position once everything in `span` but the numbers `kept` is settled. A kept number that was settled
        before stays settled."""
        first, last = span
        top = max(self.open_from, last + 1)
        kept = tuple(kept)
        left: list[Span] = []
        for low, high in self.oldest(top - 1):
            left += [(low, min(high, first - 1)), (max(low, last + 1), high)]
            left += [(n, n) for n in kept if max(low, first) <= n <= min(high, last)]
        joined = _joined(left)
        if joined and joined[-1][1] + 1 == top:
            top = joined.pop()[0]
        return Position(top, tuple(joined))


def reopened(position: Position, numbers: Iterable[int]) -> Position:
    """The position when those numbers are unsettled again."""
    spans = [*position.closed, *((n, n) for n in numbers if n < position.open_from)]
    return Position(position.open_from, tuple(_joined(spans)))


def clipped(spans: Iterable[Span], room: int, newest: bool = False) -> tuple[Span, ...]:
    """The first of the ranges, in the order given, up to `room` numbers; a range that does not fit whole loses its
    far end, which is the low one when they come newest first."""
    taken: list[Span] = []
    for first, last in spans:
        if room <= 0:
            break
        taken.append((max(first, last - room + 1), last) if newest else (first, min(last, first + room - 1)))
        room -= last - first + 1
    return tuple(taken)


def wanted(positions: Iterable[Position], most: int) -> tuple[Span, ...]:
    """The numbers that any of the positions holds, as rising ranges without end at the top. Where they are more than
    `most`, the narrowest gaps between them are filled, so that some numbers more are in them."""
    spans = _joined([span for position in positions for span in position.oldest(_NO_END)])
    gaps = sorted((after[0] - before[1], i) for i, (before, after) in enumerate(pairwise(spans)))
    filled = {i for _, i in gaps[: max(0, len(spans) - most)]}
    joined: list[Span] = []
    for i, (first, last) in enumerate(spans):
        if i - 1 in filled:
            first, _ = joined.pop()
        joined.append((first, last))
    return tuple(joined)


def pieces(spans: Iterable[Span], size: int) -> Iterator[Span]:
    """The same numbers in ranges of at most `size`."""
    for first, last in spans:
        for low in range(first, last + 1, size):
            yield low, min(last, low + size - 1)


def _joined(spans: Sequence[Span]) -> list[Span]:
    """The same numbers as few rising ranges."""
    joined: list[Span] = []
    for first, last in sorted(span for span in spans if span[0] <= span[1]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined
