import json

import pytest

from concentrator.model.errors import Garbled, LineLost, NoReply, Refused, Unexpected
from concentrator.model.trouble import Trouble, facts_of, kind_of, trouble_of


@pytest.mark.parametrize(
    ("error", "kind", "facts"),
    [
        (NoReply("nothing came"), "no_reply", {}),
        (Garbled("checksum"), "garbled", {}),
        (Unexpected("of ID 3"), "unexpected", {}),
        (Refused(2), "refused", {"code": 2}),
        (LineLost("gone"), "other", {}),
    ],
)
def test_an_errors_trouble_is_its_sentence_and_its_kind(error, kind, facts):
    trouble = trouble_of(error)
    assert (trouble, kind_of(trouble), facts_of(trouble)) == (str(error), kind, facts)


def test_the_facts_that_are_told_are_kept_with_the_errors_own():
    assert facts_of(trouble_of(Refused(2), register=0x100)) == {"code": 2, "register": 0x100}


def test_a_trouble_is_a_text_to_whoever_does_not_ask():
    trouble = Trouble("the port is not there", "unplugged", port="/dev/x")
    assert json.dumps({"trouble": trouble}) == '{"trouble": "the port is not there"}'
    assert trouble == "the port is not there" and not Trouble("")


def test_a_plain_text_is_of_no_kind_in_particular_and_no_text_of_none():
    assert (kind_of("odd"), facts_of("odd")) == ("other", {})
    assert (kind_of(""), facts_of("")) == ("", {})
