"""kill -9 at any moment: a child works on a journal file and says what it was promised; its parent kills it, opens the
file and holds it to its word."""

import os
import signal
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

from concentrator.journal import codec
from concentrator.journal.tables import Tables
from tests.support.journals import NOON, result

ROOT = Path(__file__).parents[2]
KILLS = 24


def lines_of_a_killed_child(path, seed, begin, lines):
    """What a child said until some time after it had said so many lines."""
    command = [sys.executable, "-m", "tests.support.journal_child", str(path), str(seed), str(begin)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    said = [child.stdout.readline() for _ in range(lines)]
    os.kill(child.pid, signal.SIGKILL)
    said += child.stdout.read().splitlines(keepends=True)
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL, b"".join(said[-20:])
    return [line.decode().split() for line in said if line.endswith(b"\n")]


class Promises:
    """Everything any child was ever promised."""

    def __init__(self):
        self.appended = {}
        self.given = set()
        self.settling = set()
        self.settled = set()
        self.files = {}

    def heard(self, word, *words):
        if word == "F":
            identity, serial, *told = words
            file = (serial, *map(int, told))
            assert self.files.setdefault(int(identity), file) == file, "a file changed"
        else:
            numbers = list(map(int, words))
            if word == "A":
                n, end = numbers
                assert self.appended.setdefault(n, end) == end, "a number was given twice"
            elif word in ("G", "s", "S"):
                {"G": self.given, "s": self.settling, "S": self.settled}[word].update(numbers)
            else:
                raise AssertionError(f"the child reported {word} {words}")


def check(journal, promises):
    """Holds a journal that was opened again to what was promised."""
    found = result(journal.query(partial(Tables.numbered, numbers=range(1, journal.synced + 1))))
    records = {record.n: record.draft for record in found}
    # Whatever append fired for is there, as it was, once.
    assert {n: records[n].end for n in promises.appended} == promises.appended
    twins = Counter((d.uid, d.period, d.end, str(d.event)) for d in records.values())
    assert max(twins.values()) == 1
    # What was appended together is there together.
    assert ends_of(records, "main") == ends_of(records, "other")
    # A reader was given nothing that is not on the disk.
    assert promises.given <= set(records)
    # Settled is settled, and nothing else is.
    live = {n for n, draft in records.items() if draft.period != 300}
    unsettled = in_spans(journal.unsettled("mqtt"), live)
    assert not unsettled & promises.settled
    assert live - promises.settling <= unsettled
    assert journal.waiting("mqtt") == len(unsettled)
    # A record to be filed is in no file, or in one that is owed, or in one that was given out.
    filed = {n for n, draft in records.items() if draft.period == 300}
    not_filed = in_spans(journal.unsettled("ftp"), filed)
    rows = result(journal.query(partial(_intents)))
    owed = [n for *_, numbers in rows if numbers is not None for n in codec.unpack_rising(numbers)]
    given_out = {n for _, _, _, *numbers in promises.files.values() for n in numbers}
    assert not set(owed) & not_filed
    assert len(owed) == len(set(owed))
    assert filed == not_filed | set(owed) | given_out
    assert journal.waiting("ftp") == len(not_filed) + len(owed)
    # A file that was given out is on the disk, under the same name and, while it is owed, with the same records.
    kept = {identity: row for identity, *row in rows}
    for identity, (serial, start, stop, *numbers) in promises.files.items():
        *name, contents = kept[identity]
        assert name == [serial, start, stop]
        assert contents is None or codec.unpack_rising(contents) == sorted(numbers)
    assert len({tuple(row[:3]) for row in kept.values()}) == len(kept), "a period has two files"
    given = Counter(n for _, _, _, *numbers in promises.files.values() for n in numbers)
    assert max(given.values(), default=1) == 1


def ends_of(records, uid):
    return {draft.end for draft in records.values() if (draft.uid, draft.period) == (uid, 300)}


def in_spans(spans, numbers):
    return {n for n in numbers if any(first <= n <= last for first, last in spans)}


def _intents(tables):
    return tables.sql.execute("SELECT id, serial, start, stop, numbers FROM intent").fetchall()


def test_kill_9_loses_nothing_that_was_promised_and_doubles_nothing(bench):
    random = Random(2026)
    promises = Promises()
    begin, identity = 0, None
    for kill in range(KILLS):
        lines = random.choice([1, 5, 30, 150, 400]) + random.randrange(20)
        for words in lines_of_a_killed_child(bench.path, kill, begin, lines):
            promises.heard(*words)
        journal = bench.journal()
        for reader, periods in (("mqtt", {10, 0}), ("ftp", {300})):
            journal.register(reader, periods)
        identity = identity or journal.id
        assert journal.id == identity
        check(journal, promises)
        ends = result(journal.query(lambda tables: tables.sql.execute("SELECT max(stop) FROM record").fetchone()))
        begin = (ends[0] or NOON) - NOON
        begin += -begin % 300 + 300
        if random.random() < 0.5:
            bench.close(journal)
        else:
            journal._tables.database.abandon()
            bench.opened.remove(journal)
    assert bench.reports == []
    assert len(promises.appended) > 1000
    assert len(promises.files) > 20
