"""The MQTT uplink on a clock, against a broker played byte by byte."""

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from concentrator.model.errors import TryLater
from concentrator.uplink.mqtt import MqttUplink
from concentrator.uplink.payload import Voice
from tests.support.records import NOW, FixedWall, batch, interval

CONNACK = b"\x20\x02\x00\x00"


class Transport(StringTransport):
    """Dies a little after it was told to."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock
        self.protocol = None

    def abortConnection(self):  # noqa: N802
        self.clock.callLater(0, self.fall)

    loseConnection = abortConnection  # noqa: N815

    def fall(self):
        protocol, self.protocol = self.protocol, None
        if protocol is not None:
            protocol.connectionLost(Failure(ConnectionDone()))


class Door:
    """An endpoint that is open, refused or silent."""

    def __init__(self, clock, way):
        self.clock = clock
        self.way = way
        self.transport = None

    def connect(self, factory):
        if self.way == "silent":
            return Deferred()
        if self.way == "refused":
            failed = Deferred()
            failed.errback(ConnectError(string="refused"))
            return failed
        protocol = factory.buildProtocol(None)
        self.transport = Transport(self.clock)
        self.transport.protocol = protocol
        protocol.makeConnection(self.transport)
        return succeed(protocol)

    def welcome(self):
        self.clock.advance(0)
        self.transport.clear()
        self.transport.protocol.dataReceived(CONNACK)
        self.clock.advance(0)


class House:
    def __init__(self, way="open"):
        self.clock = Clock()
        self.door = Door(self.clock, way)
        self.wall = FixedWall()
        self.uplink = MqttUplink(
            endpoint=self.door,
            address="mqtt://broker:1883",
            voice=Voice("/srv", "42"),
            alias={"main": "Main"}.get,
            clock=self.clock,
            wall=self.wall,
            jitter=lambda: 0.0,
            software="1.0",
        )
        self.uplink.start()

    def trouble(self):
        return self.uplink.standing().trouble

    def stop(self):
        stopped = []
        self.uplink.stop().addCallback(stopped.append)
        self.clock.pump([0] * 5)
        assert stopped == [None]
        assert not self.clock.getDelayedCalls()


def test_it_is_up_when_the_broker_has_welcomed_it_and_not_before():
    house = House()
    ready = []
    house.uplink.when_ready().addCallback(ready.append)
    house.clock.advance(1)
    assert (ready, house.uplink.standing().is_up) == ([], False)
    house.door.welcome()
    assert ready == [None]
    assert house.uplink.standing().is_up
    assert house.uplink.standing().since == NOW
    house.stop()


def test_the_birth_is_the_first_thing_said_and_the_last_word_comes_before_goodbye():
    house = House()
    house.door.welcome()
    birth = b'/srv/42/status\x00\x01{"state":"online","v":1,"version":"1.0","ts":"2026-11-28T10:15:00Z"}'
    assert birth in house.door.transport.value()
    transport = house.door.transport
    transport.clear()
    house.stop()
    assert transport.value() == b'\x31\x23\x00\x0e/srv/42/status{"state":"offline"}\xe0\x00'


def test_sending_to_a_broker_that_is_away_fails_with_its_address_and_why():
    house = House("refused")
    failed = []
    house.uplink.send(batch(interval(1))).addErrback(lambda failure: failed.append(failure.value))
    assert isinstance(failed[0], TryLater)
    assert failed[0].detail.startswith("mqtt://broker:1883: ")
    assert "refused" in failed[0].detail
    house.stop()


def test_a_batch_in_flight_when_the_session_falls_is_kept_and_named():
    house = House()
    house.door.welcome()
    failed = []
    house.uplink.send(batch(interval(1), interval(2))).addErrback(lambda failure: failed.append(failure.value))
    house.clock.advance(0)
    house.door.transport.protocol.dataReceived(b"\x40\x02\x00\x02")  # 1 is the birth's
    house.door.transport.fall()
    assert (failed[0].receipt.accepted, failed[0].in_flight) == ({1}, {2})
    assert not house.uplink.standing().is_up
    house.stop()


def test_a_device_without_an_alias_and_an_old_record_are_said_so():
    house = House()
    house.door.welcome()
    house.wall.at = NOW + 60
    house.uplink.send(batch(interval(1))).addErrback(lambda _: None)
    house.clock.advance(0)
    assert b'"alias":"Main"' in house.door.transport.value()
    assert b'"backfill":true' in house.door.transport.value()
    house.stop()


def test_it_can_be_stopped_at_any_moment():
    for way, steps in ("silent", 1), ("refused", 1), ("open", 1), ("open", 0), ("silent", 30), ("refused", 100):
        house = House(way)
        house.clock.pump([1] * steps)
        house.stop()


def test_stopping_before_starting_is_nothing():
    house = House()
    house.stop()
    house.stop()
