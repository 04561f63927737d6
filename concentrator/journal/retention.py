"""Retention: what is older than it is to be kept leaves the journal, and what is too much for its limit or its disk, a
little at a time. Hides the pace and the order; what no reader has taken by then goes last, is counted and reported. A
clock that was set wrong must not empty the journal, so that the ages rest for a while after each start and each step of
the clock.

What goes first for want of room (architecture, 4): of what every reader has taken the live records, then the history;
then the live records and the history that somebody still waits for; events last. Of each the oldest go first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import Report, Wall
from concentrator.journal.counts import Expired
from concentrator.journal.journal import Journal
from concentrator.journal.room import Room
from concentrator.journal.tables import Tables
from concentrator.model.record import EVENT_PERIOD

log = Logger()

LOOK_S = 60.0
"""How often it looks whether there is room."""
EVERY_S = 600.0
"""How often it looks for what is too old."""
CHUNK = 500
REST_AFTER_START_S = 3600.0
REST_AFTER_STEP_S = 86_400.0
STEP_S = 60.0
TELL_S = 3600.0
"""How often it says at most that records go for want of room."""

_OF_A_FILE = 10 * CHUNK
_FIRST_STEP_S = 600
_NO_END = 2**40


@define
class _Gone:
    """Records that were discarded and of which nobody was told yet."""

    records: int = 0
    undelivered: Counter[str] = field(factory=Counter)

    def add(self, expired: Expired) -> None:
        self.records += expired.records
        self.undelivered.update(expired.lost)

    def facts(self, why: str) -> dict[str, object]:
        return {"records": self.records, "undelivered": dict(self.undelivered), "why": why}


class Retention:
    """Keeps base records (those of `base_s`) for `base_keep_s` seconds and all others for `keep_s`, as far as there is
    `room`. Where the base records are the history as well, give both the longer time. `history_s` is the period of the
    history's records."""

    def __init__(
        self,
        journal: Journal,
        wall: Wall,
        clock: IReactorTime,
        report: Report,
        *,
        base_s: int,
        base_keep_s: float,
        keep_s: float,
        history_s: int,
        room: Room,
    ) -> None:
        self._journal = journal
        self._wall = wall
        self._clock = clock
        self._report = report
        self._base_s = base_s
        self._base_keep_s = base_keep_s
        self._keep_s = keep_s
        self._history_s = history_s
        self._room = room
        self._timer: IDelayedCall | None = None
        self._running: Deferred[None] | None = None
        self._is_stopping = False
        self._aged = 0.0
        self._told = float("-inf")
        self._pressed = _Gone()
        self._rests_until = 0.0
        self._lead_s = 0.0

    def start(self) -> None:
        """Begins to look every minute."""
        self._is_stopping = False
        self._lead_s = self._lead()
        self._aged = self._clock.seconds()
        self._rests_until = self._clock.seconds() + REST_AFTER_START_S
        self._timer = self._clock.callLater(LOOK_S, self._turn)

    def stop(self) -> Deferred[None]:
        """Ends it; fires when nothing of it is under way."""
        self._is_stopping = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._running is None:
            self._tell()
        return self._running or succeed(None)

    def _turn(self) -> None:
        self._timer = self._clock.callLater(LOOK_S, self._turn)
        lead_s = self._lead()
        if abs(lead_s - self._lead_s) > STEP_S:
            self._rests_until = self._clock.seconds() + REST_AFTER_STEP_S
        self._lead_s = lead_s
        if self._running is None:
            self._running = Deferred.fromCoroutine(self._look())
            self._running.addErrback(_log_failure).addCallback(self._ran)

    async def _look(self) -> None:
        now = self._clock.seconds()
        if now - self._aged >= EVERY_S:
            self._aged = now
            if self._wall.is_trusted() and now >= self._rests_until:
                await self._age(self._wall.now())
        try:
            if await self._is_short():
                await self._press()
        finally:
            self._tell()
        await self._journal.query(lambda tables: tables.database.lay_ballast())

    async def _age(self, now: float) -> None:
        gone = _Gone()
        for period in await self._journal.query(Tables.periods):
            keep_s = self._base_keep_s if period == self._base_s else self._keep_s
            taken = CHUNK
            while taken >= CHUNK and not self._is_stopping:
                expired = await self._journal.expire(period, int(now - keep_s), CHUNK)
                taken = expired.records
                gone.add(expired)
        if gone.undelivered:
            self._report("journal.expired", gone.facts("age"))

    async def _press(self) -> None:
        """Makes room, a slice after the other."""
        present = await self._journal.query(Tables.periods)
        for group, only_settled in self._order(present):
            left = set(group)
            while left and not self._is_stopping and await self._is_short():
                period = await self._journal.query(partial(_oldest, periods=frozenset(left)))
                if period is None:
                    break
                expired = await (self._settled(period) if only_settled else self._unsettled(period))
                self._pressed.add(expired)
                if expired.records < (CHUNK if only_settled else 1):
                    left.discard(period)

    def _order(self, present: list[int]) -> Iterator[tuple[list[int], bool]]:
        """What goes first: periods of records, and whether only what no reader waits for."""
        history = [period for period in present if period == self._history_s]
        live = [period for period in present if period not in (self._history_s, EVENT_PERIOD)]
        yield from ((live, True), (history, True), (live, False), (history, False))
        yield [period for period in present if period == EVENT_PERIOD], False

    async def _settled(self, period: int) -> Expired:
        until = await self._until(period)
        return await self._journal.expire(period, until, CHUNK, only_settled=True)

    async def _unsettled(self, period: int) -> Expired:
        """Takes the oldest, whoever waits for them. A file that is owed goes whole, so that it steps on only as far as
        it must to find one that does."""
        until = await self._until(period)
        oldest = await self._journal.query(lambda tables: tables.next_end(period, -_NO_END))
        expired, step_s = Expired(0, {}), _FIRST_STEP_S
        while oldest is not None and not expired.records and oldest + step_s // 2 < until:
            expired = await self._journal.expire(period, min(until, oldest + step_s), _OF_A_FILE)
            step_s *= 2
        return expired

    async def _until(self, period: int) -> int:
        """Up to which end records of a period may go: what coarser ones are still to be made of stays."""
        if period != self._base_s:
            return _NO_END
        return await self._journal.query(_merged_until)

    async def _is_short(self) -> bool:
        """Whether there is too little room. The log is left aside: it grows by what is deleted, for a while."""
        used = await self._journal.query(lambda tables: tables.used)
        return self._room.excess(used, self._journal.size - self._journal.used) > 0

    def _tell(self) -> None:
        """Says what went for want of room, at once and then once in a while."""
        if self._pressed.records and (self._is_stopping or self._clock.seconds() - self._told >= TELL_S):
            self._told = self._clock.seconds()
            gone, self._pressed = self._pressed, _Gone()
            self._report("journal.expired", gone.facts("room"))

    def _ran(self, _: None) -> None:
        self._running = None

    def _lead(self) -> float:
        """By how much the wall clock is ahead of the monotonic one: it changes only when the clock is set."""
        return self._wall.now() - self._clock.seconds()


def _oldest(tables: Tables, periods: frozenset[int]) -> int | None:
    """The period whose records begin first; None where none has any."""
    ends = {period: tables.next_end(period, -_NO_END) for period in periods}
    found = [(end, period) for period, end in ends.items() if end is not None]
    return min(found)[1] if found else None


def _merged_until(tables: Tables) -> int:
    found: int = tables.sql.execute("SELECT ifnull(min(until), ?) FROM merged", (_NO_END,)).fetchone()[0]
    return found


def _log_failure(failure: Failure) -> None:
    log.failure("retention waits for the next turn", failure)
