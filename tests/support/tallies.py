"""Tallies and columns as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from concentrator.model.quantity import Kind, Quantity
from concentrator.model.record import Tally

QUANTITIES = st.builds(
    Quantity, st.text(max_size=5), st.text(max_size=3), st.sampled_from(Kind), st.text(max_size=5), st.integers(0, 6)
)


def tally_of(column, steps):
    """The tally of some readings, in steps."""
    if column.kind is Kind.INSTANTANEOUS:
        return Tally(len(steps), sum(steps), min(steps), max(steps), steps[-1])
    return Tally(len(steps), *[steps[-1]] * 4)
