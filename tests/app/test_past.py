"""concentrator.app.past: what is kept becomes another while it runs, and whoever takes it misses nothing and gets
nothing twice."""

from collections import Counter

import pytest
from twisted.internet.defer import Deferred

from concentrator.app.config_sections import BoxSection, Config, HistorySection
from concentrator.app.config_uplinks import MqttSection
from concentrator.app.past import Past
from concentrator.model.record import EVENT_PERIOD
from tests.support.journals import COLUMNS, NOON, Bench, event, pending, reading, result

STEP_S = 0.25


def config(folder, mqtt_s, history_s=300, **others_s):
    """History, and an MQTT uplink of each latency."""
    latencies = {"mqtt": mqtt_s} | {f"mqtt.{name}": each for name, each in others_s.items()}
    mqtt = {place: MqttSection(host="mqtt://b", latency_s=each) for place, each in latencies.items() if each}
    return Config(
        folder / "x.toml", BoxSection(state_dir=folder), mqtt=mqtt, history=HistorySection(latency_s=history_s)
    )


class House:
    """A box of one device that is read every second, and the reader `mqtt`, which takes what it is given while it is
    there. The device's power in watts is the second since noon, its energy rises with the time."""

    def __init__(self, folder, configuration):
        self.bench = Bench(folder / "journal.db")
        self.taken, self.fed = [], []
        self.is_there = True
        self.open(configuration)

    def open(self, configuration):
        bench = self.bench
        journal = bench.journal()
        bench.opened.remove(journal)  # the past closes it itself
        around = (bench.clock, bench.wall, bench.report, lambda uid: (f"S-{uid}", COLUMNS), bench.boot)
        self.past = Past(configuration, journal, *around)
        self.past._begin()

    def run(self, seconds):
        for _ in range(seconds):
            self.bench.run(1, STEP_S)
            self.read()

    def feed(self):
        at = self.bench.wall.now()
        self.fed.append(at)
        self.past.reading_received(reading(at=at, p=at - NOON, ea_imp=at / 100))

    def read(self):
        self.feed()
        while self.is_there and (batch := result(self.past.journal.read("mqtt", 7))) is not None:
            self.past.journal.settle(batch, {record.n for record in batch.records})
            self.taken += batch.records

    def wait(self, coroutine):
        """Runs until it has ended, the device being read on."""
        done = Deferred.fromCoroutine(coroutine)
        for _ in range(20):
            if pending(done):
                self.bench.run(STEP_S, STEP_S)
                self.feed()
        result(done)

    def change(self, configuration):
        self.wait(self.past.reconfigure(configuration))

    def restart(self, configuration):
        self.wait(self.past.close())
        self.open(configuration)

    def end(self):
        self.run(3)
        self.wait(self.past.close())
        self.bench.end()

    def kept(self, period, start=NOON, stop=NOON + 10**6):
        return result(self.past.journal.select("main", period, start, stop))

    def counted(self, period, stop):
        """How many readings the records of a period hold, up to a second."""
        return sum(record.draft.tallies[0].count for record in self.kept(period, NOON, NOON + stop))

    def fed_until(self, stop):
        return sum(at <= NOON + stop for at in self.fed)

    def periods(self):
        """The period and the second of the end of each interval that was taken."""
        drafts = [record.draft for record in self.taken]
        return [(draft.period, draft.end - NOON) for draft in drafts if draft.period != EVENT_PERIOD]

    def holes(self, until):
        """The seconds up to a moment of which nothing that was taken tells."""
        told = {second for period, end in self.periods() for second in range(end - period + 1, end + 1)}
        return sorted(set(range(1, until + 1)) - told)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path, config(tmp_path, 10))
    yield house
    house.end()
    assert max(Counter(record.n for record in house.taken).values()) == 1


def test_to_a_longer_latency_and_back_nothing_is_missing_and_nothing_comes_twice(house, tmp_path):
    house.run(25)
    house.change(config(tmp_path, 60))
    house.run(150)
    house.change(config(tmp_path, 10))
    house.run(60)
    assert [each for each in house.periods() if each[0] == 60] == [(60, 60), (60, 120), (60, 180)]
    assert [end for period, end in house.periods() if period == 10][:3] == [10, 20, 30]
    assert house.holes(until=210) == []
    assert not [name for name in house.bench.reported() if "failed" in name or "lost" in name]


