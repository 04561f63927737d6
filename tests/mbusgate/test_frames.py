"""Frames in a stream: found wherever it is cut, and nothing of it is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.mbusgate.frames import Splitter, length_of

SHORT = bytes.fromhex("10 5B 01 5C 16")
LONG = bytes.fromhex("68 03 03 68 08 01 72 7B 16")


@pytest.mark.parametrize(
    ("begins", "length"),
    [(b"\xe5", 1), (SHORT[:1], 5), (LONG[:1], 4), (LONG[:2], 4), (LONG[:3], 4), (LONG[:4], 9), (LONG + b"more", 9)],
)
def test_a_frame_says_how_long_it_is_as_soon_as_it_can(begins, length):
    assert length_of(begins) == length


@pytest.mark.parametrize("begins", [b"\x00", b"\x16\x10", b"\x68\x03\x04", b"\x68\x03\x03\x10"])
def test_what_begins_no_frame_has_no_length(begins):
    assert length_of(begins) == 0


def test_noise_ends_where_a_frame_may_begin():
    assert Splitter().split(b"\x00\x01" + SHORT + b"\x68\x01\x02" + LONG + b"\xe5\x68") == [
        (b"\x00\x01", False),
        (SHORT, True),
        (b"\x68\x01\x02", False),
        (LONG, True),
        (b"\xe5", True),
    ]


def test_a_frame_that_is_not_complete_is_held_until_it_is_or_given_up():
    stream = Splitter()
    assert stream.split(LONG[:6]) == []
    assert (stream.held, stream.missing) == (6, 3)
    assert stream.split(LONG[6:]) == [(LONG, True)]
    assert (stream.held, stream.missing) == (0, 0)
    stream.split(SHORT[:2])
    assert stream.give_up() == SHORT[:2]
    assert stream.split(SHORT) == [(SHORT, True)]


PIECES = st.one_of(st.just(SHORT), st.just(LONG), st.just(b"\xe5"), st.binary(max_size=12))


@given(st.lists(PIECES), st.lists(st.integers(1, 7)))
def test_however_it_is_cut_it_is_the_same_stream(pieces, cuts):
    whole = b"".join(pieces)
    at_once, cut = Splitter(), Splitter()
    wanted = at_once.split(whole)
    found, rest = [], whole
    for length in cuts:
        found += cut.split(rest[:length])
        rest = rest[length:]
    found += cut.split(rest)
    assert b"".join(piece for piece, _ in found) + cut.give_up() == whole
    assert [piece for piece, is_frame in found if is_frame] == [piece for piece, is_frame in wanted if is_frame]
