"""A bus of simulated meters in virtual time: the far end of a line is the bus model, driven by the test's clock; and
a scene for link mode on it, with everything around it recorded in one list."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from concentrator.dialect.modbus_link import CcmLink
from concentrator.line.line import Line
from concentrator.model.errors import Busy
from concentrator.poll.addresses import Addresses
from concentrator.poll.link_mode import LinkMode
from concentrator.profile.catalogue import Catalogue
from concentrator.sim.bus import Bus, Faults, Wire
from concentrator.sim.exchange import Exchange
from concentrator.sim.meter import CcmMeter, ccm_meters, unlinked_meters
from concentrator.wire.conversation import LineSettings
from concentrator.wire.modbus import rtu_silence_s

SETTINGS = LineSettings(9600)
CCM = Catalogue().get("energycm/ccm")
LINK_ID = 247


class _Port(StringTransport):
    def __init__(self, bus: LinkBus) -> None:
        super().__init__()
        self._bus = bus

    def write(self, data: bytes) -> None:
        self._bus.written(self, data)

    def resumeProducing(self) -> None:  # noqa: N802
        super().resumeProducing()
        self._bus.clock.callLater(0, self._bus.hand_over)

    def loseConnection(self) -> None:  # noqa: N802
        self._bus.unplug()


class LinkBus:
    """The endpoint of a line and, behind it, the meters. `exchanges` is what was on the wire, `frames` the requests;
    `before` is called with each of them before the meters hear it, `is_deaf` says which they do not hear, `is_mute`
    which they answer and nobody hears it."""

    def __init__(self, clock: Clock, meters: Iterable[CcmMeter], **faults: float) -> None:
        self.clock = clock
        self.meters = list(meters)
        self.exchanges: list[Exchange] = []
        self.frames: list[bytes] = []
        self.before: Callable[[bytes], None] = lambda frame: None
        self.is_deaf: Callable[[bytes], bool] = lambda frame: False
        self.is_mute: Callable[[bytes], bool] = lambda frame: False
        self.is_plugged = True
        self.bus = Bus(Wire(SETTINGS), Faults(**faults), self._heard, self.exchanges.append)
        self._given = b""
        self._protocol = None
        self._port: _Port | None = None
        self._timer: IDelayedCall | None = None

    def connect(self, factory) -> Deferred:
        if not self.is_plugged:
            return fail(ConnectionLost("unplugged"))
        self._protocol = factory.buildProtocol(None)
        self._port, self._given = _Port(self), b""
        self._protocol.makeConnection(self._port)
        self._wake()
        return succeed(self._protocol)

    def unplug(self) -> None:
        """The adapter is pulled out."""
        self.is_plugged = False
        protocol = self.let_go()
        if protocol is not None:
            protocol.connectionLost(Failure(ConnectionLost("unplugged")))

    def let_go(self):
        """Whoever held the port is gone without a word."""
        protocol, self._protocol, self._port = self._protocol, None, None
        return protocol

    def plug(self) -> None:
        """The adapter is there again."""
        self.is_plugged = True

    def written(self, port: _Port, data: bytes) -> None:
        """The master says something."""
        if port is self._port:
            self.bus.take(data, self.clock.seconds())
            self._wake()

    def hand_over(self) -> None:
        """Gives the line what has come, where it looks."""
        if self._given and self._port is not None and self._port.producerState == "producing":
            given, self._given = self._given, b""
            self._protocol.dataReceived(given)

    def asked(self, unit: int, function: int) -> list[bytes]:
        """The requests of one kind so far."""
        return [frame for frame in self.frames if frame[:2] == bytes((unit, function))]

    def _heard(self, frame: bytes) -> list[bytes]:
        self.frames.append(frame)
        self.before(frame)
        if self.is_deaf(frame):
            return []
        at = self.clock.seconds()
        replies = [reply for reply in (meter.reply(frame, at) for meter in self.meters) if reply is not None]
        return [] if self.is_mute(frame) else replies

    def _wake(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        moment = self.bus.wake_at()
        if moment is not None:
            self._timer = self.clock.callLater(max(0.0, moment - self.clock.seconds()) + 1e-6, self._come_by)

    def _come_by(self) -> None:
        self._given += self.bus.give(self.clock.seconds())
        self.hand_over()
        self._wake()


class Crash(Exception):
    """The concentrator's power fails here."""


