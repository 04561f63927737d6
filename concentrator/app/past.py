"""The past, put together: journal, intervals, compaction and retention of a configuration. Hides who writes to the
journal and who reads it, and that both may become others while it stays open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import Happened, Report, Wall
from concentrator.app import JOURNAL
from concentrator.app.config_sections import Config
from concentrator.journal.aggregate import Aggregator
from concentrator.journal.coarser import Coarser
from concentrator.journal.compact import Compaction
from concentrator.journal.intake import Describe
from concentrator.journal.journal import Journal
from concentrator.journal.retention import Retention
from concentrator.journal.room import Room
from concentrator.journal.salvage import Salvage
from concentrator.journal.tables import Tables
from concentrator.journal.untimed import Boot
from concentrator.journal.worker import DiskThread
from concentrator.model.reading import Reading
from concentrator.model.record import EVENT_PERIOD, Draft

if TYPE_CHECKING:
    from concentrator.actions.history import PastView
    from concentrator.actions.trends import TrendView
    from concentrator.journal.happenings import Place

log = Logger()

SETTLE_S = 15.0
"""What was delivered is noted with the next records, for each write costs the flash two blocks at least; a power cut
may have so many seconds delivered again."""

STOP_S = 2.0
"""How long it waits for what works on the journal in the background."""


def readers(config: Config) -> dict[str, frozenset[int]]:
    """The readers of the journal and the periods each takes, in seconds."""
    found = {
        place: frozenset((section.latency_s, EVENT_PERIOD)) for place, section in config.mqtt.items() if section.enabled
    }
    if config.ftp.enabled:
        found["ftp"] = frozenset((config.history.latency_s,))
    return found


@define(eq=False, repr=False)
class Past:
    """The journal of a box and what writes to it, as the configuration of now has it. `describe` says what a device's
    records look like."""

    config: Config
    journal: Journal
    _reactor: Any
    _wall: Wall
    _report: Report
    _describe: Describe
    boot: Boot
    _intervals: Aggregator = field(init=False)
    _compaction: Compaction = field(init=False)
    _retention: Retention = field(init=False)
    _salvage: Salvage = field(init=False)
    _readers: Mapping[str, frozenset[int]] = field(factory=dict, init=False)
    _held: list[Reading] | None = field(factory=list, init=False)
    _changing: DeferredLock = field(factory=DeferredLock, init=False)

    def __attrs_post_init__(self) -> None:
        self._build()

    @property
    def closed_until(self) -> int:
        """All intervals that end at or before this moment (UTC seconds) are on the disk."""
        return self._intervals.closed_until

    async def open(self) -> None:
        """Opens the journal and begins to keep. Raises JournalError where that cannot be."""
        await self.journal.open()
        self._begin()

    async def close(self) -> None:
        """Writes what is pending, and closes."""
        await self._changing.acquire()
        await self._end()
        await self.journal.close()

    def view(self) -> PastView:
        """What can be asked of it."""
        from concentrator.actions.history import PastView

        journal = self.journal
        return PastView(
            journal.devices,
            journal.select,
            lambda period, after: journal.query(partial(Tables.next_end, period=period, after=after)),
            self._names,
            lambda: self.config.history.latency_s,
        )

    def trends(self) -> TrendView:
        """What can be asked of it in steps."""
        from concentrator.actions.trends import TrendView
        from concentrator.journal import trend

        query = self.journal.query
        return TrendView(
            self.journal.devices,
            lambda *asked: query(lambda tables: trend.trend(tables, *asked)),
            lambda *asked: query(lambda tables: trend.counted(tables, *asked)),
            self._names,
            lambda: self.config.history.latency_s,
            lambda: self.config.history.enabled,
            self.config.box.timezone,
        )

    def happened(
        self, since: int, before: Place, fits: Callable[[Happened], bool], limit: int
    ) -> Deferred[tuple[list[Happened], Place | None]]:
        """Events of the past, as `happenings` gives them."""
        from concentrator.journal.happenings import happenings

        ask = partial(happenings, since=since, before=before, fits=fits, limit=limit)
        return self.journal.query(ask)

    def _names(self, uid: str) -> tuple[str, ...]:
        try:
            return tuple(column.name for column in self._describe(uid)[1])
        except KeyError:  # a device of former days, of which only the journal knows
            return ()

    def reading_received(self, reading: Reading) -> None:
        """Takes a reading into its intervals; while these become others, keeps it for them."""
        if self._held is None:
            self._intervals.reading_received(reading)
        else:
            self._held.append(reading)

    def event_happened(self, draft: Draft, at: float) -> Deferred[Any]:
        """Keeps an event; fires when it is on the disk. `at`: its moment, in seconds of the boot."""
        return self._intervals.event_happened(draft, at)

    async def reconfigure(self, config: Config) -> None:
        """Keeps, from now on, what that configuration wants kept; what is in the journal stays. Only the journal's
        place does not change."""
        await self._changing.acquire()
        try:
            before, self._held = self.config, []
            is_same = _intervals_of(before) == _intervals_of(config)
            await self._end(with_intervals=not is_same)
            await self._wind_up(before, config)
            self.config = config
            self._build(with_intervals=not is_same)
            self._begin(with_intervals=not is_same)
        finally:
            self._changing.release()

    async def _wind_up(self, before: Config, after: Config) -> None:
        """What a reader takes no more of, it gets up to now: the shorter intervals that it may take from now on begin
        now."""
        wanted = readers(after)
        left = {
            period for reader, periods in readers(before).items() for period in periods - wanted.get(reader, periods)
        }
        periods = tuple(sorted(left - {EVENT_PERIOD, before.base_interval_s}))
        if periods and self._wall.is_trusted():
            await Coarser(self.journal, before.base_interval_s, periods).wind_up(self._wall.now())

    def _build(self, *, with_intervals: bool = True) -> None:
        config, history = self.config, self.config.history
        base_s, base_keep_s = config.base_interval_s, config.journal.base_keep_s
        if history.enabled and history.latency_s == base_s:
            base_keep_s = max(base_keep_s, history.keep_s)
        around = (self.journal, self._wall, self._reactor, self._report)
        coarser = config.latencies_s.values()
        if with_intervals:
            self._intervals = Aggregator(
                *around, base_s=base_s, coarser=coarser, describe=self._describe, boot=self.boot
            )
        room = Room(config.journal.max_size_bytes, config.box.state_dir)
        self._retention = Retention(
            *around,
            base_s=base_s,
            base_keep_s=base_keep_s,
            keep_s=history.keep_s,
            history_s=history.latency_s,
            room=room,
        )
        self._salvage = Salvage(self.journal, self._reactor, self._report, room)
        self._compaction = Compaction(self.journal, self._wall, self._reactor)

    def _begin(self, *, with_intervals: bool = True) -> None:
        wanted = readers(self.config)
        for reader in self._readers.keys() - wanted.keys():
            self.journal.withdraw(reader)
        for reader, periods in wanted.items():
            if self._readers.get(reader) != periods:
                self.journal.register(reader, periods).addErrback(
                    lambda failure: log.failure("a reader's place is not noted", failure)
                )
        self._readers = wanted
        if with_intervals:
            self._intervals.start()
        self._salvage.start()
        self._compaction.start()
        self._retention.start()
        held, self._held = self._held or [], None
        for reading in held:
            self._intervals.reading_received(reading)

    async def _end(self, *, with_intervals: bool = True) -> None:
        self._compaction.stop()
        # Each waits for its last commit, which a full disk may never take.
        for stop in (self._salvage.stop, self._retention.stop):
            await stop().addTimeout(STOP_S, self._reactor).addErrback(_log_stuck)
        if with_intervals:
            await self._intervals.stop()


def _intervals_of(config: Config) -> object:
    """What the intervals that are made depend on."""
    return config.base_interval_s, set(config.latencies_s.values())


def _log_stuck(failure: Failure) -> None:
    log.failure("what works on the journal in the background is cut off", failure)


def build_past(config: Config, reactor: Any, wall: Wall, report: Report, describe: Describe, boot: Boot) -> Past:
    """The past of a configuration, built but not open."""
    path = config.box.state_dir / JOURNAL
    journal = Journal(path, reactor, wall, DiskThread(reactor), report, settle_s=SETTLE_S)
    return Past(config, journal, reactor, wall, report, describe, boot)
