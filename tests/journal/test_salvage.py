"""What a damaged file still says comes into the one that is begun in its place. Damage is put where a test wants it:
into the pages of one table, of an index, or into the bytes of a block."""

import sqlite3
from functools import partial

import pytest

from concentrator.journal import intent
from concentrator.journal.compact import Compaction
from concentrator.journal.database import PAGE_BYTES
from concentrator.journal.intent import Intent
from concentrator.journal.room import Room
from concentrator.journal.salvage import LOOK_S, Salvage
from concentrator.journal.tables import Tables
from concentrator.model.errors import Corrupt
from tests.support.journals import NOON, event, interval, numbers, result

LIVE = {10, 0}


def pages_of(path, name):
    """The numbers of the leaf pages of a table or an index, in the order of its keys, and of its inner pages."""
    connection = sqlite3.connect(path)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    connection.close()
    data = path.read_bytes()
    leaves, inner = [], []

    def visit(page):
        at = (page - 1) * PAGE_BYTES
        head = at + (100 if page == 1 else 0)
        if data[head] in (10, 13):
            leaves.append(page)
            return
        inner.append(page)
        cells = int.from_bytes(data[head + 3 : head + 5], "big")
        for i in range(cells):
            cell = at + int.from_bytes(data[head + 12 + 2 * i : head + 14 + 2 * i], "big")
            visit(int.from_bytes(data[cell : cell + 4], "big"))
        visit(int.from_bytes(data[head + 8 : head + 12], "big"))

    visit(root)
    return leaves, inner


def spoil(path, page):
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES + (100 if page == 1 else 0))
        file.write(b"\xa5" * (PAGE_BYTES - 100))


