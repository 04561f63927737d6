from concentrator.uplink.backoff import Backoff


def test_pauses_double_up_to_the_ceiling_and_start_again_after_success():
    backoff = Backoff(lambda: 0.0)
    assert [backoff.pause_s() for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
    backoff.reset()
    assert backoff.pause_s() == 1


def test_chance_spreads_a_pause_over_as_much_again_within_the_bounds():
    backoff = Backoff(lambda: 1.0)
    assert [backoff.pause_s() for _ in range(8)] == [2, 4, 8, 16, 32, 60, 60, 60]
