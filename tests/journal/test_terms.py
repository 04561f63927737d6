"""concentrator.journal.terms: what a reader takes is decided by a record's number."""

from hypothesis import given
from hypothesis import strategies as st

from concentrator.journal.position import Position
from concentrator.journal.terms import Terms

TEN, MINUTE = frozenset({10, 0}), frozenset({60, 0})


def test_one_term_holds_for_all_numbers():
    terms = Terms.of([10, 0])
    assert terms.at(0) == terms.at(10**9) == terms.now == TEN
    assert terms.split([(1, 5), (7, 9)]) == (((1, 5), TEN), ((7, 9), TEN))
    assert terms.leading([(7, 9), (1, 5)], newest=True) == (((7, 9), (1, 5)), TEN)


def test_from_a_change_on_other_periods_are_taken_and_before_it_the_former():
    terms = Terms.of([10, 0]).changed(101, [60, 0], unsettled_from=50)
    assert (terms.at(100), terms.at(101), terms.now) == (TEN, MINUTE, MINUTE)
    assert terms.take(10) and terms.take(60) and not terms.take(300)
    assert terms.split([(50, 60), (90, 110)]) == (((50, 60), TEN), ((90, 100), TEN), ((101, 110), MINUTE))
    assert terms.leading([(50, 60), (90, 110)]) == (((50, 60), (90, 100)), TEN)
    assert terms.leading([(90, 110), (50, 60)], newest=True) == (((101, 110),), MINUTE)


def test_a_change_to_the_same_periods_is_none():
    terms = Terms.of([10, 0])
    assert terms.changed(101, [0, 10], unsettled_from=1) == terms


def test_a_change_before_anything_was_taken_leaves_one_term():
    terms = Terms.of([10, 0]).changed(101, [60, 0], unsettled_from=50).changed(101, [10, 0], unsettled_from=50)
    assert terms == Terms.of([10, 0])


def test_a_term_of_which_nothing_is_left_goes():
    terms = Terms.of([10, 0]).changed(101, [60, 0], unsettled_from=50).changed(201, [300], unsettled_from=150)
    assert terms.firsts == (101, 201)
    assert terms.at(150) == MINUTE
    assert terms.at(3) == MINUTE, "nothing below is unsettled"


PERIODS = st.sampled_from([[10], [60], [10, 60]])


@given(st.lists(st.tuples(st.integers(1, 50), PERIODS, st.integers(0, 60)), max_size=6), st.data())
def test_each_unsettled_number_keeps_what_was_in_force_when_it_was_given(changes, data):
    """The same as a list that says for each number what was in force."""
    terms, top = Terms.of([10]), 1
    plain = {n: frozenset([10]) for n in range(500)}
    oldest = 0
    for step, periods, settled in changes:
        top += step
        oldest = max(oldest, min(settled, top))
        terms = terms.changed(top, periods, unsettled_from=oldest)
        plain |= {n: frozenset(periods) for n in range(top, 500)}
    position = Position(oldest)
    for n in range(oldest, 400):
        assert terms.at(n) == plain[n]
    pieces = terms.split(position.oldest(399))
    assert [n for (first, last), _ in pieces for n in range(first, last + 1)] == list(range(oldest, 400))
    assert all(plain[n] == periods for (first, last), periods in pieces for n in (first, last))
    newest = data.draw(st.booleans())
    spans, periods = terms.leading(position.newest(399), newest)
    assert spans and all(plain[n] == periods for first, last in spans for n in range(first, last + 1))
