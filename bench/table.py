"""Results as a table for people: the median of the repetitions, their spread, and the ratios to named peers."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from attrs import frozen


class Measured(Protocol):
    """What a table is made of: whose figures they are, and on what."""

    master: str
    bus: str


@frozen
class Column:
    """A figure of a run: its heading, how it is taken (None: it has none) and written, and whether its ratios to the
    peers are shown."""

    heading: str
    figure: Callable[[Any], float | None]
    form: str = ".3f"
    has_ratio: bool = False

    def median(self, runs: Sequence[Measured]) -> float | None:
        """The middle of the runs that have the figure."""
        figures = self._figures(runs)
        return statistics.median(figures) if figures else None

    def cell(self, runs: Sequence[Measured]) -> str:
        """Median, and spread where there is any."""
        figures = self._figures(runs)
        if not figures:
            return "-"
        shown = f"{statistics.median(figures):{self.form}}"
        least, most = f"{min(figures):{self.form}}", f"{max(figures):{self.form}}"
        return shown + (f" ({least}..{most})" if least != most else "")

    def ratio(self, runs: Sequence[Measured], peer_runs: Sequence[Measured]) -> str:
        """The median over the peer's."""
        ours, theirs = self.median(runs), self.median(peer_runs)
        return f"{ours / theirs:.3f}" if ours is not None and theirs else "-"

    def _figures(self, runs: Sequence[Measured]) -> list[float]:
        return [figure for run in runs if (figure := self.figure(run)) is not None]


def table(runs: Sequence[Measured], columns: Sequence[Column], *peers: str) -> str:
    """A table with a row for each bus and master; a figure's ratios to the `peers` on the same bus follow it."""
    rows = [["bus", "master", *_headings(columns, peers)]]
    for bus, master in dict.fromkeys((run.bus, run.master) for run in runs):
        of_bus = {name: [run for run in runs if (run.bus, run.master) == (bus, name)] for name in (master, *peers)}
        rows.append([bus, master, *_cells(of_bus, master, columns, peers)])
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _headings(columns: Sequence[Column], peers: Sequence[str]) -> Iterator[str]:
    for column in columns:
        yield column.heading
        if column.has_ratio:
            yield from (f"/ {peer}" for peer in peers)


def _cells(
    of_bus: dict[str, list[Measured]], master: str, columns: Sequence[Column], peers: Sequence[str]
) -> Iterator[str]:
    for column in columns:
        yield column.cell(of_bus[master])
        if column.has_ratio:
            yield from (column.ratio(of_bus[master], of_bus[peer]) for peer in peers)
