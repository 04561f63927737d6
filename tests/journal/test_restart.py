"""kill -9 at any moment: a child works on a journal file and says what it was promised; its parent kills it, opens the
file and holds it to its word."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

from tests.support.journals import NOON
from tests.support.promises import READERS, Promises, check

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


def test_kill_9_loses_nothing_that_was_promised_and_doubles_nothing(bench):
    random = Random(2026)
    promises = Promises()
    begin, identity = 0, None
    for kill in range(KILLS):
        lines = random.choice([1, 5, 30, 150, 400]) + random.randrange(20)
        for words in lines_of_a_killed_child(bench.path, kill, begin, lines):
            promises.heard(*words)
        journal = bench.journal()
        for reader, periods in READERS.items():
            journal.register(reader, periods)
        identity = identity or journal.id
        assert journal.id == identity
        records = check(journal, promises)
        begin = max((draft.end for draft in records.values()), default=NOON) - NOON
        begin += -begin % 300 + 300
        if random.random() < 0.5:
            bench.close(journal)
        else:
            bench.run(2)
            journal._tables.database.abandon()
            bench.opened.remove(journal)
    assert bench.reports == []
    assert len(promises.appended) > 1000
    assert len(promises.files) > 20
