"""Drafts as hypothesis draws them: several devices, layouts and periods, late ones, corrections, and values that
lack."""

from __future__ import annotations

from hypothesis import strategies as st

from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import Draft
from tests.support.homes import DAY, MIDNIGHT
from tests.support.journals import COLUMNS
from tests.support.tallies import tally_of

MOOD = Quantity("mood", "", Kind.STATE)
LAYOUTS = (COLUMNS, COLUMNS[:2], (*COLUMNS, MOOD), ())
STEPS = st.lists(st.integers(-3000, 3000), min_size=1, max_size=3)


@st.composite
def drafts(draw):
    """A draft of one of two devices, on one of three days."""
    columns = draw(st.sampled_from(LAYOUTS))
    tallies = [(steps := draw(st.none() | STEPS)) and tally_of(column, steps) for column in columns]
    uid, period = draw(st.sampled_from(["main", "other"])), draw(st.sampled_from([60, 300]))
    end = MIDNIGHT + period * draw(st.integers(1, 3 * DAY // period))
    quality, covered = draw(st.sampled_from(Quality)), draw(st.none() | st.integers(0, 300))
    return Draft(uid, f"S-{uid}", end, period, columns, tuple(tallies), quality, covered=covered)


MOVES = st.lists(st.lists(drafts(), max_size=30) | st.integers(0, 80), min_size=1, max_size=6)
"""What happens to a journal: drafts come, or it becomes a time, in hours, and is compacted."""


def play(home, moves):
    """Has the moves happen."""
    for move in moves:
        if isinstance(move, int):
            home.until(MIDNIGHT + 3600 * move)
            home.rest(120)
        else:
            home.bench.append(home.journal, *move)
