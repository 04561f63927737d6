import shutil
import sqlite3
from contextlib import closing
from functools import partial
from random import Random

import pytest
from twisted.internet.defer import Deferred

from concentrator.journal import intent
from concentrator.journal.intent import Intent
from concentrator.journal.journal import Journal
from concentrator.journal.tables import Tables
from concentrator.model.errors import Corrupt, Full, JournalError
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import EVENT_PERIOD, Draft, Tally
from tests.support.journals import COLUMNS, NOON, AtOnce, Bench, event, interval, numbers, pending, result

LIVE = {10, EVENT_PERIOD}


def ends(count, start=NOON):
    return [interval(end=start + 10 * i) for i in range(1, count + 1)]


# -- appending


def test_records_are_numbered_in_order_of_append(both):
    journal = both.journal()
    first = journal.append([interval(), event()])
    second = journal.append([interval()])
    assert [record.n for record in both.done(first)] == [1, 2]
    assert [record.n for record in result(second)] == [3]


def test_append_fires_only_after_the_commit(both):
    journal = both.journal()
    journal.append([interval()])
    both.run(0.05)
    appended = journal.append([interval()])
    both.run(0.5)
    assert pending(appended)
    assert journal.synced == 1
    both.run(0.6)
    assert [record.n for record in result(appended)] == [2]
    assert journal.synced == 2


def test_an_urgent_record_takes_the_others_with_it(both):
    journal = both.journal()
    journal.append([interval()])
    both.run(0.05)
    journal.append([interval()])
    alarm = journal.append([event()], urgent=True)
    both.run(0.25)
    assert [record.n for record in result(alarm)] == [3]
    assert journal.counts.commits == 2


def test_a_record_comes_back_as_it_was_appended(both):
    journal = both.journal()
    partial_one = Draft("main", "S1", NOON, 10, COLUMNS, (Tally(3, 7, -2, 9, 0), None, None), Quality.PARTIAL)
    records = both.append(journal, interval(), partial_one, event())
    assert both.done(journal.query(partial(Tables.numbered, numbers=[1, 2, 3]))) == list(records)
    assert {record.journal for record in records} == {journal.id}


def test_who_gives_up_waiting_keeps_no_reader_from_the_record(both):
    journal = both.journal()
    journal.register("mqtt", LIVE)
    appended = journal.append([interval()])
    appended.addErrback(lambda failure: None)
    appended.cancel()
    both.run(2)
    assert numbers(result(journal.read("mqtt", 10))) == [1]


def test_appending_nothing_is_nothing(both):
    assert result(both.journal().append([])) == ()


def test_a_draft_that_cannot_be_written_is_refused_at_once_and_takes_no_number(both):
    journal = both.journal()
    with pytest.raises(ValueError, match="expected one for each of 3 columns"):
        journal.append([Draft("main", "S1", NOON, 10, COLUMNS, ())])
    with pytest.raises(TypeError):
        journal.append([Draft("main", "S1", NOON, 0, event={"event": object()})])
    assert [record.n for record in both.append(journal, interval())] == [1]


def test_closing_writes_what_is_pending_and_ends_it(bench):
    journal = bench.journal()
    bench.append(journal, interval())
    appended = journal.append([interval()])
    bench.close(journal)
    assert [record.n for record in result(appended)] == [2]
    with pytest.raises(JournalError, match="closed"):
        result(journal.append([interval()]))
    assert bench.journal().synced == 2


# -- readers


def test_a_reader_registered_for_the_first_time_begins_at_the_present(both):
    journal = both.journal()
    both.append(journal, *ends(3))
    journal.append([interval()])
    journal.register("mqtt", LIVE)
    both.append(journal, interval())
    assert numbers(result(journal.read("mqtt", 10))) == [5]
    assert journal.waiting("mqtt") == 1


def test_a_reader_sees_only_what_is_on_the_disk(both):
    journal = both.journal()
    journal.register("mqtt", LIVE)
    both.append(journal, interval())
    journal.append([interval()])
    assert numbers(result(journal.read("mqtt", 10))) == [1]


def test_a_reader_sees_only_its_periods(both):
    journal = both.journal()
    journal.register("mqtt", LIVE)
    journal.register("ftp", {300})
    both.append(journal, interval(), interval(period=300), event())
    assert numbers(result(journal.read("mqtt", 10))) == [1, 3]
    assert numbers(result(journal.read("ftp", 10))) == [2]
    assert (journal.waiting("mqtt"), journal.waiting("ftp")) == (2, 1)


