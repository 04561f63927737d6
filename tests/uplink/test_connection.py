"""The machine on a clock; the test is the road to the broker and the broker."""

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectError
from twisted.internet.task import Clock

from concentrator.model.errors import TryLater
from concentrator.uplink.backoff import Backoff
from concentrator.uplink.connection import Road, connection_on
from concentrator.uplink.paho_link import Hello, Terms
from concentrator.uplink.payload import Message


class Link:
    """Welcomed, felled and left by the test."""

    def __init__(self, log):
        self.log = log
        self.welcome = Deferred(lambda _: log.append("aborted"))
        self.gone = Deferred()

    def say_goodbye(self):
        self.log.append("goodbye said")


class House:
    def __init__(self, way="open"):
        self.clock = Clock()
        self.log = []
        self.way = way
        self.links = []
        road = Road(
            endpoint=self,
            hello=Hello("box", Message("t", b"")),
            clock=self.clock,
            backoff=Backoff(lambda: 0.0),
            patience_s=20.0,
            on_there=lambda link, terms: self.log.append("there"),
            on_away=lambda why: self.log.append(why),
            on_goodbye=lambda: self.log.append("goodbye"),
            on_ended=lambda: self.log.append("ended"),
        )
        self.connection = connection_on(road)

    def connect(self, factory):
        self.log.append(self.clock.seconds())
        if self.way == "open":
            self.links.append(Link(self.log))
            return succeed(self.links[-1])
        return Deferred(lambda _: self.log.append("cancelled")) if self.way == "silent" else fail(ConnectError())

    def welcome(self):
        self.links[-1].welcome.callback(Terms())

    def pump(self, seconds):
        self.clock.pump([1] * seconds)


def test_it_is_there_when_the_broker_has_welcomed_us():
    house = House()
    house.connection.begin()
    house.pump(19)
    assert house.log == [0]
    house.welcome()
    assert house.log == [0, "there"]
    assert not house.clock.getDelayedCalls()


@pytest.mark.parametrize(("way", "given_up"), [("open", "aborted"), ("silent", "cancelled")])
def test_silence_before_or_after_the_connection_is_given_up_under_one_deadline(way, given_up):
    house = House(way)
    house.connection.begin()
    house.pump(21)
    assert house.log == [0, given_up, "no welcome within 20 s", 21]


def test_a_refusal_by_the_broker_is_told_in_its_words():
    house = House()
    house.connection.begin()
    house.links[0].welcome.errback(TryLater("the broker refused the session: Not authorized"))
    assert house.log == [0, "the broker refused the session: Not authorized"]


def test_attempts_go_on_for_ever_with_growing_rests():
    house = House("refused")
    house.connection.begin()
    house.pump(125)
    assert [entry for entry in house.log if isinstance(entry, float)] == [0, 1, 3, 7, 15, 31, 61, 91, 121]


def test_a_connection_that_falls_soon_makes_longer_rests_and_a_steady_one_the_shortest():
    house = House()
    house.connection.begin()
    for _ in range(3):
        house.welcome()
        house.links[-1].gone.callback("fell")
        house.pump(4)
    house.welcome()
    house.pump(30)
    house.links[-1].gone.callback("fell")
    house.pump(1)
    moments = [entry for entry in house.log if isinstance(entry, float)]
    assert moments == [0, 1, 4 + 2, 8 + 4, 12 + 30 + 1]


@pytest.mark.parametrize(
    ("way", "seconds", "log"),
    [
        ("open", 0, [0, "aborted", "ended"]),
        ("silent", 0, [0, "cancelled", "ended"]),
        ("refused", 0, [0, "An error occurred while connecting", "ended"]),
    ],
)
def test_it_ends_at_once_where_nobody_has_to_be_greeted(way, seconds, log):
    house = House(way)
    house.connection.begin()
    house.pump(seconds)
    house.connection.end()
    assert house.log == log
    assert not house.clock.getDelayedCalls()


def test_it_ends_with_a_goodbye_and_when_the_connection_has_ended():
    house = House()
    house.connection.begin()
    house.welcome()
    house.connection.end()
    house.connection.end()
    assert house.log == [0, "there", "goodbye", "goodbye said"]
    house.links[0].gone.callback("Normal disconnection")
    assert house.log[4:] == ["ended"]
    assert not house.clock.getDelayedCalls()


def test_whoever_hears_of_it_may_end_it_at_once():
    house = House()
    house.connection.begin()
    house.log = Ending(house)
    house.welcome()
    house.links[0].gone.callback("fell")
    assert house.log[-1] == "ended"
    assert not house.clock.getDelayedCalls()


class Ending(list):
    """A log whose reader ends the connection at the first word."""

    def __init__(self, house):
        super().__init__()
        self.house = house

    def append(self, entry):
        super().append(entry)
        if len(self) == 1:
            self.house.connection.end()


def test_it_can_begin_again_with_short_rests():
    house = House("refused")
    house.connection.begin()
    house.pump(10)
    house.connection.end()
    begun = house.clock.seconds()
    house.connection.begin()
    house.pump(1)
    assert [entry for entry in house.log if isinstance(entry, float)][-2:] == [begun, begun + 1]
    house.connection.end()
    house.connection.end()
    assert house.log[-2:] == ["ended", "ended"]
