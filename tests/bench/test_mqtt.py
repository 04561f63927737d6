"""The figures of MQTT are for each message; an event's are percentiles."""

from __future__ import annotations

from itertools import pairwise

from bench import mqtt
from bench.meters import COLUMNS, drafts
from bench.mqtt import EVENTS, PAHO, Sent, percentiles


def test_records_of_the_bench_are_the_same_every_time_and_rise_like_meters() -> None:
    first, second = list(drafts(2, 1_800_000_000, 3)), list(drafts(2, 1_800_000_000, 3))
    assert first == second
    assert [len(row) for row in first] == [2, 2, 2]
    for before, after in pairwise(first):
        for one, other in zip(before, after, strict=True):
            assert other.end - one.end == 10
            assert all(late.last >= early.last for early, late in zip(one.tallies[:8], other.tallies[:8], strict=True))
    assert len(COLUMNS) == 40


def test_a_message_of_forty_quantities_has_the_size_that_paho_sends_too() -> None:
    assert 500 < mqtt.payload_bytes() < 1000


def test_the_report_has_the_ratio_to_paho_and_the_events_percentiles() -> None:
    runs = [
        Sent("ccmaster, from the disk", "mosquitto", 90.0, 5000, 60),
        Sent(PAHO, "mosquitto", 60.0, 13000, 22),
        Sent(EVENTS, "mosquitto", 200.0, 500, 60, events_ms=(1.0, 2.0, 3.0)),
    ]
    text = mqtt.report(runs)
    (row,) = [line for line in text.splitlines() if "from the disk" in line]
    assert "1.500" in row
    assert "half within 2 ms" in text
    assert "all within 3 ms" in text


def test_no_events_are_no_percentiles() -> None:
    assert percentiles([]) == "not measured"