class Yard:
    """A journal with records for two readers, of which one has taken some."""

    def __init__(self, bench):
        self.bench = bench
        self.journal = bench.journal()
        self.register()
        self.salvage = None
        self.room = Room(2**40)

    def register(self):
        self.journal.register("mqtt", LIVE)
        self.journal.register("ftp", {300})

    def fill(self, count=3000):
        drafts = [interval(end=NOON + 10 * i, watts=i) for i in range(count)]
        self.bench.append(
            self.journal, *drafts, *[interval(end=NOON + 300 * i, period=300) for i in range(count // 30)]
        )
        self.bench.append(self.journal, event())
        batch = result(self.journal.read("mqtt", 1000))
        self.bench.done(self.journal.settle(batch, set(numbers(batch))))

    def close(self):
        self.bench.close(self.journal)

    def open_again(self):
        self.journal = self.bench.journal()
        self.register()
        self.begin()
        return self.journal

    def begin(self):
        self.salvage = Salvage(self.journal, self.bench.clock, self.bench.report, self.room)
        self.salvage.start()

    def end(self):
        stopped = self.salvage.stop()
        self.bench.run(3)
        result(stopped)

    def facts(self, name):
        (found,) = [facts for each, facts in self.bench.reports if each == name]
        return found

    def until_salvaged(self):
        for _ in range(200):
            self.bench.run(1)
            if "journal.salvaged" in self.bench.reported():
                return self.facts("journal.salvaged")
        raise AssertionError("it goes on for ever")

    def unsettled(self, reader):
        """The numbers that a reader gets, in order."""
        found = []
        while batch := result(self.journal.read(reader, 1000)):
            found += numbers(batch)
            self.journal.settle(batch, set(numbers(batch)))
        return found

    def there(self):
        ask = partial(Tables.read, spans=[(1, 10**6)], periods=[0, 10, 300], limit=10**6, newest=False)
        return {record.n: record for record in result(self.journal.query(ask))[0]}


@pytest.fixture
def yard(bench):
    yard = Yard(bench)
    yield yard
    if yard.salvage:
        yard.end()


def facts_of(record):
    draft = record.draft
    return record.journal, draft.uid, draft.end, draft.period, list(draft.tallies), draft.event, draft.quality


def test_all_but_a_damaged_page_of_records_comes_into_the_new_file_as_it_was(yard, bench):
    yard.fill()
    before, identity = yard.there(), yard.journal.id
    yard.close()
    leaves, _ = pages_of(bench.path, "record")
    spoil(bench.path, leaves[len(leaves) // 2])
    yard.open_again()
    facts = yard.until_salvaged()
    after = yard.there()
    lost = before.keys() - after.keys()
    assert 0 < len(lost) < 80
    assert max(lost) - min(lost) + 1 == len(lost)
    assert {n: facts_of(after[n]) for n in after} == {n: facts_of(before[n]) for n in after}
    assert facts["records"] == len(after)
    assert facts["missing"] == len([n for n in lost if n > 1000])
    assert yard.journal.id != identity
    (record,) = bench.append(yard.journal, event())
    assert record.n > max(before)
    assert bench.path.with_name(facts["kept_as"]).exists()
    assert bench.reported() == ["journal.set_aside", "journal.salvaged"]


def test_each_reader_gets_what_it_had_not_taken_and_nothing_else(yard, bench):
    yard.fill()
    yard.close()
    leaves, _ = pages_of(bench.path, "record_by_time")
    spoil(bench.path, leaves[3])
    yard.open_again()
    facts = yard.until_salvaged()
    assert facts["waiting"] == {"mqtt": 2001, "ftp": 100}
    assert facts["missing"] == 0
    assert yard.journal.waiting("mqtt") == 2001
    assert yard.unsettled("mqtt") == [*range(1001, 3001), 3101]
    assert yard.unsettled("ftp") == [*range(3001, 3101)]


def test_an_inner_page_takes_its_branch_with_it_and_no_other(yard, bench):
    yard.fill(30_000)
    before = yard.there()
    yard.close()
    _, inner = pages_of(bench.path, "record")
    assert len(inner) > 3
    spoil(bench.path, inner[2])
    yard.open_again()
    yard.until_salvaged()
    after = yard.there()
    lost = sorted(before.keys() - after.keys())
    assert 0 < len(lost) < len(before) / 2
    assert max(after) == max(before)
    assert lost == list(range(lost[0], lost[-1] + 1))


def test_where_the_places_of_readers_are_lost_everything_is_theirs_again(yard, bench):
    yard.fill()
    yard.close()
    (leaf,), _ = pages_of(bench.path, "reader")
    spoil(bench.path, leaf)
    yard.open_again()
    facts = yard.until_salvaged()
    assert facts["waiting"] == {"mqtt": 3001, "ftp": 100}


def test_damage_that_shows_at_work_is_salvaged_too_and_what_was_settled_meanwhile_stays_so(yard, bench):
    yard.begin()
    yard.fill()
    batch = result(yard.journal.read("mqtt", 500))
    bench.run(2)
    yard.journal._tables.sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    leaves, _ = pages_of(bench.path, "record")
    spoil(bench.path, leaves[-20])
    yard.journal.settle(batch, set(numbers(batch)))
    yard.journal._tables.sql.execute("PRAGMA shrink_memory")
    with pytest.raises(Corrupt):
        result(yard.journal.query(_read_all))
    facts = yard.until_salvaged()
    got = yard.unsettled("mqtt")
    assert min(got) == 1501
    assert 3101 - len(yard.there()) < 80
    assert facts["waiting"]["mqtt"] == len(got)


def _read_all(tables):
    return tables.sql.execute("SELECT sum(length(content)) FROM record").fetchall()


def test_a_file_that_was_owed_is_owed_again_and_no_second_one_is_made(yard, bench):
    journal = yard.journal
    yard.fill()
    sent = Intent("ftp", "S-main", 300, NOON - 3600, NOON, NOON, (3001,))
    owed = Intent("ftp", "S-main", 300, NOON, NOON + 3600, NOON + 300, tuple(range(3002, 3014)))
    bench.done(journal.entrust("ftp", (3001, 3013), [], partial(intent.add, intents=[sent, owed])))
    bench.done(journal.discharge("ftp", 1, partial(intent.settle, identity=1)))
    yard.close()
    leaves, _ = pages_of(bench.path, "record_by_time")
    spoil(bench.path, leaves[0])
    journal = yard.open_again()
    facts = yard.until_salvaged()
    found = result(journal.query(partial(intent.first_owed, reader="ftp")))
    assert (found.id, found.start, found.stop, found.numbers) == (2, owed.start, owed.stop, owed.numbers)
    files = [("S-main", NOON - 3600, NOON), ("S-main", NOON, NOON + 3600)]
    assert result(journal.query(partial(intent.filed, reader="ftp", files=files))) == set(files)
    assert journal.waiting("ftp") == facts["waiting"]["ftp"] == 99
    assert yard.unsettled("ftp") == [*range(3014, 3101)]


def test_sealed_blocks_come_as_they_are_but_for_the_damaged_one(yard, bench):
    drafts = [interval(end=NOON + 10 * i, watts=i, uid=uid) for i in range(1000) for uid in ("main", "other")]
    bench.append(yard.journal, *drafts)
    yard.unsettled("mqtt")
    before = yard.there()
    compaction = Compaction(yard.journal, bench.wall, bench.clock)
    bench.wall.step(86_400)
    compaction.start()
    bench.run(300)
    compaction.stop()
    blocks = result(yard.journal.query(lambda tables: tables.shelf.ids()))
    assert len(blocks) >= 4
    yard.close()
    connection = sqlite3.connect(bench.path)
    connection.execute("UPDATE block SET content = zeroblob(length(content)) WHERE id = ?", (blocks[1],))
    connection.commit()
    connection.close()
    leaves, _ = pages_of(bench.path, "record_by_time")
    spoil(bench.path, leaves[-1])
    yard.open_again()
    yard.until_salvaged()
    after = yard.there()
    assert 0 < len(before) - len(after) < 1000
    assert {n: facts_of(after[n]) for n in after} == {n: facts_of(before[n]) for n in after}
    assert len(result(yard.journal.query(lambda tables: tables.shelf.ids()))) == len(blocks) - 1


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 12])
def test_salvage_goes_on_after_a_restart(yard, bench, steps):
    yard.fill()
    before = yard.there()
    yard.close()
    leaves, _ = pages_of(bench.path, "record_by_time")
    spoil(bench.path, leaves[0])
    yard.open_again()
    bench.run(0.5 * steps)
    yard.end()
    yard.salvage = None
    bench.run(2)
    yard.journal._tables.database.abandon()
    bench.opened.remove(yard.journal)
    journal = yard.open_again()
    facts = yard.until_salvaged()
    assert {n: facts_of(r) for n, r in yard.there().items()} == {n: facts_of(r) for n, r in before.items()}
    assert facts["waiting"]["mqtt"] == journal.waiting("mqtt") == 2001


def test_salvage_waits_where_there_is_no_room(yard, bench):
    yard.fill()
    yard.close()
    leaves, _ = pages_of(bench.path, "record_by_time")
    spoil(bench.path, leaves[0])
    yard.room = Room(0)
    journal = yard.open_again()
    bench.run(3 * LOOK_S)
    assert journal.waiting("mqtt") == 0
    yard.end()
    yard.room = Room(2**40)
    yard.begin()
    assert yard.until_salvaged()["waiting"]["mqtt"] == 2001


def test_of_a_file_that_is_none_nothing_is_salvaged(yard, bench):
    yard.close()
    bench.path.write_bytes(b"nonsense" * 1000)
    yard.open_again()
    bench.run(2 * LOOK_S)
    assert bench.reported() == ["journal.set_aside"]


def test_a_second_damage_in_the_middle_of_it_loses_nothing_of_the_first(yard, bench):
    yard.fill()
    before = yard.there()
    yard.close()
    leaves, _ = pages_of(bench.path, "record_by_time")
    spoil(bench.path, leaves[0])
    yard.open_again()
    bench.run(4)
    yard.end()
    yard.close()
    leaves, _ = pages_of(bench.path, "record_by_time")
    spoil(bench.path, leaves[0])
    bench.run(2)
    yard.open_again()
    for _ in range(100):
        bench.run(1)
    assert bench.reported().count("journal.salvaged") == 2
    assert yard.there().keys() == before.keys()
    assert yard.unsettled("mqtt") == [*range(1001, 3001), 3101]
