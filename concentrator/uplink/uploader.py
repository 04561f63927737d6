"""The uploader: drains one reader of the journal through one uplink, whatever its protocol. It hides what to send
when, what to do about failure, and who may stop the one in flight.

Its round is: wait until the uplink has a chance, read, send, settle what the far side took or refused for ever. A
failure keeps everything and makes the next round wait, longer each time up to a ceiling. A record that was on its way
at three disconnects may be what the far side cannot bear: it is sent alone, and given up if that fails in the same
way, so that one record never blocks those behind it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from attrs import evolve, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from concentrator.api import Feed, Report, Uplink, UplinkState, Wall
from concentrator.model.errors import JournalError, TryLater
from concentrator.model.record import EVENT_PERIOD, Batch, Receipt, Record
from concentrator.uplink.backoff import Backoff, Jitter

log = Logger()


@frozen
class Limits:
    """How an uploader behaves: its shortest and longest pause after failures in seconds, at how many disconnects in
    flight a record is sent alone, and how long a stop waits for what is in flight, in seconds."""

    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    falls: int = 3
    stop_patience_s: float = 5.0


class Uploader:
    """Delivers a feed through an uplink, which it starts and stops. `wall` stamps, `clock` waits; `report` hears of
    records that were given up; `jitter` gives numbers from 0 to 1."""

    def __init__(
        self,
        feed: Feed,
        uplink: Uplink,
        clock: IReactorTime,
        wall: Wall,
        report: Report,
        jitter: Jitter,
        limits: Limits = Limits(),
    ) -> None:
        self._feed = feed
        self._uplink = uplink
        self._clock = clock
        self._wall = wall
        self._report = report
        self._limits = limits
        self._backoff = Backoff(jitter, limits.first_pause_s, limits.longest_pause_s)
        self._falls: Counter[tuple[str, int]] = Counter()
        self._running: Deferred[None] | None = None
        self._waiting: Deferred[None] | None = None
        self._sending: Deferred[Receipt] | None = None
        self._stopping = False
        self._trouble = ""
        self._last_success: float | None = None
        self._delivered = 0
        self._rejected = 0

    def start(self) -> None:
        """Starts the uplink and begins to deliver."""
        self._stopping = False
        self._uplink.start()
        self._running = Deferred.fromCoroutine(self._run())

    def stop(self) -> Deferred[None]:
        """Ends delivering: what is in flight gets some seconds to settle; fires when the uplink has let go."""
        return Deferred.fromCoroutine(self._end())

    def state(self) -> UplinkState:
        """What people see of it."""
        standing = self._uplink.standing()
        return UplinkState(
            name=self._uplink.name,
            kind=self._uplink.kind,
            address=self._uplink.address,
            is_up=standing.is_up,
            since=standing.since,
            last_success=self._last_success,
            trouble=standing.trouble or self._trouble,
            waiting=self._feed.waiting(),
            delivered=self._delivered,
            rejected=self._rejected,
        )

    async def _end(self) -> None:
        self._stopping = True
        if self._waiting is not None:
            self._waiting.cancel()
        if self._running is not None:
            overdue = self._clock.callLater(self._limits.stop_patience_s, self._give_up_sending)
            await self._running
            self._running = None
            if overdue.active():
                overdue.cancel()
        await self._uplink.stop()

    def _give_up_sending(self) -> None:
        if self._sending is not None:
            self._sending.cancel()

    async def _run(self) -> None:
        while not self._stopping:
            try:
                self._noted(trouble := await self._attempted())
                if trouble:
                    await self._idle(deferLater(self._clock, self._backoff.pause_s()))
                else:
                    self._backoff.reset()
            except CancelledError:
                pass  # only our own stop cancels a wait

    async def _attempted(self) -> str:
        """One round; gives what went wrong in a sentence, empty when nothing did."""
        try:
            return await self._round()
        except JournalError as why:
            return why.sentence
        except CancelledError:
            raise
        except Exception as why:  # uplinks and feeds may be other people's code, and delivering must go on
            log.failure("{name}: the uploader failed", name=self._uplink.name)
            return f"Delivering failed: {type(why).__name__}: {why}"

    async def _round(self) -> str:
        await self._idle(self._uplink.when_ready())
        batch = await self._feed.read()
        if batch is None:
            await self._idle(self._feed.when_more())
            return ""
        if self._stopping:
            return ""
        receipt, trouble = await self._deliver(self._portion(batch))
        if receipt.accepted or receipt.rejected or not trouble:
            await self._feed.settle(batch, receipt)
            self._count(batch, receipt)
        return trouble

    async def _idle(self, wait: Deferred[None]) -> None:
        """Waits for something that a stop need not wait for."""
        if self._stopping:
            wait.cancel()
        self._waiting = wait
        try:
            await wait
        finally:
            self._waiting = None

    def _portion(self, batch: Batch) -> Batch:
        """The batch, or of it the first record that has to be sent alone."""
        for record in batch.records:
            if self._falls[_identity(record)] >= self._limits.falls:
                return evolve(batch, records=(record,), span=(record.n, record.n))
        return batch

    async def _deliver(self, batch: Batch) -> tuple[Receipt, str]:
        """Sends a batch; gives what became of it and what went wrong."""
        try:
            self._sending = self._uplink.send(batch)
            return await self._sending, ""
        except TryLater as why:
            return self._fallen(batch, why), why.sentence
        except CancelledError:
            return Receipt(frozenset()), "Stopped while sending."
        finally:
            self._sending = None

    def _fallen(self, batch: Batch, why: TryLater) -> Receipt:
        """The receipt of a failure, with the record that was alone in flight once too often rejected."""
        rejected = dict(why.receipt.rejected)
        for record in batch.records:
            if record.n in why.in_flight:
                identity = _identity(record)
                self._falls[identity] += 1
                if self._falls[identity] > self._limits.falls and len(batch.records) == 1:
                    rejected[record.n] = f"the connection fell {self._falls[identity]} times while it was on its way"
        return evolve(why.receipt, rejected=rejected)

    def _count(self, batch: Batch, receipt: Receipt) -> None:
        self._delivered += len(receipt.accepted)
        self._rejected += len(receipt.rejected)
        if receipt.accepted:
            self._last_success = self._wall.now()
        given_up = [record for record in batch.records if record.n in receipt.rejected]
        for record in batch.records:
            if record.n in receipt.accepted or record.n in receipt.rejected:
                self._falls.pop(_identity(record), None)
        if given_up:
            self._tell(given_up, receipt.rejected)

    def _tell(self, given_up: list[Record], reasons: Mapping[int, str]) -> None:
        first = given_up[0]
        log.warn(
            "{name}: {count} records given up, the first is {n}: {reason}",
            name=self._uplink.name,
            count=len(given_up),
            n=first.n,
            reason=reasons[first.n],
        )
        intervals = [record for record in given_up if record.draft.period != EVENT_PERIOD]
        if intervals:  # an event about a refused event would be refused too, for ever
            first = intervals[0]
            self._report(
                "uplink.records_rejected",
                {
                    "uplink": self._uplink.name,
                    "device": first.draft.uid,
                    "records": [record.n for record in intervals],
                    "reason": reasons[first.n],
                },
            )

    def _noted(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.warn("{name}: {trouble}", name=self._uplink.name, trouble=trouble)
        elif self._trouble and not trouble:
            log.info("{name}: delivering again", name=self._uplink.name)
        self._trouble = trouble


def _identity(record: Record) -> tuple[str, int]:
    return record.journal, record.n
