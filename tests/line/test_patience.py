"""concentrator.line.patience: how long a station is waited for, and when its reply can be there."""

import pytest

from concentrator.line.patience import FLOOR_S, NETWORK_FLOOR_S, Lead, Pace

CEILING_S = 0.3


def pace(*turnarounds_s, floor_s=FLOOR_S):
    known = Pace(floor_s)
    for each in turnarounds_s:
        known.answered(each)
    return known


def test_a_stranger_is_waited_for_as_long_as_may_be():
    assert pace().wait_s(CEILING_S) == CEILING_S
    assert pace(0.005, 0.005, 0.005).wait_s(CEILING_S) == CEILING_S


@pytest.mark.parametrize(
    ("turnarounds_s", "floor_s", "wait_s"),
    [
        ((0.005,) * 4, FLOOR_S, 0.06),
        ((0.0,) * 4, FLOOR_S, 0.05),
        ((0.05,) * 4, FLOOR_S, 0.15),
        ((0.2,) * 4, FLOOR_S, CEILING_S),
        ((0.002,) * 4, NETWORK_FLOOR_S, CEILING_S),
    ],
)
def test_who_answers_is_waited_for_by_how_fast_it_is(turnarounds_s, floor_s, wait_s):
    assert pace(*turnarounds_s, floor_s=floor_s).wait_s(CEILING_S) == pytest.approx(wait_s)


def test_a_slow_answer_counts_at_once_and_is_forgotten_slowly():
    known = pace(0.005, 0.005, 0.005, 0.005, 0.08)
    waits = [known.wait_s(CEILING_S)]
    for _ in range(60):
        known.answered(0.005)
        waits.append(known.wait_s(CEILING_S))
    assert waits[0] == pytest.approx(0.21)
    assert waits[10] > 0.13
    assert waits[-1] == pytest.approx(0.06, abs=0.005)
    assert waits == sorted(waits, reverse=True)


def test_after_a_time_out_the_ceiling_counts_until_enough_answers_came():
    known = pace(*[0.005] * 10)
    known.timed_out()
    for _ in range(4):
        assert known.wait_s(CEILING_S) == CEILING_S
        known.answered(0.005)
    assert known.wait_s(CEILING_S) < 0.1


def test_a_lead_is_the_shortest_seen_lately():
    lead = Lead()
    assert lead.guess(0.004) == 0.004
    assert lead.guess(None) is None
    lead.watched(0.1)
    assert (lead.guess(0.004), lead.guess(None)) == (0.004, 0.1)  # it may have been seen late
    for each in (0.006, 0.005):
        lead.watched(each)
    assert lead.guess(0.004) == lead.shortest_s(0.004) == 0.005
    assert lead.guess(0.0048) == 0.0048  # another station's, and as good as the same
    for _ in range(8):
        lead.watched(0.009)
    assert lead.guess(0.004) == 0.009


def test_every_sixteenth_reply_is_watched_and_sooner_when_guessing_fails():
    lead = Lead()
    lead.watched(0.005)
    for _ in range(16):
        assert lead.guess(None) == 0.005
        lead.hit()
    assert lead.guess(None) is None
    lead.watched(0.005)
    for _ in range(3):
        assert lead.guess(None) == 0.005
        lead.missed()
    assert lead.guess(None) is None


def test_a_reply_that_came_unseen_lets_the_next_one_be_watched_from_the_start():
    lead = Lead()
    for _ in range(4):
        lead.watched(0.02)
    lead.sooner()
    assert (lead.guess(0.004), lead.shortest_s(0.004)) == (None, 0.0)
    lead.watched(0.005)
    assert lead.guess(None) == 0.005


def test_replies_of_different_lengths_have_their_own_leads():
    known = pace()
    known.lead(85).watched(0.005)
    known.lead(133).watched(0.012)
    assert (known.lead(85).guess(None), known.lead(133).guess(None)) == (0.005, 0.012)
