"""The round of a bench is the time between two reads of the same register."""

from __future__ import annotations

from bench import forty
from bench.forty import Round


def test_the_report_compares_with_the_read_written_by_hand() -> None:
    rounds = [
        Round("ccmaster", 0.424, 4.0),
        Round("ccmaster, one [[read]]", 0.42, 4.0),
        Round("pymodbus sync", 4.2, 160),
    ]
    ratios = [line.split()[-2] for line in forty.report(rounds).splitlines() if line.startswith("4 meters")]
    assert ratios == ["1.010", "1.000", "10.000"]
