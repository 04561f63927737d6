"""The figures of a bench are what they are called."""

from __future__ import annotations

import pytest
from attrs import evolve

from bench import bus, cpu
from bench.run import Run, limit_s, measure, summed_up
from bench.scene import Task
from concentrator.sim.bus import Wire
from concentrator.sim.exchange import Exchange, Status

CHARACTER_S = 10 / 9600
T35_S = 3.5 * CHARACTER_S
LASTING_S = 93 * CHARACTER_S + 0.005


def window(gaps_s: list[float]) -> list[Exchange]:
    """Exchanges of 40 registers that follow each other with these gaps."""
    exchanges, began = [], 100.0
    for gap_s in gaps_s:
        began += gap_s
        exchanges.append(
            Exchange(began, began + 8 * CHARACTER_S, gap_s, gap_s < T35_S, 1, 3, 0, 40, 8, Status.OK, lag_s=0.0001)
        )
        began += LASTING_S
    return exchanges


def summary(exchanges: list[Exchange]) -> Run:
    return summed_up("master", "bus", start_s=0.2, cpu_us=1000.0, rss_mib=30.0, window=exchanges, slaves=32)


def test_the_limit_is_that_of_the_wire() -> None:
    assert limit_s(40, Wire()) == pytest.approx(0.10552, abs=1e-5)


def test_a_master_that_keeps_just_the_silence_reaches_the_limit() -> None:
    run = summary(window([T35_S + 1e-12] * 11))
    assert run.efficiency == pytest.approx(1.0)
    assert run.cycle_s == pytest.approx(32 * limit_s(40, Wire()))
    assert (run.early, run.exchanges, run.stalled) == (0, 11, 0)
    assert run.cpu_us == pytest.approx(1000 / 11)


def test_a_master_that_breaks_the_silence_is_above_the_limit_and_counted() -> None:
    run = summary(window([0.0005] * 11))
    assert run.efficiency > 1.03
    assert run.early == 10  # the first one's gap lies before the window


def test_what_was_not_answered_is_no_work_done() -> None:
    exchanges = window([0.004] * 11)
    lost = [evolve(each, status=Status.UNSEEN) if n % 2 else each for n, each in enumerate(exchanges)]
    assert (summary(exchanges).lost, summary(lost).lost) == (0, 5)
    assert summary(lost).efficiency == pytest.approx(summary(exchanges).efficiency / 2)


def test_exchanges_that_the_simulator_spoilt_are_left_out() -> None:
    exchanges = window([0.004] * 5 + [0.0001] + [0.004] * 5)
    exchanges[4] = evolve(exchanges[4], lag_s=0.01)
    run = summary(exchanges)
    assert (run.stalled, run.early) == (1, 0)
    assert run.gap_ms == pytest.approx(4.0)


def test_a_master_is_measured_from_outside() -> None:
    run = measure("pymodbus sync", "instant", ("--instant",), 0.5, Task())
    assert run.statuses == {"ok": run.exchanges}
    assert run.exchanges > 5
    assert 0 < run.cpu_us < 100_000
    assert 5 < run.rss_mib < 200
    assert 0 < run.start_s < 10


def test_reports_show_medians_spread_and_ratios_to_every_peer() -> None:
    figures = {
        "ccmaster": (0.004, (10, 20, 60)),
        "libmodbus t3.5": (0.004, (30, 40, 50)),
        "pymodbus async": (0.001, (90,)),
    }
    runs = [
        evolve(summary(window([gap_s] * 11)), master=master, bus="byte by byte", cpu_us=cpu_us)
        for master, (gap_s, cpus) in figures.items()
        for cpu_us in cpus
    ]
    (row,) = [line for line in cpu.report(runs).splitlines() if "ccmaster  " in line]
    assert row.split()[4:8] == ["20", "(10..60)", "0.500", "0.222"]
    assert "pymodbus async" in bus.report(runs)
