import pytest

from concentrator.app.watch import KEPT, Watch
from tests.support.web import NOW, StillWall


class World:
    def __init__(self):
        self.wall = StillWall()
        self.kept = (4096, 48211)
        self.watch = Watch(self.wall, lambda: 100.0, lambda: self.kept)


@pytest.fixture
def world():
    return World()


def test_what_happened_last_is_kept_with_its_number(world):
    for number in range(KEPT + 5):
        world.watch.happened("link.started", {"n": number})
    found = world.watch.recent()
    assert [each.number for each in found] == list(range(6, KEPT + 6))
    assert (found[0].name, found[0].at, found[0].facts) == ("link.started", NOW, {"n": 5})


def test_the_figures_are_the_processes_and_the_journals(world):
    found = world.watch.figures()
    assert found.cpu_s > 0 and found.resident > 1_000_000 and found.files > 2
    assert (found.began_at, found.journal_bytes, found.last_n) == (NOW - 100, 4096, 48211)


def test_a_box_whose_journal_is_not_open_is_not_well(world):
    assert world.watch.ailing() == ""
    world.kept = None
    assert world.watch.ailing() == "the journal is not open"
    assert world.watch.figures().journal_bytes == 0


def test_whoever_wants_to_hears_what_happens(world):
    heard = []
    world.watch.news.subscribe(heard.append)
    world.watch.happened("genset.alarm", {"device": "g1"})
    assert [(each.name, each.facts) for each in heard] == [("genset.alarm", {"device": "g1"})]
