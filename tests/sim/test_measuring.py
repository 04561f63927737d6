"""What a meter makes of its premises: the sign its direction mode gives, and counters that only a reset takes back."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.sim.measuring import BIDIRECTIONAL, REVERSE, UNIDIRECTIONAL, Measuring
from concentrator.sim.premises import supplies

NOON = 1_795_262_400.0
MIDNIGHT = NOON - 12 * 3600
HOUR_S = 3600
COUNTERS = ("ea_imp", "ea_exp", "er_imp", "er_exp")
HOUSE, ROOF = supplies("house", "test", 3), supplies("roof", "test", 3)


def measuring(is_feed: bool, mode: int) -> Measuring:
    return Measuring(ROOF if is_feed else HOUSE, is_feed, mode)


@pytest.mark.parametrize(
    ("is_feed", "mode", "sign"),
    [
        (False, UNIDIRECTIONAL, 1),
        (False, BIDIRECTIONAL, 1),
        (False, REVERSE, -1),
        (True, UNIDIRECTIONAL, 0),
        (True, BIDIRECTIONAL, -1),
        (True, REVERSE, 1),
    ],
)
def test_the_direction_mode_gives_powers_their_sign_and_energies_their_counter(
    is_feed: bool, mode: int, sign: int
) -> None:
    plain, subject = Measuring(ROOF if is_feed else HOUSE), measuring(is_feed, mode)
    for moment in (NOON, NOON + HOUR_S):
        given_s, values = plain.values(moment), subject.values(moment)
        for name in ("p", "q", "pf", "p2", "q3", "pf1"):
            assert values[name] == pytest.approx(sign * float(given_s[name]))
        for name in ("s", "i1", "v1", "s3", "f", "in"):
            assert values[name] == given_s[name]
    grown = [float(subject.values(NOON + HOUR_S)[n]) - float(subject.values(NOON)[n]) for n in ("ea_imp", "ea_exp")]
    assert [growth > 0 for growth in grown] == [sign > 0, sign < 0]


def test_a_roof_gives_by_day_and_nothing_at_night() -> None:
    roof = measuring(True, BIDIRECTIONAL)
    assert float(roof.values(NOON)["p"]) < -500
    assert roof.values(MIDNIGHT)["p"] == 0
    assert roof.values(MIDNIGHT)["pf"] in (1.0, -1.0)
    day = float(roof.values(MIDNIGHT + 24 * HOUR_S)["ea_exp"]) - float(roof.values(MIDNIGHT)["ea_exp"])
    assert 5 < day < 100


def test_power_is_the_growth_of_the_counter_in_every_mode() -> None:
    for is_feed, mode in ((False, REVERSE), (True, BIDIRECTIONAL)):
        subject = measuring(is_feed, mode)
        taken_ws = sum(float(subject.values(NOON + second)["p"]) for second in range(1, 601))
        grown_kwh = float(subject.values(NOON + 600)["ea_exp"]) - float(subject.values(NOON)["ea_exp"])
        assert -taken_ws / 3.6e6 == pytest.approx(grown_kwh, abs=0.004)


def test_a_reset_takes_every_counter_to_zero_and_they_go_on_from_there() -> None:
    subject = measuring(False, UNIDIRECTIONAL)
    before = float(subject.values(NOON + HOUR_S)["ea_imp"]) - float(subject.values(NOON)["ea_imp"])
    subject.reset(NOON + 0.7)
    values = subject.values(NOON + 0.7)
    assert all(values[name] == 0 for name in COUNTERS)
    assert subject.values(NOON + HOUR_S)["ea_imp"] == pytest.approx(before, abs=0.003)


def test_what_flows_without_power_is_not_counted() -> None:
    subject, other = measuring(False, UNIDIRECTIONAL), measuring(False, UNIDIRECTIONAL)
    subject.stop(NOON)
    subject.go_on(NOON + HOUR_S)
    at_stop = subject.values(NOON)["ea_imp"]
    assert subject.values(NOON + HOUR_S)["ea_imp"] == pytest.approx(float(other.values(NOON)["ea_imp"]))
    missed = float(other.values(NOON + HOUR_S)["ea_imp"]) - float(other.values(NOON)["ea_imp"])
    assert float(other.values(NOON + 2 * HOUR_S)["ea_imp"]) - missed == pytest.approx(
        float(subject.values(NOON + 2 * HOUR_S)["ea_imp"])
    )
    assert missed > 0
    assert at_stop == subject.values(NOON + HOUR_S)["ea_imp"]


changes = st.tuples(
    st.sampled_from(["turn 0", "turn 1", "turn 2", "stop", "go_on", "nothing"]), st.floats(0, 5000, allow_nan=False)
)


@settings(max_examples=60, deadline=None)
@given(st.booleans(), st.lists(changes, max_size=8))
def test_no_counter_falls_through_any_change_but_a_reset(is_feed: bool, happened: list[tuple[str, float]]) -> None:
    subject, now = measuring(is_feed, UNIDIRECTIONAL), NOON
    shown = [subject.values(now)]
    for change, pause_s in happened:
        now += pause_s
        shown.append(subject.values(now))
        name, *mode = change.split()
        if name != "nothing":
            getattr(subject, name)(*map(int, mode), now)
        shown.append(subject.values(now))
    for before, after in pairwise(shown):
        for name in COUNTERS:
            assert float(after[name]) >= float(before[name])
            assert sum(float(after[f"{name}{phase}"]) for phase in (1, 2, 3)) == pytest.approx(float(after[name]))