def test_batches_are_limited_and_oldest_first(both):
    journal = both.journal()
    journal.register("mqtt", LIVE)
    both.append(journal, *ends(5))
    batch = result(journal.read("mqtt", 2))
    assert numbers(batch) == [1, 2]
    journal.settle(batch, {1, 2})
    assert numbers(result(journal.read("mqtt", 2))) == [3, 4]


def test_the_newest_can_be_read_first(both):
    journal = both.journal()
    journal.register("mqtt", LIVE)
    both.append(journal, *ends(5))
    batch = result(journal.read("mqtt", 2, newest=True))
    assert numbers(batch) == [4, 5]
    journal.settle(batch, {4, 5})
    assert numbers(result(journal.read("mqtt", 2, newest=True))) == [2, 3]
    assert numbers(result(journal.read("mqtt", 9))) == [1, 2, 3]


def test_what_is_not_settled_is_given_again(both):
    journal = both.journal()
    journal.register("mqtt", LIVE)
    both.append(journal, *ends(3))
    assert numbers(result(journal.read("mqtt", 10))) == [1, 2, 3]
    batch = result(journal.read("mqtt", 10))
    journal.settle(batch, {1}, {3})
    assert journal.waiting("mqtt") == 1
    assert numbers(result(journal.read("mqtt", 10))) == [2]


def test_settled_means_accepted_or_rejected(both):
    journal = both.journal()
    journal.register("mqtt", LIVE)
    both.append(journal, *ends(2))
    settled = journal.settle(result(journal.read("mqtt", 10)), {1}, {2: "too long"})
    assert result(journal.read("mqtt", 10)) is None
    assert pending(settled)
    both.done(settled)
    assert journal.waiting("mqtt") == 0


def test_settling_twice_counts_once(both):
    journal = both.journal()
    journal.register("mqtt", LIVE)
    both.append(journal, *ends(3))
    batch = result(journal.read("mqtt", 2))
    journal.settle(batch, {1, 2})
    both.done(journal.settle(batch, {1, 2}))
    assert journal.waiting("mqtt") == 1


def test_a_reader_of_rare_records_passes_over_many_others(both):
    journal = both.journal()
    journal.register("ftp", {300})
    both.append(journal, *ends(6000), interval(period=300))
    assert numbers(result(journal.read("ftp", 10))) == [6001]
    assert numbers(result(journal.read("ftp", 10, newest=True))) == [6001]


def test_readers_do_not_disturb_each_other(both):
    journal = both.journal()
    journal.register("mqtt", LIVE)
    journal.register("mqtt.second", LIVE)
    both.append(journal, *ends(2))
    journal.settle(result(journal.read("mqtt", 10)), {1, 2})
    assert numbers(result(journal.read("mqtt.second", 10))) == [1, 2]


def test_a_position_outlives_a_restart(bench):
    journal = bench.journal()
    journal.register("mqtt", LIVE)
    bench.append(journal, *ends(4))
    journal.settle(result(journal.read("mqtt", 10)), {1, 3})
    bench.close(journal)
    journal = bench.journal()
    result(journal.register("mqtt", LIVE))
    assert journal.waiting("mqtt") == 2
    assert numbers(result(journal.read("mqtt", 10))) == [2, 4]


def test_a_reader_whose_periods_change_still_gets_what_it_had_not_taken_of_the_former_ones(both):
    journal = both.journal()
    journal.register("mqtt", {10})
    both.append(journal, *ends(2), interval(period=300))
    journal.settle(result(journal.read("mqtt", 1)), {1})
    result(journal.register("mqtt", {300}))
    both.append(journal, interval(), interval(period=300))
    assert journal.waiting("mqtt") == 2
    assert numbers(result(journal.read("mqtt", 10, newest=True))) == [5]
    former = result(journal.read("mqtt", 10))
    assert numbers(former) == [2], "and not 3, which told of the same time"
    assert [span for span, periods in journal.taken("mqtt") if 10 in periods] == [(2, 3)]
    journal.settle(former, {2})
    assert numbers(result(journal.read("mqtt", 10))) == [5]
    assert journal.waiting("mqtt") == 1


