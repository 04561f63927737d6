"""Fixtures of the whole program."""

import pytest

from tests.support.bus import simulated_bus
from tests.support.whole import WholeBox


@pytest.fixture
def whole_box(tmp_path):
    """The program, not started, with four meters."""
    with simulated_bus(tmp_path, "--meters", "4") as bus:
        box = WholeBox(tmp_path, bus)
        try:
            yield box
        finally:
            box.end()
