"""Tallies that are decoded when they are looked at: of many records that are read few are looked at more closely."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from concentrator.model.record import Tally

Tallies = Sequence[Tally | None]


class LateTallies(Sequence[Tally | None]):
    """A record's tallies that are made of what `make` gives each time they are asked for, since many records are read
    and few of their tallies are looked at. They equal the tuple of them."""

    __slots__ = ("_make", "_size")

    def __init__(self, size: int, make: Callable[[], Tallies]) -> None:
        self._size, self._make = size, make

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Tally | None]:
        return iter(self._make())

    @overload
    def __getitem__(self, place: int) -> Tally | None: ...

    @overload
    def __getitem__(self, place: slice) -> Tallies: ...

    def __getitem__(self, place: int | slice) -> Tally | Tallies | None:
        return self._make()[place]

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, (tuple, LateTallies)) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))
