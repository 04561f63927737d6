"""The times between two reads are those of one register of one slave."""

from __future__ import annotations

import pytest
from attrs import evolve

from bench.rounds import longest_s, moments, periods
from concentrator.sim.exchange import Exchange, Status


def read(unit: int, at: float, address: int = 0, count: int = 40) -> Exchange:
    """A read whose reply ends at a moment."""
    return Exchange(at - 0.1, at - 0.09, 0.004, False, unit, 3, address, count, 8, Status.OK, at - 0.08, at)


def test_a_register_is_read_by_whatever_covers_it() -> None:
    exchanges = [read(1, 10.0), read(1, 11.0, 39, 1), read(1, 12.0, 40, 5), read(2, 13.0, 0, 39)]
    assert moments(exchanges, 39) == {1: [10.0, 11.0]}


def test_only_good_answers_count() -> None:
    exchanges = [read(1, 10.0), evolve(read(1, 11.0), status=Status.CRC), read(1, 12.0)]
    assert list(periods(exchanges, 0, [1])) == [(12.0, 2.0)]


def test_periods_are_those_of_the_slaves_asked_for() -> None:
    exchanges = [read(1, 10.0), read(2, 10.5), read(1, 11.0), read(2, 12.5), read(1, 14.0)]
    assert list(periods(exchanges, 0, [1])) == [(11.0, 1.0), (14.0, 3.0)]
    assert list(periods(exchanges, 0, [2, 3])) == [(12.5, 2.0)]


@pytest.mark.parametrize(
    ("slaves", "expected"),
    [([1], 3.0), ([1, 2], 4.5), ([1, 3], 10.0)],
    ids=["between two reads", "until the end", "never read"],
)
def test_the_longest_wait_counts_from_and_to_the_bounds(slaves: list[int], expected: float) -> None:
    exchanges = [read(1, 11.0), read(1, 14.0), read(1, 17.0), read(1, 19.9), read(2, 11.0), read(2, 15.5)]
    assert longest_s(exchanges, 0, slaves, 10.0, 20.0) == pytest.approx(expected)
