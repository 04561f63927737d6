"""The meter's side of link mode, as a table of moments and as a property over any order of events."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.sim.link import Led, MeterLink, Stage

SERIAL, OTHER = "0420020081", "0220060041"
BEGAN = 1000.0


def linked(unit: int = 1) -> MeterLink:
    """A meter whose button has just been released, its nonce known to the tests."""
    link = MeterLink(SERIAL, unit)
    link.press(BEGAN)
    link.nonce = 0xBEEF
    return link


def provisional() -> MeterLink:
    link = linked()
    assert link.assign(SERIAL, 7, 0xBEEF, BEGAN + 1)
    return link


def committed() -> MeterLink:
    link = provisional()
    assert link.commit(0xBEEF, BEGAN + 2)
    return link


def normal() -> MeterLink:
    return MeterLink(SERIAL, 5)


@pytest.mark.parametrize(
    ("made", "at", "stage", "listens", "seconds_left", "led", "stored"),
    [
        (normal, 0, Stage.NORMAL, 5, 0, Led.OFF, 5),
        (linked, 0, Stage.WAITING, 247, 60, Led.SLOW, 1),
        (linked, 0.5, Stage.WAITING, 247, 60, Led.SLOW, 1),
        (linked, 59.9, Stage.WAITING, 247, 1, Led.SLOW, 1),
        (linked, 60, Stage.NORMAL, 1, 0, Led.OFF, 1),
        (provisional, 1, Stage.PROVISIONAL, 7, 10, Led.SLOW, 1),
        (provisional, 10.9, Stage.PROVISIONAL, 7, 1, Led.SLOW, 1),
        (provisional, 11, Stage.WAITING, 247, 60, Led.SLOW, 1),
        (provisional, 70.9, Stage.WAITING, 247, 1, Led.SLOW, 1),
        (provisional, 71, Stage.NORMAL, 1, 0, Led.OFF, 1),
        (committed, 2, Stage.COMMITTED, 7, 10, Led.FAST, 7),
        (committed, 11.9, Stage.COMMITTED, 7, 1, Led.FAST, 7),
        (committed, 12, Stage.NORMAL, 7, 0, Led.OFF, 7),
    ],
)
def test_every_stage_has_its_time_its_address_and_its_light(
    made: Callable[[], MeterLink], at: float, stage: Stage, listens: int, seconds_left: int, led: Led, stored: int
) -> None:
    link = made()
    now = BEGAN + at
    assert (link.stage(now), link.listens(now), link.seconds_left(now)) == (stage, listens, seconds_left)
    assert (link.led(now), link.stored_id) == (led, stored)


@pytest.mark.parametrize(
    ("serial", "new_id", "nonce"),
    [(OTHER, 7, 0xBEEF), (SERIAL, 7, 0xBEEE), (SERIAL, 0, 0xBEEF), (SERIAL, 247, 0xBEEF), (SERIAL, 0xFFFF, 0xBEEF)],
)
def test_only_the_serial_and_the_nonce_together_and_an_id_that_can_be_are_taken(
    serial: str, new_id: int, nonce: int
) -> None:
    link = linked()
    assert not link.assign(serial, new_id, nonce, BEGAN + 1)
    assert link.listens(BEGAN + 1) == 247


@pytest.mark.parametrize(("made", "at"), [(normal, 1), (linked, 60), (provisional, 2), (committed, 3)])
def test_only_a_meter_that_waits_takes_an_id(made: Callable[[], MeterLink], at: float) -> None:
    link = made()
    before = link.listens(BEGAN + at)
    assert not link.assign(SERIAL, 9, 0xBEEF, BEGAN + at)
    assert link.listens(BEGAN + at) == before


@pytest.mark.parametrize(
    ("made", "nonce", "at", "stored"),
    [
        (normal, 0xBEEF, 3, 5),
        (normal, 0, 3, 5),
        (linked, 0xBEEF, 3, 1),
        (provisional, 0xBEEE, 3, 1),
        (provisional, 0xBEEF, 11, 1),
        (committed, 0xBEEF, 12, 7),
    ],
)
def test_a_commit_counts_in_its_time_and_with_its_nonce_only(
    made: Callable[[], MeterLink], nonce: int, at: float, stored: int
) -> None:
    link = made()
    assert not link.commit(nonce, BEGAN + at)
    assert link.stored_id == stored


def test_a_commit_whose_reply_was_lost_may_be_repeated_while_the_light_tells_of_it() -> None:
    link = committed()
    assert link.commit(0xBEEF, BEGAN + 11)
    assert link.stage(BEGAN + 12) is Stage.NORMAL


def test_a_meter_that_fell_back_can_be_given_the_same_id_again() -> None:
    link = provisional()
    assert link.stage(BEGAN + 30) is Stage.WAITING
    assert link.assign(SERIAL, 7, 0xBEEF, BEGAN + 30)
    assert link.commit(0xBEEF, BEGAN + 39.9)
    assert link.stored_id == 7


@pytest.mark.parametrize("made", [normal, linked, provisional, committed])
def test_the_button_always_begins_link_mode_anew(made: Callable[[], MeterLink]) -> None:
    link = made()
    stored, nonce = link.stored_id, link.nonce
    link.press(BEGAN + 5)
    assert (link.stage(BEGAN + 64.9), link.listens(BEGAN + 64.9)) == (Stage.WAITING, 247)
    assert link.nonce != nonce
    assert (link.stage(BEGAN + 65), link.stored_id) == (Stage.NORMAL, stored)


@pytest.mark.parametrize("made", [normal, linked, provisional, committed])
def test_a_power_cut_leaves_nothing_but_the_stored_id(made: Callable[[], MeterLink]) -> None:
    link = made()
    stored = link.stored_id
    link.cut()
    assert (link.stage(BEGAN + 3), link.listens(BEGAN + 3), link.nonce) == (Stage.NORMAL, stored, 0)
    assert not link.commit(0xBEEF, BEGAN + 3)


@pytest.mark.parametrize(
    ("made", "is_over", "is_rolled"),
    [(normal, False, False), (linked, True, True), (provisional, True, False), (committed, False, False)],
)
def test_who_obeys_abort_and_who_draws_a_new_nonce(
    made: Callable[[], MeterLink], is_over: bool, is_rolled: bool
) -> None:
    link = made()
    stage, nonce, now = link.stage(BEGAN + 2), link.nonce, BEGAN + 2
    link.reroll(now)
    assert (link.nonce != nonce) is is_rolled
    assert link.stage(now) is stage
    link.abort(now)
    assert link.stage(now) is (Stage.NORMAL if is_over else stage)
    assert link.stored_id == made().stored_id


def test_a_link_mode_that_is_over_forgets_its_nonce() -> None:
    link = linked()
    link.abort(BEGAN + 1)
    link.press(BEGAN + 2)
    assert not link.assign(SERIAL, 7, 0xBEEF, BEGAN + 3)


def test_nonces_are_drawn_from_the_seed_and_the_serial() -> None:
    def nonces(serial: str, seed: str) -> list[int]:
        link = MeterLink(serial, seed=seed)
        drawn = []
        for second in range(5):
            link.press(BEGAN + second)
            drawn.append(link.nonce)
        return drawn

    assert nonces(SERIAL, "a") == nonces(SERIAL, "a")
    assert len({*nonces(SERIAL, "a"), *nonces(SERIAL, "b"), *nonces(OTHER, "a")}) == 15


METERS = 3
events = st.one_of(
    st.tuples(st.just("press"), st.integers(0, METERS - 1), st.just(0)),
    st.tuples(st.just("cut"), st.integers(0, METERS - 1), st.just(0)),
    st.tuples(st.just("wait"), st.sampled_from([0, 1, 9, 10, 11, 60]), st.just(0)),
    st.tuples(st.just("assign"), st.integers(0, METERS - 1), st.integers(0, METERS - 1)),
    st.tuples(st.just("commit"), st.integers(2, 9), st.integers(0, METERS - 1)),
    st.tuples(st.sampled_from(["reroll", "abort"]), st.just(0), st.just(0)),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(events, max_size=40), st.booleans())
def test_an_id_that_was_given_once_is_never_listened_to_by_two(
    happened: list[tuple[str, int, int]], are_nonces_shared: bool
) -> None:
    meters = [MeterLink(f"04200200{number:02}", seed="any") for number in range(METERS)]
    given_to: dict[int, str] = {}
    now = BEGAN
    for what, first, second in happened:
        if what == "press":
            meters[first].press(now)
        elif what == "cut":
            meters[first].cut()
        elif what == "wait":
            now += first
        elif what == "assign":  # everybody hears it, and the nonce may be somebody else's
            new_id = 2 + len(given_to)
            given_to[new_id] = meters[first].serial
            nonce = meters[second].nonce
            taken = [meter for meter in meters if meter.assign(meters[first].serial, new_id, nonce, now)]
            assert taken in ([], [meters[first]])
        elif what == "commit":
            for meter in meters:
                if meter.listens(now) == first:
                    meter.commit(meters[second].nonce, now)
        else:
            for meter in meters:
                getattr(meter, what)(now)
        if are_nonces_shared:
            for meter in meters:
                meter.nonce = 0x1234
        for meter in meters:
            listened = meter.listens(now)
            assert listened in (1, 247) or given_to[listened] == meter.serial
            assert meter.stored_id == 1 or given_to[meter.stored_id] == meter.serial
