"""How many bytes a connection has carried in each calendar month, and a cap on them. It hides when a month ends, and
when the counts are handed out to be kept.

What is counted is what TCP carries, TLS and its handshakes included; the 40 to 60 bytes that TCP and IP add to each
packet are not. At the cap, less a reserve of a fiftieth, intervals wait; events go on until the cap itself. What keeps
the connection alive is counted and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from concentrator.api import MonthsTraffic, Wall

LOOK_S = 60.0
"""How often counts are handed out to be kept, in seconds; a kill costs no more."""
_RESERVE = 50
_MONTHS = 13

Counts = Mapping[str, tuple[int, int]]
"""Month, such as "2026-11" → bytes received and sent."""


class Meter:
    """Counts for one uplink, in months of `zone`. `keep` takes the counts whenever they have changed; `cap`: bytes a
    month, 0 for none."""

    def __init__(
        self, wall: Wall, clock: IReactorTime, zone: ZoneInfo, keep: Callable[[Counts], None], cap: int = 0
    ) -> None:
        self._wall = wall
        self._zone = zone
        self._keep = keep
        self._cap = cap
        self._months: dict[str, tuple[int, int]] = {}
        self._month = ""
        self._kept: dict[str, tuple[int, int]] = {}
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock
        self.for_intervals = AllowanceGate(self, cap - cap // _RESERVE)
        self.for_events = AllowanceGate(self, cap)

    def start(self) -> None:
        """Begins to look at the calendar."""
        if not self._looking.running:
            self._looking.start(LOOK_S)

    def stop(self) -> None:
        """Hands out the last counts."""
        if self._looking.running:
            self._look()
            self._looking.stop()

    def resume(self, counts: Counts) -> None:
        """Adds what former runs have counted."""
        for month, (received, sent) in counts.items():
            more_received, more_sent = self._months.get(month, (0, 0))
            self._months[month] = (received + more_received, sent + more_sent)
        self._kept = dict(self._months)

    def received(self, count: int) -> None:
        """So many bytes came."""
        self._add(count, 0)

    def sent(self, count: int) -> None:
        """So many bytes went."""
        self._add(0, count)

    @property
    def traffic(self) -> MonthsTraffic:
        """What this month has had so far."""
        received, sent = self._months.get(self._month, (0, 0))
        return MonthsTraffic(self._month, received, sent, self._cap)

    def _add(self, received: int, sent: int) -> None:
        self._month = self._month or self._now()
        before = self._months.get(self._month, (0, 0))
        self._months[self._month] = (before[0] + received, before[1] + sent)

    def _look(self) -> None:
        if self._wall.is_trusted() or not self._month:
            self._month = self._now()
        for month in sorted(self._months)[:-_MONTHS]:
            del self._months[month]
        if self._months != self._kept:
            self._kept = dict(self._months)
            self._keep(self._kept)
        for gate in (self.for_intervals, self.for_events):
            gate.look()

    def _now(self) -> str:
        return datetime.fromtimestamp(self._wall.now(), UTC).astimezone(self._zone).strftime("%Y-%m")


@define(eq=False)
class AllowanceGate:
    """Open while this month's traffic is below `limit` bytes; always, where that is 0."""

    _meter: Meter
    _limit: int
    _waiting: list[Deferred[None]] = field(factory=list, init=False)

    def when_open(self) -> Deferred[None]:
        """Fires when something may be sent."""
        if self._is_open:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    @property
    def trouble(self) -> str:
        """Why nothing may, in a sentence; empty while something may."""
        if self._is_open:
            return ""
        traffic = self._meter.traffic
        used, cap = (f"{count / 2**20:.1f}" for count in (traffic.received + traffic.sent, traffic.cap))
        return f"The monthly cap is reached, {used} of {cap} MiB: data waits for the next month."

    def look(self) -> None:
        """Time has passed."""
        if self._is_open:
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                each.callback(None)

    @property
    def _is_open(self) -> bool:
        traffic = self._meter.traffic
        return not self._limit or traffic.received + traffic.sent < self._limit
