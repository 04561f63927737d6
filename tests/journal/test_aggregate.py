import pytest
from twisted.internet.defer import fail

from concentrator.model.errors import Corrupt, Full
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from tests.support.intervals import House
from tests.support.journals import COLUMNS, NOON, numbers, result


@pytest.fixture
def house(bench):
    houses = []

    def build(**settings):
        houses.append(House(bench, **settings))
        return houses[-1]

    yield build
    for built in houses:
        built.stop()


# -- intervals


@pytest.mark.parametrize(
    ("at", "end"), [(0.01, 10), (5, 10), (10, 10), (10.001, 20), (19.999, 20), (20, 20), (20.5, 30)]
)
def test_an_interval_holds_its_end_and_not_its_start(house, at, end):
    home = house()
    home.run(0.5)
    home.read(at=at, p=5.0)
    home.run(32)
    assert home.records() == [(end, 1, "good")]


def test_an_interval_is_written_shortly_after_its_end(house):
    home = house()
    home.live(9)
    home.read(p=1.0)
    home.run(0.75)
    assert home.records() == []
    home.run(0.5)
    assert home.records() == [(10, 10, "good")]


def test_one_record_a_device_and_interval_in_one_commit(house):
    home = house()
    commits = home.journal.counts.commits
    home.live(10, uids=("main", "other"))
    home.run(1)
    assert [(r.draft.uid, r.draft.serial) for r in home.all()] == [("main", "S-main"), ("other", "S-other")]
    assert home.journal.counts.commits == commits + 1


def test_a_device_without_readings_has_no_record(house):
    home = house()
    home.live(10)
    home.run(20)
    assert home.records() == [(10, 10, "good")]


def test_a_record_says_what_the_readings_did(house):
    home = house()
    for at, watts, energy in ((1, 100.0, 5.01), (2, -50.5, 5.02), (3, 20.0, 5.04)):
        home.read(at=at, p=watts, ea_imp=energy, state=2, note="text")
    home.run(11)
    (record,) = home.all()
    power = record.draft.tallies[0]
    assert (power.count, power.total, power.least, power.most, power.last) == (3, 695, -505, 1000, 200)
    assert record.values == {"p": 23.2, "ea_imp": 5.04, "state": 2}


def test_a_silent_device_has_a_record_that_says_so(house):
    home = house()
    home.read(at=1, quality=Quality.SILENT)
    home.run(11)
    assert home.records() == [(10, None, "silent")]


def test_a_device_whose_serial_is_not_known_is_called_by_its_short_id(house):
    home = house()
    home.serials["main"] = ""
    home.read(at=1, p=1.0)
    home.run(11)
    assert [r.draft.serial for r in home.all()] == ["main"]


def test_a_serial_that_becomes_known_within_the_interval_is_taken(house):
    home = house()
    home.serials["main"] = ""
    home.read(at=1, p=1.0)
    home.serials["main"] = "S9"
    home.run(11)
    assert [r.draft.serial for r in home.all()] == ["S9"]


def test_a_period_that_is_no_multiple_of_the_base_is_refused(house):
    with pytest.raises(ValueError, match="found 45 s, expected a multiple of 10 s"):
        house(coarser=[45])


# -- coarser records


def test_coarser_records_are_the_exact_merge_of_the_base_records(house):
    home = house()
    for i in range(60):
        home.run(1)
        home.read(p=i * 1.1, ea_imp=i / 100)
    home.run(5)
    base = [r.draft for r in home.all() if r.draft.period == 10]
    (minute,) = [r.draft for r in home.all() if r.draft.period == 60]
    assert len(base) == 6
    assert minute.end == NOON + 60
    for i, column in enumerate(COLUMNS[:2]):
        merged = base[0].tallies[i]
        for draft in base[1:]:
            merged = merged.merged(draft.tallies[i], column.kind)
        assert minute.tallies[i] == merged


def test_a_minute_in_which_a_device_was_silent_is_partial(house):
    home = house()
    home.live(30)
    for _ in range(3):
        home.run(10)
        home.read(quality=Quality.SILENT)
    home.live(30)
    assert home.records(60) == [(60, 30, "partial")]


