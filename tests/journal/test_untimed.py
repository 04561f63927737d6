"""What was kept while the time was not known gets it once, whenever the program is killed; what can never have one is
told."""

import pytest
from twisted.internet.defer import Deferred

from concentrator.journal import untimed
from concentrator.journal.tables import best
from concentrator.model.reading import Quality
from concentrator.model.record import EVENT_PERIOD
from tests.support.intervals import House
from tests.support.journals import NOON, AtOnce, SetBoot, event, result


class Start(House):
    """A box on a machine that has just started and does not know the time: the clock shows the day it was made."""

    def __init__(self, bench, **settings):
        bench.wall.trusted = False
        bench.wall.step(-1e9)
        super().__init__(bench, **settings)

    def learn(self):
        """The time becomes known."""
        self.bench.wall.trusted = True
        self.bench.wall.step(1e9)

    def crash(self):
        """kill -9: what waits for the disk is gone, and every timer."""
        for call in tuple(self.bench.clock.getDelayedCalls()):
            call.cancel()
        self.journal._tables.database.abandon()
        self.bench.opened.remove(self.journal)

    def again(self):
        """The program is started again."""
        self.journal = self.bench.journal()
        self.start()

    def reboot(self, identity):
        """The machine is started again."""
        self.bench.boot = self.settings["boot"] = SetBoot(self.bench.clock, identity)
        self.bench.boot.ahead_s = 5 - self.bench.clock.seconds()
        self.again()

    def rows(self):
        return result(self.journal.query(lambda tables: tables.sql.execute("SELECT count(*) FROM untimed").fetchone()))[
            0
        ]

    def events(self):
        return [(r.draft.event["event"], r.draft.end - NOON) for r in self.all() if r.draft.period == EVENT_PERIOD]

    def chosen(self, period=10):
        return best([r for r in self.all() if r.draft.period == period])

    def counts(self, period=10):
        return {r.draft.end - NOON: r.draft.tallies[0].count for r in self.chosen(period)}


@pytest.fixture
def begun(bench):
    homes = []

    def build(**settings):
        homes.append(Start(bench, **settings))
        return homes[-1]

    yield build
    for home in homes:
        home.stop()


def test_what_has_no_time_is_on_the_disk_and_nobody_sees_it(begun):
    home = begun()
    home.journal.register("mqtt", {10, 60, 0})
    home.live(33)
    assert home.rows() == 3
    assert home.all() == []
    assert home.journal.synced == 0
    assert result(home.journal.read("mqtt", 100)) is None
    assert result(home.journal.devices()) == []


def test_it_becomes_records_with_their_time_and_new_numbers_for_every_reader(begun):
    home = begun()
    home.journal.register("mqtt", {10})
    home.live(33)
    home.learn()
    home.live(9)
    batch = result(home.journal.read("mqtt", 100))
    assert [r.draft.end - NOON for r in batch.records] == [10, 20, 30, 40]
    assert [r.n for r in batch.records] == sorted(r.n for r in batch.records)
    assert home.rows() == 0
    assert home.counts() == {10: 10, 20: 10, 30: 10, 40: 10}


def test_times_are_aligned_though_the_machine_was_not_started_on_a_boundary(begun):
    home = begun()
    home.live(33)
    home.bench.wall.step(3)
    home.learn()
    home.live(30)
    assert home.counts() == {20: 10, 30: 10, 40: 17, 50: 10, 60: 10}
    assert [r.draft.quality for r in home.chosen()][2] is Quality.PARTIAL


def test_coarser_records_follow(begun):
    home = begun()
    home.live(150)
    home.learn()
    home.live(35)
    assert home.counts(60) == {60: 60, 120: 60, 180: 60}
    assert {r.draft.quality for r in home.chosen(60)} == {Quality.GOOD}


def test_an_event_keeps_its_moment(begun):
    home = begun()
    home.run(17)
    result_of = home.aggregator.event_happened(event("device.lost"), home.bench.boot.seconds())
    home.run(20)
    result(result_of)
    assert home.events() == []
    home.learn()
    home.run(5)
    assert home.events() == [("device.lost", 17)]
    home.aggregator.event_happened(event("device.found"), home.bench.boot.seconds() - 2)
    home.run(2)
    assert home.events()[1:] == [("device.found", 40)]


def test_it_is_told_when_the_time_is_not_known_and_when_it_is(begun, bench):
    home = begun()
    home.live(33)
    home.learn()
    home.live(5)
    (_, unknown), (_, known) = bench.reports
    assert bench.reported() == ["clock.untrusted", "clock.trusted"]
    assert unknown["text"] == "The time is not known yet. What is read is kept, and gets its time when it is."
    assert (known["records"], known["lost"]) == (3, 0)
    assert known["text"] == "The time is known. What was kept without one has its time now."


