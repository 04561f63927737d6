from functools import partial
from zoneinfo import ZoneInfo

import pytest
from attrs import define

from concentrator.journal import intent
from concentrator.journal.file_feed import FileFeed
from concentrator.journal.intent import Intent
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.record import Receipt
from tests.support.journals import COLUMNS, NOON, interval, pending, result

UTC = ZoneInfo("UTC")


def taken(batch):
    """The receipt of a far side that took everything."""
    return Receipt(frozenset(batch.numbers))


@define
class Watermark:
    closed_until: int = NOON


class Office:
    """A file feed of 5 minute records in hourly files that are sent five minutes past the hour."""

    def __init__(self, bench, **settings):
        self.bench = bench
        self.settings = {
            "reader": "ftp",
            "period_s": 300,
            "latency_s": 3600,
            "time_of_day_s": 300,
            "zone": UTC,
            "box_serial": "4220080001",
        } | settings
        self.watermark = Watermark()
        self.open()

    def open(self):
        self.journal = self.bench.journal()
        self.journal.register("ftp", {300})
        self.feed = FileFeed(self.journal, self.watermark, self.bench.wall, self.bench.clock, **self.settings)

    def restart(self):
        self.bench.close(self.journal)
        self.open()

    def record(self, *ends, uid="main", **settings):
        """Appends records that end so many minutes after noon."""
        drafts = [interval(uid, NOON + minutes * 60, 300, **settings) for minutes in ends]
        return [record.n for record in self.bench.append(self.journal, *drafts)]

    def at(self, minutes, watermark=None):
        """Lets the clocks be so many minutes after noon."""
        self.bench.wall.lead_s = NOON + minutes * 60 - self.bench.clock.seconds()
        self.watermark.closed_until = NOON + (minutes if watermark is None else watermark) * 60

    def read(self):
        return self.bench.done(self.feed.read())

    def files(self):
        """Reads and settles until nothing is owed: device, start and stop in minutes after noon, numbers."""
        found = []
        while file := self.read():
            found.append(told(file))
            result(self.feed.settle(file, taken(file)))
        return found


def told(file):
    told_again = [n for n in file.numbers if n not in file.rows]
    return file.serial, (file.start - NOON) / 60, (file.stop - NOON) / 60, [*file.rows, *told_again]


@pytest.fixture
def office(both):
    return Office(both)


@pytest.fixture
def lasting(bench):
    return Office(bench)


def test_a_file_is_one_device_and_period_whole(office):
    office.record(*range(5, 65, 5))
    office.record(*range(5, 65, 5), uid="other")
    office.at(65)
    file = office.read()
    assert file.stem == "4220080001_S-main_20261118T120000Z_20261118T130000Z"
    assert (file.serial, file.start, file.stop, file.columns) == ("S-main", NOON, NOON + 3600, COLUMNS)
    assert (file.uid, file.period, file.records) == ("main", 300, ())
    found = {record.n: record.draft.end for record in office.bench.done(file.pick(file.rows))}
    assert [found[n] for n in file.rows] == [NOON + 300 * i for i in range(1, 13)]
    assert [serial for serial, *_ in office.files()] == ["S-main", "S-other"]
    assert office.read() is None


def test_no_file_is_given_out_before_its_sending_moment(office):
    office.record(*range(5, 65, 5))
    office.at(64.9)
    assert office.read() is None
    office.at(65)
    assert office.read() is not None


def test_no_file_is_given_out_before_all_of_its_intervals_are_on_the_disk(office):
    office.record(*range(5, 60, 5))
    office.at(65, watermark=55)
    assert office.read() is None
    office.record(60)
    office.at(65.1, watermark=60)
    assert office.files() == [("S-main", 0, 60, list(range(1, 13)))]


def test_no_file_is_given_out_while_the_time_is_not_known(office):
    office.record(5)
    office.at(65)
    office.bench.wall.trusted = False
    assert office.read() is None
    more = office.feed.when_more()
    assert pending(more)
    more.addErrback(lambda failure: None)
    more.cancel()


