"""A lane: one feed's way through an uplink. It hides the round of it, what to do about failure, and who may be on the
way beside whom.

Its round is: wait until the uplink has a chance and a gate is open, read, send, settle what the far side
took or refused for ever. A failure keeps everything and makes the next round wait, longer each time up to a ceiling. A
record that was on its way at three disconnects may be what the far side cannot bear: it is sent alone, with no other
lane on the way, and given up if that fails in the same way, so that one record never blocks those behind it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Protocol

from attrs import evolve, field, frozen
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from concentrator.api import Feed, Uplink
from concentrator.model.errors import JournalError, TryLater
from concentrator.model.record import Batch, Receipt, Record
from concentrator.uplink.backoff import Backoff
from concentrator.uplink.pace import Pace

log = Logger()


class Gate(Protocol):
    """What may keep a lane from sending for a while, whatever the uplink says."""

    def when_open(self) -> Deferred[None]:
        """Fires when something may be sent."""

    @property
    def trouble(self) -> str:
        """Why nothing may, in a sentence; empty while something may."""


class Passage:
    """Who is on the way: any number beside each other, or one alone, in the order they come."""

    def __init__(self) -> None:
        self._inside = 0
        self._is_taken = False
        self._queue: deque[tuple[bool, Deferred[None]]] = deque()

    def enter(self, alone: bool = False) -> Deferred[None]:
        """Fires when it is one's turn; `leave` follows then. May be cancelled before."""
        turn: Deferred[None] = Deferred(self._given_up)
        self._queue.append((alone, turn))
        self._admit()
        return turn

    def leave(self) -> None:
        """One is through."""
        self._inside -= 1
        self._is_taken = False
        self._admit()

    def _admit(self) -> None:
        while self._queue and not self._is_taken and not (self._inside and self._queue[0][0]):
            self._is_taken, turn = self._queue.popleft()
            self._inside += 1
            turn.callback(None)

    def _given_up(self, turn: Deferred[None]) -> None:
        self._queue = deque(each for each in self._queue if each[1] is not turn)
        self._admit()


@frozen
class Falls:
    """How often records were on their way when a connection fell, shared by the lanes of an uplink: at `most` times
    one is sent alone."""

    most: int
    _counts: Counter[tuple[str, int]] = field(factory=Counter, init=False)

    def portion(self, batch: Batch) -> Batch:
        """The batch, or of it the first record that has to be sent alone."""
        for record in batch.records if self._counts else ():
            if self.is_suspect(record):
                return evolve(batch, records=(record,), span=(record.n, record.n))
        return batch

    def is_suspect(self, record: Record) -> bool:
        """Whether it has to be sent alone."""
        return self._counts[_identity(record)] >= self.most

    def fallen(self, batch: Batch, why: TryLater) -> Receipt:
        """The receipt of a failure, with the record that was alone in flight once too often rejected."""
        rejected = dict(why.receipt.rejected)
        for record in batch.records:
            if record.n in why.in_flight:
                self._counts[identity := _identity(record)] += 1
                times = self._counts[identity]
                if times > self.most and len(batch.records) == 1:
                    rejected[record.n] = f"the connection fell {times} times while it was on its way"
        return evolve(why.receipt, rejected=rejected)

    def forget(self, record: Record) -> None:
        """It was taken or given up."""
        self._counts.pop(_identity(record), None)


@frozen
class Course:
    """What a lane is made of: its `feed`, the `pace` it keeps where it keeps one, and the `gate` it waits at."""

    feed: Feed
    pace: Pace | None = None
    gate: Gate | None = None


@frozen
class Common:
    """What the lanes of one uplink share: it, the clock they wait by, the passage, what fell, and who hears what became
    of a batch and what a round said (empty when all was well)."""

    uplink: Uplink
    clock: IReactorTime
    passage: Passage
    falls: Falls
    settled: Callable[[Batch, Receipt], None]
    noted: Callable[[], None]


class Lane:
    """One lane, started and stopped by its uploader. `trouble` is what went wrong in its last round."""

    def __init__(self, course: Course, common: Common, backoff: Backoff) -> None:
        self._course = course
        self._common = common
        self._backoff = backoff
        self._running: Deferred[None] = succeed(None)
        self._waiting: Deferred[None] | None = None
        self._sending: Deferred[Receipt] | None = None
        self._is_stopping = False
        self.trouble = ""

    def start(self) -> None:
        """Begins its rounds."""
        self._is_stopping = False
        self._running = Deferred.fromCoroutine(self._run())

    def stop(self) -> Deferred[None]:
        """Ends its rounds; fires when what is in flight has settled."""
        self._is_stopping = True
        if self._waiting is not None:
            self._waiting.cancel()
        return self._running

    def give_up_sending(self) -> None:
        """Waits no longer for what is in flight."""
        if self._sending is not None:
            self._sending.cancel()

    async def _run(self) -> None:
        while not self._is_stopping:
            try:
                self._note(await self._attempted())
                if self.trouble:
                    await self._idle(deferLater(self._common.clock, self._backoff.pause_s()))
                else:
                    self._backoff.reset()
            except CancelledError:
                pass  # only our own stop cancels a wait

    def _note(self, trouble: str) -> None:
        self.trouble = trouble
        self._common.noted()

    async def _attempted(self) -> str:
        """One round; gives what went wrong in a sentence, empty when nothing did."""
        try:
            return await self._round()
        except JournalError as why:
            return why.sentence
        except CancelledError:
            raise
        except Exception as why:  # uplinks and feeds may be other people's code, and delivering must go on
            log.failure("{name}: a lane failed", name=self._common.uplink.name)
            return f"Delivering failed: {type(why).__name__}: {why}"

    async def _round(self) -> str:
        feed, gate, pace = self._course.feed, self._course.gate, self._course.pace
        await self._idle(self._common.uplink.when_ready())
        if gate is not None:
            await self._idle(gate.when_open())
        batch = await feed.read()
        if batch is None:
            self._note("")
            await self._idle(feed.when_more())
            return ""
        if self._is_stopping:
            return ""
        began = self._common.clock.seconds()
        receipt, trouble = await self._deliver(batch)
        if receipt.accepted or receipt.rejected or not trouble:
            await feed.settle(batch, receipt)
            self._common.settled(batch, receipt)
        if pace is not None and not trouble:
            pause_s = pace.pause_s(len(batch.records), self._common.clock.seconds() - began)
            await self._idle(deferLater(self._common.clock, pause_s))
        return trouble

    async def _deliver(self, batch: Batch) -> tuple[Receipt, str]:
        """Sends a batch, or of it a record that has to be sent alone; gives what became of it and what went wrong."""
        common = self._common
        portion = common.falls.portion(batch)
        await self._idle(common.passage.enter(alone=portion is not batch or _is_alone(portion, common.falls)))
        try:
            self._sending = common.uplink.send(portion)
            return await self._sending, ""
        except TryLater as why:
            return common.falls.fallen(portion, why), why.sentence
        except CancelledError:
            return Receipt(frozenset()), "Stopped while sending."
        finally:
            self._sending = None
            common.passage.leave()

    async def _idle(self, wait: Deferred[None]) -> None:
        """Waits for something that a stop need not wait for."""
        if self._is_stopping:
            wait.cancel()
        self._waiting = wait
        try:
            await wait
        finally:
            self._waiting = None


def _is_alone(batch: Batch, falls: Falls) -> bool:
    return any(falls.is_suspect(record) for record in batch.records[:1])


def _identity(record: Record) -> tuple[str, int]:
    return record.journal, record.n
