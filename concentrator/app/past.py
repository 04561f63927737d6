"""The past, put together: journal, intervals and retention of a configuration. Hides who writes to the journal and
who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define
from twisted.internet.defer import maybeDeferred

from concentrator.api import Report, Wall
from concentrator.app import JOURNAL
from concentrator.app.config_sections import Config
from concentrator.journal.aggregate import Aggregator, Describe
from concentrator.journal.journal import Journal
from concentrator.journal.retention import Retention
from concentrator.journal.worker import DiskThread
from concentrator.model.record import EVENT_PERIOD


def readers(config: Config) -> dict[str, frozenset[int]]:
    """The readers of the journal and the periods each takes, in seconds."""
    found = {
        place: frozenset((section.latency_s, EVENT_PERIOD)) for place, section in config.mqtt.items() if section.enabled
    }
    if config.ftp.enabled:
        found["ftp"] = frozenset((config.history.latency_s,))
    return found


@define(eq=False)
class Past:
    """The journal of a box and what writes to it."""

    journal: Journal
    intervals: Aggregator
    _retention: Retention
    _readers: Mapping[str, frozenset[int]]

    async def open(self) -> None:
        """Opens the journal and begins to keep. Raises JournalError where that cannot be."""
        await self.journal.open()
        for reader, periods in self._readers.items():
            self.journal.register(reader, periods)
        self.intervals.start()
        self._retention.start()

    async def close(self) -> None:
        """Writes what is pending, and closes."""
        await maybeDeferred(self._retention.stop)
        await self.intervals.stop()
        await self.journal.close()


def build_past(config: Config, reactor: Any, wall: Wall, report: Report, describe: Describe) -> Past:
    """The past of a configuration, built but not open. `describe` says what a device's records look like."""
    journal = Journal(config.box.state_dir / JOURNAL, reactor, wall, DiskThread(reactor), report)
    base_s, history = config.base_interval_s, config.history
    intervals = Aggregator(
        journal, wall, reactor, report, base_s=base_s, coarser=config.latencies_s.values(), describe=describe
    )
    base_keep_s = config.journal.base_keep_s
    if history.enabled and history.latency_s == base_s:
        base_keep_s = max(base_keep_s, history.keep_s)
    retention = Retention(journal, wall, reactor, report, base_s=base_s, base_keep_s=base_keep_s, keep_s=history.keep_s)
    return Past(journal, intervals, retention, readers(config))
