import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.journal.trend import counted, trend
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import Draft, Tally
from concentrator.model.trend import Gap
from tests.support.drawn import MOVES, play
from tests.support.homes import DAY, MIDNIGHT, Home
from tests.support.journals import NOON, POWER, Bench, interval, result

HOUR = 3600


@pytest.fixture
def home(both):
    home = Home(both)
    yield home
    home.compaction.stop()


def of(home, device, names, period, start, ends, until=None):
    until = ends[-1] + DAY if until is None else until
    return result(home.journal.query(lambda tables: trend(tables, device, names, period, start, ends, until)))


def tallied(end, low, high, count=10, digits=1):
    return Draft("main", "S-main", end, 60, (POWER,), (Tally(count, count * (low + high) // 2, low, high, high),))


@given(MOVES, st.sampled_from([60, 300]), st.sampled_from([300, 600, 3600]))
@settings(max_examples=40, deadline=None)
def test_a_step_has_what_its_records_have(moves, period, step):
    home = Home(Bench())
    play(home, moves)
    start, stop = MIDNIGHT, MIDNIGHT + 30 * HOUR
    ends = list(range(start + step, stop + 1, step))
    made = of(home, "main", ["p", "ea_imp"], period, start, ends)
    records = [record.draft for record in result(home.journal.select("main", period, start, stop))]
    for name, run in ((name, course) for name, course in made.courses.items()):
        for place, end in enumerate(ends):
            cells = [
                (tally, column)
                for draft in records
                if end - step < draft.end <= end
                for column, tally in zip(draft.columns, draft.tallies, strict=True)
                if column.name == name and tally is not None
            ]
            if not cells:
                assert run.values[place] is None
            elif run.least:
                assert run.least[place] == min(tally.least / 10**column.digits for tally, column in cells)
                assert run.most[place] == max(tally.most / 10**column.digits for tally, column in cells)
                assert run.least[place] - 0.05 <= run.values[place] <= run.most[place] + 0.05
            else:
                tally, column = cells[-1]
                assert run.values[place] == tally.value(column)
    home.end()


def test_means_are_of_the_records_and_extremes_of_what_was_within_them(home):
    home.bench.append(home.journal, tallied(NOON + 60, 0, 100), tallied(NOON + 120, 200, 400))
    made = of(home, "main", ["p"], 60, NOON, [NOON + 300])
    course = made.courses["p"]
    assert (course.values, course.least, course.most) == ([17.5], [0.0], [40.0])


def test_extremes_are_the_same_from_blocks_and_from_rows(home):
    for hour in range(24):
        home.bench.append(
            home.journal, *[tallied(MIDNIGHT + HOUR * hour + 60 * i, -i, 10 * i + hour) for i in range(1, 61)]
        )
    ends = list(range(MIDNIGHT + HOUR, MIDNIGHT + DAY + 1, HOUR))
    before = of(home, "main", ["p"], 60, MIDNIGHT, ends)
    home.until(MIDNIGHT + 22 * HOUR)
    home.rest(600)
    rows, loose, _ = home.shape()
    assert rows and loose
    assert of(home, "main", ["p"], 60, MIDNIGHT, ends) == before
    assert before.courses["p"].least == [-6.0] * 24


def test_of_a_counter_the_last_value_of_a_step_is_told(home):
    column = Quantity("ea_imp", "kWh", Kind.COUNTER, "", 2)
    drafts = [Draft("main", "S", NOON + 60 * i, 60, (column,), (Tally(1, *[100 * i] * 4),)) for i in (1, 2, 6)]
    home.bench.append(home.journal, *drafts)
    course = of(home, "main", ["ea_imp"], 60, NOON, [NOON + 300, NOON + 600]).courses["ea_imp"]
    assert (course.unit, list(course.values), course.least) == ("kWh", [2.0, 6.0], ())


def test_gaps_say_from_when_to_when_and_why(home):
    ends = [60, 120, 240, 300, 360, 540]
    drafts = [interval(end=NOON + end, period=60) for end in ends]
    for place in (3, 4):
        drafts[place] = Draft("main", "S-main", drafts[place].end, 60, drafts[0].columns, (None,) * 3, Quality.SILENT)
    home.bench.append(home.journal, *drafts)
    made = of(home, "main", ["p"], 60, NOON - 120, [NOON + 600])
    assert list(made.gaps) == [
        Gap(NOON - 120, NOON),
        Gap(NOON + 120, NOON + 180),
        Gap(NOON + 240, NOON + 360, "silent"),
        Gap(NOON + 360, NOON + 480),
        Gap(NOON + 540, NOON + 600),
    ]


def test_what_is_not_over_yet_is_no_gap(home):
    home.bench.append(home.journal, interval(end=NOON + 60, period=60))
    assert of(home, "main", ["p"], 60, NOON, [NOON + 600], until=NOON + 170).gaps == []
    assert of(home, "main", ["p"], 60, NOON, [NOON + 600], until=NOON + 180).gaps == [Gap(NOON + 60, NOON + 120)]


def test_a_device_that_is_asked_seldom_has_no_gaps_between(home):
    seldom = [Draft("main", "S", NOON + 600 * i, 60, (POWER,), (Tally(1, *[5] * 4),), covered=600) for i in range(1, 4)]
    home.bench.append(home.journal, *seldom)
    assert of(home, "main", ["p"], 60, NOON, [NOON + 1800]).gaps == []


def test_nothing_is_one_gap_and_no_courses(home):
    made = of(home, "nobody", ["p"], 60, NOON, [NOON + 300, NOON + 600])
    assert (dict(made.courses), list(made.gaps)) == ({}, [Gap(NOON, NOON + 600)])


def test_records_are_counted_in_blocks_and_rows(home):
    for hour in range(24):
        home.bench.append(home.journal, *[tallied(MIDNIGHT + HOUR * hour + 60 * i, 0, 0) for i in range(1, 61)])
    home.until(MIDNIGHT + 22 * HOUR)
    home.rest(600)

    def count(start, stop):
        return result(home.journal.query(lambda tables: counted(tables, ["main"], 60, start, stop)))

    assert count(MIDNIGHT, MIDNIGHT + DAY) == 1440
    assert count(MIDNIGHT + 90 * 60, MIDNIGHT + 3 * HOUR) == pytest.approx(90, abs=2)
    assert count(MIDNIGHT - DAY, MIDNIGHT) == 0