def test_a_reader_whose_periods_change_over_a_restart_loses_nothing_either(bench, tmp_path):
    path = tmp_path / "journal.db"
    journal = bench.journal(path)
    journal.register("mqtt", {10})
    bench.append(journal, *ends(2), interval(period=300))
    bench.close(journal)
    again = bench.journal(path)
    result(again.register("mqtt", {300}))
    bench.append(again, interval(), interval(period=300))
    assert again.waiting("mqtt") == 3
    bench.close(again)
    last = bench.journal(path)
    result(last.register("mqtt", {300}))
    assert last.waiting("mqtt") == 3
    assert numbers(result(last.read("mqtt", 10))) == [1, 2]


def test_a_reader_that_is_withdrawn_is_no_longer_heeded_and_finds_its_place_again(both):
    journal = both.journal()
    journal.register("mqtt", {10})
    both.append(journal, *ends(2))
    journal.settle(result(journal.read("mqtt", 1)), {1})
    journal.withdraw("mqtt")
    both.append(journal, *ends(1, NOON + 60))
    assert both.done(journal.expire(10, NOON + 10, 10)).lost == {}
    both.done(journal.register("mqtt", {10}))
    assert numbers(result(journal.read("mqtt", 10))) == [2, 3]


def test_listeners_hear_of_each_commit_once_until_they_leave(both):
    journal = both.journal()
    heard = []
    leave = journal.on_synced(lambda records: heard.append([record.n for record in records]))
    journal.append([interval()])
    both.append(journal, interval(), interval())
    leave()
    both.append(journal, interval())
    assert heard == [[1, 2, 3]]


def test_numbers_can_be_entrusted_and_are_settled_by_their_discharge(both):
    journal = both.journal()
    journal.register("ftp", {10})
    both.append(journal, *ends(3))
    owed = Intent("ftp", "S-main", 10, NOON, NOON + 20, NOON + 10, (1, 2))
    both.done(journal.entrust("ftp", (1, 3), [3], partial(intent.add, intents=[owed])))
    assert journal.unsettled("ftp") == ((3, 3),)
    assert journal.waiting("ftp") == 3
    (found,) = [both.done(journal.query(partial(intent.first_owed, reader="ftp")))]
    assert found.numbers == (1, 2)
    both.done(journal.discharge("ftp", 2, partial(intent.settle, identity=found.id)))
    assert journal.waiting("ftp") == 1
    assert both.done(journal.query(partial(intent.first_owed, reader="ftp"))) is None


def test_entrusted_numbers_are_still_waiting_after_a_restart(bench):
    journal = bench.journal()
    journal.register("ftp", {10})
    bench.append(journal, *ends(3))
    owed = Intent("ftp", "S-main", 10, NOON, NOON + 20, NOON + 10, (1, 2))
    journal.entrust("ftp", (1, 3), [3], partial(intent.add, intents=[owed]))
    bench.close(journal)
    journal = bench.journal()
    result(journal.register("ftp", {10}))
    assert journal.waiting("ftp") == 3


# -- questions


def test_select_gives_a_devices_records_by_end_within_the_bounds(both):
    journal = both.journal()
    late = interval(end=NOON + 10, watts=7)
    both.append(journal, *ends(3, NOON + 10), late, interval("other", NOON + 20), interval(end=NOON + 20, period=300))
    found = result(journal.select("main", 10, NOON, NOON + 30))
    assert [record.draft.end - NOON for record in found] == [10, 20, 30]
    assert [record.n for record in result(journal.select("S-other", 10, NOON, NOON + 30))] == [5]
    assert result(journal.select("nobody", 10, NOON, NOON + 30)) == []


@pytest.mark.parametrize(
    ("first", "second", "chosen"),
    [
        (Quality.GOOD, Quality.GOOD, 2),
        (Quality.PARTIAL, Quality.GOOD, 2),
        (Quality.GOOD, Quality.PARTIAL, 1),
        (Quality.SILENT, Quality.PARTIAL, 2),
        (Quality.CONFLICT, Quality.SILENT, 1),
    ],
)
def test_of_two_records_of_one_interval_the_better_counts_then_the_newer(both, first, second, chosen):
    journal = both.journal()
    both.append(journal, interval(quality=first), interval(quality=second))
    assert [record.n for record in result(journal.select("main", 10, NOON - 1, NOON))] == [chosen]