def test_a_file_is_given_again_the_same_until_it_is_settled(office):
    office.record(5, 10)
    office.at(65)
    first = office.read()
    result(office.feed.settle(first, Receipt(frozenset({1}))))
    office.record(15)
    assert office.read() == first
    result(office.feed.settle(first, Receipt(frozenset({1}), {2: "never"})))
    assert office.read() is None


def test_a_settled_file_is_not_given_again_before_that_is_on_the_disk(office):
    office.record(5)
    office.record(5, uid="other")
    office.at(65)
    file = office.read()
    office.feed.settle(file, taken(file))
    assert result(office.feed.read()).serial == "S-other"


def test_late_records_are_in_the_devices_next_file_and_older_than_its_start(office):
    office.record(5, 10)
    office.at(65)
    assert office.files() == [("S-main", 0, 60, [1, 2])]
    office.record(65, 15)
    office.record(65, uid="other")
    office.at(125)
    first, second = office.files()
    assert first == ("S-main", 60, 120, [4, 3])
    assert second == ("S-other", 60, 120, [5])


def test_an_interval_told_twice_is_one_row_and_both_records_are_settled(office):
    office.record(5, 10)
    office.record(5)
    office.at(65)
    file = office.read()
    assert (list(file.rows), file.numbers) == ([3, 2], (1, 2, 3))
    result(office.feed.settle(file, taken(file)))
    assert office.feed.waiting() == 0


def test_records_of_a_former_latency_of_history_are_in_a_file_too(lasting):
    lasting.record(5, 10)
    drafts = [interval("main", NOON + 900, 900)]
    lasting.bench.close(lasting.journal)
    lasting.settings["period_s"] = 900
    lasting.journal = lasting.bench.journal()
    lasting.journal.register("ftp", {900})
    watermark, wall, clock = lasting.watermark, lasting.bench.wall, lasting.bench.clock
    lasting.feed = FileFeed(lasting.journal, watermark, wall, clock, **lasting.settings)
    lasting.bench.append(lasting.journal, *drafts)
    lasting.at(65)
    assert lasting.files() == [("S-main", 0, 60, [1, 2, 3])]


def test_a_period_that_was_missed_gets_its_own_file_first(office):
    office.record(5, 65, 125)
    office.at(185)
    assert office.files() == [("S-main", 0, 60, [1]), ("S-main", 60, 120, [2]), ("S-main", 120, 180, [3])]


def test_every_record_is_in_one_file_only_whatever_comes_when(office):
    filed = []
    for hour in range(8):
        office.record(*range(hour * 60 + 5, hour * 60 + 65, 5))
        office.record(*range(hour * 60 + 5, hour * 60 + 65, 10), uid="other")
        office.record(max(5, hour * 60 - 30))
        office.at(hour * 60 + 65)
        if hour % 3 == 2:
            filed += office.files()
        else:
            office.read()
    seen = [n for *_, found in filed for n in found]
    assert len(seen) == len(set(seen))
    assert len({file[:3] for file in filed}) == len(filed)
    office.at(9 * 60 + 5)
    seen += [n for *_, found in office.files() for n in found]
    assert sorted(seen) == list(range(1, office.journal.synced + 1))
    assert office.feed.waiting() == 0


def test_waiting_counts_what_is_in_files_and_what_is_not(office):
    office.record(5, 10, 65)
    assert office.feed.waiting() == 3
    office.at(65)
    file = office.read()
    assert office.feed.waiting() == 3
    office.feed.settle(file, taken(file))
    assert office.feed.waiting() == 1


def test_a_file_is_owed_on_the_disk_before_it_is_given_out(lasting):
    lasting.record(5)
    lasting.at(65)
    reading = lasting.feed.read()
    before = lasting.journal.counts.commits
    lasting.bench.run(2)
    assert result(reading) is not None
    assert lasting.journal.counts.commits > before
    assert lasting.bench.done(lasting.journal.query(partial(intent.owed_records, reader="ftp"))) == 1


