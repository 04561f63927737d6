"""A journal that is compacted, with minute records in it."""

from __future__ import annotations

from functools import partial

from concentrator.journal.compact import EVERY_S, Compaction
from concentrator.journal.tables import Tables
from tests.support.journals import NOON, interval, result

DAY = 86_400
MIDNIGHT = NOON - NOON % DAY


class Home:
    """A journal of a bench, and its compaction."""

    def __init__(self, bench):
        self.bench = bench
        self.journal = bench.journal()
        self.begin()

    def begin(self):
        self.compaction = Compaction(self.journal, self.bench.wall, self.bench.clock)
        self.compaction.start()

    def reopen(self):
        self.compaction.stop()
        self.bench.close(self.journal)
        self.journal = self.bench.journal()
        self.begin()

    def end(self):
        self.compaction.stop()
        self.bench.end()

    def fill(self, minutes, start=NOON, devices=("main",), period=60, **how):
        """Appends records of so many intervals."""
        drafts = [interval(d, start + period * i, period, **how) for i in range(1, minutes + 1) for d in devices]
        return self.bench.append(self.journal, *drafts)

    def rest(self, seconds=3 * EVERY_S):
        """Gives compaction its time."""
        self.bench.run(seconds, step=0.5)

    def until(self, moment):
        """Makes it that time."""
        self.bench.wall.lead_s = moment - self.bench.clock.seconds()

    def ask(self, text):
        """What the file says."""
        return result(self.journal.query(lambda tables: tables.sql.execute(text).fetchall()))

    def shape(self):
        """How many rows there are, and the numbers of records in the loose and in the tight blocks."""
        ((rows,),) = self.ask("SELECT count(*) FROM record")
        blocks = self.ask("SELECT is_tight, count FROM block ORDER BY id")
        return rows, [count for tight, count in blocks if not tight], [count for tight, count in blocks if tight]

    def all(self):
        """Every record."""
        top = self.journal.synced
        return result(self.journal.query(partial(Tables.numbered, numbers=range(1, top + 1))))
