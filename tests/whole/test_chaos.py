"""Every kind of fault once, while the whole program works: nothing that was journalled is missing, doubled or changed
at the broker or in the files. `make soak` does it for long (`tests/whole/chaos.py`)."""

import pytest_twisted

from tests.support.faults import KINDS, schedule
from tests.whole.chaos import chaos_in

SEED = 3
PACE = 4.0


@pytest_twisted.ensureDeferred
async def test_nothing_is_lost_doubled_or_invented_whatever_fails(tmp_path):
    with chaos_in(tmp_path, SEED, print) as chaos:
        await chaos.run(schedule(SEED, len(KINDS), PACE))
        await chaos.settle()
        print(chaos.summary())
        assert chaos.faults == []
        assert set(chaos.done) == set(KINDS)
        assert chaos.ledger.known