def test_while_others_keep_the_base_interval_it_is_the_same(house, tmp_path):
    for latency_s in (60, 10, 300, 10):
        house.run(47)
        house.change(config(tmp_path, latency_s, other=10))
    house.run(47)
    assert {period for period, _ in house.periods()} == {10, 60, 300}
    assert house.holes(until=210) == []
    assert house.counted(10, 200) == house.fed_until(200)
    assert [record.draft.quality.value for record in house.kept(300)] == ["partial"], (
        "as far as it was when it was left"
    )


def test_what_waited_for_a_reader_that_was_away_is_given_to_it_in_the_former_period(house, tmp_path):
    house.is_there = False
    house.run(65)
    house.change(config(tmp_path, 60))
    house.run(130)
    assert house.taken == []
    house.is_there = True
    house.run(1)
    assert [end for period, end in house.periods() if period == 10][:6] == [10, 20, 30, 40, 50, 60]
    assert house.holes(until=180) == []
    assert house.past.journal.waiting("mqtt") == 0


def test_over_a_restart_with_another_file_it_is_the_same(house, tmp_path):
    house.is_there = False
    house.run(65)
    house.restart(config(tmp_path, 60))
    house.run(60)
    house.is_there = True
    house.run(70)
    assert [end for period, end in house.periods() if period == 10][:6] == [10, 20, 30, 40, 50, 60]
    assert house.holes(until=180) == []


@pytest.mark.parametrize(("first", "then"), [(10, 60), (60, 10)])
def test_history_across_a_change_of_the_base_interval_holds_every_reading_once(tmp_path, first, then):
    house = House(tmp_path, config(tmp_path, first))
    house.run(125)
    house.change(config(tmp_path, then))
    house.run(200)
    (record,) = house.kept(300, NOON, NOON + 300)
    power, energy, _ = record.draft.tallies
    within = [at for at in house.fed if at <= NOON + 300]
    assert (power.count, energy.count) == (len(within), len(within))
    assert power.total == sum(round((at - NOON) * 10) for at in within)
    assert (power.least, power.most) == (round((within[0] - NOON) * 10), round((within[-1] - NOON) * 10))
    assert energy.last == round(within[-1])
    house.end()


def test_readings_that_come_while_it_changes_are_kept(house, tmp_path):
    house.run(12)
    change = Deferred.fromCoroutine(house.past.reconfigure(config(tmp_path, 60)))
    assert pending(change)
    at = house.bench.wall.now()
    house.past.reading_received(reading(at=at, p=7777.0))
    house.bench.run(2, STEP_S)
    result(change)
    house.run(60)
    records = [*house.kept(10, NOON + 10), *house.kept(60, NOON)]
    assert max(record.draft.tallies[0].most for record in records if record.draft.tallies[0]) == 77770


def test_events_go_on_and_none_comes_twice(house, tmp_path):
    house.run(3)
    house.past.event_happened(event("one"), house.bench.boot.seconds())
    house.change(config(tmp_path, 60))
    house.past.event_happened(event("two"), house.bench.boot.seconds())
    house.run(3)
    events = [record.draft.event["event"] for record in house.taken if record.draft.period == EVENT_PERIOD]
    assert events == ["one", "two"]


def test_a_reader_that_is_switched_off_holds_nothing_up_and_finds_its_place_again(house, tmp_path):
    house.run(25)
    house.is_there = False
    house.change(config(tmp_path, 0, other=10))
    house.run(30)
    house.change(config(tmp_path, 10, other=10))
    house.is_there = True
    house.run(20)
    assert house.holes(until=60) == []


def test_what_is_kept_for_how_long_changes_without_touching_the_intervals(house, tmp_path):
    house.run(14)
    intervals = house.past._intervals
    house.change(config(tmp_path, 10, history_s=300))
    assert house.past._intervals is intervals
    house.run(20)
    assert [record.draft.quality.value for record in house.kept(10)] == ["good"] * len(house.kept(10))


def test_the_view_names_what_a_device_records_and_nothing_for_one_that_is_gone(house):
    house.past._describe = {"main": ("S", COLUMNS)}.__getitem__
    view = house.past.view()
    assert view.names("main") == ("p", "ea_imp", "state")
    assert view.names("former") == ()
    assert view.period_s() == 300
    house.past._describe = lambda uid: (f"S-{uid}", COLUMNS)
    house.run(12)
    assert result(view.devices()) == [("main", "S-main")]
    assert result(view.next_end(10, NOON)) == NOON + 10
