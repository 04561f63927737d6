from itertools import accumulate

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from concentrator.journal import packed
from concentrator.journal.blocks import Block
from concentrator.journal.seal import Merging, seal
from concentrator.model.errors import Corrupt
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.record import Tally
from tests.support.tallies import QUANTITIES, tally_of

STEPS = st.one_of(st.integers(-300, 300), st.integers(-(2**50), 2**50))


@st.composite
def tables(draw, most=12):
    """Columns, and rows of records of them as (number, end, grade, tallies)."""
    columns = tuple(draw(st.lists(QUANTITIES, max_size=5)))
    steps = st.lists(STEPS, min_size=1, max_size=3) if draw(st.booleans()) else STEPS.map(lambda step: [step])
    given_steps = steps if draw(st.booleans()) else st.none() | steps
    ns = list(accumulate(draw(st.lists(st.integers(1, 90), min_size=1, max_size=most))))
    rows = []
    for n in ns:
        tallies = tuple(map(lambda column: (held := draw(given_steps)) and tally_of(column, held), columns))
        rows.append((n, draw(st.integers(0, 2**31)), draw(st.integers(0, 900)), tallies))
    return columns, rows


def sealed_of(columns, rows):
    lines = [(n, end, grade, packed.pack_tallies(tallies, columns)) for n, end, grade, tallies in rows]
    return seal(60, 7, 3, columns, lines)


def opened(sealed, columns):
    content = sealed.content
    return Block(sealed.place, columns, sealed.directory, lambda at, size: content[at : at + size])


def merged(blocks):
    work = Merging(blocks)
    while work.step(2):
        pass
    return work.sealed


def rows_of(block):
    block.load()
    return [(*row, block.tallies(i)) for i, row in enumerate(zip(block.ns, block.ends, block.grades, strict=True))]


@given(tables())
def test_records_come_out_of_a_block_as_they_went_in(table):
    columns, rows = table
    assert rows_of(opened(sealed_of(columns, rows), columns)) == rows


@given(tables(), st.integers(1, 4), st.booleans())
def test_blocks_become_one_that_holds_the_same(table, parts, is_mixed):
    columns, rows = table
    # One after the other as time goes by, or mixed, as when the clock was set back.
    shares = [rows[i::parts] for i in range(parts)] if is_mixed else [rows[:2], rows[2:9], rows[9:]]
    blocks = [opened(sealed_of(columns, share), columns) for share in shares if share]
    tight = merged(blocks)
    assert rows_of(opened(tight, columns)) == rows
    assert rows_of(opened(merged([opened(tight, columns)]), columns)) == rows


@given(tables())
def test_one_column_can_be_taken_without_its_extremes(table):
    columns, rows = table
    tight = merged([opened(sealed_of(columns, rows), columns)])
    block = opened(tight, columns)
    for place in range(len(columns)):
        tallies = [row[3][place] for row in rows]
        cells = block.cells(place, whole=False)
        assert [tally.count for tally in tallies if tally] == list(cells.counts)
        rests = cells.rests or [0] * len(cells.means)
        totals = [
            mean * count + rest if columns[place].kind is Kind.INSTANTANEOUS else mean
            for mean, count, rest in zip(cells.means, cells.counts, rests, strict=True)
        ]
        assert [tally.total for tally in tallies if tally] == totals


def minutes(count, columns):
    """A day of a meter, a reading a minute."""
    steps = [[1000 * i + minute * minute % 7 for i, _ in enumerate(columns)] for minute in range(count)]
    return [(n * 40, 60 * n, 0, tuple(Tally(1, s, s, s, s) for s in row)) for n, row in enumerate(steps, 1)]


COLUMNS = tuple(Quantity(f"v{i}", "V", Kind.INSTANTANEOUS, digits=1) for i in range(40))


def test_numbers_ends_counts_and_extremes_of_single_readings_cost_nothing():
    block = merged([opened(sealed_of(COLUMNS, minutes(1440, COLUMNS)), COLUMNS)])
    block = opened(block, COLUMNS)
    assert block._sizes[0] < 40
    assert set(block._sizes[41:]) == {0}


def test_a_column_is_read_without_the_others():
    asked = []
    sealed = merged([opened(sealed_of(COLUMNS, minutes(1440, COLUMNS)), COLUMNS)])
    block = Block(sealed.place, COLUMNS, sealed.directory, lambda at, n: asked.append(n) or sealed.content[at : at + n])
    block.cells(20)
    assert sum(asked) < len(sealed.content) / 20


@pytest.mark.parametrize("is_tight", [False, True])
def test_any_damaged_byte_is_noticed(is_tight):
    columns = COLUMNS[:3]
    sealed = sealed_of(columns, minutes(30, columns))
    if is_tight:
        sealed = merged([opened(sealed, columns)])
    for name in ("directory", "content"):
        whole = getattr(sealed, name)
        for i in range(len(whole)):
            damaged = whole[:i] + bytes((whole[i] ^ 0x10,)) + whole[i + 1 :]
            with pytest.raises(Corrupt):
                opened(evolve(sealed, **{name: damaged}), columns).load()
        with pytest.raises(Corrupt):
            opened(evolve(sealed, **{name: whole[:-1]}), columns).load()


@pytest.mark.parametrize("name", ["period", "device", "layout", "first_n", "last_n", "first_end", "last_end", "count"])
def test_a_block_at_the_wrong_place_is_noticed(name):
    sealed = sealed_of(COLUMNS[:3], minutes(30, COLUMNS[:3]))
    place = evolve(sealed.place, **{name: getattr(sealed.place, name) + 1})
    with pytest.raises(Corrupt):
        opened(evolve(sealed, place=place), COLUMNS[:3])


def test_a_stream_found_for_another_is_noticed():
    columns = COLUMNS[:2]
    rows = [(n, n, 0, (Tally(1, n, n, n, n),) * 2) for n in range(1, 9)]
    sealed = merged([opened(sealed_of(columns, rows), columns)])
    _, head, first, second, *_ = [0, *opened(sealed, columns)._sizes]
    assert first == second
    one, other = sealed.content[head : head + first], sealed.content[head + first :]
    swapped = evolve(sealed, content=sealed.content[:head] + other + one)
    with pytest.raises(Corrupt):
        opened(swapped, columns).load()


@given(st.binary(max_size=80), st.binary(max_size=80), st.integers(0, 9))
def test_any_bytes_are_a_block_or_corrupt(directory, content, columns):
    place = sealed_of(COLUMNS[:1], minutes(3, COLUMNS[:1])).place
    with pytest.raises(Corrupt):
        Block(place, COLUMNS[:columns], directory, lambda at, size: content[at : at + size]).load()


def test_absurdly_large_numbers_are_left_out():
    column = Quantity("ea_imp", "kWh", Kind.COUNTER)
    rows = [(n, n, 0, (Tally(1, *[value] * 4),)) for n, value in enumerate((5, 2**60, -(2**63), 10**30, 7), 1)]
    assert list(opened(sealed_of((column,), rows), (column,)).ns) == [1, 5]
    assert sealed_of((column,), rows[1:4]) is None
