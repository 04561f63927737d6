"""An aggregator on a bench: devices are read while time passes, and what is on the disk is told."""

from __future__ import annotations

from functools import partial

from concentrator.journal.aggregate import Aggregator
from concentrator.journal.tables import Tables
from concentrator.model.reading import Quality
from tests.support.journals import COLUMNS, NOON, reading, result


class House:
    """A journal and an aggregator on a bench, begun a quarter of a second after noon; while time passes, devices are
    read once a second."""

    def __init__(self, bench, base_s=10, coarser=(60,)):
        self.bench = bench
        self.columns = COLUMNS
        self.serials = {"main": "S-main", "other": "S-other"}
        self.journal = bench.journal()
        self.settings = {"base_s": base_s, "coarser": coarser, "describe": self.describe, "boot": bench.boot}
        self.start()

    def describe(self, uid):
        return self.serials[uid], self.columns

    def start(self):
        self.aggregator = Aggregator(
            self.journal, self.bench.wall, self.bench.clock, self.bench.report, **self.settings
        )
        self.aggregator.start()
        self.run(0.25)

    def stop(self):
        stopped = self.aggregator.stop()
        self.run(3)
        result(stopped)

    def run(self, seconds):
        self.bench.run(seconds, step=0.25)

    def crash(self):
        """As a power cut: what is open is gone."""
        self.aggregator._timer.cancel()

    def read(self, uid="main", at=None, quality=Quality.GOOD, missing=(), **values):
        at = self.bench.wall.now() if at is None else NOON + at
        self.aggregator.reading_received(reading(uid, at, quality, missing, **values))

    def live(self, seconds, watts=100.0, uids=("main",)):
        """Reads the devices each second for so long."""
        for _ in range(round(seconds)):
            for uid in uids:
                self.read(uid, p=watts, ea_imp=5.0)
            self.run(1)

    def records(self, period=10, uid="main"):
        """All records of a period: seconds of the end after noon, count of readings, quality."""
        return [
            (r.draft.end - NOON, r.draft.tallies[0] and r.draft.tallies[0].count, r.draft.quality.value)
            for r in self.all()
            if r.draft.period == period and r.draft.uid == uid
        ]

    def coverage(self, period=10, uid="main"):
        """The coverage of the same records."""
        return [r.draft.coverage for r in self.all() if r.draft.period == period and r.draft.uid == uid]

    def all(self):
        top = self.journal.synced
        return result(self.journal.query(partial(Tables.numbered, numbers=range(1, top + 1))))
