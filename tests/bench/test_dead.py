"""What dead meters cost the others is told apart by the time in which a wait ends."""

from __future__ import annotations

import pytest

from bench import dead
from bench.dead import SILENCED, Marks, read_again_s, summed_up
from bench.masters import SLAVES
from concentrator.sim.exchange import Exchange, Status

MARKS = Marks(opened=100.0, died=112.0, revived=190.0, closed=220.0)


def read(unit: int, at: float) -> Exchange:
    return Exchange(at - 0.1, at - 0.09, 0.004, False, unit, 3, 0, 40, 8, Status.OK, at - 0.08, at)


def history(again_s: dict[int, float]) -> list[Exchange]:
    """Every healthy meter read every 3 s; every 3.3 s for a while after 4 others died; then every 2.7 s until these
    are back, each when `again_s` says; and at last every 3 s again."""
    exchanges = []
    for unit in range(1, SLAVES + 1):
        at = 99.0
        while at < MARKS.closed:
            if unit not in SILENCED or at <= MARKS.died:
                exchanges.append(read(unit, at))
            at += 3.0 if at <= MARKS.died else 3.3 if at <= 150.0 else 2.7 if at <= MARKS.revived else 3.0
    exchanges += [read(unit, MARKS.revived + seconds) for unit, seconds in again_s.items()]
    return sorted(exchanges, key=lambda each: each.began)


def test_each_time_has_its_own_figures() -> None:
    run = summed_up("ccmaster", history(dict.fromkeys(SILENCED, 8.0)), MARKS, 60.0)
    assert (run.alive_s, run.alive_most_s) == pytest.approx((3.0, 3.0))
    assert (run.first_s, run.first_most_s) == pytest.approx((3.3, 3.3))
    assert (run.later_s, run.later_most_s) == pytest.approx((2.7, 2.7))
    assert run.back_most_s == pytest.approx(3.0)


def test_a_revived_meter_counts_from_its_revival_and_the_slowest_is_shown() -> None:
    exchanges = history({3: 4.0, 9: 21.5, 20: 6.0, 31: 5.0})
    assert read_again_s(exchanges, MARKS.revived) == pytest.approx((4.0, 21.5, 6.0, 5.0))
    run = summed_up("ccmaster", exchanges, MARKS, 60.0)
    assert run.all_again_s == pytest.approx(21.5)


def test_one_that_was_not_read_again_is_not_passed_over() -> None:
    run = summed_up("ccmaster", history({3: 4.0, 9: 21.5, 20: 6.0}), MARKS, 60.0)
    assert run.again_s[3] is None
    assert run.all_again_s is None
    assert dead.report([run]).splitlines()[-1].split()[-1] == "-"


def test_the_report_shows_ratios_to_the_time_with_all_alive() -> None:
    row = dead.report([summed_up("ccmaster", history(dict.fromkeys(SILENCED, 8.0)), MARKS, 60.0)]).splitlines()[-1]
    assert row.split()[-8:] == ["3.000", "1.00", "1.10", "1.10", "0.900", "0.90", "1.00", "8.0"]
