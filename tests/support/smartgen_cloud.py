"""SmartGen cloud servers and a genset controller, played on a test clock: the servers take each segment as one message,
as strict ones do, and answer a little later."""

from __future__ import annotations

import json

from attrs import Factory, define
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock

from concentrator.genset.session import Session
from concentrator.genset.terms import Surroundings, Terms
from concentrator.model.errors import NoReply
from concentrator.wire.smartgen import Changes, FullSet, Heartbeat, Login, LongCon, Timing, from_device
from concentrator.wire.smartgen_fields import Frame, Wiring
from concentrator.wire.smartgen_server import Acknowledged, LoginAnswer, TimeTold

SERVER, LIVE, OTHER = ("cm.example", 81), ("live.example", 21318), ("other.example", 21318)
REGISTERS, COILS = Frame(1, bytes.fromhex("030000000A")), Frame(1, bytes.fromhex("0100000010"))
ONCE = Frame(1, bytes.fromhex("0300640002"))
ANSWER = LoginAnswer(live=LIVE, always=(REGISTERS, COILS), online_s=3.0, offline_s=3.0)
LOGIN = Login("383033313334510900560037", "Site", "123456", "HGM6120N")
DELAY_S = 0.05
_NAMES = {LongCon: "longcon", Heartbeat: "hb", FullSet: "reqdata", Changes: "reqdata"}


class Road:
    """One connection, as the transport of the modem's end."""

    def __init__(self, cloud, place, talk):
        self.cloud, self.place, self.talk = cloud, place, talk
        self.is_open = True

    def write(self, segment):
        assert self.is_open
        self.cloud.hear(self, segment)

    def say(self, order):
        """The server says that; it may be given as the bytes."""
        if self.is_open:
            self.talk.dataReceived(order if isinstance(order, bytes) else order.written())

    def loseConnection(self):  # noqa: N802
        if self.is_open:
            self.is_open = False
            self.cloud.roads.remove(self)
            self.talk.connectionLost()

    abortConnection = loseConnection  # noqa: N815


@define(eq=False)
class Cloud:
    """The servers at all places: what they answer, and what they `heard` as (time, place, message)."""

    clock: Clock
    answer: LoginAnswer = ANSWER
    away: set = Factory(set)
    is_silent: bool = False
    heard: list = Factory(list)
    roads: list = Factory(list)
    time_s: float = 1497811080.0

    def reach(self, host, port):
        """The endpoint of a server."""
        return _Endpoint(self, (host, port))

    def hear(self, road, segment):
        """A segment, which must be one message of strict JSON."""
        message = from_device(json.loads(segment))
        self.heard.append((self.clock.seconds(), road.place, message))
        if self.is_silent:
            return
        if isinstance(message, Login):
            self.clock.callLater(DELAY_S, road.say, self.answer)
        elif isinstance(message, Timing):
            self.clock.callLater(DELAY_S, road.say, TimeTold(self.time_s))
        elif type(message) in _NAMES:
            self.clock.callLater(DELAY_S, road.say, Acknowledged(_NAMES[type(message)]))

    def said(self, *kinds):
        """The messages of these kinds so far."""
        return [message for _, _, message in self.heard if isinstance(message, kinds)]

    def places(self, kind):
        """Where messages of a kind went, in order."""
        return [place for _, place, message in self.heard if isinstance(message, kind)]

    def times(self, kind):
        """When messages of a kind came."""
        return [when for when, _, message in self.heard if isinstance(message, kind)]


class _Endpoint:
    def __init__(self, cloud, place):
        self.cloud, self.place = cloud, place

    def connect(self, factory):
        if self.place in self.cloud.away:
            return fail(ConnectionRefusedError())
        talk = factory.buildProtocol(None)
        road = Road(self.cloud, self.place, talk)
        self.cloud.roads.append(road)
        talk.makeConnection(road)
        return succeed(talk)


@define(eq=False)
class Genset:
    """A controller with words and packed coils that answers 20 ms later, or not at all."""

    clock: Clock
    words: list = Factory(lambda: list(range(200)))
    coils: bytearray = Factory(lambda: bytearray(25))
    is_silent: bool = False
    asked: list = Factory(list)
    wiring: Wiring = Factory(Wiring)

    def ask(self, request):
        """See Controller."""
        self.asked.append(request)
        answer = Deferred()
        if self.is_silent:
            self.clock.callLater(1.0, lambda: answer.called or answer.errback(NoReply()))
        else:
            self.clock.callLater(0.02, lambda: answer.called or answer.callback(self._reply(request)))
        return answer

    def _reply(self, request):
        if not request.is_reading:
            return request.pdu[:5]
        if request.function == 1:
            content = bytes(self.coils[request.address // 8 : (request.address + request.count + 7) // 8])
        else:
            content = b"".join(
                each.to_bytes(2) for each in self.words[request.address : request.address + request.count]
            )
        return bytes((request.function, len(content))) + content

    def rewire(self, wiring):
        """There is no LINK here."""
        if wiring.port != 1:
            self.wiring = wiring

    @property
    def writes(self):
        """What was written."""
        return [each for each in self.asked if not each.is_reading]


@define(eq=False)
class Scene:
    """A session between a controller and the servers; `standing` and `times` are what it told."""

    clock: Clock
    cloud: Cloud
    genset: Genset
    session: Session
    standing: list
    times: list

    def run(self, seconds, step_s=0.25):
        """Lets time pass."""
        self.clock.pump([step_s] * round(seconds / step_s))

    @property
    def road(self):
        """The one connection there is."""
        (road,) = self.cloud.roads
        return road


def scene(clock, answer=ANSWER, **terms):
    """A session that has not begun."""
    cloud, genset, standing, times = Cloud(clock, answer), Genset(clock), [], []
    around = Surroundings(clock, cloud.reach, lambda: 0.0, times.append, standing.append)
    session = Session(Terms(LOGIN, SERVER, **terms), genset, around)
    return Scene(clock, cloud, genset, session, standing, times)
