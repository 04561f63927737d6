import pytest

from concentrator.web.events import BEAT_S, PATIENCE_S, READERS_MOST, LiveStream
from concentrator.web.site import GuardedSite
from tests.support.web import Visit, visit


class World:
    """What the stream is told of, and what it asked for."""

    def __init__(self, clock):
        self.cells = {"a": {"text": "1"}, "b": {"text": "2"}}
        self.told = []
        self.languages = []
        self.watching = []
        self.breaks = False
        self.stream = LiveStream(clock, self.topic, lambda: {"now": clock.seconds()}, self.watch)

    def topic(self, name, language):
        self.told.append(name)
        self.languages.append(language)
        if self.breaks:
            raise ZeroDivisionError
        return {"": self.cells, "a": {"a": self.cells["a"]}}.get(name)

    def watch(self, changed):
        self.watching.append(changed)
        return lambda: self.watching.remove(changed)

    def set(self, **cells):
        self.cells = self.cells | {name: {"text": text} for name, text in cells.items()}
        for changed in self.watching:
            changed()


@pytest.fixture
def world(clock):
    return World(clock)


@pytest.fixture
def site(world, clock):
    site = GuardedSite(world.stream, clock)
    yield site
    world.stream.close()
    assert world.watching == []


def follow(site, path="/"):
    # HTTP/1.0, so that frames come without chunks around them.
    visitor = Visit(site)
    visitor.ask(path, version="1.0")
    return visitor


def seconds(clock, count):
    clock.pump([0.25] * (4 * count))


def test_a_stream_begins_with_the_time_and_every_cell(site, world):
    visitor = follow(site)
    assert visitor.answer().headers["content-type"] == "text/event-stream; charset=utf-8"
    assert visitor.frames() == [("beat", {"now": 0.0}), ("cells", {"a": {"text": "1"}, "b": {"text": "2"}})]
    visitor.end()


def test_each_reader_is_told_in_his_language(site, world, clock):
    visitors = [Visit(site) for _ in range(3)]
    for visitor, language in zip(visitors, ("es-ES,es;q=0.9", "fr", "en"), strict=True):
        visitor.ask("/?of=a", version="1.0", accept_language=language)
    assert world.languages == ["es", "en", "en"]
    world.told.clear()
    world.set(a="5")
    seconds(clock, 1)
    assert world.told == ["a", "a"]  # made once a language


def test_only_what_changed_is_sent_once(site, world, clock):
    visitor = follow(site)
    visitor.frames()
    world.set(a="3")
    seconds(clock, 1)
    assert visitor.frames() == [("cells", {"a": {"text": "3"}})]
    world.set(a="3")
    seconds(clock, 1)
    assert visitor.frames() == []
    visitor.end()


def test_many_changes_within_a_second_are_one_frame_with_the_newest(site, world, clock):
    visitor = follow(site)
    visitor.frames()
    for text in "456":
        world.set(a=text)
        clock.advance(0.2)
    clock.advance(0.5)
    assert visitor.frames() == [("cells", {"a": {"text": "6"}})]
    visitor.end()


def test_a_heartbeat_comes_every_five_seconds_and_with_it_what_nobody_spoke_of(site, world, clock):
    visitor = follow(site)
    visitor.frames()
    world.cells = {"a": {"text": "silent"}, "b": {"text": "2"}}
    seconds(clock, 4)
    assert visitor.frames() == []
    seconds(clock, 1)
    assert visitor.frames() == [("beat", {"now": BEAT_S}), ("cells", {"a": {"text": "silent"}})]
    seconds(clock, 5)
    assert visitor.frames() == [("beat", {"now": 2 * BEAT_S})]
    visitor.end()


def test_nothing_is_made_while_there_is_no_news(site, world, clock):
    visitor = follow(site)
    world.told.clear()
    seconds(clock, 4)
    assert world.told == []
    visitor.end()


def test_readers_of_one_topic_share_what_is_made(site, world, clock):
    visitors = [follow(site), follow(site), follow(site, "/?of=a")]
    world.told.clear()
    world.set(a="7", b="8")
    seconds(clock, 1)
    assert sorted(world.told) == ["", "a"]
    assert visitors[2].frames()[-1] == ("cells", {"a": {"text": "7"}})
    for visitor in visitors:
        visitor.end()


def test_a_slow_reader_costs_nothing_and_misses_no_newest_value(site, world, clock):
    visitor = follow(site)
    visitor.frames()
    visitor.transport.producer.pauseProducing()
    for text in ("9", "10", "11"):
        world.set(a=text)
        seconds(clock, 10)
    assert visitor.frames() == []
    visitor.transport.producer.resumeProducing()
    seconds(clock, 5)
    assert ("cells", {"a": {"text": "11"}}) in visitor.frames()
    visitor.end()


def test_a_reader_that_takes_nothing_for_a_minute_is_let_go(site, world, clock):
    visitor = follow(site)
    visitor.transport.producer.pauseProducing()
    seconds(clock, int(PATIENCE_S) + 6)
    assert visitor.transport.disconnected or visitor.transport.disconnecting
    visitor.end()


def test_the_hub_is_listened_to_only_while_somebody_reads(site, world, clock):
    assert world.watching == []
    first, second = follow(site), follow(site)
    assert len(world.watching) == 1
    first.end()
    assert len(world.watching) == 1
    second.end()
    assert world.watching == [] and not clock.getDelayedCalls()
    follow(site).end()


def test_cells_that_cannot_be_made_once_do_not_end_the_stream(site, world, clock):
    visitor = follow(site)
    visitor.frames()
    world.breaks = True
    world.set(a="12")
    with pytest.raises(ZeroDivisionError):
        seconds(clock, 1)
    world.breaks = False
    world.set(a="13")
    seconds(clock, 1)
    assert visitor.frames() == [("cells", {"a": {"text": "13"}})]
    visitor.end()


def test_a_topic_there_is_not_is_404(site):
    assert visit(site, "/?of=nobody").status == 404


def test_more_readers_than_bearable_are_sent_away_for_a_while(site, world):
    visitors = [follow(site) for _ in range(READERS_MOST)]
    late = visit(site, "/")
    assert (late.status, late.headers["retry-after"]) == (503, "30")
    for visitor in visitors:
        visitor.end()
    follow(site).end()


def test_a_head_is_answered_and_follows_nothing(site, world):
    assert visit(site, "/", method="HEAD").status == 200
    assert world.watching == []


def test_closing_ends_every_stream(site, world):
    visitors = [follow(site), follow(site)]
    world.stream.close()
    assert all(visitor.transport.disconnecting for visitor in visitors)
    assert world.watching == []
    for visitor in visitors:
        visitor.end()
