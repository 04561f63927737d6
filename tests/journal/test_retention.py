from collections import Counter
from functools import partial

import pytest

from concentrator.journal import intent
from concentrator.journal.intent import Intent
from concentrator.journal.retention import CHUNK, LOOK_S, REST_AFTER_STEP_S, TELL_S, Retention
from concentrator.journal.tables import Tables
from tests.support.journals import NOON, event, interval, numbers, result

DAY = 86400


class Limit:
    """Room for so many bytes, as a test sets it."""

    def __init__(self):
        self.limit_bytes = 2**40

    def excess(self, used, inside):
        return used - self.limit_bytes


class Archive:
    """A journal whose base records are kept for a day, and the others for ten."""

    def __init__(self, bench):
        self.bench = bench
        self.journal = bench.journal()
        self.room = Limit()
        self.empty = self.used()
        self.retention = Retention(
            self.journal,
            bench.wall,
            bench.clock,
            bench.report,
            base_s=10,
            base_keep_s=DAY,
            keep_s=10 * DAY,
            history_s=300,
            room=self.room,
        )
        self.retention.start()

    def run(self, seconds):
        self.bench.run(seconds, step=1)

    def left(self):
        top = self.journal.synced
        found = result(self.journal.query(partial(Tables.numbered, numbers=range(1, top + 1))))
        return [(record.draft.period, (record.draft.end - NOON) // DAY) for record in found]

    def many(self, *periods, each=2 * CHUNK):
        """Appends many records of each of the periods, 0 for events."""
        for period in periods:
            drafts = [
                event(end=NOON + i) if period == 0 else interval(end=NOON + i, period=period) for i in range(each)
            ]
            self.bench.append(self.journal, *drafts)

    def settle(self, reader):
        """Settles all that a reader has."""
        while batch := result(self.journal.read(reader, 1000)):
            self.journal.settle(batch, set(numbers(batch)))

    def shrink_to(self, share):
        """Lets there be room for that share of the records that are there, until it is so."""
        used = self.used()
        self.room.limit_bytes = int(self.empty + (used - self.empty) * share)
        self.run(2 * LOOK_S)

    def used(self):
        return result(self.journal.query(lambda tables: tables.used))

    def counts(self):
        """How many records of each period are left."""
        return dict(Counter(period for period, _ in self.left()))


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
    assert archive.bench.reports == [("journal.expired", {"records": 5, "undelivered": {"mqtt": 3}, "why": "age"})]
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
    assert archive.bench.reports == [("journal.expired", {"records": 1, "undelivered": {"ftp": 1}, "why": "age"})]


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


def test_for_want_of_room_live_records_that_were_delivered_go_first_and_of_them_the_oldest(archive):
    archive.journal.register("mqtt", {10})
    archive.many(10, 300, 0)
    archive.settle("mqtt")
    archive.many(10, each=CHUNK)
    archive.shrink_to(0.9)
    left = archive.counts()
    assert left[300] == left[0] == 2 * CHUNK
    assert CHUNK <= left[10] < 3 * CHUNK
    assert archive.journal.waiting("mqtt") == CHUNK
    ((name, facts),) = archive.bench.reports
    assert (name, facts) == ("journal.expired", {"records": 3 * CHUNK - left[10], "undelivered": {}, "why": "room"})


def test_what_an_uplink_has_not_taken_goes_after_all_that_was_taken_and_events_go_last(archive):
    archive.journal.register("mqtt", {10, 0})
    archive.journal.register("ftp", {300})
    archive.many(10, 300, 0)
    order = []
    for share in (0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.5, 0.5):
        archive.shrink_to(share)
        order.append(archive.counts())
    assert all(each.get(0) == 2 * CHUNK for each in order if each.get(300))
    assert all(each.get(300) == 2 * CHUNK for each in order if each.get(10))
    assert order[0][10] < 2 * CHUNK
    assert order[-1].get(10) is None
    assert order[-1].get(300, 0) < 2 * CHUNK


def test_history_that_was_delivered_goes_before_live_records_that_were_not(archive):
    archive.journal.register("mqtt", {10})
    archive.journal.register("ftp", {300})
    archive.many(300)
    archive.settle("ftp")
    archive.many(10)
    archive.shrink_to(0.8)
    left = archive.counts()
    assert left[10] == 2 * CHUNK
    assert left.get(300, 0) < 2 * CHUNK


def test_a_reader_that_is_no_longer_there_pins_nothing(archive):
    archive.journal.register("mqtt", {10})
    archive.journal.register("ftp", {300})
    archive.many(10, 300)
    archive.settle("mqtt")
    archive.journal.withdraw("ftp")
    archive.shrink_to(0.4)
    assert archive.counts().get(300, 0) < 2 * CHUNK
    assert archive.bench.reports[0][1]["undelivered"] == {}


def test_every_record_that_goes_for_want_of_room_is_told_but_not_all_the_time(archive):
    archive.journal.register("mqtt", {10})
    archive.many(10, each=8 * CHUNK)
    for share in (0.9, 0.8, 0.8):
        archive.shrink_to(share)
    assert len(archive.bench.reports) == 1
    archive.run(TELL_S)
    assert len(archive.bench.reports) == 2
    gone = 8 * CHUNK - archive.counts()[10]
    assert [facts["why"] for _, facts in archive.bench.reports] == ["room", "room"]
    assert sum(facts["records"] for _, facts in archive.bench.reports) == gone
    assert sum(facts["undelivered"]["mqtt"] for _, facts in archive.bench.reports) == gone
    assert archive.journal.waiting("mqtt") == archive.counts()[10]


def test_what_coarser_records_are_still_to_be_made_of_stays(archive):
    archive.many(10)
    done = archive.journal.change(lambda tables: tables.sql.execute("INSERT INTO merged VALUES (300, ?)", (NOON + 99,)))
    archive.bench.done(done)
    archive.shrink_to(0.01)
    assert archive.counts() == {10: 2 * CHUNK - 100}


def test_of_files_that_are_owed_the_oldest_go_one_after_the_other(archive):
    journal = archive.journal
    journal.register("ftp", {300})
    archive.bench.append(journal, *[interval(end=NOON + 300 * (i + 1), period=300) for i in range(4 * CHUNK)])
    owed = [
        Intent("ftp", "S-main", 300, NOON + 15000 * i, NOON + 15000 * (i + 1), NOON + 15000 * i + 300,
               tuple(range(50 * i + 1, 50 * i + 51)))
        for i in range(4 * CHUNK // 50)
    ]  # fmt: skip
    archive.bench.done(journal.entrust("ftp", (1, 4 * CHUNK), [], partial(intent.add, intents=owed)))
    archive.shrink_to(0.85)
    left = archive.counts()[300]
    assert 2 * CHUNK < left < 4 * CHUNK
    first = result(journal.query(partial(intent.first_owed, reader="ftp"))).numbers[0]
    assert first == 4 * CHUNK - left + 1
    assert journal.waiting("ftp") == left
    assert archive.bench.reports[0][1]["undelivered"] == {"ftp": 4 * CHUNK - left}
