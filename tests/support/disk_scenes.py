"""What a journal does on a disk that fails, in a process of its own whose disk `disk.c` bounds. Prints, as JSON, what
came of it: `python -m tests.support.disk_scenes SCENE FOLDER SIZE-FILE`. `late`: appends that were not on the disk in
time; `there`: how many records there are, and the highest number."""

import json
import sys
from pathlib import Path

from concentrator.journal import room
from concentrator.journal.database import PAGE_BYTES
from concentrator.journal.retention import LOOK_S, Retention
from concentrator.journal.room import Room
from concentrator.model.errors import JournalError
from tests.support.journals import NOON, Bench, event, interval, result


def fill(bench, journal, at, count=60, each=50):
    """Appends for `count` seconds, `each` records a second; gives what had not been written by then."""
    waiting = []
    for i in range(count):
        drafts = [interval(f"m{k}", NOON + 10 * (at + i)) for k in range(each)]
        waiting.append(journal.append(drafts))
        bench.run(1, step=0.25)
    late = [one for one in waiting if not one.called]
    for one in waiting:
        one.addErrback(lambda failure: failure.trap(JournalError))
    return len(late)


def there(journal):
    ask = "SELECT count(*), max(n) FROM record"
    return result(journal.query(lambda tables: tables.sql.execute(ask).fetchone()))


def files(bench):
    return {file.name: file.stat().st_size for file in bench.path.parent.iterdir()}


def retention(bench, journal, limit=2**40):
    keeping = Retention(
        journal,
        bench.wall,
        bench.clock,
        bench.report,
        base_s=10,
        base_keep_s=10**9,
        keep_s=10**9,
        history_s=300,
        room=Room(limit, bench.path.parent),
    )
    keeping.start()
    return keeping


def full(bench, size):
    """Another program fills the disk; the journal has records to give away for what comes next."""
    # A small ballast and a log to go with it, so that a few records are enough.
    room.BALLAST_BYTES = 2**20
    journal = bench.journal()
    result(journal.query(lambda tables: tables.sql.execute("PRAGMA wal_autocheckpoint = 500").fetchall()))
    keeping = retention(bench, journal)
    journal.register("mqtt", {0})
    fill(bench, journal, 0, 200)
    size.write_text(str(sum(files(bench).values())))
    late = fill(bench, journal, 200, 400)
    bench.run(3 * LOOK_S, step=0.25)
    lost, found, ballast = journal.counts.lost, there(journal), files(bench)["journal.db.ballast"]
    size.unlink()
    bench.run(3 * LOOK_S, step=0.25)
    stopped = keeping.stop()
    bench.run(2)
    result(stopped)
    laid = files(bench)["journal.db.ballast"] == room.BALLAST_BYTES
    return {"late": late, "lost": lost, "there": found, "ballast": ballast, "laid": laid}


def stuck(bench, size):
    """The disk takes nothing for a while, not even the room of the ballast is enough; then it does."""
    journal = bench.journal()
    fill(bench, journal, 0, 20)
    size.write_text("0")
    late = fill(bench, journal, 20, 400)
    size.unlink()
    bench.run(60)
    counts = journal.counts
    return {"late": late, "lost": counts.lost, "there": there(journal), "pending": counts.pending}


def damaged(bench, size):
    """The file is damaged and the disk full when the journal starts."""
    journal = bench.journal()
    fill(bench, journal, 0, 20)
    bench.close(journal)
    with bench.path.open("r+b") as file:
        file.seek(5 * PAGE_BYTES)
        file.write(b"\xa5" * PAGE_BYTES)
    size.write_text(str(sum(files(bench).values())))
    journal = bench.journal()
    (record,) = bench.append(journal, interval())
    return {"n": record.n, "files": sorted(files(bench))}


def read_only(bench, size):
    """The file system becomes read-only at work, and is so at the next start; then it is well again."""
    journal = bench.journal()
    fill(bench, journal, 0, 5)
    size.write_text("read-only")
    fill(bench, journal, 5, 5)
    bench.close(journal)
    lost = journal.counts.lost
    try:
        bench.journal()
        again = "opened"
    except JournalError as error:
        again = str(error)
        bench.opened.clear()
    size.unlink()
    journal = bench.journal()
    (record,) = bench.append(journal, interval())
    return {"again": again, "lost": lost, "there": there(journal), "n": record.n}


def paced(bench, size):
    """A minute of records, ten times a second; then a minute of records and events, twenty times a second. What was
    said before each tells one from the other in what the disk saw."""
    journal = bench.journal()
    bench.run(2)
    for name, events in (("records", False), ("events", True), ("end", False)):
        print(name, flush=True)
        for i in range(1200 if name != "end" else 0):
            journal.append([interval(end=NOON + i)])
            if events:
                journal.append([event(end=NOON + i)], urgent=True)
            bench.run(0.05)
    return {}


SCENES = {"paced": paced, "full": full, "stuck": stuck, "damaged": damaged, "read-only": read_only}


def main(scene, folder, size):
    bench = Bench(Path(folder) / "journal.db")
    outcome = SCENES[scene](bench, Path(size))
    bench.end()
    print(json.dumps({**outcome, "reports": bench.reports}))


if __name__ == "__main__":
    main(*sys.argv[1:])