def test_all_events_of_one_moment_are_selected(both):
    journal = both.journal()
    both.append(journal, event("a"), event("b"))
    found = result(journal.select("main", EVENT_PERIOD, NOON - 1, NOON))
    assert [record.draft.event["event"] for record in found] == ["a", "b"]


def test_devices_are_those_with_records(both):
    journal = both.journal()
    both.append(journal, interval(), interval("other"), interval())
    assert result(journal.devices()) == [("main", "S-main"), ("other", "S-other")]


def test_values_of_any_size_are_kept(both):
    journal = both.journal()
    column = Quantity("ea_imp", "kWh", Kind.COUNTER, digits=3)
    (record,) = both.append(journal, Draft("main", "S1", NOON, 10, (column,), (Tally(1, *[10**30] * 4),)))
    (found,) = result(journal.select("main", 10, NOON - 1, NOON))
    assert found == record


# -- identity


def test_a_journal_id_is_four_letters_or_digits_and_stays_with_its_file(bench):
    journal = bench.journal()
    assert len(journal.id) == 4
    assert set(journal.id) <= set("abcdefghijklmnopqrstuvwxyz0123456789")
    identity = journal.id
    bench.close(journal)
    assert bench.journal().id == identity


def test_a_new_file_has_a_new_id(bench):
    first = bench.journal()
    bench.close(first)
    bench.path.unlink()
    assert bench.journal().id != first.id


def test_numbers_go_on_after_a_restart(bench):
    journal = bench.journal()
    bench.append(journal, *ends(3))
    bench.close(journal)
    assert [record.n for record in bench.append(bench.journal(), interval())] == [4]


def test_a_number_is_not_given_twice_even_when_its_record_is_gone(bench):
    journal = bench.journal()
    bench.append(journal, *ends(3))
    bench.done(journal.expire(10, NOON + 999, 100))
    bench.close(journal)
    assert [record.n for record in bench.append(bench.journal(), interval())] == [4]


def test_a_file_put_back_from_a_copy_goes_on_under_a_new_id_and_its_old_records_keep_theirs(bench):
    journal = bench.journal()
    bench.append(journal, *ends(2))
    bench.close(journal)
    copy = bench.path.with_name("copy.db")
    shutil.copyfile(bench.path, copy)
    lost = bench.journal()
    given_out = bench.append(lost, *ends(2))
    bench.close(lost)
    shutil.copyfile(copy, bench.path)
    journal = bench.journal()
    assert bench.reported() == ["journal.copied"]
    again = bench.append(journal, interval())
    found = result(journal.query(partial(Tables.numbered, numbers=[1, 2, 3])))
    assert [record.n for record in found] == [1, 2, 3]
    assert found[0].journal == found[1].journal == given_out[0].journal
    assert not {(r.journal, r.n) for r in again} & {(r.journal, r.n) for r in given_out}


def test_each_use_of_the_same_copy_has_its_own_id(bench):
    journal = bench.journal()
    bench.close(journal)
    copy = bench.path.with_name("copy.db")
    shutil.copyfile(bench.path, copy)
    bench.close(bench.journal())
    ids = {journal.id}
    for _ in range(3):
        shutil.copyfile(copy, bench.path)
        journal = bench.journal()
        bench.append(journal, interval())
        ids.add(journal.id)
        bench.close(journal)
    assert len(ids) == 4


@pytest.mark.parametrize("seed", range(20))
def test_a_torn_log_costs_its_torn_tail_only(bench, seed):
    journal = bench.journal()
    for _ in range(5):
        bench.append(journal, *ends(20))
    log = bench.path.with_name("journal.db-wal").read_bytes()
    cut = bench.path.with_name("cut.db")
    shutil.copyfile(bench.path, cut)
    bench.path.with_name("cut.db-wal").write_bytes(log[: Random(seed).randrange(len(log))])
    torn = bench.journal(cut)
    left = result(torn.query(partial(Tables.numbered, numbers=range(1, 101))))
    assert [record.n for record in left] == list(range(1, len(left) + 1))
    assert len(left) % 20 == 0
    assert "journal.set_aside" not in bench.reported()
    assert [record.n for record in bench.append(torn, interval())] == [len(left) + 1]


# -- what leaves


