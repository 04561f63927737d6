"""JSON from SmartGen's servers: found in any pieces, mended where it is misprinted, bounded whatever comes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.model.errors import Garbled, WireError
from concentrator.wire.smartgen_json import DEEPEST, LONGEST, MOST_FAULTS, MOST_PARTS, Reader, mended, parsed, written
from tests.support.smartgen_seeds import CHINESE, ENGLISH, examples, printed


def read(*chunks):
    """The objects in these pieces, and what ended it, if anything did."""
    reader, found = Reader(), []
    try:
        for chunk in chunks:
            for each in reader.fed(chunk):
                found.append(each)
    except Garbled as fault:
        return found, fault.detail
    return found, None


def dribbled(stream):
    return read(*(stream[at : at + 1] for at in range(len(stream))))


@pytest.mark.parametrize("document", [ENGLISH, CHINESE])
def test_every_example_is_read_whole_and_byte_by_byte(document):
    for example in examples(document):
        found, fault = read(example.encode())
        assert len(found) == 1 and fault is None, example
        assert dribbled(example.encode()) == (found, None)


@pytest.mark.parametrize("document", [ENGLISH, CHINESE])
def test_all_examples_are_read_one_behind_the_other(document):
    one_by_one = [found for example in examples(document) for found in read(example.encode())[0]]
    assert len(one_by_one) == 18
    stream = printed(document).encode()
    assert read(stream) == (one_by_one, None)
    assert dribbled(stream) == (one_by_one, None)
    assert read("".join(stream.decode().split("\n")).encode()) == (one_by_one, None)


@pytest.mark.parametrize("document", [ENGLISH, CHINESE])
def test_the_examples_are_read_cut_anywhere(document):
    stream = printed(document).encode()
    whole = read(stream)
    for at in range(len(stream)):
        assert read(stream[:at], stream[at:]) == whole


@pytest.mark.parametrize(
    ("misprinted", "meant"),
    [
        ('{"a":1,}', {"a": 1}),
        ('{"a":[1,2,],}', {"a": [1, 2]}),
        ('{"a":1,,"b":2}', {"a": 1, "b": 2}),
        ('{,"a":1}', {"a": 1}),
        ('{"a":{"b":1}"c":2}', {"a": {"b": 1}, "c": 2}),
        ('{"a":1 "c":2}', {"a": 1, "c": 2}),
        ('{"a":"b""c":"d"}', {"a": "b", "c": "d"}),
        ('{"a" "b"}', {"a": "b"}),
        ('{"a" {"b" [1]}}', {"a": {"b": [1]}}),
        ('{"a":[{"b":1}},"c":2}', {"a": [{"b": 1}], "c": 2}),
        ('{"a":{"b":1],"c":2]', {"a": {"b": 1}, "c": 2}),
        ('{"a":",}:{","b":"\\"" "c":[],}', {"a": ",}:{", "b": '"', "c": []}),
    ],
)
def test_what_is_misprinted_is_mended_outside_strings_only(misprinted, meant):
    assert parsed(misprinted) == meant
    assert read(misprinted.encode()) == ([meant], None)


@pytest.mark.parametrize(
    "hopeless",
    [
        '{"a"}',
        '{"a":}',
        "{1:2}",
        '{"a"::1}',
        '{"a":b}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"a":1e999}',
        "{1}",
        f'{{"a":{"9" * 21}}}',
        '{"a":+1}',
        f'{{"a":{1 << 64}}}',
    ],
)
def test_what_cannot_be_mended_is_left_out_and_counted(hopeless):
    with pytest.raises(Garbled):
        parsed(hopeless)
    reader = Reader()
    assert list(reader.fed(hopeless.encode() + b'{"b":1}')) == [{"b": 1}]
    assert reader.faults == 1


def test_of_a_key_said_twice_the_last_holds():
    assert parsed('{"a":1,"a":2}') == {"a": 2}


def test_what_stands_between_objects_is_dropped():
    stream = b'\xef\xbb\xbf{"a":1}\r\n\0 ,;}]"x":5 true{"a":2}, {"a":3}'
    assert read(stream) == dribbled(stream) == ([{"a": 1}, {"a": 2}, {"a": 3}], None)


def test_lists_are_taken_apart():
    assert read(b'[{"a":1},[{"a":2},5],"x"]')[0] == [{"a": 1}, {"a": 2}]


def test_brackets_and_quotes_in_strings_are_text():
    stream = b'{"a":"}{][\\"\\\\"}{"b":"\\\\"}'
    assert read(stream) == dribbled(stream) == ([{"a": '}{]["\\'}, {"b": "\\"}], None)


def test_text_that_is_no_utf_8_ends_the_connection_after_what_came_before():
    stream = b'{"a":1}{"b":"\xff"}{"c":1}'
    assert read(stream) == dribbled(stream) == ([{"a": 1}], "text that is no UTF-8")


def test_a_letter_cut_in_two_is_one():
    assert dribbled('{"a":"众智"}'.encode()) == ([{"a": "众智"}], None)


def test_a_value_that_never_ends_is_dropped_up_to_the_next_message():
    unclosed, message = b'{"method":"HB","x":"' + b"x" * LONGEST, b'{"method":"reset"}'
    for stream in (unclosed + message + b" ", unclosed + b'","0000":{"0000":1}' + message):
        reader = Reader()
        assert list(reader.fed(stream)) == [{"method": "reset"}]
        assert (reader.faults, reader.is_within) == (1, False)
        assert dribbled(stream) == read(stream)


def test_a_value_that_takes_too_long_is_dropped_up_to_the_next_message():
    reader = Reader()
    assert list(reader.fed(b'{"method":"HB","params":{"0000":1},{"method":"reset"} { "m')) == []
    assert reader.is_within
    assert list(reader.overdue()) == [{"method": "reset"}]
    assert reader.is_within
    assert list(reader.fed(b'ethod":"HB"}')) == [{"method": "HB"}]
    assert not reader.is_within
    assert list(reader.overdue()) == []
    assert reader.faults == 1


def test_the_longest_value_is_taken_and_one_byte_more_is_not():
    longest = b'{"a":"' + b"x" * (LONGEST - 8) + b'"}'
    assert len(longest) == LONGEST
    assert len(read(longest)[0]) == 1
    reader = Reader()
    assert list(reader.fed(longest[:-2] + b'x"}')) == []
    assert reader.faults == 1


def test_the_deepest_value_is_taken_and_one_level_more_is_not():
    def nested(depth):
        return b'{"a":' * depth + b"1" + b"}" * depth

    assert len(read(nested(DEEPEST))[0]) == 1
    reader = Reader()
    list(reader.fed(b'{"a":[' + nested(DEEPEST)))
    assert reader.faults > 0


def test_a_value_of_too_many_parts_is_not_taken():
    assert len(read(b"[" + b"{}," * (MOST_PARTS - 1) + b"]")[0]) == MOST_PARTS - 1
    reader = Reader()
    assert list(reader.fed(b"[" + b"{}," * MOST_PARTS + b"]")) == []
    assert reader.faults == 1


def test_after_five_faults_the_connection_is_given_up_for_good():
    reader = Reader()
    assert list(reader.fed(b"{1}" * (MOST_FAULTS - 1))) == []
    with pytest.raises(Garbled, match="5 faults, expected JSON"):
        list(reader.fed(b"{1}"))
    with pytest.raises(Garbled):
        reader.fed(b'{"a":1}')


ENDLESS = {
    "blanks": b" ",
    "opening braces": b"{",
    "opening brackets": b"[",
    "closing ones": b"]}",
    "a string": b'{"a":"x',
    "backslashes": b'{"\\',
    "beginnings": b'{"a',
    "beginnings with blanks": b'{                "',
    "objects": b'{"a":1}',
    "lists": b"[],",
    "misprints": b'{"a" 1,}',
    "numbers": b'{"a":1' + b"1" * 50,
    "quotes": b'{"',
}


@pytest.mark.parametrize("piece", ENDLESS.values(), ids=ENDLESS.keys())
@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 20])
def test_endless_input_costs_work_in_proportion_and_no_more_than_one_value_of_memory(piece, size):
    total = 1 << 17 if size < 4096 else 1 << 20
    reader, taken = Reader(), 0
    stream = piece * (total // len(piece))
    try:
        for at in range(0, len(stream), size):
            chunk = stream[at : at + size]
            taken += len(chunk)
            for _ in reader.fed(chunk):
                pass
            assert len(reader._buffer) <= LONGEST
    except Garbled:
        assert not reader._buffer
    # Every byte in the scan, in reading and in mending; and of what was given up, once more for each fault.
    assert reader.effort <= 5 * taken + (MOST_FAULTS + 1) * LONGEST


PIECES = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from(
            [b'{"method":"HB"', b"}", b"{", b"]", b"[", b'"', b"\\", b",", b":", b'"a":1', b"\xff", b"1e999"]
        ),
        st.sampled_from([b'{"method":"reset"}', b"[{}]", "众".encode(), b'"\\ud800"', b"NaN"]),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(PIECES)
def test_any_bytes_give_objects_or_a_wire_error_the_same_whole_and_byte_by_byte(pieces):
    stream = b"".join(pieces)
    whole = read(stream)
    assert whole == dribbled(stream) == read(*pieces)
    assert all(isinstance(each, dict) for each in whole[0])


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.dictionaries(st.text(), VALUES, max_size=5)


@settings(deadline=None)
@given(st.lists(MESSAGES, max_size=4))
def test_what_is_written_is_read_again_in_one_segment_or_in_bytes(messages):
    stream = b"".join(map(written, messages))
    assert read(stream) == dribbled(stream) == (messages, None)


@settings(deadline=None)
@given(MESSAGES)
def test_what_needs_no_mending_is_not_changed_by_it(message):
    text = json.dumps(message)
    assert json.loads(mended(text)) == message


@given(st.text(alphabet='{}[]:,"\\a1 ', max_size=60))
def test_mending_gives_text_or_a_wire_error(text):
    try:
        parsed(text)
    except WireError:
        mended(text)


def test_a_message_is_written_compactly_in_ascii():
    assert written({"method": "login", "params": {"hostname": "众"}}) == (
        b'{"method":"login","params":{"hostname":"\\u4f17"}}'
    )
    with pytest.raises(ValueError):
        written({"a": float("nan")})
