"""concentrator.dialect.image: the newest content of every register, as it travels, and how old it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.dialect.image import RegisterImage
from concentrator.model.profile import Function

HOLDING, COIL = Function.HOLDING, Function.COIL


@pytest.fixture
def image(clock):
    return RegisterImage(clock.seconds)


def test_what_was_read_at_once_is_given_as_it_came(image, clock):
    clock.advance(5)
    image.store(HOLDING, 10, 3, b"\0\x01\0\x02\0\x03")
    clock.advance(2)
    assert image.content(HOLDING, 10, 3) == (b"\0\x01\0\x02\0\x03", 5.0)
    assert image.content(HOLDING, 11, 1) == (b"\0\x02", 5.0)
    assert image.content(HOLDING, 12, 2) is None
    assert image.content(Function.INPUT, 10, 3) is None


def test_it_is_as_old_as_its_oldest_part(image, clock):
    image.store(HOLDING, 0, 2, b"\0\x01\0\x02")
    clock.advance(3)
    image.store(HOLDING, 2, 1, b"\0\x03")
    assert image.content(HOLDING, 1, 2) == (b"\0\x02\0\x03", 0.0)
    image.store(HOLDING, 1, 1, b"\0\x09")
    assert image.content(HOLDING, 0, 3) == (b"\0\x01\0\x09\0\x03", 0.0)
    assert image.content(HOLDING, 1, 2) == (b"\0\x09\0\x03", 3.0)


def test_bits_are_packed_from_the_first_one_asked_for(image):
    image.store(COIL, 0, 12, b"\xb0\x0d")
    assert image.content(COIL, 4, 8) == (b"\xdb", 0.0)
    assert image.content(COIL, 7, 3) == (b"\x03", 0.0)


def test_objects_that_are_read_alone_are_never_put_together(image):
    image.store(HOLDING, 8, 2, b"\0\0\0\x01")
    image.store(HOLDING, 9, 1, b"\0\x07")
    assert image.content(HOLDING, 8, 2, is_alone=True) == (b"\0\0\0\x01", 0.0)
    assert image.content(HOLDING, 9, 1, is_alone=True) == (b"\0\x07", 0.0)
    assert image.content(HOLDING, 8, 1, is_alone=True) is None


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20), st.binary(min_size=40, max_size=40)), max_size=8))
def test_content_is_made_of_the_newest_registers(reads):
    image, newest = RegisterImage(), {}
    for address, count, data in reads:
        image.store(HOLDING, address, count, data[: 2 * count])
        newest |= {address + n: data[2 * n : 2 * n + 2] for n in range(count)}
    for address in range(0, 45, 7):
        for count in (1, 5, 20):
            wanted = [newest.get(address + n) for n in range(count)]
            found = image.content(HOLDING, address, count)
            assert found == (None if None in wanted else (b"".join(wanted), 0.0))
