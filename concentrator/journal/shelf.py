"""The sealed blocks in the file: where they are found by number and by time, and how they come and go. Hides their
table, and which of them are kept open in memory. Every method runs in the worker's thread."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from attrs import astuple, frozen

from concentrator.journal.blocks import Block, Place, Sealed
from concentrator.journal.names import Columns
from concentrator.journal.position import Span

LONGEST_S = 7 * 86_400
"""No block holds more time than this, from its first end to its last."""

_NUMBERS_OPEN = 400_000
"""How many numbers of open blocks are kept, at eight bytes each."""

_BLOCKS_OPEN = 128


@frozen
class Found:
    """A record in a block: its number and its place there."""

    n: int
    block: Block
    i: int


class Shelf:
    """The blocks of one open file. `columns` gives a layout's columns."""

    def __init__(self, sql: sqlite3.Connection, columns: Callable[[int], Columns]) -> None:
        self._sql = sql
        self._columns = columns
        self._open: OrderedDict[int, Block] = OrderedDict()

    def forget(self) -> None:
        """Keeps no block open."""
        self._open.clear()

    def put(self, sealed: Sealed, is_tight: bool) -> None:
        """Adds a block."""
        row = (*astuple(sealed.place), is_tight, sealed.directory, sealed.content)
        into = "INSERT INTO block (period, device, layout, first_n, last_n, first_end, last_end, count, is_tight"
        self._sql.execute(f"{into}, directory, content) VALUES ({','.join('?' * len(row))})", row)

    def remove(self, ids: Iterable[int]) -> None:
        """Takes blocks away."""
        for identity in ids:
            self._open.pop(identity, None)
            self._sql.execute("DELETE FROM block WHERE id = ?", (identity,))

    def ids(self) -> list[int]:
        """The ids of all blocks, by their first numbers."""
        return [identity for (identity,) in self._sql.execute("SELECT id FROM block ORDER BY first_n")]

    def open(self, identity: int) -> Block | None:
        """The block with an id, if it is there. Raises Corrupt, as does everything below."""
        if identity in self._open:
            self._open.move_to_end(identity)
            return self._open[identity]
        select = "SELECT period, device, layout, first_n, last_n, first_end, last_end, count, directory FROM block"
        row = self._sql.execute(f"{select} WHERE id = ?", (identity,)).fetchone()
        if row is None:
            return None
        *place, directory = row
        block = Block(Place(*place), self._columns(place[2]), directory, partial(self._take, identity))
        self._open[identity] = block
        self._trim()
        return block

    def between(self, first_n: int, last_n: int, periods: Collection[int], newest: bool = False) -> Iterator[Block]:
        """The blocks with numbers of that range, of those periods: by their first one or, for `newest`, by their last
        one, falling."""
        order = "last_n DESC" if newest else "first_n"
        where = f"last_n >= ? AND first_n <= ? AND period IN ({','.join('?' * len(periods))})"
        select = f"SELECT id FROM block WHERE {where} ORDER BY {order}"
        return self._opened(self._sql.execute(select, (first_n, last_n, *periods)))

    def in_time(self, period: int, start: int, stop: int, devices: Collection[int] | None = None) -> Iterator[Block]:
        """The blocks of a period, of those devices or of all, with ends that may lie in (start, stop], by their last
        end."""
        where = "period = ? AND last_end > ? AND last_end < ? AND first_end <= ?"
        if devices is not None:
            where += f" AND device IN ({','.join('?' * len(devices))})"
        select = f"SELECT id FROM block WHERE {where} ORDER BY last_end"
        return self._opened(self._sql.execute(select, (period, start, stop + LONGEST_S, stop, *(devices or ()))))

    def layouts(self, period: int, start: int, stop: int, devices: Collection[int]) -> list[tuple[int, int]]:
        """The ids of the layouts of these devices' blocks that may have ends in (start, stop], with the last end."""
        where = "period = ? AND last_end > ? AND last_end < ? AND first_end <= ?"
        among = f"device IN ({','.join('?' * len(devices))}) GROUP BY layout"
        select = f"SELECT layout, max(last_end) FROM block WHERE {where} AND {among}"
        return self._sql.execute(select, (period, start, stop + LONGEST_S, stop, *devices)).fetchall()

    def find(self, span: Span, periods: Collection[int], limit: int, newest: bool) -> list[Found]:
        """Up to `limit` records of those periods in the span, the oldest or the newest of them; rising."""
        found: list[Found] = []
        for block in self.between(*span, periods, newest):
            if len(found) == limit and not (
                block.place.last_n > found[0].n if newest else block.place.first_n < found[-1].n
            ):
                break
            low, high = bisect_left(block.ns, span[0]), bisect_right(block.ns, span[1])
            low, high = (max(low, high - limit), high) if newest else (low, min(high, low + limit))
            found += [Found(block.ns[i], block, i) for i in range(low, high)]
            found.sort(key=_number)
            found = found[-limit:] if newest else found[:limit]
        return found

    def numbered(self, numbers: Collection[int]) -> list[Found]:
        """The records with these numbers."""
        wanted = set(numbers)
        found: list[Found] = []
        if not wanted:
            return found
        where = "SELECT id FROM block WHERE last_n >= ? AND first_n <= ?"
        for block in self._opened(self._sql.execute(where, (min(wanted), max(wanted)))):
            held = wanted.intersection(block.ns)
            found += [Found(n, block, bisect_left(block.ns, n)) for n in held]
        return found

    def count(self, span: Span, periods: Collection[int]) -> int:
        """How many records of those periods lie in the span."""
        first, last = span
        marks = ",".join("?" * len(periods))
        inside = f"first_n >= ? AND last_n <= ? AND period IN ({marks})"
        sums = f"SELECT ifnull(sum(count), 0) FROM block WHERE {inside}"
        count: int = self._sql.execute(sums, (first, last, *periods)).fetchone()[0]
        across = f"SELECT id FROM block WHERE last_n >= ? AND first_n <= ? AND NOT ({inside})"
        for block in self._opened(self._sql.execute(across, (first, last, first, last, *periods))):
            if block.place.period in periods:
                count += bisect_right(block.ns, last) - bisect_left(block.ns, first)
        return count

    def ended(self, period: int, end: int) -> list[Found]:
        """The records of a period that end at a moment."""
        return [
            Found(block.ns[i], block, i)
            for block in self.in_time(period, end - 1, end)
            for i, each in enumerate(block.ends)
            if each == end
        ]

    def next_end(self, period: int, after: int) -> int | None:
        """The earliest end after a moment among the records of a period."""
        found: int | None = None
        where = "SELECT id, first_end, last_end FROM block WHERE period = ? AND last_end > ? ORDER BY last_end"
        for identity, first_end, last_end in self._sql.execute(where, (period, after)).fetchall():
            if found is not None and last_end - LONGEST_S > found:
                break
            end = first_end
            if first_end <= after:
                block = self.open(identity)
                end = min(each for each in block.ends if each > after) if block else last_end
            found = end if found is None else min(found, end)
        return found

    def last_n(self) -> int:
        """The highest number in any block; 0 where there is none."""
        found: int = self._sql.execute("SELECT ifnull(max(last_n), 0) FROM block").fetchone()[0]
        return found

    def oldest(self, period: int, cutoff: int, kept: Sequence[Span]) -> tuple[int, Block] | None:
        """Id and block of the oldest one of a period of which everything ended at or before a moment and nothing has a
        number in the ranges `kept`."""
        apart = " AND NOT (first_n >= ? AND last_n <= ?)" * len(kept)
        where = f"SELECT id FROM block WHERE period = ? AND last_end <= ?{apart} ORDER BY last_end"
        for (identity,) in self._sql.execute(where, (period, cutoff, *chain.from_iterable(kept))):
            block = self.open(identity)
            if block and not any(bisect_right(block.ns, last) > bisect_left(block.ns, first) for first, last in kept):
                return identity, block
        return None

    def _opened(self, ids: Iterable[tuple[int]]) -> Iterator[Block]:
        return (block for (identity,) in ids if (block := self.open(identity)) is not None)

    def _take(self, identity: int, at: int, size: int) -> bytes:
        with self._sql.blobopen("block", "content", identity, readonly=True) as blob:
            blob.seek(min(at, len(blob)))
            return blob.read(max(0, min(size, len(blob) - at)))

    def _trim(self) -> None:
        held = sum(block.held for block in self._open.values())
        while len(self._open) > 1 and (held > _NUMBERS_OPEN or len(self._open) > _BLOCKS_OPEN):
            _, block = self._open.popitem(last=False)
            held -= block.held


def _number(found: Found) -> int:
    return found.n
