"""Results as a table for people: the median of the repetitions, their spread, and the ratio to a named peer."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from attrs import frozen


class Measured(Protocol):
    """What a table is made of: whose figures they are, and on what."""

    master: str
    bus: str


@frozen
class Column:
    """A figure of a run: its heading, how it is taken and written, and whether its ratio to the peer is shown."""

    heading: str
    figure: Callable[[Any], float]
    form: str = ".3f"
    has_ratio: bool = False

    def cell(self, runs: Sequence[Measured], peer_runs: Sequence[Measured]) -> str:
        """Median, spread where there is any, ratio where it is wanted."""
        figures = [self.figure(run) for run in runs]
        shown = f"{statistics.median(figures):{self.form}}"
        least, most = f"{min(figures):{self.form}}", f"{max(figures):{self.form}}"
        spread = f" ({least}..{most})" if least != most else ""
        if not self.has_ratio or not peer_runs:
            return shown + spread
        ratio = statistics.median(figures) / statistics.median(map(self.figure, peer_runs))
        return f"{shown}{spread}  {ratio:.2f}x"


def table(runs: Sequence[Measured], columns: Sequence[Column], peer: str) -> str:
    """A table with a row for each bus and master; ratios are to `peer` on the same bus."""
    rows = [["bus", "master", *(column.heading for column in columns)]]
    for bus, master in dict.fromkeys((run.bus, run.master) for run in runs):
        of_master = [run for run in runs if (run.bus, run.master) == (bus, master)]
        of_peer = [run for run in runs if (run.bus, run.master) == (bus, peer)]
        rows.append([bus, master, *(column.cell(of_master, of_peer) for column in columns)])
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])
