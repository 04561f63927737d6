"""A journal at work in a process of its own, until it is killed: three kinds of records are appended, one reader
settles them, another files them, and with `and-age` old ones are sealed, and older ones deleted. What it was promised
is written to standard output, a line each, at once:

    A n period end fingerprint    append fired for record n
    G n…         these were given to the reader
    s n…         these are about to be settled
    S n…         settling them fired
    F id serial start stop n…    this file was given out
    X period cutoff    records that ended at or before that are about to be deleted
"""

import os
import sys
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from concentrator.journal import compact, mark
from concentrator.journal.compact import Compaction
from concentrator.journal.file_feed import FileFeed
from concentrator.journal.journal import Journal
from concentrator.journal.worker import DiskThread
from concentrator.model.record import Receipt
from tests.support.journals import NOON, event, interval
from tests.support.promises import READERS, fingerprint

LATENCY_S = 1800


class Hours:
    """A wall clock of which five minutes pass with each round of records, and the watermark behind it."""

    def __init__(self, now):
        self.at = self.closed_until = now

    def now(self):
        return self.at

    def is_trusted(self):
        return True


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def failed(failure):
    failure.printTraceback()
    os._exit(1)


async def append(journal, hours, random):
    """Rounds of live records, an event now and then, and every round one five minute record a device."""
    while True:
        end = hours.at + 300
        drafts = [interval(uid, end, 300) for uid in ("main", "other")]
        live = [interval("main", end + i, 10) for i in range(random.randrange(1, 6))]
        waiting = [journal.append(drafts), journal.append(live)]
        if random.random() < 0.3:
            waiting.append(journal.append([event("tag", end, "main")], urgent=True))
        hours.at = end
        for appended in waiting:
            for record in await appended:
                say("A", record.n, record.draft.period, record.draft.end, fingerprint(record))
        hours.closed_until = end


async def settle(journal, random):
    """Reads, and settles most of what it reads."""
    while True:
        batch = await journal.read("mqtt", 7, newest=random.random() < 0.3)
        if batch is None:
            await deferLater(reactor, 0.001)
            continue
        say("G", *(record.n for record in batch.records))
        taken = [record.n for record in batch.records if random.random() < 0.9]
        say("s", *taken)
        settled = journal.settle(batch, taken)
        settled.addCallbacks(partial(_say_settled, taken), failed)


def _say_settled(taken, _):
    say("S", *taken)


async def file(feed, random):
    """Takes files, and settles most of them."""
    while True:
        batch = await feed.read()
        if batch is None:
            await deferLater(reactor, 0.001)
            continue
        say("F", batch.intent, batch.serial, batch.start, batch.stop, *batch.numbers)
        if random.random() < 0.8:
            feed.settle(batch, Receipt(frozenset(batch.numbers)))


async def age(journal, hours):
    """Deletes live records that are three hours old, and files that are ten hours old."""
    while True:
        await deferLater(reactor, 0.02)
        for period, keep_s in ((10, 10_800), (300, 36_000)):
            cutoff = int(hours.at) - keep_s
            say("X", period, cutoff)
            await journal.expire(period, cutoff, 100)


async def work(path, seed, begin, and_age):
    random = Random(seed)
    hours = Hours(begin)
    journal = Journal(path, reactor, hours, DiskThread(reactor), print, commit_s=0.01, urgent_per_s=300)
    await journal.open()
    if and_age:
        # Of a short life, too, several checkpoints are to be seen.
        await journal.change(lambda tables: tables.sql.execute("PRAGMA wal_autocheckpoint = 40").fetchall())
    for reader, periods in READERS.items():
        journal.register(reader, periods)
    feed = FileFeed(
        journal,
        hours,
        hours,
        reactor,
        reader="ftp",
        period_s=300,
        latency_s=LATENCY_S,
        time_of_day_s=0,
        zone=ZoneInfo("UTC"),
        box_serial="4220080001",
    )
    jobs = [append(journal, hours, random), settle(journal, random), file(feed, random)]
    if and_age:
        compact.EVERY_S, compact.PAUSE_S = 0.02, 0.001
        Compaction(journal, hours, reactor).start()
    for job in [*jobs, age(journal, hours)] if and_age else jobs:
        Deferred.fromCoroutine(job).addErrback(failed)


if __name__ == "__main__":
    path, seed, begin, *more = sys.argv[1:]
    if "and-age" in more:
        # The files of this journal are to be written again, which cannot be given the moment of their last change.
        mark._changed = lambda descriptor: 0
    working = (Path(path), int(seed), NOON + int(begin), "and-age" in more)
    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(work(*working)).addErrback(failed))
    reactor.run()
