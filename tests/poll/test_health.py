"""concentrator.poll.health: every state and what each answer makes of it."""

import pytest

from concentrator.poll.health import FAILURES, StationHealth


@pytest.mark.parametrize(
    ("story", "label", "told"),
    [
        ("", "new", []),
        ("a", "answering", []),
        ("f", "new", []),
        ("fff", "silent", ["silent"]),
        ("ffa", "answering", []),
        ("aa", "answering", []),
        ("af", "doubtful", []),
        ("afa", "answering", []),
        ("aff", "doubtful", []),
        ("affaff", "doubtful", []),
        ("afff", "silent", ["silent"]),
        ("afffff", "silent", ["silent"]),
        ("afffa", "answering", ["silent"]),
        ("afffafff", "silent", ["silent", "silent"]),
    ],
)
def test_a_station_lives_as_it_answers(story, label, told):
    assert FAILURES == 3
    events = []
    health = StationHealth(lambda: events.append("silent"))
    for letter in story:
        (health.answered if letter == "a" else health.failed)()
    assert (health.label, events) == (label, told)
