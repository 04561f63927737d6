from functools import partial

import pytest

from concentrator.journal import intent
from concentrator.journal.intent import Intent
from concentrator.journal.retention import CHUNK, REST_AFTER_STEP_S, Retention
from concentrator.journal.tables import Tables
from tests.support.journals import NOON, event, interval, numbers, result

DAY = 86400


class Archive:
    """A journal whose base records are kept for a day, and the others for ten."""

    def __init__(self, bench):
        self.bench = bench
        self.journal = bench.journal()
        self.retention = Retention(
            self.journal, bench.wall, bench.clock, bench.report, base_s=10, base_keep_s=DAY, keep_s=10 * DAY
        )
        self.retention.start()

    def run(self, seconds):
        self.bench.run(seconds, step=1)

    def left(self):
        top = self.journal.synced
        found = result(self.journal.query(partial(Tables.numbered, numbers=range(1, top + 1))))
        return [(record.draft.period, (record.draft.end - NOON) // DAY) for record in found]


@pytest.fixture
def archive(both):
    archive = Archive(both)
    yield archive
    stopped = archive.retention.stop()
    archive.run(3)
    result(stopped)


def test_records_leave_when_they_are_older_than_they_are_kept(archive):
    for day in (-11, -5, 0):
        archive.bench.append(
            archive.journal,
            *[interval(end=NOON + day * DAY, period=period) for period in (10, 300)],
            event(end=NOON + day * DAY),
        )
    archive.run(4300)
    assert archive.left() == [(300, -5), (0, -5), (10, 0), (300, 0), (0, 0)]
    assert archive.bench.reports == []


def test_many_leave_in_small_commits(archive):
    archive.bench.append(archive.journal, *[interval(end=NOON - 2 * DAY) for _ in range(3 * CHUNK)])
    commits = archive.journal.counts.commits
    archive.run(4300)
    assert archive.left() == []
    assert archive.journal.counts.commits - commits >= 4


def test_what_a_reader_had_not_settled_is_counted_and_reported(archive):
    archive.journal.register("mqtt", {10})
    archive.journal.register("ftp", {300})
    archive.bench.append(archive.journal, *[interval(end=NOON - 2 * DAY + i) for i in range(5)], interval(end=NOON))
    batch = result(archive.journal.read("mqtt", 2))
    archive.journal.settle(batch, set(numbers(batch)))
    archive.run(4300)
    assert archive.bench.reports == [("journal.expired", {"records": 5, "undelivered": {"mqtt": 3}})]
    assert archive.journal.waiting("mqtt") == 1
    assert numbers(result(archive.journal.read("mqtt", 10))) == [6]


def test_a_file_that_is_owed_leaves_whole_and_never_in_part(archive):
    journal = archive.journal
    journal.register("ftp", {10})
    ends = [NOON - DAY + minutes * 60 for minutes in (-120, -70, 30, 90)]
    archive.bench.append(journal, *[interval(end=end) for end in ends])
    gone = Intent("ftp", "S-main", 10, ends[0] - 3600, ends[0], ends[0], (1,))
    stays = Intent("ftp", "S-main", 10, NOON - DAY, NOON - DAY + 7200, ends[1], (2, 3))
    archive.bench.done(journal.entrust("ftp", (1, 3), [], partial(intent.add, intents=[gone, stays])))
    assert journal.waiting("ftp") == 4
    archive.run(4300)
    found = result(journal.query(partial(Tables.numbered, numbers=(1, 2, 3, 4))))
    assert [record.n for record in found] == [2, 3, 4]
    assert result(journal.query(partial(intent.first_owed, reader="ftp"))).numbers == (2, 3)
    assert journal.waiting("ftp") == 3
    assert archive.bench.reports == [("journal.expired", {"records": 1, "undelivered": {"ftp": 1}})]


def test_a_clock_set_forward_empties_nothing_for_a_day(archive):
    archive.bench.append(archive.journal, interval(end=NOON))
    archive.run(4000)
    archive.bench.wall.step(365 * DAY)
    archive.run(1200)
    archive.bench.wall.step(-365 * DAY)
    archive.run(REST_AFTER_STEP_S / 2)
    assert archive.left() == [(10, 0)]


def test_nothing_leaves_while_the_time_is_not_known(archive):
    archive.bench.append(archive.journal, interval(end=NOON - 2 * DAY))
    archive.bench.wall.trusted = False
    archive.run(6000)
    assert len(archive.left()) == 1
    archive.bench.wall.trusted = True
    archive.run(700)
    assert archive.left() == []


def test_a_stop_in_the_middle_ends_it(archive):
    archive.bench.append(archive.journal, *[interval(end=NOON - 2 * DAY) for _ in range(4 * CHUNK)])
    commits = archive.journal.counts.commits
    while archive.journal.counts.commits == commits:
        archive.run(1)
    stopped = archive.retention.stop()
    archive.run(3)
    result(stopped)
    assert archive.left()
