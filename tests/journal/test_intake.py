"""Readings on their way into intervals."""

import pytest

from concentrator.journal.intake import TELL_EVERY_S, Intake
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from tests.support.journals import COLUMNS, NOON, reading

VOLTAGE = Quantity("v1", "V", Kind.INSTANTANEOUS, "voltage L1", 1)


class Counter:
    """One device whose readings go into one interval, a second apart."""

    def __init__(self, clock, columns=(VOLTAGE,)):
        self.clock = clock
        self.columns = columns
        self.reports = []
        self.intake = Intake(lambda uid: ("", self.columns), 10, clock, lambda *report: self.reports.append(report))
        self.interval = self.intake.interval("main")

    def say(self, quality=Quality.GOOD, missing=(), **values):
        self.clock.advance(1)
        self.intake.put(reading("main", NOON, quality, missing, **values), self.interval)

    def draft(self):
        return self.interval.draft(NOON, 10)


@pytest.fixture
def counter(clock):
    return Counter(clock)


def test_nonsense_is_not_averaged_in_and_the_interval_says_so(counter):
    for volts in [230.0] * 4 + [6553.5] + [230.0] * 5:
        counter.say(v1=volts)
    draft = counter.draft()
    assert (draft.tallies[0].count, draft.tallies[0].most) == (9, 2300)
    assert (draft.quality, draft.coverage) == (Quality.PARTIAL, 0.9)


def test_nonsense_is_told_with_what_it_was(counter):
    counter.say(v1=230.0)
    counter.say(v1=6553.5)
    ((name, facts),) = counter.reports
    assert name == "value.absurd"
    assert facts == {
        "device": "main",
        "values": {"v1": 6553.5},
        "text": "It says v1 = 6553.5 V, which cannot be. That is left out until it is read three times in a row.",
    }


def test_a_device_that_says_nonsense_all_the_time_is_told_once_an_hour(counter):
    for _ in range(2 * int(TELL_EVERY_S) // 2):
        counter.say(v1=230.0)
        counter.say(v1=6553.5)
    assert [name for name, _ in counter.reports] == ["value.absurd", "value.absurd"]


def test_missing_values_cost_their_share_of_the_coverage(clock):
    counter = Counter(clock, COLUMNS)
    for _ in range(5):
        counter.say(p=1.0, ea_imp=1.0)
    for _ in range(5):
        counter.say(p=1.0, missing=("ea_imp",))
    draft = counter.draft()
    assert (draft.quality, draft.covered_s, draft.coverage) == (Quality.PARTIAL, 8, 0.8)


def test_what_is_not_heard_is_no_zero(counter):
    for quality in (Quality.SILENT, Quality.SUSPENDED, Quality.CONFLICT):
        counter.say(quality, v1=0.0)
    draft = counter.draft()
    assert (draft.tallies, draft.quality, draft.coverage) == ((None,), Quality.CONFLICT, 0.0)
    counter.say(v1=230.0)
    assert counter.draft().tallies[0].least == 2300


def test_columns_that_become_others_begin_with_the_next_interval(counter):
    counter.say(v1=230.0)
    counter.columns = COLUMNS
    former, counter.interval = counter.interval, counter.intake.interval("main")
    counter.say(p=5.0)
    assert [column.name for column in counter.draft().columns] == ["p", "ea_imp", "state"]
    counter.interval = former
    counter.say(v1=231.0, p=5.0)
    assert (counter.draft().columns, counter.draft().tallies[0].count) == ((VOLTAGE,), 2)


def test_a_device_is_called_by_its_short_id_while_its_serial_is_not_known(counter):
    assert counter.intake.serial("main") == "main"
