"""concentrator.wire.sms_parts: long messages from their parts."""

from hypothesis import given
from hypothesis import strategies as st

from concentrator.wire.sms_parts import PARTS_MOST, WAIT_S, WAITING_MOST, Parts
from concentrator.wire.sms_text import Portion


def test_a_message_of_one_part_is_whole_at_once():
    parts = Parts()
    assert parts.joined("1", None, "all", 0.0) == "all"
    assert parts.joined("1", Portion(9, 1, 1), "all", 0.0) == "all"
    assert parts.waiting == 0


@given(st.permutations([1, 2, 3, 4]))
def test_parts_come_in_any_order_and_twice(order):
    parts, texts = Parts(), {1: "a", 2: "b", 3: "c", 4: "d"}
    found = [parts.joined("1", Portion(5, number, 4), texts[number], 0.0) for number in order[:-1] for _ in "xx"]
    assert found == [None] * 6
    assert parts.joined("1", Portion(5, order[-1], 4), texts[order[-1]], 0.0) == "abcd"
    assert parts.waiting == 0


def test_parts_of_two_senders_are_not_mixed():
    parts = Parts()
    assert parts.joined("1", Portion(5, 1, 2), "a", 0.0) is None
    assert parts.joined("2", Portion(5, 2, 2), "b", 0.0) is None
    assert parts.joined("1", Portion(5, 2, 2), "c", 0.0) == "ac"


def test_a_part_whose_others_do_not_come_is_forgotten():
    parts = Parts()
    parts.joined("1", Portion(5, 1, 2), "old ", 0.0)
    assert parts.joined("1", Portion(5, 2, 2), "b", WAIT_S + 1) is None
    assert parts.joined("1", Portion(5, 1, 2), "a", WAIT_S + 2) == "ab"


def test_a_flood_of_first_parts_is_bounded_and_the_newest_stay():
    parts = Parts()
    for reference in range(1000):
        parts.joined("1", Portion(reference, 1, 2), "a", 0.0)
    assert parts.waiting == WAITING_MOST
    assert parts.joined("1", Portion(999, 2, 2), "b", 0.0) == "ab"
    assert parts.joined("1", Portion(0, 2, 2), "b", 0.0) is None


def test_a_message_longer_than_any_order_is_not_kept():
    parts = Parts()
    assert parts.joined("1", Portion(5, 1, PARTS_MOST + 1), "a", 0.0) is None
    assert parts.waiting == 0
