"""A Line on a simulated bus in virtual time: the simulator's bus and meters behind an endpoint, and a clock that goes
from event to event, so that minutes on the wire take seconds."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from concentrator.line.line import Line
from concentrator.profile.load import load_profile
from concentrator.sim.bus import Bus, Faults, Wire
from concentrator.sim.field import Field
from concentrator.sim.meter import ccm_meters
from concentrator.wire.conversation import LineSettings
from concentrator.wire.modbus import rtu_silence_s

NOON = 1_795_000_000.0
CCM = load_profile(Path(__file__).parents[2] / "plugins" / "energycm" / "ccm.toml", "energycm/ccm")


class VirtualBus:
    """An endpoint whose far end is a simulated bus with CcMs at the addresses from 1 on. `heard` are the exchanges as
    they were on the wire; `now` is the wall clock."""

    def __init__(self, meters: int, wire: Wire | None = None, faults: Faults | None = None) -> None:
        self.clock = Clock()
        self.clock.advance(1000.0)
        self.wire = wire or Wire()
        self.field = Field(ccm_meters(CCM, meters, "virtual bus", NOON))
        self.heard = []
        self.bus = Bus(self.wire, faults or Faults(), self._answers, self.heard.append)
        self.protocol = None
        self._timer = None
        self._arrived = b""

    def _answers(self, frame: bytes) -> list[bytes]:
        return self.field.replies(frame, self.now())

    def now(self) -> float:
        return NOON + self.clock.seconds()

    def is_trusted(self) -> bool:
        return True

    def line(self, **options) -> Line:
        """An open line on this bus."""
        settings: LineSettings = self.wire.settings
        line = Line("native", self, self.clock, settings.character_s, rtu_silence_s(settings), **options)
        line.start()
        return line

    def connect(self, factory):
        self.protocol = factory.buildProtocol(None)
        bus = self

        class Transport(StringTransport):
            def write(self, data: bytes) -> None:
                bus.bus.take(data, bus.clock.seconds())
                bus._expect_bytes()

            def resumeProducing(self) -> None:  # noqa: N802
                super().resumeProducing()
                bus._timer = bus._timer or bus.clock.callLater(0, bus._turn)

            def loseConnection(self) -> None:  # noqa: N802
                bus.lose()

        self.transport = Transport()
        self.protocol.makeConnection(self.transport)
        return succeed(self.protocol)

    def lose(self) -> None:
        """The port goes away."""
        self.protocol.connectionLost(Failure(ConnectionLost("unplugged")))

    def run(self, seconds: float) -> None:
        """Lets time pass, from event to event."""
        end = self.clock.seconds() + seconds
        while self.clock.calls and self.clock.calls[0].getTime() <= end:
            self.clock.advance(max(self.clock.calls[0].getTime() - self.clock.seconds(), 0.0))
        self.clock.advance(max(end - self.clock.seconds(), 0.0))

    def stop(self, line: Line) -> Deferred[None]:
        """Closes the line and sees that no timer but the bus's own is left."""
        stopped = line.stop()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        assert self.clock.getDelayedCalls() == []
        return stopped

    def _expect_bytes(self) -> None:
        """Sees to it that the bus is asked again when something comes out of it."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        moment = self.bus.wake_at()
        if moment is not None:
            self._timer = self.clock.callLater(max(moment - self.clock.seconds(), 0.0), self._turn)

    def _turn(self) -> None:
        self._timer = None
        self._arrived += self.bus.give(self.clock.seconds() + 1e-9)
        if self._arrived and self.transport.producerState == "producing":
            arrived, self._arrived = self._arrived, b""
            self.protocol.dataReceived(arrived)
        if self._timer is None:
            self._expect_bytes()
