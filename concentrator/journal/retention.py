"""Retention: what is older than it is to be kept leaves the journal, a little at a time. Hides the pace; what no reader
has taken by then is counted and reported. A clock that was set wrong must not empty the journal, so that retention
rests for a while after each start and each step of the clock."""

from __future__ import annotations

from collections import Counter

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import Report, Wall
from concentrator.journal.journal import Journal
from concentrator.journal.tables import Tables

log = Logger()

EVERY_S = 600.0
CHUNK = 500
REST_AFTER_START_S = 3600.0
REST_AFTER_STEP_S = 86_400.0
STEP_S = 60.0


class Retention:
    """Keeps base records (those of `base_s`) for `base_keep_s` seconds and all others for `keep_s`. Where the base
    records are the history as well, give both the longer time."""

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
    ) -> None:
        self._journal = journal
        self._wall = wall
        self._clock = clock
        self._report = report
        self._base_s = base_s
        self._base_keep_s = base_keep_s
        self._keep_s = keep_s
        self._timer: IDelayedCall | None = None
        self._running: Deferred[None] | None = None
        self._is_stopping = False
        self._rests_until = 0.0
        self._lead_s = 0.0

    def start(self) -> None:
        """Begins to look every ten minutes."""
        self._is_stopping = False
        self._lead_s = self._lead()
        self._rests_until = self._clock.seconds() + REST_AFTER_START_S
        self._timer = self._clock.callLater(EVERY_S, self._turn)

    def stop(self) -> Deferred[None]:
        """Ends it; fires when nothing of it is under way."""
        self._is_stopping = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self._running or succeed(None)

    def _turn(self) -> None:
        self._timer = self._clock.callLater(EVERY_S, self._turn)
        lead_s = self._lead()
        if abs(lead_s - self._lead_s) > STEP_S:
            self._rests_until = self._clock.seconds() + REST_AFTER_STEP_S
        self._lead_s = lead_s
        may = self._wall.is_trusted() and self._clock.seconds() >= self._rests_until and self._running is None
        if may:
            self._running = Deferred.fromCoroutine(self._run(self._wall.now()))
            self._running.addErrback(_log_failure).addCallback(self._ran)

    async def _run(self, now: float) -> None:
        lost: Counter[str] = Counter()
        records = 0
        for period in await self._journal.query(Tables.periods):
            keep_s = self._base_keep_s if period == self._base_s else self._keep_s
            taken = CHUNK
            while taken == CHUNK and not self._is_stopping:
                expired = await self._journal.expire(period, int(now - keep_s), CHUNK)
                taken = expired.records
                records += taken
                lost.update(expired.lost)
        if lost:
            self._report("journal.expired", {"records": records, "undelivered": dict(lost)})

    def _ran(self, _: None) -> None:
        self._running = None

    def _lead(self) -> float:
        """By how much the wall clock is ahead of the monotonic one: it changes only when the clock is set."""
        return self._wall.now() - self._clock.seconds()


def _log_failure(failure: Failure) -> None:
    log.failure("expiry waits for the next turn", failure)