def test_the_base_record_itself_serves_where_a_period_equals_it(house):
    home = house(coarser=[10, 60])
    home.live(11)
    assert home.records() == [(10, 10, "good")]


def test_a_period_begun_in_its_middle_is_written_for_what_there_was_and_says_how_much(house):
    home = house()
    home.run(30)
    home.live(32)
    assert home.records(60) == [(60, 30, "partial")]
    assert home.coverage(60) == [0.5]


def test_everything_up_to_the_watermark_is_on_the_disk(house):
    home = house()
    assert home.aggregator.closed_until == NOON
    home.live(59)
    assert home.aggregator.closed_until == NOON + 50
    home.live(1)
    home.run(0.15)
    assert home.records(60) == []
    assert home.aggregator.closed_until == NOON + 50
    home.run(2)
    assert home.records(60) == [(60, 60, "good")]
    assert home.aggregator.closed_until == NOON + 60


def test_the_watermark_moves_on_without_any_device(house):
    home = house()
    home.run(31)
    assert home.aggregator.closed_until == NOON + 30


def test_what_the_journal_lost_does_not_stop_the_intervals_that_follow(house, monkeypatch):
    home = house()
    home.live(10)
    monkeypatch.setattr(home.journal, "append", lambda drafts, urgent: fail(Full("no room")))
    home.live(10)
    monkeypatch.undo()
    home.live(11)
    assert home.records() == [(10, 10, "good"), (30, 10, "good")]
    assert home.aggregator.closed_until == NOON + 30


# -- late readings, and the clock


def test_a_late_reading_is_added_to_its_intervals_record(house):
    home = house()
    home.live(12)
    home.read(at=9.5, p=500.0)
    home.live(9)
    assert home.records() == [(10, 10, "good"), (20, 10, "good"), (10, 11, "good")]
    (chosen,) = [r for r in result(home.journal.select("main", 10, NOON, NOON + 10))]
    assert (chosen.draft.tallies[0].count, chosen.draft.tallies[0].most) == (11, 5000)


def test_a_late_reading_corrects_the_coarser_record_too(house):
    home = house()
    home.live(62, uids=("main", "other"))
    home.read(at=55, p=500.0)
    home.live(10)
    assert home.records(60) == [(60, 60, "good"), (60, 61, "good")]
    assert home.records(60, "other") == [(60, 60, "good")]


def test_a_late_reading_of_an_interval_without_a_record_makes_one(house):
    home = house()
    home.run(12)
    home.read(at=9.5, p=500.0)
    home.run(10)
    assert home.records() == [(10, 1, "good")]


def test_a_clock_set_forward_closes_what_was_open_and_goes_on(house):
    home = house()
    home.live(4)
    home.bench.wall.step(3600)
    home.live(20)
    assert sorted(home.records()) == [(10, 4, "partial"), (3610, 6, "partial"), (3620, 10, "good")]
    assert home.coverage() == [0.3, 0.6, 1.0]
    assert home.records(60) == [(60, 4, "partial")]


def test_a_clock_set_back_neither_freezes_nor_loses_nor_doubles(house):
    home = house()
    home.live(135)
    home.bench.wall.step(-100)
    home.live(100)
    home.run(1)
    chosen = result(home.journal.select("main", 10, NOON, NOON + 999))
    assert [r.draft.end - NOON for r in chosen] == list(range(10, 141, 10))
    assert sum(r.draft.tallies[0].count for r in chosen) == 230
    minutes = result(home.journal.select("main", 60, NOON, NOON + 999))
    assert [(r.draft.end - NOON, r.draft.tallies[0].count) for r in minutes] == [(60, 85), (120, 120)]


def test_a_clock_set_back_leaves_the_watermark_at_its_time(house):
    home = house()
    home.live(135)
    home.bench.wall.step(-100)
    home.live(8)
    assert home.aggregator.closed_until <= NOON + 40
    home.live(20)
    assert NOON + 50 <= home.aggregator.closed_until <= NOON + 60


