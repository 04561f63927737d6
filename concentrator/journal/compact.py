"""Compaction: records that are old enough leave their rows and are sealed into blocks, which take a tenth of the room:
first the records of an hour or so, loosely, all devices in one commit; and when a day or so is over, the loose blocks
of each device into one. Hides the pace: every step is a few milliseconds of the journal's thread, with a pause after
it, and what is sealed comes to the disk with the next commit, in the same as its rows leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from concentrator.api import Wall
from concentrator.journal import intent
from concentrator.journal.blocks import Block, Sealed
from concentrator.journal.journal import Journal
from concentrator.journal.position import Span
from concentrator.journal.seal import Line, Merging, seal
from concentrator.journal.shelf import LONGEST_S
from concentrator.journal.tables import Tables
from concentrator.model.errors import JournalError
from concentrator.model.record import EVENT_PERIOD

log = Logger()

T = TypeVar("T")

EVERY_S = 60.0
PAUSE_S = 0.02
AGAIN_S = 3600.0
"""When what was passed over is looked at again."""

OVERDUE_S = 2 * 86_400
"""How old a record may become as a row because a reader has not taken it. A block is slower to read in order."""

LONGEST_PERIOD_S = 3600
"""Records of longer intervals are so few that they stay rows."""

_RECORDS, _LOOSE_PARTS = 1440, 24
_ROWS = 4000
"""How many rows go in one commit, at most."""

_COLUMNS = 10

Group = tuple[int, int]
"""The ids of a device and of a layout."""


def block_s(period: int) -> int:
    """How much time a block of records of that period holds, in seconds."""
    return min(_RECORDS * period, LONGEST_S)


def loose_s(period: int) -> int:
    """The same for a loose block."""
    return max(period, block_s(period) // _LOOSE_PARTS)


class Compaction:
    """Compacts a journal from `start` to `stop`."""

    def __init__(self, journal: Journal, wall: Wall, clock: IReactorTime) -> None:
        self._journal = journal
        self._wall = wall
        self._clock = clock
        self._timer: IDelayedCall | None = None
        self._pausing: Deferred[None] | None = None
        self._is_stopping = False
        self._done: dict[int, int] = {}
        self._again_at = 0.0

    def start(self) -> None:
        """Begins to look every minute; call it when the journal is open and its readers are registered."""
        self._is_stopping = False
        self._done = {}
        self._again_at = self._clock.seconds() + AGAIN_S
        self._timer = self._clock.callLater(EVERY_S, self._turn)

    def stop(self) -> None:
        """Begins nothing more. What was handed to the journal it still writes, when it is closed."""
        self._is_stopping = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pausing is not None:
            self._pausing.cancel()

    def _turn(self) -> None:
        self._timer = None
        Deferred.fromCoroutine(self._run())

    async def _run(self) -> None:
        try:
            if self._wall.is_trusted():
                await self._compact(int(self._wall.now()))
        except _Stopped:
            return
        except JournalError as error:
            if not self._is_stopping:
                log.warn("compaction waits for the next turn: {error}", error=error)
        if not self._is_stopping:
            self._timer = self._clock.callLater(EVERY_S, self._turn)

    async def _compact(self, now: int) -> None:
        if self._clock.seconds() >= self._again_at:
            self._done = {}
            self._again_at = self._clock.seconds() + AGAIN_S
        for period in await self._ask(Tables.periods):
            if EVENT_PERIOD < period <= LONGEST_PERIOD_S:
                await self._seal_rows(period, now)
                await self._merge_blocks(period, now)

    async def _seal_rows(self, period: int, now: int) -> None:
        """Seals what lies in windows that were over one window ago: late records are in by then."""
        width = loose_s(period)
        until = (now // width - 1) * width
        while True:
            first = await self._ask(partial(_first_end, period=period, after=self._done.get(period, -1), until=until))
            if first is None:
                return
            start = (first - 1) // width * width
            window = _Window(period, start, start + width)
            wanted = self._journal.wanted(period) if window.stop > now - OVERDUE_S else ()
            if not await self._ask(partial(_is_wanted, window=window, wanted=wanted)):
                for groups in await self._ask(partial(_shares, window=window)):
                    await self._seal(window, groups)
            self._done[period] = window.stop

    async def _seal(self, window: _Window, groups: Sequence[Group]) -> None:
        lines = await self._ask(partial(_lines, window=window, groups=groups))
        found = [await self._ask(partial(_sealed, window=window, group=each, lines=lines[each])) for each in groups]
        sealed = [block for block in found if block is not None]
        if sealed:
            await self._journal.change(partial(_replace, sealed=sealed))

    async def _merge_blocks(self, period: int, now: int) -> None:
        """Merges what lies in windows that were over long enough ago for all their records to be in blocks."""
        width = block_s(period)
        until = (now - 2 * loose_s(period)) // width * width
        for ids, span in await self._ask(partial(_mergeable, period=period, until=until)):
            wanted = self._journal.wanted(period)
            if any(first <= span[1] and last >= span[0] for first, last in wanted):
                continue
            opened = [await self._ask(partial(_opened, identity=identity)) for identity in ids]
            blocks = [block for block in opened if block is not None]
            if not blocks:
                continue
            merging = Merging(blocks)
            while await self._ask(partial(_step, merging=merging)):
                pass
            assert merging.sealed is not None
            await self._journal.change(partial(_exchange, ids=ids, sealed=merging.sealed))

    async def _ask(self, ask: Callable[[Tables], T]) -> T:
        """Has a step done, after a pause."""
        if self._is_stopping:
            raise _Stopped
        self._pausing = deferLater(self._clock, PAUSE_S)
        self._pausing.addErrback(lambda _: None)
        await self._pausing
        self._pausing = None
        if self._is_stopping:
            raise _Stopped
        return await self._journal.query(ask)


class _Stopped(Exception):
    """Nothing more is to be done."""


@frozen
class _Window:
    """The records of a period that end in (start, stop]."""

    period: int
    start: int
    stop: int

    @property
    def bounds(self) -> tuple[int, int, int]:
        return self.period, self.start, self.stop


_IN_WINDOW = "FROM record WHERE period = ? AND stop > ? AND stop <= ? AND layout IS NOT NULL"


def _first_end(tables: Tables, period: int, after: int, until: int) -> int | None:
    where = "SELECT min(stop) FROM record WHERE period = ? AND stop > ? AND stop <= ?"
    found: int | None = tables.sql.execute(where, (period, after, until)).fetchone()[0]
    return found


def _is_wanted(tables: Tables, window: _Window, wanted: Sequence[Span]) -> bool:
    """Whether a reader still wants one of the records, in its position or in a file that is owed. One that was given
    no ranges at all may be old enough for that not to count."""
    if not wanted:
        return False
    within = " OR ".join(["n BETWEEN ? AND ?"] * len(wanted))
    numbers = [n for span in wanted for n in span]
    found = tables.sql.execute(f"SELECT 1 {_IN_WINDOW} AND ({within}) LIMIT 1", (*window.bounds, *numbers)).fetchone()
    return found is not None or intent.untouched(tables, window.period, window.stop) < window.stop


def _shares(tables: Tables, window: _Window) -> list[list[Group]]:
    """The devices and layouts of a window, in shares that one commit takes. Neighbours by number share pages, so that
    a share frees whole ones."""
    shares: list[list[Group]] = []
    room = 0
    select = f"SELECT device, layout, count(*) {_IN_WINDOW} GROUP BY device, layout ORDER BY min(n)"
    for device, layout, count in tables.sql.execute(select, window.bounds):
        if count > room:
            shares.append([])
            room = _ROWS
        shares[-1].append((device, layout))
        room -= count
    return shares


def _lines(tables: Tables, window: _Window, groups: Sequence[Group]) -> dict[Group, list[Line]]:
    lines: dict[Group, list[Line]] = {group: [] for group in groups}
    devices = {device for device, _ in groups}
    marks = ",".join("?" * len(devices))
    select = f"SELECT device, layout, n, stop, quality, content {_IN_WINDOW} AND device IN ({marks}) ORDER BY n"
    for device, layout, *line in tables.sql.execute(select, (*window.bounds, *devices)):
        if (device, layout) in lines:
            lines[device, layout].append(tuple(line))
    return lines


def _sealed(tables: Tables, window: _Window, group: Group, lines: Sequence[Line]) -> Sealed | None:
    return seal(window.period, *group, tables.names.columns(group[1]), lines)


def _replace(tables: Tables, sealed: Sequence[Sealed]) -> None:
    """Puts blocks in the place of the rows they hold, unless some have left by another way."""
    numbers = [n for block in sealed for n in block.ns]
    if tables.held(numbers) == len(numbers):
        for block in sealed:
            tables.shelf.put(block, is_tight=False)
        tables.delete(numbers)


def _mergeable(tables: Tables, period: int, until: int) -> list[tuple[list[int], Span]]:
    """The ids of blocks to be made one, and the range of their numbers: those of one device, layout and window of
    which several are loose."""
    width = block_s(period)
    loose = "SELECT device, layout, (last_end - 1) / ? AS window FROM block WHERE is_tight = 0 AND period = ?"
    several = f"{loose} AND last_end <= ? GROUP BY device, layout, window HAVING count(*) > 1 ORDER BY window"
    ids = "SELECT id, first_n, last_n FROM block WHERE period = ? AND last_end > ? AND last_end <= ? AND device = ?"
    found = []
    for device, layout, window in tables.sql.execute(several, (width, period, until)).fetchall():
        bounds = (period, window * width, (window + 1) * width, device, layout)
        blocks = tables.sql.execute(f"{ids} AND layout = ? ORDER BY first_n", bounds).fetchall()
        span = (min(first for _, first, _ in blocks), max(last for *_, last in blocks))
        found.append(([identity for identity, _, _ in blocks], span))
    return found


def _opened(tables: Tables, identity: int) -> Block | None:
    block = tables.shelf.open(identity)
    if block is not None:
        block.load()
    return block


def _step(tables: Tables, merging: Merging) -> bool:
    return merging.step(_COLUMNS)


def _exchange(tables: Tables, ids: Sequence[int], sealed: Sealed) -> None:
    """Puts one block in the place of those it holds, unless some have left by another way."""
    blocks = [tables.shelf.open(identity) for identity in ids]
    numbers = [n for block in blocks if block is not None for n in block.ns]
    if sorted(numbers) == list(sealed.ns):
        tables.shelf.remove(ids)
        tables.shelf.put(sealed, is_tight=True)
