"""The whole program killed at random moments: nothing that was committed is missing anywhere afterwards."""

import random
import time

import pytest_twisted

from concentrator.app.records import records
from tests.support.whole import FILE_S, pause

KILLS = 20
SEED = 20261121


@pytest_twisted.ensureDeferred
async def test_what_was_committed_survives_kill_9_at_any_moment(whole_box):
    """Twenty kills between 0.2 and 9 s after a start: during start, between commits, in the middle of deliveries."""
    chance = random.Random(SEED)
    whole_box.begin()
    for _ in range(KILLS):
        await pause(chance.uniform(0.2, 9.0))
        whole_box.kill()
        numbers = [(record.journal, record.n) for record in records(whole_box.state)]
        assert len(numbers) == len(set(numbers))
        assert {(payload["j"], payload["n"]) for payload in whole_box.subscriber.data()} <= set(numbers)
        whole_box.start()
    checked_until = (time.time() // FILE_S + 1) * FILE_S
    await whole_box.until(lambda: time.time() > checked_until + 1, FILE_S + 5, "past the next file's end")
    await whole_box.until(lambda: not whole_box.unpublished(checked_until), 30, "published as journalled")
    await whole_box.until(lambda: not whole_box.unfiled(checked_until), 30, "filed as journalled")
    kept = whole_box.journalled(checked_until)
    assert {record.draft.uid for record in kept} == {"m1", "m2", "m3", "m4"}
    copies = len(whole_box.subscriber.data())
    print(f"\n{KILLS} kills (seed {SEED}): {len(kept)} records journalled, {copies} messages, none missing")
