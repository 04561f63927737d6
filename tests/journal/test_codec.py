import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.journal import codec
from concentrator.journal.position import Position
from concentrator.model.reading import Quality
from tests.support.tallies import QUANTITIES


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


@given(st.sampled_from(Quality), st.none() | st.integers(0, 10**6))
def test_a_grade_says_quality_and_coverage(quality, covered):
    assert codec.unpack_grade(codec.pack_grade(quality, covered)) == (quality, covered)