def test_a_clock_set_back_a_little_repeats_no_interval(house):
    home = house()
    home.live(12)
    home.bench.wall.step(-5)
    home.live(20)
    assert sum(1 for end, *_ in home.records() if end == 20) == 1
    chosen = result(home.journal.select("main", 10, NOON, NOON + 20))
    assert [(r.draft.end - NOON, r.draft.tallies[0].count) for r in chosen] == [(10, 13), (20, 12)]


def test_a_clock_that_was_years_ahead_for_a_moment_does_no_lasting_harm(house):
    home = house()
    home.live(30)
    home.bench.wall.step(3e8)
    home.live(30)
    home.bench.wall.step(-3e8)
    home.live(65)
    assert [end for end, *_ in home.records(60) if end < 1000] == [60, 120]
    assert home.aggregator.closed_until == NOON + 120


def test_nothing_has_a_time_before_the_clock_can_be_trusted_and_all_has_one_then(house, bench):
    bench.wall.trusted = False
    home = house()
    home.live(25)
    assert home.all() == []
    assert home.aggregator.closed_until == 0
    assert bench.reported() == ["clock.untrusted"]
    bench.wall.trusted = True
    home.live(20)
    assert home.records() == [(10, 10, "good"), (20, 10, "good"), (30, 10, "good"), (40, 10, "good")]
    assert bench.reported() == ["clock.untrusted", "clock.trusted"]


# -- restarts


def test_a_stop_writes_what_is_open_and_the_next_start_goes_on_with_it(house):
    home = house()
    home.live(4)
    home.stop()
    assert home.records() == [(10, 4, "partial")]
    home.start()
    home.live(8)
    assert home.records() == [(10, 4, "partial"), (10, 7, "partial")]
    assert home.records(60) == []


def test_a_power_cut_costs_the_open_interval_only(house):
    home = house()
    home.live(25)
    home.crash()
    home.start()
    home.live(8)
    assert home.records() == [(10, 10, "good"), (20, 10, "good"), (30, 5, "partial")]
    assert home.coverage() == [1.0, 1.0, 0.4]


def test_after_a_restart_an_open_coarser_interval_has_all_of_its_base_records(house):
    home = house()
    home.live(35)
    home.crash()
    home.start()
    home.live(28)
    assert home.records(60) == [(60, 55, "partial")]
    assert home.coverage(60) == [0.9]


def test_a_coarser_record_that_was_never_written_is_written_at_the_next_start(house, bench):
    home = house()
    home.live(59)
    home.run(1.15)
    home.crash()
    assert home.records(60) == []
    home.run(300)
    home.start()
    home.run(3)
    assert home.records(60) == [(60, 59, "good")]


def test_a_coarser_record_is_written_once_however_often_the_program_starts(house):
    home = house()
    home.live(62)
    for _ in range(3):
        home.crash()
        home.start()
        home.run(1)
    assert home.records(60) == [(60, 60, "good")]


def test_a_period_that_is_new_begins_at_the_present(house):
    home = house(coarser=[])
    home.live(130)
    home.crash()
    home.settings["coarser"] = [60]
    home.start()
    home.live(60)
    assert [end for end, *_ in home.records(60)] == [180]


def test_intervals_reach_a_reader_in_order_and_once(house):
    home = house()
    home.journal.register("mqtt", {60})
    home.live(200)
    batch = result(home.journal.read("mqtt", 10))
    assert [r.draft.end - NOON for r in batch.records] == [60, 120, 180]
    assert numbers(batch) == sorted(numbers(batch))


def test_a_period_counter_keeps_its_last_value(house):
    home = house()
    counter = Quantity("ea_imp", "kWh", Kind.PERIOD_COUNTER, digits=1)
    home.columns = (counter,)
    for at, energy in ((1, 9.9), (2, 0.1)):
        home.read(at=at, ea_imp=energy)
    home.run(11)
    (record,) = home.all()
    assert record.values == {"ea_imp": 0.1}


def test_a_correction_that_cannot_be_made_is_written_by_itself(house, monkeypatch):
    home = house()
    home.live(12)
    monkeypatch.setattr(home.journal, "select", lambda *_: fail(Corrupt("a page")))
    home.read(at=9.5, p=500.0)
    home.live(9)
    assert home.records() == [(10, 10, "good"), (20, 10, "good"), (10, 1, "good")]
