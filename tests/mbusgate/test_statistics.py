"""The figures, as the original shows them."""

import pytest

from concentrator.line.driver import DriverCounts
from concentrator.mbusgate.statistics import Statistics, serial_as_shown, span


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 days 00:00:00"), (59.9, "0 days 00:00:59"), (3661, "0 days 01:01:01"), (200_000, "2 days 07:33:20")],
)
def test_times_are_days_and_a_clock(seconds, shown):
    assert span(seconds) == shown


def test_connect_mode_is_off_and_its_figures_stay_0():
    shown = Statistics(completed_accepts=3, from_serial=10, from_network=20, dropped_accepts=1).as_shown(61)
    assert shown["Completed Accepts"] == 3
    assert (shown["Octets forwarded from Serial"], shown["Octets forwarded from Network"]) == (10, 20)
    assert shown["Accept Connection Time"] == "0 days 00:01:01"
    assert {value for name, value in shown.items() if "Connect " in name} == {"0 days 00:00:00"}
    assert (shown["Completed Connects"], shown["Dropped Connects"]) == (0, 0)


def test_what_the_driver_counts_is_shown_and_what_it_does_not_is_none():
    counts = DriverCounts(received=100, sent=50, framing=1, overrun=2, parity=3, breaks=4, no_buffer=5)
    assert serial_as_shown(counts, (6, 7), (0, 0)) == {
        "Bytes": (100, 50),
        "Breaks": (4, 0),
        "Parity Errors": (3, None),
        "Framing Errors": (1, None),
        "Overrun Errors": (2, None),
        "No Rx Buffer Errors": (5, None),
        "Queued Receive Bytes": (6, None),
        "Queued Transmit Bytes": (None, 7),
    }
    without = serial_as_shown(None, (0, 0), (10, 20))
    assert without["Bytes"] == (10, 20)
    assert without["Parity Errors"] == without["Framing Errors"] == (None, None)
