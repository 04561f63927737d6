import shutil
import sqlite3
from contextlib import closing
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.journal import intent
from concentrator.journal.compact import EVERY_S, OVERDUE_S, block_s, loose_s
from concentrator.journal.database import Database
from concentrator.journal.intent import Intent
from concentrator.journal.tables import LAST_N, Tables
from concentrator.model.errors import Corrupt
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.record import EVENT_PERIOD, Draft, Tally
from tests.support.drawn import MOVES, play
from tests.support.homes import DAY, MIDNIGHT, Home
from tests.support.journals import NOON, Bench, event, interval, numbers, result

LOOSE = loose_s(60) // 60
"""Records of a minute in a loose block."""


@pytest.fixture
def home(both):
    home = Home(both)
    yield home
    home.compaction.stop()


def test_recent_records_stay_rows(home):
    home.fill(LOOSE + 20)
    home.until(NOON + 2 * loose_s(60) - 200)
    home.rest(190)
    assert home.shape() == (LOOSE + 20, [], [])


def test_records_of_a_window_that_was_over_one_ago_are_sealed_for_each_device(home):
    records = home.fill(LOOSE + 20, devices=("main", "other"))
    home.until(NOON + 2 * loose_s(60))
    home.rest()
    assert home.shape() == (2 * 20, [LOOSE, LOOSE], [])
    assert home.all() == list(records)


def test_a_days_blocks_become_one(home):
    records = home.fill(1441, start=MIDNIGHT)
    home.until(MIDNIGHT + DAY + 2 * loose_s(60))
    home.rest(900)
    assert home.shape() == (0, [1], [1440])
    assert home.all() == list(records)


def test_each_commit_is_small_and_at_most_one_a_second(home):
    home.fill(1800, devices=("main", "other"))
    home.until(NOON + 60 * 3600)
    before, began = home.journal.counts.commits, home.bench.clock.seconds()
    while home.shape()[0]:
        home.bench.run(10, step=0.5)
    commits = home.journal.counts.commits - before
    assert commits <= 1800 // LOOSE + 12  # a commit takes a window of all devices
    assert home.bench.clock.seconds() - began >= commits - 1


def test_events_and_rare_records_stay_rows(home):
    both = home.bench
    both.append(home.journal, event(), interval(period=86_400, end=NOON), interval(period=60, end=NOON))
    home.until(NOON + 9 * DAY)
    home.rest()
    assert home.shape() == (2, [1], [])
    assert [record.draft.event for record in result(home.journal.select("main", EVENT_PERIOD, NOON - 1, NOON))] == [
        {"event": "link.started"}
    ]


def test_records_with_absurd_numbers_stay_rows(home):
    column = Quantity("ea_imp", "kWh", Kind.COUNTER)
    drafts = [Draft("main", "S", NOON + 60 * i, 60, (column,), (Tally(1, *[10**i] * 4),)) for i in range(1, 31)]
    records = home.bench.append(home.journal, *drafts)
    home.until(NOON + DAY)
    home.rest()
    rows, loose, _ = home.shape()
    assert (rows + sum(loose), rows > 9, sum(loose) > 9) == (30, True, True)
    assert home.all() == list(records)


def test_what_a_reader_has_not_settled_stays_rows_until_it_is_overdue(home):
    home.journal.register("mqtt", {60})
    home.fill(LOOSE + 10)
    home.until(NOON + 20 * 3600)
    home.rest()
    assert home.shape() == (LOOSE + 10, [], [])
    batch = result(home.journal.read("mqtt", LOOSE))
    home.journal.settle(batch, set(numbers(batch)))
    home.rest(3700)
    assert home.shape() == (10, [LOOSE], [])
    home.until(NOON + OVERDUE_S + 8 * 3600)
    home.rest(3700)
    assert home.shape() == (0, [LOOSE, 10], [])
    assert numbers(result(home.journal.read("mqtt", 60))) == list(range(LOOSE + 1, LOOSE + 11))
    assert home.journal.waiting("mqtt") == 10


