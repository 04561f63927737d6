"""Series: what some quantities of one device did in a stretch of time, column by column, as charts want it. Decodes
what is asked for and nothing else, from blocks and rows alike. Runs in the worker's thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, islice, pairwise
from operator import add, itemgetter, lt, sub
from typing import NamedTuple, TypeVar

from attrs import field, frozen

from concentrator.journal import codec
from concentrator.journal.blocks import Block, Numbers
from concentrator.journal.names import Columns
from concentrator.journal.packed import unpack_mean, unpack_tallies
from concentrator.journal.tables import Tables
from concentrator.model.quantity import Quantity
from concentrator.model.reading import Quality, Value
from concentrator.model.record import in_unit

T = TypeVar("T")


@frozen
class Series:
    """What quantities did: the intervals' `ends` (UTC seconds, rising), how good each is, and the value of each
    quantity asked for in each interval, None where it has none. `columns`: the newest quantity of each name, for its
    unit; names that no record has are missing there. `least` and `most`: the extremes in each interval, where those
    were asked for. `covered`: for how many seconds before its end each record speaks, None for its period at most."""

    ends: Sequence[int]
    qualities: Sequence[Quality]
    values: Mapping[str, Sequence[Value | None]]
    columns: Mapping[str, Quantity]
    covered: Sequence[int | None] = ()
    least: Mapping[str, Sequence[Value | None]] = field(factory=dict)
    most: Mapping[str, Sequence[Value | None]] = field(factory=dict)


class _Piece(NamedTuple):
    """Records in a row: what `Series` says of them, and their numbers. `values` are the runs of one name after those of
    the other: one each, or with extremes three."""

    ns: Numbers
    ends: Numbers
    grades: Numbers
    values: Sequence[Sequence[Value | None]]
    columns: Sequence[Quantity]


def series(
    tables: Tables, device: str, names: Sequence[str], period: int, start: int, stop: int, extremes: bool = False
) -> Series:
    """What those quantities of a device (short id or serial) did in the intervals of a period that end in (start,
    stop]; of several records of one end the best, and of equally good ones the newest. Raises Corrupt."""
    ids = tables.names.device_ids(device)
    found = tables.shelf.in_time(period, start, stop, ids)
    pieces = [_of_block(block, names, start, stop, extremes) for block in found]
    pieces += _of_rows(tables, ids, names, period, start, stop, extremes)
    pieces = [piece for piece in pieces if piece.ns]
    columns: dict[str, Quantity] = {}
    for piece in sorted(pieces, key=lambda piece: piece.ns[-1]):
        columns |= {column.name: column for column in piece.columns if column.name in names}
    is_apart = all(before.ends[-1] < after.ends[0] for before, after in pairwise(pieces))
    if not is_apart or not all(_is_rising(piece.ends) for piece in pieces):
        pieces = [_chosen(pieces, len(names) * (3 if extremes else 1))]
    grades = _chained(piece.grades for piece in pieces)
    meant = {grade: codec.unpack_grade(grade) for grade in set(grades)}
    runs = [_chained(run) for run in zip(*(piece.values for piece in pieces), strict=True)]
    runs = runs or [[] for _ in range(len(names) * (3 if extremes else 1))]
    every = 3 if extremes else 1
    return Series(
        _chained(piece.ends for piece in pieces),
        [meant[grade][0] for grade in grades],
        dict(zip(names, runs[::every], strict=True)),
        columns,
        [meant[grade][1] for grade in grades],
        dict(zip(names, runs[1::3], strict=True)) if extremes else {},
        dict(zip(names, runs[2::3], strict=True)) if extremes else {},
    )


def _of_block(block: Block, names: Sequence[str], start: int, stop: int, extremes: bool) -> _Piece:
    places = {column.name: i for i, column in enumerate(block.columns)}
    values: list[Sequence[Value | None]] = []
    for name in names:
        if name not in places:
            values += [[None] * block.place.count] * (3 if extremes else 1)
        else:
            values += _values(block, places[name], extremes)
    piece = _Piece(block.ns, block.ends, block.grades, values, block.columns)
    if start < block.place.first_end and block.place.last_end <= stop:
        return piece
    return _picked(piece, [i for i, end in enumerate(block.ends) if start < end <= stop])


def _values(block: Block, place: int, extremes: bool) -> Iterator[Sequence[Value | None]]:
    """The values of a column, and its extremes where they are wanted."""
    column, cells = block.columns[place], block.cells(place, whole=extremes)
    means: Sequence[int] = cells.means
    if cells.rests:
        means = list(map(_rounded, cells.counts, cells.means, cells.rests))
    yield _shown(means, column, cells.present)
    if extremes:
        yield _shown(list(map(sub, cells.means, cells.below)) if cells.below else means, column, cells.present)
        yield _shown(list(map(add, cells.means, cells.above)) if cells.above else means, column, cells.present)


def _shown(steps: Sequence[int], column: Quantity, present: bytes) -> Sequence[Value | None]:
    """Steps as values, with a None in place of each that is not there."""
    values: Sequence[Value] = steps
    if column.digits:
        scale = 10**column.digits
        values = [each / scale for each in steps]
    if not present:
        return values
    given = iter(values)
    return [next(given) if is_present else None for is_present in present]


def _of_rows(
    tables: Tables, ids: Sequence[int], names: Sequence[str], period: int, start: int, stop: int, extremes: bool
) -> Iterator[_Piece]:
    """The rows by their ends, those of one layout together as long as no other comes between."""
    where = f"period = ? AND stop > ? AND stop <= ? AND device IN ({','.join('?' * len(ids))})"
    select = f"SELECT n, stop, quality, layout, content FROM record WHERE {where} ORDER BY stop, n"
    rows = tables.sql.execute(select, (period, start, stop, *ids)).fetchall()
    for layout, alike in groupby(rows, key=itemgetter(3)):
        columns = tables.names.columns(layout)
        places = {column.name: i for i, column in enumerate(columns)}
        ns, ends, grades, _, contents = zip(*alike, strict=True)
        values: list[Sequence[Value | None]] = []
        for name in names:
            place = places.get(name)
            values.append([_value(content, columns, place) for content in contents])
            if extremes:
                values += zip(*(_extremes(content, columns, place) for content in contents), strict=True)
        yield _Piece(ns, ends, grades, values, columns)


def _value(content: bytes, columns: Columns, place: int | None) -> Value | None:
    found = None if place is None else unpack_mean(content, columns, place)
    return None if found is None or place is None else in_unit(_rounded(*found), columns[place])


def _extremes(content: bytes, columns: Columns, place: int | None) -> tuple[Value | None, Value | None]:
    found = None if place is None else unpack_tallies(content, columns)[place]
    if found is None or place is None:
        return None, None
    return in_unit(found.least, columns[place]), in_unit(found.most, columns[place])


def _rounded(count: int, mean: int, rest: int) -> int:
    """The mean rounded to whole steps, half away from zero."""
    return mean + (2 * rest + (mean >= 0) > count)


def _chosen(pieces: Sequence[_Piece], names: int) -> _Piece:
    """The pieces as one: by end, one record for each."""
    whole = _Piece(
        _chained(piece.ns for piece in pieces),
        _chained(piece.ends for piece in pieces),
        _chained(piece.grades for piece in pieces),
        [_chained(piece.values[i] for piece in pieces) for i in range(names)],
        (),
    )
    best: dict[int, int] = {}
    worth = [codec.worth(grade, n) for grade, n in zip(whole.grades, whole.ns, strict=True)]
    for i, end in enumerate(whole.ends):
        if end not in best or worth[i] > worth[best[end]]:
            best[end] = i
    return _picked(whole, [best[end] for end in sorted(best)])


def _picked(piece: _Piece, places: Sequence[int]) -> _Piece:
    ns, ends, grades = ([run[i] for i in places] for run in (piece.ns, piece.ends, piece.grades))
    return _Piece(ns, ends, grades, [[run[i] for i in places] for run in piece.values], piece.columns)


def _is_rising(ends: Numbers) -> bool:
    return ends.step > 0 if isinstance(ends, range) else all(map(lt, ends, islice(ends, 1, None)))


def _chained(runs: Iterable[Iterable[T]]) -> list[T]:
    return list(chain.from_iterable(runs))
