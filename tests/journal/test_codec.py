import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.journal import codec
from concentrator.journal.position import Position
from concentrator.model.errors import Corrupt
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.record import Tally

STEPS = st.one_of(st.integers(-(10**6), 10**6), st.integers())
QUANTITIES = st.builds(
    Quantity, st.text(max_size=5), st.text(max_size=3), st.sampled_from(Kind), st.text(max_size=5), st.integers(0, 6)
)


def tally_of(column, steps):
    if column.kind is Kind.INSTANTANEOUS:
        return Tally(len(steps), sum(steps), min(steps), max(steps), steps[-1])
    return Tally(len(steps), *[steps[-1]] * 4)


@st.composite
def records(draw):
    columns = tuple(draw(st.lists(QUANTITIES, max_size=20)))
    readings = [draw(st.none() | st.lists(STEPS, min_size=1, max_size=4)) for _ in columns]
    return columns, tuple(steps and tally_of(column, steps) for column, steps in zip(columns, readings, strict=True))


@given(records())
def test_tallies_come_back_as_they_went_in(record):
    columns, tallies = record
    assert codec.unpack_tallies(codec.pack_tallies(tallies, columns), columns) == tallies


@given(st.binary(max_size=60), st.lists(QUANTITIES, max_size=9))
def test_any_bytes_give_tallies_or_corrupt(packed, columns):
    try:
        tallies = codec.unpack_tallies(packed, columns)
    except Corrupt:
        return
    assert len(tallies) == len(columns)


def test_a_record_in_another_format_is_told_apart():
    with pytest.raises(Corrupt, match="form 9"):
        codec.unpack_tallies(b"\x09", ())


def test_tallies_that_do_not_fit_their_columns_are_refused():
    with pytest.raises(ValueError, match="found 1, expected one for each of 0"):
        codec.pack_tallies((None,), ())


def test_an_impossible_tally_is_refused_rather_than_garbled():
    column = Quantity("p", "W", Kind.INSTANTANEOUS)
    with pytest.raises(ValueError):
        codec.pack_tallies([Tally(1, 5, 9, 5, 5)], [column])


@given(st.lists(st.integers(1, 10**9), unique=True).map(sorted))
def test_rising_numbers_come_back_as_they_went_in(numbers):
    assert codec.unpack_rising(codec.pack_rising(numbers)) == numbers


def test_the_numbers_of_one_device_among_many_take_few_bytes():
    assert len(codec.pack_rising(range(70_000, 70_000 + 33 * 8640, 33))) < 12


@given(st.lists(QUANTITIES, max_size=5))
def test_columns_come_back_as_they_went_in(columns):
    assert codec.load_columns(codec.dump_columns(columns)) == tuple(columns)


@pytest.mark.parametrize("position", [Position(1), Position(9, ((2, 3), (5, 5)))])
def test_a_position_comes_back_as_it_went_in(position):
    assert codec.load_position(codec.dump_position(position)) == position


@given(records())
def test_a_record_read_again_is_packed_the_same(record):
    columns, tallies = record
    packed = codec.pack_tallies(tallies, columns)
    assert codec.pack_tallies(codec.unpack_tallies(packed, columns), columns) == packed
