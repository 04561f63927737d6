"""A table shows what was measured, and says so where nothing was."""

from __future__ import annotations

from attrs import frozen

from bench.table import Column, table


@frozen
class Figure:
    master: str
    seconds: float | None
    bus: str = "bus"


COLUMNS = (Column("s", lambda figure: figure.seconds, ".1f", has_ratio=True),)


def test_a_figure_is_the_median_with_its_spread_and_ratio() -> None:
    figures = [Figure("ours", s) for s in (1.0, 2.0, 9.0)] + [Figure("theirs", 4.0)]
    assert [line.split() for line in table(figures, COLUMNS, "theirs").splitlines()[2:]] == [
        ["bus", "ours", "2.0", "(1.0..9.0)", "0.500"],
        ["bus", "theirs", "4.0", "1.000"],
    ]


def test_a_figure_that_nobody_has_is_a_dash() -> None:
    figures = [Figure("ours", None), Figure("theirs", 4.0)]
    rows = table(figures, COLUMNS, "theirs", "others").splitlines()
    assert rows[0].split() == ["bus", "master", "s", "/", "theirs", "/", "others"]
    assert rows[2].split() == ["bus", "ours", "-", "-", "-"]
    assert rows[3].split() == ["bus", "theirs", "4.0", "1.000", "-"]
