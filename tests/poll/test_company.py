"""concentrator.poll.company: a story of answers and failures, and what is told of it."""

import pytest

from concentrator.poll.company import Company


class Scene:
    """A line with stations; a story is words such as `a+ b- c!`: a answered, b failed, c failed and is silent."""

    def __init__(self, members):
        self.told = []
        self.company = Company("native", self.report)
        self.expected_back = []
        for uid in members:
            self.company.add(uid)

    def report(self, name, facts):
        self.told.append(f"{name} {facts.get('device', facts.get('line'))}")

    def play(self, story):
        for uid, what in story.split():
            if what == "+":
                self.expected_back += self.company.answered(uid)
            else:
                self.company.failed(uid, "no answer")
            if what == "!":
                self.company.fell_silent(uid, "no answer")
        return self.told


@pytest.mark.parametrize(
    ("members", "story", "told"),
    [
        ("a", "a+ a- a- a!", ["device.lost a"]),
        ("a", "a+ a! a- a- a+", ["device.lost a", "device.found a"]),
        ("a", "a- a- a!", ["device.lost a"]),
        ("ab", "a+ b+ a- a- a!", []),
        ("ab", "a+ b+ a- a! b+", ["device.lost a"]),
        ("ab", "a+ b+ a! b+ b!", ["device.lost a", "device.lost b"]),
        ("ab", "a+ b+ a! b+ a+", ["device.lost a", "device.found a"]),
        ("ab", "a+ b+ a! a+ b+", []),
        ("ab", "a+ b+ a! b!", ["line.silent native"]),
        ("ab", "a+ b+ a! b! a- b-", ["line.silent native"]),
        ("abc", "a+ b+ c+ a! b! c!", ["line.silent native"]),
        ("abc", "a+ b+ c+ c! a+ a! b!", ["device.lost c", "line.silent native"]),
        ("abc", "a+ b+ c! a- b- c-", []),
        ("ab", "a- b-", ["line.silent native"]),
        ("ab", "a- b- a- b- a! b!", ["line.silent native"]),
        ("ab", "a+ b- b- b!", []),
        ("ab", "a+ b- b- b! a+", ["device.lost b"]),
        ("ab", "a+ b+ a! b! a+ b+", ["line.silent native", "line.answering native"]),
        ("ab", "a+ b+ a! b! a+ b-", ["line.silent native", "line.answering native", "device.lost b"]),
        ("ab", "a+ b+ a! b! a+ b- b- b+", "line.silent native,line.answering native,device.lost b,device.found b"),
        ("abc", "a- b- c- b+ a! b+", ["line.silent native", "line.answering native", "device.lost a"]),
        ("ab", "a+ b+ a! b! b+ a+ a! b!", "line.silent native,line.answering native,line.silent native"),
    ],
)
def test_what_is_missing_is_told_once(members, story, told):
    assert Scene(members).play(story) == (told if isinstance(told, list) else told.split(","))


def test_who_fell_silent_with_the_line_is_expected_back_with_it():
    scene = Scene("abc")
    scene.play("a+ b+ c+ c! b+ a! b! b+")
    assert (scene.expected_back, scene.company.is_silent) == (["a"], False)


def test_a_line_that_was_away_is_not_silent_for_what_was_before():
    scene = Scene("ab")
    scene.play("a+ b+ a- a! b-")
    scene.company.reopened()
    assert scene.play("b- b!") == []
    assert scene.play("a-") == ["line.silent native"]


def test_a_removed_station_is_not_waited_for():
    scene = Scene("abc")
    scene.play("a+ b+ c+ a!")
    scene.company.remove("b")
    scene.company.remove("a")
    assert scene.play("c!") == ["device.lost c"]
