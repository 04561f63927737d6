"""The figures of a full bus are those of the meter that waited longest."""

from __future__ import annotations

import pytest
from attrs import evolve

from bench import full
from bench.full import ENERGIES, FAST, SLAVES, summed_up
from concentrator.sim.bus import Wire
from concentrator.sim.exchange import Exchange, Status


def read(unit: int, at: float, block: tuple[int, int]) -> Exchange:
    """A read that takes a tenth of a second and ends at a moment."""
    address, count = block
    return Exchange(at - 0.1, at - 0.09, 0.004, False, unit, 3, address, count, 8, Status.OK, at - 0.08, at)


def history() -> list[Exchange]:
    """A minute in which every meter is read fast every 5 s, its energies every 10 s; but meter 7 misses one of each."""
    fast = [read(unit, 100 + 5 * n + unit / 10, FAST) for unit in range(1, SLAVES + 1) for n in range(12)]
    slow = [read(unit, 101 + 10 * n + unit / 10, ENERGIES) for unit in range(1, SLAVES + 1) for n in range(6)]
    spoilt = {(7, FAST[0], 20.7), (7, ENERGIES[0], 31.7)}
    return [
        evolve(each, status=Status.NOISE)
        if any((each.unit, each.address) == (unit, start) and each.began + 0.1 == pytest.approx(100 + at)
               for unit, start, at in spoilt)
        else each
        for each in fast + slow
    ]  # fmt: skip


def test_the_middle_is_of_all_and_the_most_of_any() -> None:
    run = summed_up("ccmaster", history(), 100.0, 160.0)
    assert (run.fast_s, run.energies_s) == pytest.approx((5.0, 10.0))
    assert (run.fast_most_s, run.energies_most_s) == pytest.approx((10.0, 20.0))
    assert (run.exchanges, run.lost) == (SLAVES * 18, 2)


def test_the_wire_is_used_from_the_request_to_the_end_of_the_silence() -> None:
    run = summed_up("ccmaster", history(), 100.0, 160.0)
    assert run.used == pytest.approx(SLAVES * 18 * (0.1 + Wire().silence_s) / 60)
    assert f"{run.used:.1%}" in full.report([run])
