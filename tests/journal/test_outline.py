from hypothesis import given
from hypothesis import strategies as st

from concentrator.journal.outline import Outline
from concentrator.model.reading import Quality
from tests.support.records import COLUMNS, NOW, interval


def outline_of(*records):
    outline = Outline()
    for record in records:
        outline.put(record)
    return outline


def test_rows_are_in_time_order_however_the_records_came():
    outline = outline_of(interval(7, NOW), interval(9, NOW - 20), interval(8, NOW - 10))
    assert list(outline.rows()) == [9, 8, 7]
    assert outline.numbers == (7, 8, 9)


def test_an_interval_told_twice_has_one_row_the_best_then_the_newest():
    outline = outline_of(interval(1), interval(5), interval(3), interval(8, quality=Quality.PARTIAL))
    assert list(outline.rows()) == [5]
    assert outline.numbers == (1, 3, 5, 8)


def test_intervals_of_two_lengths_with_one_end_are_two_rows():
    assert list(outline_of(interval(2, period=300), interval(1, period=60)).rows()) == [1, 2]


def test_who_it_is_about_and_how_long_an_interval_is_says_the_newest():
    outline = outline_of(interval(1, NOW, uid="new", period=60), interval(2, NOW - 60, uid="old", period=10))
    assert (outline.uid, outline.period) == ("new", 60)


def test_nothing_is_a_file_without_a_row():
    outline = outline_of()
    assert (outline.uid, outline.period, outline.columns, list(outline.rows())) == ("", None, (), [])


def test_columns_are_those_of_the_newest_and_then_what_only_older_ones_have():
    assert outline_of(interval(1, NOW), interval(2, NOW - 10)).columns == COLUMNS


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(list(Quality))), max_size=40))
def test_each_interval_has_exactly_one_row_and_none_is_better(told):
    records = [interval(n, NOW + 10 * end, quality=quality) for n, (end, quality) in enumerate(told, 1)]
    rows = [next(record.draft for record in records if record.n == n) for n in outline_of(*records).rows()]
    assert [draft.end for draft in rows] == sorted({record.draft.end for record in records})
    rank = list(Quality).index
    for draft in rows:
        rivals = [rank(record.draft.quality) for record in records if record.draft.end == draft.end]
        assert rank(draft.quality) == min(rivals)
