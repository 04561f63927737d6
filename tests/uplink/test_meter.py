from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from twisted.internet.task import Clock

from concentrator.api import MonthsTraffic
from concentrator.uplink.meter import Meter
from tests.support.journals import SetWall, pending, result

MADRID = ZoneInfo("Europe/Madrid")


class Desk:
    """A meter, its clocks, and the counts that were kept."""

    def __init__(self, at="2026-11-30T22:58:30", cap=0, zone=MADRID):
        self.clock = Clock()
        self.wall = SetWall(self.clock)
        self.wall.lead_s = datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
        self.kept = []
        self.meter = Meter(self.wall, self.clock, zone, self.kept.append, cap)
        self.meter.start()

    def run(self, seconds):
        self.clock.pump([1] * seconds)


def test_bytes_are_counted_by_the_month_of_the_boxs_zone():
    desk = Desk()  # 2026-11-30 23:58:30 in Madrid
    desk.meter.received(10)
    desk.meter.sent(3)
    assert desk.meter.traffic == MonthsTraffic("2026-11", 10, 3)
    desk.run(120)
    desk.meter.sent(5)
    assert desk.meter.traffic == MonthsTraffic("2026-12", 0, 5)
    desk.meter.stop()
    assert desk.kept[-1] == {"2026-11": (10, 3), "2026-12": (0, 5)}
    assert not desk.clock.getDelayedCalls()


def test_counts_are_handed_out_once_a_minute_and_only_when_they_have_changed():
    desk = Desk()
    desk.meter.sent(1)
    desk.run(59)
    assert desk.kept == []
    desk.run(1)
    assert desk.kept == [{"2026-11": (0, 1)}]
    desk.run(600)
    assert len(desk.kept) == 1
    desk.meter.stop()
    assert len(desk.kept) == 1


def test_what_former_runs_counted_is_added_whenever_it_comes():
    desk = Desk()
    desk.meter.sent(1)
    desk.meter.resume({"2026-10": (7, 7), "2026-11": (100, 200)})
    assert desk.meter.traffic == MonthsTraffic("2026-11", 100, 201)
    desk.meter.stop()


def test_a_year_of_months_is_kept_and_no_more():
    desk = Desk()
    desk.meter.resume({f"20{year}-{month:02}": (1, 1) for year in (24, 25) for month in range(1, 13)})
    desk.meter.sent(1)
    desk.meter.stop()
    assert len(desk.kept[-1]) == 13
    assert min(desk.kept[-1]) == "2025-01"


def test_a_clock_that_is_set_back_over_the_months_end_counts_on_where_that_month_was():
    desk = Desk("2026-11-30T23:00:01")
    desk.meter.sent(1)
    desk.wall.step(-10)
    desk.run(60)
    desk.meter.sent(2)
    desk.wall.step(-300)
    desk.run(60)
    desk.meter.sent(4)
    desk.wall.step(300)
    desk.run(60)
    assert desk.meter.traffic == MonthsTraffic("2026-12", 0, 3)
    desk.meter.stop()
    assert desk.kept[-1] == {"2026-11": (0, 4), "2026-12": (0, 3)}


def test_a_clock_that_is_not_trusted_ends_no_month():
    desk = Desk()
    desk.meter.sent(1)
    desk.wall.trusted = False
    desk.wall.lead_s = 0.0
    desk.run(120)
    desk.meter.sent(1)
    assert desk.meter.traffic == MonthsTraffic("2026-11", 0, 2)
    desk.meter.stop()


def test_at_the_cap_intervals_wait_then_events_and_all_go_on_next_month():
    desk = Desk(cap=100 * 2**20)
    intervals, events = desk.meter.for_intervals, desk.meter.for_events
    desk.meter.sent(98 * 2**20 - 1)
    assert result(intervals.when_open()) is None
    desk.meter.sent(1)
    waiting = intervals.when_open()
    assert pending(waiting)
    assert intervals.trouble == "The monthly cap is reached, 98.0 of 100.0 MiB: data waits for the next month."
    assert result(events.when_open()) is None
    assert events.trouble == ""
    desk.meter.received(2 * 2**20)
    late = events.when_open()
    assert pending(late)
    desk.run(60)
    assert pending(waiting) and pending(late)
    desk.run(60)
    assert (result(waiting), result(late), intervals.trouble) == (None, None, "")
    desk.meter.stop()


def test_without_a_cap_nothing_ever_waits():
    desk = Desk()
    desk.meter.sent(2**50)
    assert result(desk.meter.for_intervals.when_open()) is None
    desk.meter.stop()


def test_waiting_at_a_gate_can_be_given_up():
    desk = Desk(cap=2**20)
    desk.meter.sent(2**20)
    waiting = desk.meter.for_events.when_open()
    waiting.addErrback(lambda failure: None)
    waiting.cancel()
    desk.run(120)
    assert result(waiting) is None
    desk.meter.stop()
