"""What a controller answered, and what of it is new to the server."""

import pytest

from concentrator.genset.image import Image, messages_of
from concentrator.wire.smartgen import Changes, Run
from concentrator.wire.smartgen_fields import Frame

WORDS, BITS = Frame(1, bytes.fromhex("0300100014")), Frame(1, bytes.fromhex("0100080018"))


def words(**changed):
    values = [0] * 20
    for place, value in changed.items():
        values[int(place[1:])] = value
    return bytes((3, 40)) + b"".join(value.to_bytes(2) for value in values)


def known(commands=(WORDS, BITS)):
    image = Image(commands)
    image.take(WORDS, words())
    image.take(BITS, bytes((1, 3, 0, 0, 0)))
    image.changes()
    return image


def test_at_first_everything_is_new():
    image = Image((WORDS, BITS))
    image.take(BITS, bytes((1, 3, 7, 8, 9)))
    image.take(WORDS, words(_0=5))
    assert image.changes() == (Run(3, 0x10, words(_0=5)[2:]), Run(1, 8, b"\7\x08\x09"))
    assert image.changes() == ()


@pytest.mark.parametrize(
    ("changed", "runs"),
    [
        ({}, ()),
        ({"_0": 1}, (Run(3, 0x10, b"\0\1"),)),
        ({"_19": 1}, (Run(3, 0x23, b"\0\1"),)),
        ({"_2": 1, "_3": 2}, (Run(3, 0x12, b"\0\1\0\2"),)),
        ({"_2": 1, "_6": 2}, (Run(3, 0x12, b"\0\1" + bytes(6) + b"\0\2"),)),
        ({"_2": 1, "_7": 2}, (Run(3, 0x12, b"\0\1"), Run(3, 0x17, b"\0\2"))),
    ],
)
def test_changed_words_near_one_another_are_one_run(changed, runs):
    image = known()
    image.take(WORDS, words(**changed))
    assert image.changes() == runs


def test_coils_change_by_eight():
    image = known()
    image.take(BITS, bytes((1, 3, 0, 0, 0x80)))
    assert image.changes() == (Run(1, 24, b"\x80"),)


def test_what_is_forgotten_is_new_again():
    image = known()
    image.forget()
    assert len(image.changes()) == 2


def test_the_answers_are_whole_frames_of_the_slave_that_was_named():
    image = Image((WORDS, BITS))
    image.take(BITS, bytes((1, 3, 7, 8, 9)))
    assert [each[:-2].hex() for each in image.frames] == ["010103070809"]
    image.take(WORDS, words())
    assert [each[1] for each in image.frames] == [3, 1]


def test_an_answer_that_was_missed_too_often_in_a_row_is_no_answer_any_more():
    image = known()
    for _ in range(3):
        image.miss(BITS)
        assert len(image.frames) == 2
    image.take(BITS, bytes((1, 3, 0, 0, 0)))
    for _ in range(4):
        image.miss(BITS)
    assert [each[1] for each in image.frames] == [3]
    assert image.changes() == ()
    image.take(BITS, bytes((1, 3, 1, 0, 0)))
    assert image.changes() == (Run(1, 8, b"\1"),)


def test_many_changes_are_cut_into_messages_of_one_segment():
    runs = tuple(Run(3, 20 * n, bytes(2 * (n % 100 + 1))) for n in range(150))
    messages = list(messages_of(runs))
    assert tuple(run for message in messages for run in message) == runs
    assert all(len(Changes("A" * 24, message).written()) < 1400 for message in messages)
    assert list(messages_of(())) == []
