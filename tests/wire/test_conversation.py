"""concentrator.wire.conversation: trying again, and when not."""

import pytest

from concentrator.model.errors import Garbled, LineLost, NoReply, Refused, Unexpected
from concentrator.wire.conversation import LineSettings, Transaction, retrying

ASK = Transaction(b"?", None, 0.3)


def told(attempts, *outcomes):
    """What comes of a retrying conversation whose transactions end so."""
    conversation = retrying(ASK, attempts)
    assert next(conversation) is ASK
    try:
        for outcome in outcomes:
            again = conversation.throw(outcome) if isinstance(outcome, Exception) else conversation.send(outcome)
            assert again is ASK
    except StopIteration as ended:
        return ended.value
    return "asks again"


@pytest.mark.parametrize(
    ("attempts", "outcomes", "result"),
    [
        (1, ["reply"], "reply"),
        (3, [NoReply(), Garbled(), "reply"], "reply"),
        (2, [Unexpected()], "asks again"),
    ],
)
def test_missing_and_damaged_answers_are_asked_for_again(attempts, outcomes, result):
    assert told(attempts, *outcomes) == result


@pytest.mark.parametrize("error", [Refused(2), LineLost()])
def test_a_refusal_is_an_answer_and_a_lost_line_is_lost(error):
    with pytest.raises(type(error)):
        told(3, error)


def test_the_last_failure_is_the_one_told():
    with pytest.raises(NoReply):
        told(2, Garbled(), NoReply())


def test_trying_no_time_is_refused():
    with pytest.raises(ValueError, match="attempts: found 0, expected at least 1"):
        next(retrying(ASK, 0))


def test_a_character_takes_its_bits():
    assert LineSettings(9600, 11).character_s == pytest.approx(11 / 9600)