def test_what_an_owed_file_holds_stays_rows(home):
    home.journal.register("ftp", {60})
    home.fill(250)
    owed = Intent("ftp", "S-main", 60, NOON, NOON + 3600, NOON + 60, tuple(range(1, 61)))
    home.bench.done(home.journal.entrust("ftp", (1, 250), [], partial(intent.add, intents=[owed])))
    home.until(NOON + 20 * 3600)
    home.rest()
    assert home.shape() == (250, [], [])
    (found,) = [result(home.journal.query(partial(intent.first_owed, reader="ftp")))]
    home.bench.done(home.journal.discharge("ftp", 60, partial(intent.settle, identity=found.id)))
    home.rest(3700)
    assert home.shape() == (0, [], [250])


def test_a_reader_of_another_period_does_not_matter(home):
    home.journal.register("mqtt", {10})
    home.fill(60)
    home.until(NOON + 8 * 3600)
    home.rest()
    assert home.shape() == (0, [60], [])


def test_compaction_goes_on_after_a_restart(tmp_path):
    bench = Bench(tmp_path / "journal.db")
    home = Home(bench)
    records = home.fill(900)
    home.until(NOON + DAY)
    bench.run(EVERY_S + 0.5, step=0.02)
    assert 0 < home.shape()[0] < 900
    home.reopen()
    home.rest()
    assert home.shape()[0] == 0
    assert home.all() == list(records)
    home.end()


def test_what_is_on_the_disk_after_any_commit_holds_each_record_once(tmp_path):
    bench = Bench(tmp_path / "journal.db")
    home = Home(bench)
    records = home.fill(1500, start=MIDNIGHT, devices=("main", "other"))
    home.until(MIDNIGHT + 3 * DAY)
    seen = home.journal.counts.commits
    copies = 0
    while home.shape() != (0, [60, 60], [1440, 1440]):
        bench.run(0.1, step=0.02)
        if home.journal.counts.commits > seen:
            seen, copies = home.journal.counts.commits, copies + 1
            for end in ("", "-wal"):
                shutil.copyfile(f"{bench.path}{end}", tmp_path / f"copy{copies}{end}")
            with closing(sqlite3.connect(tmp_path / f"copy{copies}")) as connection:
                copied = Tables(Database(connection))
                found = copied.numbered(range(1, len(records) + 1))
                assert found == list(records)
                assert copied.count([(1, LAST_N)], [60]) == len(records)
    assert copies >= 7
    home.end()


def test_a_number_is_not_given_twice_even_when_its_record_is_in_a_block(tmp_path):
    bench = Bench(tmp_path / "journal.db")
    home = Home(bench)
    home.fill(60)
    home.until(NOON + DAY)
    home.rest()
    assert home.shape() == (0, [60], [])
    home.reopen()
    assert [record.n for record in home.fill(1)] == [61]
    home.end()


def test_rows_that_left_while_they_were_being_sealed_do_not_come_back(home):
    home.fill(60)
    home.until(NOON + DAY)
    home.bench.run(EVERY_S + 0.06 - home.bench.clock.seconds(), step=0.02)
    assert home.shape() == (60, [], [])
    home.bench.done(home.journal.expire(60, NOON + 120, 10))
    home.rest()
    assert home.shape() == (0, [58], [])
    assert [record.n for record in home.all()] == list(range(3, 61))


def test_nothing_is_sealed_while_the_time_is_not_known(home):
    home.fill(60)
    home.until(NOON + DAY)
    home.bench.wall.trusted = False
    home.rest()
    assert home.shape() == (60, [], [])


def test_a_full_disk_only_delays_it(home):
    records = home.fill(600)
    home.until(NOON + DAY)
    sql = home.journal._tables.sql
    pages = sql.execute("PRAGMA page_count").fetchone()[0]
    sql.execute(f"PRAGMA max_page_count = {pages}")
    home.rest()
    sql.execute(f"PRAGMA max_page_count = {2**30}")
    home.rest(600)
    assert home.shape()[0] == 0
    assert home.all() == list(records)