def test_what_a_reader_still_wants_stays_when_only_settled_records_may_go(both):
    journal = both.journal()
    journal.register("mqtt", {10})
    journal.register("ftp", {10, 300})
    both.append(journal, *ends(6), interval(end=NOON, period=300))
    for reader, accepted in (("mqtt", {1, 2, 3, 5}), ("ftp", {1, 2, 4, 5})):
        journal.settle(result(journal.read(reader, 10)), accepted)
    expired = both.done(journal.expire(10, NOON + 50, 10, only_settled=True))
    assert (expired.records, expired.lost) == (3, {})
    assert numbers(result(journal.read("mqtt", 10))) == [4, 6]
    assert both.done(journal.expire(300, NOON + 60, 10, only_settled=True)).records == 0
    assert both.done(journal.expire(10, NOON + 60, 1)).records == 1
    assert [record.n for record in result(journal.select("main", 10, NOON, NOON + 99))] == [4, 6]


def test_what_an_owed_file_holds_stays_when_only_settled_records_may_go(both):
    journal = both.journal()
    journal.register("ftp", {10})
    both.append(journal, *ends(4))
    owed = Intent("ftp", "S-main", 10, NOON + 20, NOON + 40, NOON + 30, (3, 4))
    both.done(journal.entrust("ftp", (1, 4), [], partial(intent.add, intents=[owed])))
    assert both.done(journal.expire(10, NOON + 999, 10, only_settled=True)).records == 2
    assert journal.waiting("ftp") == 4
    assert [record.n for record in result(journal.select("main", 10, NOON, NOON + 99))] == [3, 4]


def test_what_is_deleted_leaves_room_that_is_not_used(both):
    journal = both.journal()
    both.append(journal, *ends(3000))
    full = used(journal)
    both.done(journal.expire(10, NOON + 10**6, 3000))
    assert 0 < used(journal) < full / 2


def used(journal):
    """What a journal has in use once its log is empty."""
    journal._tables.sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return journal.used


# -- a disk that fails


def fill(journal):
    """Leaves the file no room; gives what makes room again."""
    limit = partial(_limit, journal)
    limit(journal._tables.sql.execute("PRAGMA page_count").fetchone()[0])
    return partial(limit, 2**30)


def _limit(journal, pages):
    journal._tables.sql.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_keeps_everything_until_there_is_room(both):
    journal = both.journal()
    journal.register("mqtt", LIVE)
    both.append(journal, interval())
    make_room = fill(journal)
    appended = journal.append(ends(400))
    settled = journal.settle(result(journal.read("mqtt", 10)), {1})
    both.run(60)
    assert pending(appended)
    assert pending(settled)
    assert result(journal.read("mqtt", 10)) is None
    assert both.reported() == ["journal.stuck"]
    assert "full" in both.reports[0][1]["error"]
    assert journal.counts.pending == 400
    make_room()
    both.run(60)
    assert len(result(appended)) == 400
    assert result(settled) is None
    assert both.reported() == ["journal.stuck", "journal.recovered"]
    assert len(result(journal.read("mqtt", 1000)).records) == 400


def test_more_than_the_bound_is_lost_counted_and_reported(both):
    journal = both.journal(pending_max=500)
    both.append(journal, interval())
    make_room = fill(journal)
    first, second = journal.append(ends(400)), journal.append(ends(400))
    both.run(3)
    with pytest.raises(Full, match="500 records already wait"):
        result(first)
    assert journal.counts.lost == 400
    make_room()
    both.run(60)
    assert [record.n for record in result(second)] == list(range(402, 802))
    assert ("journal.recovered", {"lost": 400}) in both.reports


def test_an_event_about_the_full_disk_can_be_appended_while_it_is_full(both):
    journal = both.journal()
    both.append(journal, interval())
    make_room = fill(journal)
    both.report = lambda name, facts: journal.append([event(name)], urgent=True)
    journal.append(ends(400))
    both.run(60)
    make_room()
    both.run(60)
    assert [r.draft.event["event"] for r in result(journal.select("main", EVENT_PERIOD, NOON - 1, NOON))] == [
        "journal.stuck",
        "journal.recovered",
    ]


def damage(bench, journal):
    """Damages every page of the open file but the first, and has SQLite read them again."""
    journal._tables.sql.execute("PRAGMA cache_size = 0")
    journal._tables.sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = bench.path.stat().st_size
    with bench.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))