def test_a_restart_of_the_program_is_no_restart_of_the_machine(begun):
    home = begun()
    home.live(33)
    home.stop()
    home.start()
    home.live(20)
    home.learn()
    home.live(10)
    home.stop()
    assert sum(home.counts().values()) == 63
    home.start()


# -- killed at any moment


class Dying(AtOnce):
    """A worker that is killed at its n-th write: before it, or after it but before anybody hears of it."""

    def __init__(self, writes, is_after):
        self.writes = writes
        self.is_after = is_after
        self.is_dead = self.has_written = False

    def run(self, job, /, *args, **kwargs):
        is_write = getattr(job, "__name__", "") == "commit"
        if is_write and not self.is_dead:
            self.writes -= 1
            if self.writes == 0:
                self.is_dead = True
                self.has_written = self.has_written or self.is_after
                if self.is_after:
                    super().run(job, *args, **kwargs)
        self.has_written = self.has_written or (is_write and not self.is_dead)
        return Deferred() if self.is_dead else super().run(job, *args, **kwargs)


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("writes", range(1, 14))
def test_killed_at_any_write_every_record_is_there_once(begun, monkeypatch, writes, is_after):
    monkeypatch.setattr(untimed, "_CHUNK", 4)
    home = begun()
    home.live(121, uids=("main", "other"))
    worker = Dying(writes, is_after)
    home.journal._worker = worker
    home.learn()
    home.run(30)
    if worker.is_dead:
        home.crash()
        if worker.has_written:
            # By then the clock has been corrected a little: what has a time keeps it.
            home.bench.wall.step(4)
        home.again()
        home.run(25)
    assert home.rows() == 0
    records = [r for r in home.all() if r.draft.period == 10]
    ends = [(r.draft.uid, r.draft.end - NOON) for r in records if r.draft.end <= NOON + 120]
    assert sorted(ends) == [(uid, end) for uid in ("main", "other") for end in range(10, 121, 10)]
    for uid in ("main", "other"):
        assert [r.draft.tallies[0].count for r in best(records) if r.draft.uid == uid][:12] == [10] * 12
        minutes = {r.draft.end - NOON: r.draft.tallies[0].count for r in home.chosen(60) if r.draft.uid == uid}
        assert (minutes[60], minutes[120]) == (60, 60)


# -- what can never have a time


def test_what_was_kept_in_an_earlier_start_is_told_and_given_up_once(begun, bench):
    home = begun()
    home.live(33, uids=("main", "other"))
    home.crash()
    home.reboot("boot-2")
    home.live(22)
    assert home.rows() == 8
    home.learn()
    home.live(20)
    assert bench.reported() == ["clock.untrusted", "clock.untrusted", "clock.undated", "clock.trusted"]
    facts = bench.reports[2][1]
    assert (facts["records"], facts["devices"], facts["seconds"], facts["lost"]) == (6, ["main", "other"], 30, 0)
    assert (facts["after"], facts["before"]) == (None, "2026-11-18T12:00:28Z")
    assert facts["text"].startswith("6 records of 2 devices were made while the time was not known, before 2026-11-18T")
    assert home.rows() == 0
    assert {r.draft.end - NOON for r in home.chosen()} == {40, 50, 60, 70}
    home.crash()
    home.again()
    home.run(3)
    assert bench.reported().count("clock.undated") == 1


def test_it_is_bounded_by_what_was_dated_before_it(bench, begun):
    home = begun()
    home.learn()
    home.live(130)
    home.bench.wall.trusted = False
    home.crash()
    home.reboot("boot-2")
    home.live(30)
    home.crash()
    bench.wall.trusted = True
    home.reboot("boot-3")
    home.run(3)
    ((_, facts),) = [report for report in bench.reports if report[0] == "clock.undated"]
    assert (facts["after"], facts["before"]) == ("2026-11-18T12:02:00Z", "2026-11-18T12:02:35Z")


def test_an_earlier_start_whose_time_was_known_at_last_is_dated_still(begun, monkeypatch):
    monkeypatch.setattr(untimed, "_CHUNK", 2)
    home = begun()
    home.live(61)
    home.journal._worker = Dying(2, is_after=True)
    home.learn()
    home.run(5)
    home.crash()
    home.reboot("boot-2")
    home.run(12)
    assert home.counts() == {end: 10 for end in range(10, 61, 10)}


def test_more_than_can_be_kept_costs_the_oldest_and_is_told(begun, bench, monkeypatch):
    monkeypatch.setattr(untimed, "ROWS_MAX", 4)
    home = begun()
    home.live(75)
    assert home.rows() == 4
    home.learn()
    home.live(5)
    assert bench.reports[-1][0] == "clock.trusted"
    assert (bench.reports[-1][1]["records"], bench.reports[-1][1]["lost"]) == (4, 3)
    assert set(home.counts()) == {40, 50, 60, 70, 80} - {80}
