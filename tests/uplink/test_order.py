"""concentrator.uplink.order: whatever a stranger publishes is an order or a refusal in words, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.uplink.order import DEEPEST, ID_MOST, LONGEST, Misread, Order, order_of


def refused(payload):
    with pytest.raises(Misread) as error:
        order_of(payload if isinstance(payload, bytes) else json.dumps(payload).encode())
    return error.value.id, error.value.error.detail


def test_an_order_has_its_id_its_name_and_its_arguments():
    assert order_of(b'{"id":"a1","cmd":"device.read","args":{"uid":"main"}}') == Order(
        "a1", "device.read", {"uid": "main"}
    )
    assert order_of(b'{"id":7,"cmd":"status"}') == Order(7, "status")


def test_a_number_and_a_text_are_two_ids():
    assert Order(1, "x").key != Order("1", "x").key


def test_orders_for_the_same_have_one_digest_whatever_the_order_of_the_keys():
    first = order_of(b'{"id":1,"cmd":"a","args":{"x":1,"y":[1,2]}}')
    assert first.digest == order_of(b'{"args":{"y":[1,2],"x":1},"cmd":"a","id":2}').digest
    assert first.digest != order_of(b'{"id":1,"cmd":"a","args":{"x":1,"y":[2,1]}}').digest
    assert first.digest != order_of(b'{"id":1,"cmd":"b","args":{"x":1,"y":[1,2]}}').digest


@pytest.mark.parametrize("given", ["2026-11-21T10:15:00Z", "2026-11-21T11:15:00+01:00", 1795256100, 1795256100.0])
def test_when_it_was_given_may_be_said_in_either_way(given):
    assert order_of(json.dumps({"id": 1, "cmd": "a", "ts": given}).encode()).at == 1795256100.0


@pytest.mark.parametrize(
    ("payload", "id", "words"),
    [
        (b"", None, "it is not JSON: Expecting value"),
        (b"\xff{}", None, "it is not JSON: the byte at 0 is no UTF-8"),
        (b"[1]", None, "found [1], expected one JSON object"),
        (b'{"id":1,"id":2,"cmd":"a"}', None, 'it is not JSON: "id" is there twice'),
        (b'{"id":1,"cmd":"a","args":{"x":NaN}}', None, "it is not JSON: NaN is no number"),
        (b'{"id":1,"cmd":"a","args":{"x":1e999}}', None, "it is not JSON: 1e999 is too large"),
        (b'{"id":1,"cmd":"a","args":{"x":"\\ud800"}}', None, "half a character"),
        (b'{"id":1,"cmd":"\\udfff"}', None, "half a character"),
        ({"cmd": "a"}, None, "id: missing, expected a text of 1 to 64 characters or a whole number"),
        ({"id": "", "cmd": "a"}, None, 'id: found "", expected'),
        ({"id": "x" * (ID_MOST + 1), "cmd": "a"}, None, "id: found "),
        ({"id": 2**60, "cmd": "a"}, None, "id: found 1152921504606846976"),
        ({"id": True, "cmd": "a"}, None, "id: found true"),
        ({"id": 1.5, "cmd": "a"}, None, "id: found 1.5"),
        ({"id": "a"}, "a", "cmd: missing, expected an action's name"),
        ({"id": "a", "cmd": 3}, "a", "cmd: found 3, expected an action's name"),
        ({"id": "a", "cmd": "x", "args": [1]}, "a", "args: found [1], expected an object"),
        ({"id": "a", "cmd": "x", "agrs": {}}, "a", '"agrs": no such key, expected id, cmd, args, ts (did you mean ar'),
        ({"id": 9, "cmd": "x", "ts": "now"}, 9, 'ts: found "now", expected ISO 8601 with offset, or UTC seconds'),
        ({"id": 9, "cmd": "x", "ts": "2026-11-21T10:15:00"}, 9, "ts: found"),
        ({"id": 9, "cmd": "x", "ts": 1e300}, 9, "ts: found"),
        ({"id": 9, "cmd": "x", "ts": None}, 9, "ts: found null"),
        (b'{"id":1,"cmd":"a","args":' + b"[" * 3000 + b"]" * 3000 + b"}", None, f"nested more than {DEEPEST} deep"),
        (b"[" * 60_000, None, f"nested more than {DEEPEST} deep"),
        (b'{"id":"' + b"x" * LONGEST + b'"}', None, "found 65545 bytes, expected at most 65536"),
        (b'{"id":1,"cmd":"a","args":{"x":' + b"1" * 5000 + b"}}", None, "it is not JSON: "),
    ],
)  # fmt: skip
def test_what_is_no_order_is_refused_in_words_with_its_id_where_there_is_one(payload, id, words):
    found, said = refused(payload)
    assert (found, words in said) == (id, True), said
    assert len(said) < 1000


def test_all_that_is_wrong_is_said_at_once():
    assert refused({"id": "a", "cmd": "", "args": 1, "x": 1})[1].count("expected") == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON | st.text(max_size=5),
        "cmd": JSON | st.just("device.write"),
        "args": JSON,
        "ts": JSON,
        "x": JSON,
    },
)


@given(st.binary(max_size=200) | (LIKELY | JSON).map(lambda found: json.dumps(found).encode()))
def test_any_bytes_are_an_order_or_a_refusal_and_never_another_exception(payload):
    try:
        order = order_of(payload)
    except Misread as why:
        json.dumps({"id": why.id, "error": why.error.sentence}, ensure_ascii=False, allow_nan=False).encode()
    else:
        assert order.name and order.key and len(order.digest) == 32
        json.dumps([order.id, order.name, order.arguments], ensure_ascii=False, allow_nan=False).encode()


@given(LIKELY.map(lambda found: bytearray(json.dumps(found).encode())), st.data())
def test_damaged_orders_are_refused_or_are_orders(payload, data):
    for _ in range(data.draw(st.integers(1, 4))):
        if payload:
            payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        order_of(bytes(payload))
    except Misread as why:
        assert why.error.detail
