"""What may happen to the time, as a table, and what is on the disk afterwards: every reading once, in intervals that
are aligned, whole ones good and cut ones partial, and coarser records that are exact merges of these."""

from collections import Counter
from datetime import date
from functools import reduce
from zoneinfo import ZoneInfo

import pytest
from attrs import define

from concentrator.journal.file_feed import FileFeed
from concentrator.journal.tables import best
from concentrator.model.latency import local_midnight, local_periods
from concentrator.model.reading import Quality
from concentrator.model.record import Receipt
from tests.support.intervals import House
from tests.support.journals import COLUMNS, NOON, result

MINUTE, HOUR, DAY = 60, 3600, 86400


class Witness(House):
    """Reads one device each second, each time another value, and remembers what it said."""

    def __init__(self, bench, **settings):
        super().__init__(bench, **settings)
        self.said = []

    def live(self, seconds):
        for _ in range(seconds):
            self.said.append(len(self.said) + 1)
            self.read(p=float(self.said[-1]), ea_imp=self.said[-1] / 100)
            self.run(1)

    def step(self, seconds):
        self.bench.wall.step(seconds)

    def slew(self, per_mille, seconds):
        """The clock is made faster, so little that nobody notices."""
        for _ in range(seconds):
            self.live(1)
            self.bench.wall.step(per_mille / 1000)

    def sleep(self, seconds):
        """The machine sleeps: its monotonic clock stands still, the others do not."""
        self.bench.wall.step(seconds)
        self.bench.boot.ahead_s += seconds

    def restart(self, pause_s=0):
        self.stop()
        self.run(pause_s)
        self.start()

    def lose_time(self):
        """The clock shows when the last battery was made."""
        self.bench.wall.trusted = False
        self.bench.wall.step(-1e9)

    def find_time(self):
        self.bench.wall.trusted = True
        self.bench.wall.step(1e9)

    def of(self, period):
        return [r for r in self.all() if r.draft.period == period and not r.draft.event]

    def sums(self, records):
        """Readings, and the sum of what they said, in those records."""
        power = [r.draft.tallies[0] for r in records]
        return sum(t.count for t in power), sum(t.total for t in power) // 10


@define
class Row:
    """What happens; the base records that do not have ten readings and all of their interval: end, in seconds after
    noon → readings, coverage; the ends of the minutes that are partial; what was reported."""

    script: list
    odd: dict
    minutes: set
    told: list


STEPPED = ["clock.stepped"]