class Scene:
    """Meters, a line, and link mode of a concentrator that can lose its power. `told` records, in order, everything
    said to the neighbours; `kept` is the journal on its disk; `devices` what it has configured: ID → serial;
    `keeping` is called around every change of the journal, with "before" and "after"."""

    def __init__(self, linked: int = 1, unlinked: int = 2, limit: int = 32, **faults: float) -> None:
        self.clock = clock = Clock()
        clock.advance(1_000_000.0)
        self.limit = limit
        known = ccm_meters(CCM, linked, "scene", clock.seconds())
        self.new = unlinked_meters(CCM, unlinked, "scene", clock.seconds(), after=linked)
        self.bus = LinkBus(clock, [*known, *self.new], **faults)
        self.devices = {meter.unit: meter.serial for meter in known}
        self.kept = "{}"
        self.told: list[tuple] = []
        self.keeping: Callable[[str], None] = lambda when: None
        self.adding: Callable[[str], None] = lambda serial: None
        self.is_busy = self._is_crashed = False
        self.boot()

    def boot(self) -> None:
        """The program starts, with what is on the disk."""
        self.line = Line("native", self.bus, self.clock, SETTINGS.character_s, rtu_silence_s(SETTINGS))
        self.line.start()
        self.addresses = Addresses.from_json(json.loads(self.kept), self._keep)
        self.mode = LinkMode(
            self.line,
            self.clock,
            CcmLink(CCM),
            self.addresses,
            suspend=self._suspend,
            go_on=lambda: self.told.append(("go on",)),
            report=self.report,
            linked=self._linked,
            taken=lambda: dict(self.devices),
            limit=self.limit,
        )
        self.mode.recover()

    def crash(self) -> None:
        """The program is gone from here on, with everything it had not kept; it starts again a second later."""
        self._is_crashed = True
        self.bus.let_go()

    def run(self, seconds: float) -> None:
        """Lets time pass, from one thing that happens to the next."""
        end = self.clock.seconds() + seconds
        self._run(end, lambda: False)
        self.clock.advance(max(0.0, end - self.clock.seconds()))

    def run_until(self, is_so: Callable[[], bool], within: float = 120.0) -> None:
        """Lets time pass until something is so, which it must be within some seconds."""
        self._run(self.clock.seconds() + within, is_so)
        assert is_so(), self.told

    def _run(self, end: float, is_so: Callable[[], bool]) -> None:
        while not is_so():
            if self._is_crashed:
                self._start_again()
            moments = [call.getTime() for call in self.clock.getDelayedCalls()]
            if not moments or min(moments) > end:
                return
            self.clock.advance(max(0.0, min(moments) - self.clock.seconds()))

    def _start_again(self) -> None:
        for call in list(self.clock.getDelayedCalls()):
            call.cancel()
        self._is_crashed = False
        self.told.append(("crash",))
        self.clock.callLater(1.0, self.boot)

    def press(self, *meters: CcmMeter) -> None:
        """Buttons are pressed at once."""
        for meter in meters:
            meter.press(self.clock.seconds())

    def link(self, *meters: CcmMeter) -> None:
        """Buttons are pressed one after the other, each as soon as the one before was seen to."""
        for meter in meters:
            self.press(meter)
            count = len(self._linked_so_far(meter)) + 1
            self.run_until(lambda meter=meter, count=count: len(self._linked_so_far(meter)) >= count)
            self.run_until(lambda: self.mode.status().state == "looking")

    def _linked_so_far(self, meter: CcmMeter) -> list[tuple]:
        return [told for told in self.told if told[:2] == ("linked", meter.serial)]

    def found(self) -> dict[str, int]:
        """The meters linked this time."""
        return {each.serial: each.unit for each in self.mode.status().found}

    def events(self) -> list[tuple]:
        """What was reported, without what the neighbours were asked."""
        return [told for told in self.told if "." in told[0]]

    def end(self) -> None:
        """Everything is stopped; nothing may be left to come."""
        self.mode.close()
        self.run(10)
        self.line.stop()
        self.bus.unplug()
        self.run(1)
        assert self.clock.getDelayedCalls() == []

    def assert_every_id_is_one_meters(self) -> None:
        """No two meters have one ID, but for those that never were given one, and each is where the journal has it."""
        given = [meter.unit for meter in self.bus.meters if meter.unit != 1]
        assert len(given) == len(set(given)), given
        at = {meter.serial: meter.unit for meter in self.bus.meters}
        assert {serial: at[serial] for serial in self.addresses.done()} == self.addresses.done()

    # -- the neighbours

    def _keep(self, journal: Mapping[str, Mapping[str, object]]) -> None:
        self._unless_crashed()
        self.keeping("before")
        self._unless_crashed()
        self.kept = json.dumps(journal)
        self.keeping("after")
        self._unless_crashed()

    def _unless_crashed(self) -> None:
        if self._is_crashed:
            raise Crash

    def _suspend(self, reason: str) -> Deferred[None]:
        self.told.append(("suspend", reason))
        return fail(Busy("a scan")) if self.is_busy else succeed(None)

    def _linked(self, serial: str, unit: int) -> None:
        self._unless_crashed()
        self.adding(serial)
        self._unless_crashed()
        self.told.append(("linked", serial, unit))
        self.devices = {at: its for at, its in self.devices.items() if its != serial} | {unit: serial}

    def report(self, name: str, facts: Mapping[str, object]) -> None:
        """Something happened."""
        if not self._is_crashed:
            self.told.append((name, facts.get("serial"), facts.get("unit")))
