"""Short messages without a modem and without a genset: a simulated modem on a test clock, a genset that does as it is
told, and a messenger between them."""

from __future__ import annotations

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from concentrator.model.errors import LineLost, NotConfirmed
from concentrator.model.genset import Alarm, GensetStatus, Mode
from concentrator.sms.alarms import AlarmTerms
from concentrator.sms.at_sms import AtSms
from concentrator.sms.desk import DeskTerms
from concentrator.sms.detail import ITEMS
from concentrator.sms.messenger import Around, Messenger, MessengerTerms

KNOWN, OTHER, STRANGER = "861366666666", "4366412345678", "+15550001111"
NOW = 1_800_000_000.0
STEP_S = 0.05


class Wall:
    """UTC that goes with a test clock."""

    def __init__(self, clock):
        self.clock = clock
        self.trusted = True

    def now(self):
        return NOW + self.clock.seconds()

    def is_trusted(self):
        return self.trusted


class ModemPort:
    """An endpoint with a simulated modem at its far end."""

    def __init__(self, clock, modem):
        self.clock, self.modem = clock, modem
        self.protocol = None
        self.is_there = True
        self.opened = 0

    def connect(self, factory):
        if not self.is_there:
            return fail(LineLost("/dev/ttyUSB2: the port is not there"))
        self.opened += 1
        port = self
        self.protocol = factory.buildProtocol(None)

        class Transport(StringTransport):
            def write(self, data):
                port.modem.take(data, port.clock.seconds())

            def loseConnection(self):  # noqa: N802
                port.clock.callLater(0, port.unplug)

        self.protocol.makeConnection(Transport())
        return succeed(self.protocol)

    def unplug(self):
        """The port is gone from under the program."""
        protocol, self.protocol = self.protocol, None
        if protocol is not None:
            protocol.connectionLost(Failure(ConnectionLost()))

    def run(self, seconds):
        """Lets time pass in small steps."""
        for _ in range(round(seconds / STEP_S)):
            self.clock.advance(STEP_S)
            said = self.modem.give(self.clock.seconds())
            if said and self.protocol is not None:
                self.protocol.dataReceived(said)


@define(eq=False)
class Genset:
    """A genset whose controller does as it is told, unless it `refuses`; `asked` is what it was told, and by whom."""

    how: GensetStatus = field(factory=lambda: GensetStatus(mode=Mode.MANUAL, is_running=False, alarm=Alarm.NONE))
    refuses: bool = False
    is_slow: bool = False
    asked: list = field(factory=list)
    waiting: list = field(factory=list)

    def status(self, who):
        if self.is_slow:
            self.waiting.append(Deferred())
            return self.waiting[-1]
        return succeed(self.how)

    def command(self, command, who):
        self.asked.append((command, who))
        if self.refuses:
            return fail(NotConfirmed("the mode did not follow"))
        if command == "start":
            self.how = evolve(self.how, is_running=True)
        else:
            self.how = evolve(self.how, mode=Mode(command))
        return succeed(None)


class Scene:
    """A messenger, its modem and its genset; `events` is what it has told."""

    def __init__(self, clock, modem, genset=None, alarms=None, per_hour=20, obeys=True, items=ITEMS):
        self.clock, self.modem = clock, modem
        self.genset = Genset() if genset is None else genset
        self.port = ModemPort(clock, modem)
        self.wall = Wall(clock)
        self.events = []
        modem.wall_s = NOW
        terms = MessengerTerms(
            "main",
            "at",
            (KNOWN, OTHER),
            AlarmTerms("gen") if alarms is None else alarms,
            DeskTerms((KNOWN, OTHER), obeys, items, per_hour),
        )
        around = Around(clock, self.wall, lambda *event: self.events.append(event), lambda uid: f"Genset {uid}")
        self.messenger = Messenger(
            terms, around, self.genset, lambda ears: AtSms(self.port, clock, ears, wants_reports=True)
        )

    def start(self, seconds=10.0):
        self.messenger.start()
        self.port.run(seconds)
        return self

    def stop(self):
        self.messenger.stop()
        self.port.run(1.0)

    def say(self, text, sender=f"+{KNOWN}", wait_s=10.0, **options):
        """Somebody writes; gives what was answered until after a while."""
        before = len(self.modem.sent)
        self.modem.receive(sender, text, self.clock.seconds(), **options)
        self.port.run(wait_s)
        return [(sent.number, sent.text) for sent in self.modem.sent[before:]]

    def told(self, name):
        """The facts of every event of a name."""
        return [facts for event, facts in self.events if event == name]