def test_after_a_restart_the_owed_files_come_first_and_unchanged(lasting):
    lasting.record(5, 10)
    lasting.record(5, uid="other")
    lasting.at(65)
    before = lasting.read()
    lasting.record(65, 15)
    lasting.restart()
    lasting.at(125)
    assert lasting.read() == before
    assert lasting.files() == [
        ("S-main", 0, 60, [1, 2]),
        ("S-other", 0, 60, [3]),
        ("S-main", 60, 120, [5, 4]),
    ]
    lasting.restart()
    assert lasting.read() is None
    assert lasting.feed.waiting() == 0


def test_a_settled_period_gets_no_second_file_after_a_restart(lasting):
    lasting.record(5)
    lasting.at(65)
    assert len(lasting.files()) == 1
    lasting.restart()
    lasting.record(10)
    lasting.at(66)
    assert lasting.files() == []
    lasting.at(125)
    assert lasting.files() == [("S-main", 60, 120, [2])]


def test_a_clock_set_back_makes_no_second_file_of_a_period(office):
    office.record(5)
    office.at(65)
    assert len(office.files()) == 1
    office.at(6)
    office.record(10)
    assert office.files() == []
    office.at(66)
    assert office.files() == []
    office.at(125)
    assert office.files() == [("S-main", 60, 120, [2])]


def test_a_clock_that_was_years_ahead_for_a_moment_does_not_end_the_files(office):
    year = 365 * 24 * 60
    office.record(5)
    office.at(year)
    assert len(office.files()) == 1
    office.at(65)
    office.record(65)
    office.at(125)
    assert office.files() == [("S-main", 60, 120, [2])]


@pytest.mark.parametrize(
    ("now", "watermark", "after_s"),
    [(30, 30, 60), (64.5, 60, 30), (65, 55, 1)],
    ids=["far off", "near", "waiting for the last intervals"],
)
def test_it_is_worth_reading_again_at_the_next_sending_moment(office, now, watermark, after_s):
    office.at(5)
    office.read()
    office.at(now, watermark)
    more = office.feed.when_more()
    office.bench.run(after_s - 0.1)
    assert pending(more)
    office.bench.run(0.2)
    assert result(more) is None


def test_a_file_whose_records_went_with_age_is_passed_over(office):
    office.record(5)
    office.record(5, uid="other")
    office.at(65)
    assert office.read().serial == "S-main"
    office.journal._tables.sql.execute("DELETE FROM record WHERE n = 1")
    assert [serial for serial, *_ in office.files()] == ["S-other"]


def test_the_columns_of_a_file_are_the_newest_records_and_then_what_only_older_ones_have(office):
    new = Quantity("v1", "V", Kind.STATE)
    office.record(5)
    office.record(10, columns=(*COLUMNS[1:], new)[:2])
    office.at(65)
    assert [column.name for column in office.read().columns] == ["ea_imp", "state", "p"]


def test_files_of_a_day_of_25_hours_hold_all_of_it(both):
    # The last Sunday of October 2026 in Madrid: 23 hours after its midnight it is 22:00.
    madrid = ZoneInfo("Europe/Madrid")
    midnight = 1_792_879_200
    start = (midnight - NOON) // 60
    office = Office(both, zone=madrid, latency_s=24 * 3600)
    office.record(*range(start + 5, start + 25 * 60 + 65, 5))
    office.at(start + 25 * 60 + 5, watermark=start + 25 * 60)
    day, rest = office.files()
    assert [len(found) for *_, found in (day, rest)] == [24 * 12, 12]
    assert day[1:3] == (start, start + 24 * 60)
    assert rest[1:3] == (start + 24 * 60, start + 25 * 60)


def test_an_intent_comes_back_as_it_was_written(both):
    journal = both.journal()
    owed = Intent("ftp", "S1", 300, NOON, NOON + 3600, NOON - 300, (3, 36, 69))
    both.done(journal.change(partial(intent.add, intents=[owed])))
    found = both.done(journal.query(partial(intent.first_owed, reader="ftp")))
    assert (found.id, found.numbers, found.oldest) == (1, owed.numbers, owed.oldest)
    assert both.done(journal.query(partial(intent.first_owed, reader="other"))) is None