TABLE = {
    "nothing happens": Row([("live", 190)], {}, set(), []),
    "a second forward": Row([("live", 74), ("step", 1), ("live", 120)], {80: (9, 1.0), 200: (5, 0.5)}, set(), STEPPED),
    "a minute forward": Row(
        [("live", 74), ("step", MINUTE), ("live", 120)],
        {80: (4, 0.4), 140: (6, 0.6), 260: (4, 0.4)},
        {120, 180},
        STEPPED,
    ),
    "an hour forward": Row(
        [("live", 74), ("step", HOUR), ("live", 120)],
        {80: (4, 0.4), HOUR + 80: (6, 0.6), HOUR + 200: (4, 0.4)},
        {120, HOUR + 120},
        STEPPED,
    ),
    "a day forward": Row(
        [("live", 74), ("step", DAY), ("live", 120)],
        {80: (4, 0.4), DAY + 80: (6, 0.6), DAY + 200: (4, 0.4)},
        {120, DAY + 120},
        STEPPED,
    ),
    "a second back": Row([("live", 74), ("step", -1), ("live", 120)], {80: (11, 1.0), 200: (3, 0.3)}, set(), STEPPED),
    "half an interval back": Row(
        [("live", 72), ("step", -5), ("live", 120)], {70: (13, 1.0), 80: (12, 1.0), 190: (7, 0.7)}, set(), STEPPED
    ),
    "a minute back": Row(
        [("live", 74), ("step", -MINUTE), ("live", 120)],
        {
            20: (16, 1.0),
            30: (20, 1.0),
            40: (20, 1.0),
            50: (20, 1.0),
            60: (20, 1.0),
            70: (20, 1.0),
            80: (14, 1.0),
            140: (4, 0.4),
        },
        set(),
        STEPPED,
    ),
    "an hour back": Row(
        [("live", 74), ("step", -HOUR), ("live", 120)],
        {-HOUR + 80: (6, 0.6), -HOUR + 200: (4, 0.4), 80: (4, 0.4)},
        {-HOUR + 120},
        STEPPED,
    ),
    "a day back": Row(
        [("live", 74), ("step", -DAY), ("live", 120)],
        {-DAY + 80: (6, 0.6), -DAY + 200: (4, 0.4), 80: (4, 0.4)},
        {-DAY + 120},
        STEPPED,
    ),
    "slewed forward": Row([("live", 30), ("slew", 0.5, 400), ("live", 30)], {}, set(), []),
    "slewed back": Row([("live", 30), ("slew", -0.5, 400), ("live", 30)], {}, set(), []),
    "forward over a base boundary": Row(
        [("live", 68), ("step", 3), ("live", 120)], {70: (8, 0.8), 80: (9, 1.0), 200: (1, 0.1)}, {120}, STEPPED
    ),
    "forward onto a coarser boundary": Row(
        [("live", 74), ("step", 45.75), ("live", 120)], {80: (4, 0.4), 120: (1, 0.1), 240: (9, 0.9)}, {120}, STEPPED
    ),
    "back over a coarser boundary": Row(
        [("live", 65), ("step", -30), ("live", 120)],
        {40: (15, 1.0), 50: (20, 1.0), 60: (20, 1.0), 70: (15, 1.0), 160: (5, 0.5)},
        set(),
        STEPPED,
    ),
    "forward and back again": Row(
        [("live", 74), ("step", DAY), ("live", 5), ("step", -DAY), ("live", 120)],
        {80: (5, 0.5), 200: (9, 0.9), DAY + 80: (5, 0.5)},
        {120},
        [*STEPPED, *STEPPED],
    ),
    "asleep": Row(
        [("live", 74), ("sleep", 1000), ("live", 120)], {80: (4, 0.4), 1080: (6, 0.6), 1200: (4, 0.4)}, {120, 1080}, []
    ),
    "asleep within an interval": Row(
        [("live", 71), ("sleep", 4), ("live", 120)], {80: (6, 0.6), 200: (5, 0.5)}, {120}, []
    ),
    "restarted": Row(
        [("live", 74), ("restart", 5), ("live", 120)], {80: (4, 0.4), 90: (8, 0.7), 210: (2, 0.2)}, {120}, []
    ),
    "restarted while the clock was set": Row(
        [("live", 74), ("restart", 5), ("step", 500), ("live", 120)],
        {80: (4, 0.4), 590: (8, 0.7), 710: (2, 0.2)},
        {120, 600},
        STEPPED,
    ),
    "booted without a time": Row(
        [("lose_time",), ("restart",), ("live", 74), ("find_time",), ("live", 120)],
        {10: (7, 0.6), 200: (7, 0.7)},
        {60},
        ["clock.untrusted", "clock.trusted"],
    ),
    "booted without a time, restarted": Row(
        [("lose_time",), ("restart",), ("live", 33), ("restart", 20), ("live", 44), ("find_time",), ("live", 120)],
        {10: (7, 0.6), 40: (6, 0.6), 60: (1, 0.1), 230: (3, 0.3)},
        {60},
        ["clock.untrusted", "clock.untrusted", "clock.trusted"],
    ),
    "lost the time for a while": Row(
        [("live", 74), ("lose_time",), ("live", 33), ("find_time",), ("live", 120)],
        {230: (7, 0.7)},
        {120},
        ["clock.untrusted", "clock.trusted"],
    ),
    "asleep without a time": Row(
        [("lose_time",), ("restart",), ("live", 33), ("sleep", 400), ("live", 44), ("find_time",), ("live", 120)],
        {10: (7, 0.6), 40: (6, 0.6), 440: (4, 0.4)},
        {60, 480},
        ["clock.untrusted", "clock.trusted"],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_whatever_happens_to_the_clock_every_reading_is_kept_once(bench, name):
    row = TABLE[name]
    home = Witness(bench)
    for what, *how in row.script:
        getattr(home, what)(*how)
    home.stop()
    base, minutes = best(home.of(10)), best(home.of(60))
    assert home.sums(base) == (len(home.said), sum(home.said))
    assert all(r.draft.end % r.draft.period == 0 for r in (*home.of(10), *home.of(60)))
    kept = {r.draft.end - NOON: (r.draft.tallies[0].count, r.draft.coverage) for r in base}
    assert {end: seen for end, seen in kept.items() if seen != (10, 1.0)} == row.odd
    assert all(r.draft.quality is Quality.PARTIAL for r in base if r.draft.coverage < 1)
    assert {r.draft.end - NOON for r in minutes if r.draft.quality is Quality.PARTIAL} == row.minutes
    assert bench.reported() == row.told
    assert_merged(base, minutes, home.aggregator.closed_until)


def assert_merged(base, minutes, until):
    """Every minute that is over has its record, which is the merge of its base records to the last digit."""
    parts = {}
    for record in base:
        parts.setdefault(-(-record.draft.end // 60) * 60, []).append(record.draft)
    assert {end for end in parts if end <= until} <= {r.draft.end for r in minutes}
    for minute in minutes:
        for i, column in enumerate(COLUMNS[:2]):
            tallies = [draft.tallies[i] for draft in sorted(parts[minute.draft.end], key=lambda d: d.end)]
            assert minute.draft.tallies[i] == reduce(lambda a, b, kind=column.kind: a.merged(b, kind), tallies)


# -- days that are not 24 hours long


class Calendar(Witness):
    """Keeps quarters of an hour and files them in six hours of a time zone; the device is read every five minutes."""

    def __init__(self, bench, zone, begun):
        bench.wall.lead_s = begun - 0.25
        self.file_in(zone)
        super().__init__(bench, base_s=900, coarser=[])
        self.journal.register("ftp", {900})
        self.files = []

    def file_in(self, zone):
        self.zone = ZoneInfo(zone)

    def run(self, seconds):
        self.bench.run(seconds, step=0.25 if seconds < 10 else 60)

    def live_until(self, moment):
        while self.bench.wall.now() + 300 <= moment:
            self.said.append(len(self.said) + 1)
            self.run(300)
            self.read(p=float(self.said[-1]))

    def send(self):
        """Takes all files that are due."""
        feed = FileFeed(
            self.journal,
            self.aggregator,
            self.bench.wall,
            self.bench.clock,
            reader="ftp",
            period_s=900,
            latency_s=6 * HOUR,
            time_of_day_s=0,
            zone=self.zone,
            box_serial="4220080001",
        )
        self.run(3)
        while file := self.bench.done(feed.read()):
            self.files.append((file.start, file.stop, tuple(file.numbers)))
            result(feed.settle(file, Receipt(frozenset(file.numbers))))
            self.run(3)


DAYS = {
    "23 h": ("Europe/Madrid", (2027, 3, 28), 23.0, [6, 6, 6, 5]),
    "25 h": ("Europe/Madrid", (2027, 10, 31), 25.0, [6, 6, 6, 6, 1]),
    "half an hour more": ("Australia/Lord_Howe", (2027, 4, 4), 24.5, [6, 6, 6, 6, 0.5]),
    "half an hour less": ("Australia/Lord_Howe", (2027, 10, 3), 23.5, [6, 6, 6, 5.5]),
    "24 h": ("Europe/Madrid", (2027, 6, 1), 24.0, [6, 6, 6, 6]),
}


@pytest.mark.parametrize("name", DAYS)
def test_a_day_of_any_length_has_each_of_its_intervals_once_and_in_one_file(bench, name):
    zone, day, hours, lengths = DAYS[name]
    begun = local_midnight(date(*day), ZoneInfo(zone))
    home = Calendar(bench, zone, begun)
    home.live_until(begun + hours * HOUR)
    home.send()
    home.stop()
    records = home.of(900)
    assert [r.draft.end - begun for r in records] == [900 * (i + 1) for i in range(int(hours * 4))]
    assert {(r.draft.tallies[0].count, r.draft.quality) for r in records} == {(3, Quality.GOOD)}
    assert home.sums(records) == (len(home.said), sum(home.said))
    assert [(stop - start) / HOUR for start, stop, _ in home.files] == lengths
    assert local_periods(begun, 6 * HOUR, ZoneInfo(zone)) == (begun, *(stop for _, stop, _ in home.files))
    assert Counter(n for *_, numbers in home.files for n in numbers) == Counter(r.n for r in records)
    ends = {r.n: r.draft.end for r in records}
    assert all(start < ends[n] <= stop for start, stop, numbers in home.files for n in numbers)


def test_another_time_zone_moves_days_and_no_interval(bench):
    begun = local_midnight(date(2027, 6, 1), ZoneInfo("Europe/Madrid"))
    home = Calendar(bench, "Europe/Madrid", begun)
    home.live_until(begun + 13 * HOUR)
    home.send()
    home.stop()
    home.file_in("America/New_York")
    home.start()
    home.live_until(begun + 48 * HOUR)
    home.send()
    home.stop()
    records = [r for r in best(home.of(900)) if r.draft.end <= home.files[-1][1]]
    assert [r.draft.end - begun for r in records] == [900 * (i + 1) for i in range(len(records))]
    filed = Counter(n for *_, numbers in home.files for n in numbers)
    assert set(filed.values()) == {1}
    assert {r.n for r in records} <= set(filed)
    periods = [(start, stop) for start, stop, _ in home.files]
    assert len(periods) == len(set(periods))
    # Days begin at the new midnight from then on.
    assert local_midnight(date(2027, 6, 2), ZoneInfo("America/New_York")) in {start for start, _ in periods}
