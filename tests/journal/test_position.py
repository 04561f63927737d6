from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from concentrator.journal.position import Position, clipped, pieces, wanted

TOP = 60
SPANS = st.tuples(st.integers(1, TOP), st.integers(1, TOP)).map(lambda ends: (min(ends), max(ends)))
STEPS = st.lists(st.tuples(SPANS, st.frozensets(st.integers(1, TOP), max_size=6)), max_size=12)


def numbers_of(spans):
    return [n for first, last in spans for n in range(first, last + 1)]


def walked(steps):
    """A position and the plain set of unsettled numbers up to TOP, taken through the same steps."""
    position, unsettled = Position(1), set(range(1, TOP + 1))
    for (first, last), kept in steps:
        position = position.settle((first, last), kept)
        unsettled -= set(range(first, last + 1)) - kept
    return position, unsettled


@given(STEPS)
def test_a_position_holds_exactly_what_was_not_settled(steps):
    position, unsettled = walked(steps)
    assert numbers_of(position.oldest(TOP)) == sorted(unsettled)
    assert {n for n in range(1, TOP + 1) if n in position} == unsettled


@given(STEPS)
def test_a_position_is_open_at_the_top(steps):
    position, _ = walked(steps)
    assert all(n in position for n in (TOP + 1, TOP + 1000, 10**12))
    assert position.oldest(10**12)[-1][1] == 10**12


@given(STEPS)
def test_a_position_is_as_short_as_it_can_be(steps):
    position, _ = walked(steps)
    spans = position.oldest(TOP + 5)
    assert all(first <= last for first, last in spans)
    assert all(low[1] + 1 < high[0] for low, high in pairwise(spans))


@given(STEPS, st.integers(0, TOP + 5))
def test_newest_is_oldest_the_other_way_round(steps, top):
    position, _ = walked(steps)
    assert position.newest(top) == position.oldest(top)[::-1]


@given(STEPS, SPANS, st.frozensets(st.integers(1, TOP), max_size=6))
def test_settling_twice_is_settling_once(steps, span, kept):
    position, _ = walked(steps)
    once = position.settle(span, kept)
    assert once.settle(span, kept) == once


@given(STEPS, st.integers(1, 20), st.booleans())
def test_clipped_ranges_are_the_first_numbers_in_their_order(steps, room, newest):
    position, unsettled = walked(steps)
    spans = clipped(position.newest(TOP) if newest else position.oldest(TOP), room, newest)
    wanted = sorted(unsettled)[-room:] if newest else sorted(unsettled)[:room]
    assert sorted(numbers_of(spans)) == wanted


@given(STEPS, st.integers(1, 20))
def test_pieces_are_the_same_numbers_and_none_is_too_long(steps, size):
    spans = walked(steps)[0].oldest(TOP)
    cut = list(pieces(spans, size))
    assert numbers_of(cut) == numbers_of(spans)
    assert all(last - first < size for first, last in cut)


@given(st.lists(STEPS, max_size=3), st.integers(1, 5))
def test_what_any_of_several_wants_is_within_few_ranges(walks, most):
    positions, held = zip(*map(walked, walks), strict=True) if walks else ((), ())
    spans = wanted(positions, most)
    assert len(spans) <= most
    assert all(before[1] + 1 < after[0] for before, after in pairwise(spans))
    unsettled = set().union(*held)
    within = {n for n in range(1, TOP + 1) if any(first <= n <= last for first, last in spans)}
    assert unsettled <= within
    assert unsettled == within or len(spans) == most


def test_the_narrowest_gaps_are_filled_first():
    position = Position(40, ((1, 5), (20, 21), (24, 30)))
    assert wanted([position], 3)[:2] == ((1, 5), (20, 30))
    assert wanted([], 3) == ()
