"""concentrator.app.locating: the place is asked of ModemManager's program, else of gpsd; neither need be there."""

import json
from types import SimpleNamespace

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import ProcessTerminated
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import capturedLogs
from twisted.python.failure import Failure

from concentrator.app.locating import PATIENCE_S as ASKED_S
from concentrator.app.locating import Locator, Receivers
from concentrator.system.program import Program
from concentrator.wire.location import Fix

PATIENCE_S = 30
GPS = {"longitude": "11.5", "latitude": "48.25", "altitude": "500", "nmea": ["$GPGGA,1,2,3,4,5,1,07,9"]}


def program(folder, text, status=0, on=reactor):
    path = folder / "mmcli"
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {status}\n")
    path.chmod(0o755)
    return Program(on, str(path), {"PATH": "/usr/bin:/bin"}, "mmcli", "ModemManager")


class Hanging(MemoryReactorClock):
    """A machine whose programs do not end before they are killed."""

    def spawnProcess(self, running, *_, **__):  # noqa: N802
        def killed(signal):
            self.signals.append(signal)
            running.processEnded(Failure(ProcessTerminated(signal=9)))

        self.signals = []
        running.makeConnection(SimpleNamespace(signalProcess=killed))


class Gpsd(Protocol):
    def dataReceived(self, data):  # noqa: N802
        self.factory.asked.append(data)
        place = {"class": "TPV", "mode": 3, "lat": 1.5, "lon": 2.5, "altMSL": 9}
        for report in ({"class": "DEVICES"}, {"class": "TPV", "mode": 1}, place):
            self.transport.write(json.dumps(report).encode() + b"\n")

    def connectionLost(self, reason):  # noqa: N802
        self.factory.gone.callback(None)


@pytest_twisted.ensureDeferred
async def test_the_mobile_modem_is_asked_by_its_program(tmp_path):
    said = json.dumps({"modem": {"location": {"gps": GPS}}})
    assert await Receivers(reactor, program(tmp_path, said), 1).ask() == Fix(11.5, 48.25, 500.0, 7)


@pytest.mark.parametrize(("said", "status"), [("error: no modem", 1), ("no JSON", 0), ("{}", 0)])
@pytest_twisted.ensureDeferred
async def test_where_it_says_nothing_of_use_there_is_no_place(tmp_path, said, status):
    assert await Receivers(reactor, program(tmp_path, said, status), 1).ask() is None


@pytest_twisted.ensureDeferred
async def test_a_receiver_is_asked_where_there_is_no_such_program():
    factory = Factory.forProtocol(Gpsd)
    factory.asked, factory.gone = [], Deferred()
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
    found = await Receivers(reactor, Program(reactor, None, {}, "mmcli", "x"), port.getHost().port).ask()
    assert found == Fix(2.5, 1.5, 9.0)
    assert factory.asked == [b'?WATCH={"enable":true,"json":true};\n']
    await factory.gone.addTimeout(PATIENCE_S, reactor)
    await port.stopListening()


def test_a_program_that_never_ends_and_a_receiver_that_says_nothing_are_given_up(tmp_path):
    virtual, transport, found = Hanging(), StringTransport(), []
    asked = Deferred.fromCoroutine(Receivers(virtual, program(tmp_path, "", on=virtual)).ask())
    asked.addCallback(found.append)
    virtual.advance(ASKED_S)
    assert virtual.signals == ["KILL"]
    (gpsd,) = virtual.tcpClients
    gpsd[2].buildProtocol(None).makeConnection(transport)
    virtual.advance(ASKED_S - 1)
    assert (found, transport.disconnecting) == ([], False)
    virtual.advance(1)
    assert (found, transport.disconnecting) == ([None], True)
    assert virtual.getDelayedCalls() == []


def test_who_ends_while_he_asks_says_nothing_of_it(clock):
    class Slow:
        async def ask(self):
            await Deferred()

    locator = Locator(clock, Slow())
    with capturedLogs() as logged:
        locator.start()
        locator.stop()
    assert logged == []
    assert clock.getDelayedCalls() == []


class Told:
    """Receivers that know one place after the other."""

    def __init__(self, clock, *places):
        self.clock, self.places, self.asked_at = clock, list(places), []

    async def ask(self):
        self.asked_at.append(self.clock.seconds())
        return self.places.pop(0) if self.places else None


def test_it_asks_often_until_it_knows_and_then_seldom(clock):
    receivers = Told(clock, None, None, Fix(1.0, 2.0))
    locator = Locator(clock, receivers)
    locator.start()
    locator.start()
    clock.pump([10.0] * 200)
    locator.stop()
    assert receivers.asked_at == [0.0, 60.0, 120.0, 720.0, 1320.0, 1920.0]
    assert locator.fix == Fix(1.0, 2.0)
    assert clock.getDelayedCalls() == []


def test_a_receiver_that_wanders_a_little_has_not_moved(clock):
    moved = []
    locator = Locator(
        clock, Told(clock, Fix(1.0, 2.0), Fix(1.0015, 2.0), Fix(1.003, 2.0)), lambda: moved.append(locator.fix)
    )
    locator.start()
    clock.advance(600)
    clock.advance(600)
    locator.stop()
    assert moved == [Fix(1.0, 2.0), Fix(1.003, 2.0)]
