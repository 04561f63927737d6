"""A box with a genset and its cloud session as the program wires them, in virtual time: a real field whose line is a
simulated bus, the real session, and a played SmartGen cloud server behind the endpoints."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import fail, succeed
from twisted.internet.error import ConnectionRefusedError

from concentrator.api import Happened
from concentrator.app import wires
from concentrator.app.clouds import Clouds
from concentrator.app.config import load_checked
from concentrator.app.field import Field
from concentrator.app.ways import Around
from concentrator.dialect.modbus import dialects
from concentrator.hub.hub import Hub
from concentrator.hub.latest import Latest
from concentrator.model.errors import Denied
from concentrator.sim.bus import Wire
from concentrator.sim.smartgen_cloud import CloudServer
from concentrator.system.identity import DeviceBook
from concentrator.wire.smartgen_fields import Frame
from tests.support.virtual_bus import NOON, VirtualBus

SERIAL = "4426110001"
CONFIG = """
[box]
state_dir = "state"
plugin_dirs = []

[line.native]
endpoint = "serial:/dev/null"
role = "external"

[device.gen]
line = "native"
profile = "energycm/ccm"
address = 1

[smartgen.one]
device = "gen"
server = "tcp:cm.example:81"
"""


class Link:
    """One connection between a session and the played server, as the session's transport. Segments take 10 ms."""

    def __init__(self, box, place, protocol):
        self.box, self.place, self.protocol = box, place, protocol
        self.talk = box.server.talk()
        self.is_open, self.is_aborted = True, False

    def write(self, segment):
        assert self.is_open
        self.box.sent += len(segment)
        self.box.clock.callLater(0.01, self._arrived, segment)

    def _arrived(self, segment):
        if not self.is_aborted:  # what was said before the connection was closed still arrives
            self.say(self.talk.heard(segment))

    def say(self, segments):
        """The server says that."""
        for segment in segments:
            if self.is_open:
                self.protocol.dataReceived(segment)

    def loseConnection(self):  # noqa: N802
        if self.is_open:
            self.is_open = False
            self.box.links.remove(self)
            self.protocol.connectionLost()

    def abortConnection(self):  # noqa: N802
        self.is_aborted = True
        self.loseConnection()


@define(eq=False)
class Front:
    """The front of a box: what its inputs are for, and how often a remote command was shown."""

    active: set = field(factory=set)
    commanded: int = 0

    def is_active(self, function):
        return function in self.active

    def remote_commanded(self):
        self.commanded += 1


class CloudBox:
    """The box. `run(seconds)` lets time pass; `events` are those told, `asked` the actions that were asked for, `away`
    the places that are not reached."""

    def __init__(self, folder, server=None, text=CONFIG, meters=1, wired="native"):
        self.wired = wired
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.file = folder / "ccmaster.toml"
        self.file.write_text(text)
        self.config, self.catalogue = load_checked(self.file)
        (folder / "state").mkdir(exist_ok=True)
        self.bus = VirtualBus(meters, Wire(fifo=32))  # as USB adapters hand bytes over
        self.clock = self.bus.clock
        self.server = server or CloudServer()
        self.front, self.wall = Front(), self.bus
        self.news = Hub(lambda happened: happened.name)
        self.events, self.asked, self.links, self.away, self.sent = [], [], [], set(), 0
        self.clocks_set = []
        self.reply = lambda arguments: fail(Denied("allow_raw of gen is false"))
        self.field = field_on(self, self.config)
        around = Around(
            self.field,
            self.front,
            self.clock,
            self.wall,
            self.report,
            self.news.subscribe,
            self.ask,
            SERIAL,
            folder / "state",
        )
        self.clouds = Clouds(around, self.reach, lambda seconds: not self.clocks_set.append(seconds))

    def report(self, name, facts):
        self.events.append((name, dict(facts)))

    def happened(self, name, **facts):
        """Something happens in the box."""
        self.news.publish(Happened(1, self.wall.now(), name, facts))

    def ask(self, action, arguments, caller):
        self.asked.append((action, dict(arguments), caller.name))
        return self.reply(arguments) if action == "modbus.raw" else succeed({})

    def reach(self, section, host, port):
        box = self

        class Endpoint:
            def connect(self, factory):
                if (host, port) in box.away:
                    return fail(ConnectionRefusedError())
                protocol = factory.buildProtocol(None)
                link = Link(box, (host, port), protocol)
                box.links.append(link)
                protocol.makeConnection(link)
                return succeed(protocol)

        return Endpoint()

    def start(self):
        """The field and the sessions begin."""
        self.field.start()
        self.clouds.start(self.config)

    def run(self, seconds):
        self.bus.run(seconds)

    def stop(self):
        """Everything ends; nothing is left."""
        self.clouds.stop()
        assert self.links == []
        self.run(20.0)  # what was on its way
        stopped = self.field.stop()
        self.run(5.0)  # the exchange that was under way
        assert stopped.called
        if self.bus._timer is not None and self.bus._timer.active():
            self.bus._timer.cancel()
        assert [str(call) for call in self.clock.getDelayedCalls()] == []

    @property
    def link(self):
        """The long connection."""
        (link,) = [each for each in self.links if each.talk.hostid]
        return link

    def state(self, name="one"):
        """What people see of a session."""
        return next(each for each in self.clouds.states() if each.name == name)

    def now(self):
        return NOON + self.clock.seconds()


def field_on(box, config):
    """The field of a configuration one of whose lines is the box's bus, and whose other lines are dead ends."""
    section_side = wires.FieldSide(
        box.clock,
        box.clock,
        box.wall,
        lambda reading: hub.publish(reading),
        box.report,
        lambda uid, values: "",
        lambda uid, name: None,
        spoken=dialects(),
    )
    hub = Hub(lambda reading: reading.uid)
    made = Field(DeviceBook(config.box.state_dir), hub, Latest(), box.clock, box.wall, box.report)
    for name, section in config.lines.items():
        wire = wires.build_wire(name, section, section_side)
        wire.line.endpoint = box.bus if name == box.wired else _Nowhere()
        made._wires[name] = wire
    for uid, section in config.devices.items():
        made.put(made.made(section.device(uid), box.catalogue.get(section.profile)))
    return made


class _Nowhere:
    def connect(self, factory):
        return fail(ConnectionRefusedError())


def raw(hex_):
    """A request without its checksum, as a whole frame."""
    request = bytes.fromhex(hex_)
    return Frame(request[0], request[1:])
