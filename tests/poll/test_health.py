"""concentrator.poll.health: every state and what each answer makes of it."""

import pytest

from concentrator.poll.health import FAILURES, StationHealth


@pytest.mark.parametrize(
    ("story", "label", "told"),
    [
        ("", "new", []),
        ("a", "answering", []),
        ("f", "new", []),
        ("fff", "silent", ["lost"]),
        ("ffa", "answering", []),
        ("aa", "answering", []),
        ("af", "doubtful", []),
        ("afa", "answering", []),
        ("aff", "doubtful", []),
        ("affaff", "doubtful", []),
        ("afff", "silent", ["lost"]),
        ("afffff", "silent", ["lost"]),
        ("afffa", "answering", ["lost", "found"]),
        ("afffafff", "silent", ["lost", "found", "lost"]),
    ],
)
def test_a_station_lives_as_it_answers(story, label, told):
    assert FAILURES == 3
    events = []
    health = StationHealth(lambda: events.append("lost"), lambda: events.append("found"))
    for letter in story:
        (health.answered if letter == "a" else health.failed)()
    assert (health.label, events) == (label, told)
