"""concentrator.line.turns: who goes first."""

from concentrator.line.turns import Hold, Turns
from concentrator.wire.conversation import Transaction


def waiting(*holds):
    turns = Turns()
    for station, is_urgent in holds:
        turns.join(Hold(station, None, is_urgent))
    return turns


def order(turns, now=0.0):
    taken = []
    while (hold := turns.take(now)) is not None:
        taken.append(hold.station)
    return taken


def test_urgent_ones_go_first_in_their_order():
    turns = waiting(("a", False), ("B", True), ("c", False), ("D", True))
    assert turns.is_urgent_waiting(0.0)
    assert order(turns) == ["B", "D", "a", "c"]
    assert turns.wake_at() is None


def test_who_may_still_answer_stands_aside_until_it_cannot_any_more():
    turns = waiting(("a", True), ("b", False))
    turns.unanswered("a", "shape", 5.0)
    assert not turns.is_urgent_waiting(4.9)
    assert order(turns, now=4.9) == ["b"]
    assert turns.wake_at() == 5.0
    assert order(turns, now=5.0) == ["a"]


def test_who_rests_stands_aside_and_the_others_go_on():
    turns = waiting(("a", True), ("b", False))
    read = Transaction(b"?", lambda buffer, ended: buffer, 0.3, quiet_s=0.5)
    assert turns.after("a", read, 4.0) == 4.0
    assert not turns.is_idle and turns.clear_at("a", "any shape") == 4.5
    assert order(turns, now=4.4) == ["b"]
    assert (turns.wake_at(), turns.all_clear_at()) == (4.5, 4.5)
    assert order(turns, now=4.5) == ["a"]
    assert turns.is_idle and turns.clear_at("a") == 0.0


def test_after_a_broadcast_everybody_rests_and_after_others_nobody():
    turns = Turns()
    assert turns.after(0, Transaction(b"all", None, 0.0, quiet_s=0.5), 4.0) == 4.5
    assert turns.after("a", Transaction(b"?", lambda buffer, ended: buffer, 0.3), 4.0) == 4.0
    assert turns.is_idle


def test_only_a_request_of_the_same_shape_has_to_wait():
    turns = Turns()
    turns.unanswered("a", "read 2", 5.0)
    assert turns.clear_at("a", "read 2") == 5.0
    assert turns.clear_at("a", "write") == 0.0
    assert turns.clear_at("a") == 5.0
    turns.answered("a")
    assert turns.clear_at("a") == 0.0


def test_who_leaves_is_forgotten():
    turns = Turns()
    hold = Hold("a", None, False)
    turns.join(hold)
    turns.leave(hold)
    assert turns.take(0.0) is None
    turns.join(hold)
    assert turns.clear() == [hold]
    assert turns.take(0.0) is None
