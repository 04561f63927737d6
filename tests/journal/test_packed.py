import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.journal import packed
from concentrator.journal.late import LateTallies
from concentrator.model.errors import Corrupt
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.record import Tally
from tests.support.tallies import QUANTITIES, tally_of

STEPS = st.one_of(st.integers(-(10**6), 10**6), st.integers())


@st.composite
def records(draw):
    columns = tuple(draw(st.lists(QUANTITIES, max_size=20)))
    readings = [draw(st.none() | st.lists(STEPS, min_size=1, max_size=4)) for _ in columns]
    return columns, tuple(steps and tally_of(column, steps) for column, steps in zip(columns, readings, strict=True))


@given(records())
def test_tallies_come_back_as_they_went_in(record):
    columns, tallies = record
    assert packed.unpack_tallies(packed.pack_tallies(tallies, columns), columns) == tallies


@given(st.binary(max_size=60), st.lists(QUANTITIES, max_size=9))
def test_any_bytes_give_tallies_or_corrupt(content, columns):
    try:
        tallies = packed.unpack_tallies(content, columns)
    except Corrupt:
        return
    assert len(tallies) == len(columns)


def test_a_record_in_another_format_is_told_apart():
    with pytest.raises(Corrupt, match="form 9"):
        packed.unpack_tallies(b"\x09", ())


def test_tallies_that_do_not_fit_their_columns_are_refused():
    with pytest.raises(ValueError, match="found 1, expected one for each of 0"):
        packed.pack_tallies((None,), ())


def test_an_impossible_tally_is_refused_rather_than_garbled():
    column = Quantity("p", "W", Kind.INSTANTANEOUS)
    with pytest.raises(ValueError):
        packed.pack_tallies([Tally(1, 5, 9, 5, 5)], [column])


@given(records())
def test_a_record_read_again_is_packed_the_same(record):
    columns, tallies = record
    content = packed.pack_tallies(tallies, columns)
    assert packed.pack_tallies(packed.unpack_tallies(content, columns), columns) == content


@given(st.binary(max_size=60), st.lists(QUANTITIES, max_size=9))
def test_what_is_checked_can_be_unpacked(content, columns):
    try:
        packed.check(content, columns)
    except Corrupt:
        with pytest.raises(Corrupt):
            packed.unpack_tallies(content, columns)
        return
    packed.unpack_tallies(content, columns)


def test_extremes_of_a_single_reading_cost_nothing():
    columns = [Quantity(f"v{i}", "V", Kind.INSTANTANEOUS) for i in range(40)]
    one, three = (packed.pack_tallies([Tally(count, 9 * count, 7, 12, 8)] * 40, columns) for count in (1, 3))
    single = packed.pack_tallies([Tally(1, 9, 9, 9, 9)] * 40, columns)
    assert len(single) <= len(three) - 3 * 40
    assert len(one) == len(three)


@given(records())
def test_late_tallies_are_like_the_tuple_of_them(record):
    columns, tallies = record
    late = LateTallies(len(columns), lambda: tallies)
    assert late == tallies and tallies == late and late == LateTallies(len(columns), lambda: tallies)
    assert (len(late), [*late], late[:2], hash(late), repr(late)) == (
        len(tallies),
        [*tallies],
        tallies[:2],
        hash(tallies),
        repr(tallies),
    )
    assert late != (*tallies, None)