def test_a_file_that_turns_out_damaged_is_set_aside_and_the_journal_goes_on(bench):
    journal = bench.journal()
    journal.register("mqtt", LIVE)
    bench.append(journal, *ends(5000))
    old, identity = journal.synced, journal.id
    damage(bench, journal)
    with pytest.raises(Corrupt):
        result(journal.read("mqtt", 10))
    name, facts = bench.reports[0]
    assert name == "journal.set_aside"
    assert facts["lost"] == {"mqtt": 5000}
    assert bench.path.with_name(facts["kept_as"]).exists()
    (record,) = bench.append(journal, interval())
    assert record.n == old + 1
    assert record.journal == journal.id != identity
    assert numbers(result(journal.read("mqtt", 10))) == [old + 1]
    bench.close(journal)
    journal = bench.journal()
    result(journal.register("mqtt", LIVE))
    assert numbers(result(journal.read("mqtt", 10))) == [old + 1]


@pytest.mark.parametrize("left", ['[["v1","V"', '[["v1","V",7]]', "[[\x00\x00"])
def test_columns_that_cannot_be_read_are_damage_though_sqlite_sees_none(bench, left):
    """So long a text lies on overflow pages, which SQLite's quick check does not look into."""
    journal = bench.journal()
    journal.register("mqtt", LIVE)
    bench.append(journal, interval())
    bench.close(journal)
    with closing(sqlite3.connect(bench.path)) as file, file:
        file.execute("UPDATE layout SET columns = ?", (left,))
    journal = bench.journal()
    result(journal.register("mqtt", LIVE))
    with pytest.raises(Corrupt):
        result(journal.read("mqtt", 10))
    assert "journal.set_aside" in bench.reported()
    (record,) = bench.append(journal, interval())
    assert numbers(result(journal.read("mqtt", 10))) == [record.n]


def test_what_is_pending_when_the_damage_is_noticed_is_written_into_the_new_file(bench):
    journal = bench.journal()
    bench.append(journal, *ends(5000))
    damage(bench, journal)
    records = bench.append(journal, interval())
    assert "journal.set_aside" in bench.reported()
    assert result(journal.query(partial(Tables.numbered, numbers=[5001]))) == list(records)


def test_a_damaged_file_is_reported_when_it_is_opened(bench):
    bench.path.write_bytes(b"nonsense" * 1000)
    journal = bench.journal()
    name, facts = bench.reports[0]
    assert name == "journal.set_aside"
    assert facts["kept_as"] == "journal.db.corrupt-20261118T120000Z"
    assert [record.n for record in bench.append(journal, interval())] == [1]


def test_a_journal_that_cannot_be_opened_leaves_nothing_behind(tmp_path):
    (tmp_path / "file").write_text("")
    bench = Bench(tmp_path / "file" / "journal.db")
    with pytest.raises(JournalError):
        bench.journal()
    assert bench.clock.getDelayedCalls() == []


def test_the_size_is_what_the_files_take(bench):
    journal = bench.journal()
    before = journal.size
    bench.append(journal, *ends(1000))
    assert before < journal.size < before + 1_000_000


class InTurn(AtOnce):
    """A worker whose jobs run when a test says so, once it `holds` them."""

    def __init__(self):
        self.holds, self.jobs = False, []

    def run(self, job, /, *args, **kwargs):
        if not self.holds:
            return super().run(job, *args, **kwargs)
        done = Deferred()
        self.jobs.append(lambda: super(InTurn, self).run(job, *args, **kwargs).chainDeferred(done))
        return done


def test_what_is_written_while_waiting_records_are_counted_counts_too(tmp_path):
    bench, worker = Bench(tmp_path / "journal.db"), InTurn()
    former = bench.journal()
    former.register("mqtt", {10})
    bench.append(former, interval())
    bench.close(former)
    journal = Journal(bench.path, bench.clock, bench.wall, worker, bench.report)
    result(journal.open())
    worker.holds = True
    journal.register("mqtt", {10})
    journal.append([interval(end=NOON + 10)])
    for _ in range(10):
        bench.run(2.0)
        if worker.jobs:
            worker.jobs.pop(0)()
    assert journal.waiting("mqtt") == 2
    worker.holds = False
    result(journal.close())
