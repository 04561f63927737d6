import pytest

from concentrator.uplink.pace import Pace


def catch_up(pace, records, took_s):
    """How long a backlog takes over a link on which a batch of n takes `took_s(n)`, and its largest batch's time."""
    seconds = longest = 0.0
    while records:
        batch = min(records, pace.limit())
        took = took_s(batch)
        seconds += took + pace.pause_s(batch, took)
        longest = max(longest, took)
        records -= batch
    return seconds, longest


def test_on_a_quick_link_the_rate_is_kept_and_a_day_of_33_meters_takes_less_than_an_hour():
    day = 33 * 24 * 360
    seconds, _ = catch_up(Pace(100), day, lambda records: 0.001 * records)
    assert seconds == pytest.approx(day / 100, rel=0.01)
    assert seconds < 3600


def test_on_a_narrow_link_a_batch_never_holds_it_for_much_longer_than_a_second():
    message_s = 700 / 2500  # 20 kbit/s
    seconds, longest = catch_up(Pace(100), 500, lambda records: 0.3 + message_s * records)
    assert longest < 0.3 + 2.5
    assert seconds < 1.6 * 500 * message_s


def test_a_long_way_is_no_narrow_one():
    seconds, _ = catch_up(Pace(100), 3168, lambda records: 2.0 + 0.001 * records)
    assert seconds < 3168 / 20 * 2.3


def test_a_way_that_became_longer_is_learnt():
    pace = Pace(100)
    catch_up(pace, 100, lambda records: 0.01)
    seconds, _ = catch_up(pace, 1000, lambda records: 2.0)
    assert seconds < 1000 / 20 * 2 + 20


@pytest.mark.parametrize("rate", [1, 3, 100, 10_000])
def test_no_rate_is_exceeded_and_none_is_stuck(rate):
    pace = Pace(rate)
    seconds, _ = catch_up(pace, 50, lambda records: 0.0)
    assert seconds == pytest.approx(50 / rate)
    assert pace.limit() >= 1
