"""The whole program on a machine that comes up without the time, is killed before it learns it, and learns it then."""

import sqlite3
import time
from contextlib import closing

import pytest_twisted

from concentrator.app import JOURNAL
from concentrator.app.clocks import MachineStart
from concentrator.app.trust import CLOCK_FILE
from concentrator.journal.tables import best
from tests.support.whole import PERIOD_S

NO_CLOCK = """
from concentrator.app.trust import Trust
Trust.has = lambda self, now: self._was_believed()
"""
"""Read by Python when it starts: the machine has no clock of its own, and nobody sets it."""


def untimed(box):
    """Ends of the intervals that wait for their time, by device."""
    try:
        with closing(sqlite3.connect(f"file:{box.state / JOURNAL}?mode=ro", uri=True)) as journal:
            return journal.execute("SELECT uid, stop FROM untimed WHERE period > 0 ORDER BY uid, stop").fetchall()
    except sqlite3.OperationalError:
        return []


def events(box):
    """The names of the events that arrived."""
    return [payload["event"] for topic, payload in box.subscriber.messages() if topic.endswith("/event")]


@pytest_twisted.ensureDeferred
async def test_what_was_read_before_the_time_was_known_arrives_with_its_time_once(whole_box, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(NO_CLOCK)
    whole_box.surroundings["PYTHONPATH"] = str(tmp_path)
    began = time.time()
    whole_box.begin()
    await whole_box.until(lambda: untimed(whole_box), 2 * PERIOD_S, "keeping what has no time")
    assert whole_box.status()["clock_trusted"] is False
    whole_box.kill()
    kept = untimed(whole_box)
    whole_box.start()
    await whole_box.until(lambda: len(untimed(whole_box)) >= len(kept) + 4, 2 * PERIOD_S, "going on after the kill")
    assert whole_box.journalled(float("inf")) == []
    assert whole_box.subscriber.data() == []

    (whole_box.state / CLOCK_FILE).write_text(MachineStart().id)
    await whole_box.until(lambda: not untimed(whole_box) and whole_box.journalled(float("inf")), 10, "dated")
    await whole_box.until(lambda: not whole_box.unpublished(float("inf")), 10, "published as journalled")
    records = best(whole_box.journalled(float("inf")))
    meters = {record.draft.uid for record in records}
    assert meters == {"m1", "m2", "m3", "m4"}
    for uid in meters:
        ends = [record.draft.end for record in records if record.draft.uid == uid]
        assert len(ends) == len(set(ends))
        assert all(end % PERIOD_S == 0 for end in ends)
        assert began < min(ends) < began + 4 * PERIOD_S
        assert len(ends) >= 2
    assert len(records) >= len(kept) + 4
    await whole_box.until(lambda: "clock.trusted" in events(whole_box), 10, "told that the time is known")
    assert events(whole_box).count("clock.untrusted") == 2
