"""The uploader: drains readers of the journal through one uplink, whatever its protocol, on one lane or on several that
run beside each other. It hides the lanes from everybody, and tells people how it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from concentrator.api import Report, Uplink, UplinkState, Wall
from concentrator.model.record import EVENT_PERIOD, Batch, Receipt, Record
from concentrator.uplink.backoff import Backoff, Jitter
from concentrator.uplink.lane import Common, Course, Falls, Lane, Passage

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
    """Delivers feeds through an uplink, which it starts and stops: a lane for each of the `courses`, of which the first
    knows what waits. `wall` stamps, `clock` waits; `report` hears of records that were given up; `jitter` gives numbers
    from 0 to 1."""

    def __init__(
        self,
        courses: Sequence[Course],
        uplink: Uplink,
        clock: IReactorTime,
        wall: Wall,
        report: Report,
        jitter: Jitter,
        limits: Limits = Limits(),
    ) -> None:
        self._courses = tuple(courses)
        self._uplink = uplink
        self._clock = clock
        self._wall = wall
        self._report = report
        self._limits = limits
        common = Common(uplink, clock, Passage(), Falls(limits.falls), self._count, self._noted)
        self._lanes = [
            Lane(course, common, Backoff(jitter, limits.first_pause_s, limits.longest_pause_s)) for course in courses
        ]
        self._falls = common.falls
        self._trouble = ""
        self._last_success: float | None = None
        self._delivered = 0
        self._rejected = 0

    def start(self) -> None:
        """Starts the uplink and begins to deliver."""
        self._uplink.start()
        for lane in self._lanes:
            lane.start()

    def stop(self) -> Deferred[None]:
        """Ends delivering: what is in flight gets some seconds to settle; fires when the uplink has let go."""
        return Deferred.fromCoroutine(self._end())

    def state(self) -> UplinkState:
        """What people see of it."""
        standing = self._uplink.standing()
        gates = [course.gate.trouble for course in self._courses if course.gate is not None]
        return UplinkState(
            name=self._uplink.name,
            kind=self._uplink.kind,
            address=self._uplink.address,
            is_up=standing.is_up,
            since=standing.since,
            last_success=self._last_success,
            trouble=standing.trouble or self._trouble or next(filter(None, gates), ""),
            waiting=self._courses[0].feed.waiting(),
            delivered=self._delivered,
            rejected=self._rejected,
            traffic=standing.traffic,
        )

    async def _end(self) -> None:
        overdue = self._clock.callLater(self._limits.stop_patience_s, self._give_up_sending)
        await DeferredList([lane.stop() for lane in self._lanes])
        if overdue.active():
            overdue.cancel()
        await self._uplink.stop()

    def _give_up_sending(self) -> None:
        for lane in self._lanes:
            lane.give_up_sending()

    def _count(self, batch: Batch, receipt: Receipt) -> None:
        self._delivered += len(receipt.accepted)
        self._rejected += len(receipt.rejected)
        if receipt.accepted:
            self._last_success = self._wall.now()
        given_up = [record for record in batch.records if record.n in receipt.rejected]
        for record in batch.records:
            if record.n in receipt.accepted or record.n in receipt.rejected:
                self._falls.forget(record)
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

    def _noted(self) -> None:
        """A lane has ended a round."""
        trouble = next((lane.trouble for lane in self._lanes if lane.trouble), "")
        if trouble and trouble != self._trouble:
            log.warn("{name}: {trouble}", name=self._uplink.name, trouble=trouble)
        elif self._trouble and not trouble:
            log.info("{name}: delivering again", name=self._uplink.name)
        self._trouble = trouble
