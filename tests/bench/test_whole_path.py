"""The whole path's figure is what one core bears, beside the quoted one of the gateway."""

from __future__ import annotations

import pytest

from bench import whole_path
from bench.whole_path import GATEWAY_POLLS, Whole


def test_polls_a_core_follow_from_the_processor_time_of_one() -> None:
    run = Whole("ccmaster, the whole path", "1000 x 40", 100.0, 9000.0, 100.0, 0, 80.0)
    assert run.per_core == pytest.approx(10_000)
    (row,) = [line for line in whole_path.report([run]).splitlines() if line.startswith("1000 x 40")]
    assert "10000" in row
    assert f"{10_000 / GATEWAY_POLLS:.1f}" in row