def test_a_damaged_block_is_noticed_and_the_journal_goes_on(tmp_path):
    bench = Bench(tmp_path / "journal.db")
    home = Home(bench)
    home.fill(60)
    home.until(NOON + DAY)
    home.rest()
    ((content,),) = home.ask("SELECT content FROM block")
    damage = "UPDATE block SET content = ?", (content[:-1] + bytes((content[-1] ^ 1,)),)
    bench.done(home.journal.change(lambda tables: tables.sql.execute(*damage) and tables.shelf.forget()))
    with pytest.raises(Corrupt):
        result(home.journal.select("main", 60, NOON, NOON + DAY))
    assert "journal.set_aside" in bench.reported()
    assert len(home.fill(1)) == 1
    home.end()


def test_a_block_goes_as_a_whole_when_all_of_it_may(home):
    home.fill(2 * LOOSE + 10)
    home.until(NOON + 3 * loose_s(60))
    home.rest()
    assert home.shape() == (10, [LOOSE, LOOSE], [])
    assert home.bench.done(home.journal.expire(60, NOON + LOOSE * 60 - 1, 10)).records == 0
    assert home.bench.done(home.journal.expire(60, NOON + (2 * LOOSE - 1) * 60, 10)).records == LOOSE
    assert home.shape() == (10, [LOOSE], [])
    assert home.bench.done(home.journal.expire(60, NOON + DAY, 1000)).records == LOOSE + 10
    assert home.shape() == (0, [], [])


# -- the same, compacted or not

BOUNDS = st.tuples(st.integers(0, 90), st.integers(0, 90)).map(sorted)


@given(MOVES, BOUNDS, BOUNDS, st.integers(1, 40), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_compacted_journal_answers_like_one_that_is_not(moves, span, hours, limit, newest):
    homes = [Home(Bench()), Home(Bench())]
    plain = homes[0]
    plain.compaction.stop()
    for home in homes:
        play(home, moves)
    epoch = "UPDATE epoch SET j = 'same'"
    for home in homes:
        home.bench.done(home.journal.change(lambda tables: (tables.sql.execute(epoch), tables.names.forget())))
    start, stop = (MIDNIGHT + 3600 * hour for hour in hours)
    low, high = span[0], span[1] + 1
    ends = sorted({record.draft.end for record in plain.all()})[:5]
    asked = [
        *(partial(Tables.numbered, numbers=range(*bounds)) for bounds in ((1, 400), (low, high))),
        *(partial(Tables.read, spans=[s], periods=(60, 300), limit=limit, newest=newest) for s in ((1, LAST_N), span)),
        partial(
            Tables.read,
            spans=[(1, low + 1), (high + 1, 200)][:: -1 if newest else 1],
            periods=(60,),
            limit=limit,
            newest=newest,
        ),
        *(partial(Tables.count, spans=[(low, high), (100, LAST_N)], periods=p) for p in ((60,), (60, 300), (10,))),
        *(partial(Tables.outline, span=(low, high), period=period) for period in (60, 300)),
        *(partial(Tables.select, device=d, period=60, start=start, stop=stop) for d in ("main", "S-other", "nobody")),
        partial(Tables.select, device="main", period=300, start=0, stop=2**40),
        *(partial(Tables.ended, period=60, end=end) for end in ends),
        *(partial(Tables.ended, period=300, end=end, first_n=low, last_n=high) for end in ends),
        *(partial(Tables.next_end, period=p, after=after) for p in (60, 300) for after in (0, start, stop, *ends)),
        Tables.periods,
        Tables.devices,
    ]
    for ask in asked:
        answers = [result(home.journal.query(ask)) for home in homes]
        assert answers[0] == answers[1], ask
    gone = [home.bench.done(home.journal.expire(60, stop, 10**6)).records for home in homes]
    assert gone[0] >= gone[1]
    left = [{record.n: record for record in home.all()} for home in homes]
    assert left[0].items() <= left[1].items()
    assert all(record.draft.end > stop - block_s(60) for n, record in left[1].items() if record.draft.period == 60)
    for home in homes:
        home.end()
