"""The catalogue's bench: both sides convert the same values, and the report has every row."""

from __future__ import annotations

from bench import catalogue


def test_both_sides_convert_the_same_registers_and_every_row_is_reported(monkeypatch) -> None:
    monkeypatch.setattr(catalogue, "_ROUNDS", 1)
    told: list[str] = []
    figures = catalogue.measured(1, told.append)
    assert told == ["1 of 1"]
    report = catalogue.report(figures)
    for key in catalogue.DECODED:
        assert report.count(f"{key}, ") == 2
    assert "every profile to choose from" in report
    assert {figure.master for figure in figures if figure.value_us is not None} == {"ccmaster", catalogue.PEER}
