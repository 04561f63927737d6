"""concentrator.wire.mmcli: what was said is found where it is, and nothing where it is not."""

import pytest

from concentrator.wire.mmcli import said_at, text_at

SAID = {"modem": {"generic": {"state": "registered", "operator": "--", "ports": ["wwan0 (net)"], "number": 7}}}


def test_a_text_deep_in_what_was_said_is_given():
    assert text_at(SAID, "modem", "generic", "state") == "registered"


@pytest.mark.parametrize("name", ["operator", "ports", "number", "none"])
def test_what_is_no_text_or_not_known_is_empty(name):
    assert text_at(SAID, "modem", "generic", name) == ""


@pytest.mark.parametrize("names", [("sim",), ("modem", "3gpp", "state"), ("modem", "generic", "state", "more")])
def test_what_was_not_said_is_nothing(names):
    assert said_at(SAID, *names) is None and text_at(SAID, *names) == ""


def test_a_list_is_given_as_it_is():
    assert said_at(SAID, "modem", "generic", "ports") == ["wwan0 (net)"]
