"""The life of a connection to a broker, as a machine. It hides reaching the broker, its silence, and coming back.

    stopped --begin--> reaching --welcomed--> there --fell--> resting --rested--> reaching
                          |                     |                |
                          +--failed--> resting  +--end--+        +--end--> stopped
                          |                             |
                          +--end--> leaving <-----------+
                                       |
                                       +--failed, fell--> stopped

*Reaching* lasts from looking up the name until the broker has welcomed us, under one deadline: names, TLS and brokers
may be silent for ever. *Resting* takes longer after each failure in a row; only a connection that was steady for a
while makes the next rest a short one again, so that two boxes which throw each other out with one client id get slower
and slower. *Leaving* ends when the connection has ended, or the attempt. Inputs that come while another is at work wait
for it (Automat's promise), so whoever is told something may answer at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

from attrs import define, field
from automat import TypeMachineBuilder
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from concentrator.model.errors import TryLater
from concentrator.uplink.backoff import Backoff
from concentrator.uplink.broker_endpoint import spoken
from concentrator.uplink.paho_link import Hello, PahoLink, Terms

STEADY_S = 30.0
"""A connection that lasted this long was steady."""


class Connection(Protocol):
    """What can happen to a connection."""

    def begin(self) -> None:
        """Connect, and stay connected."""

    def welcomed(self, link: PahoLink, terms: Terms) -> None:
        """The broker has us."""

    def failed(self, why: str) -> None:
        """The broker was not reached."""

    def fell(self, why: str) -> None:
        """The connection is gone."""

    def rested(self) -> None:
        """The rest is over."""

    def end(self) -> None:
        """Say goodbye and stay away."""


@define(eq=False)
class Road:
    """What a connection needs: the `endpoint` of the broker and what to say to it, the clock, how long an attempt may
    take in seconds; and who hears that the broker welcomed us, that it is away and why (in words; when we are not
    leaving), that we are about to say goodbye, and that all has ended."""

    endpoint: IStreamClientEndpoint
    hello: Hello
    clock: IReactorTime
    backoff: Backoff
    patience_s: float
    on_there: Callable[[PahoLink, Terms], None]
    on_away: Callable[[str], None]
    on_goodbye: Callable[[], None]
    on_ended: Callable[[], None]
    attempt: Deferred[Any] = field(init=False, factory=Deferred)
    link: PahoLink | None = field(init=False, default=None)
    there_since: float = field(init=False, default=0.0)
    rest: IDelayedCall | None = field(init=False, default=None)

    async def reach(self) -> tuple[PahoLink, Terms]:
        """The link, and the terms the broker welcomed us with."""
        reaching = self.endpoint.connect(Factory.forProtocol(lambda: PahoLink(self.hello, self.clock)))
        link = cast(PahoLink, await reaching)
        return link, await link.welcome


_machine = TypeMachineBuilder(Connection, Road)
_stopped = _machine.state("stopped")
_reaching = _machine.state("reaching")
_there = _machine.state("there")
_resting = _machine.state("resting")
_leaving = _machine.state("leaving")


@_stopped.upon(Connection.begin).to(_reaching)
def _begin(connection: Connection, road: Road) -> None:
    road.backoff.reset()
    _reach(connection, road)


@_resting.upon(Connection.rested).to(_reaching)
def _reach(connection: Connection, road: Road) -> None:
    def gave_up(outcome: Any, patience_s: float) -> Any:
        raise TryLater(f"no welcome within {patience_s:g} s")

    def failed(failure: Failure) -> None:
        why = failure.value
        connection.failed(why.detail if isinstance(why, TryLater) else spoken(failure))

    road.attempt = Deferred.fromCoroutine(road.reach()).addTimeout(road.patience_s, road.clock, gave_up)
    road.attempt.addCallbacks(lambda reached: connection.welcomed(*reached), failed)


@_reaching.upon(Connection.welcomed).to(_there)
def _meet(connection: Connection, road: Road, link: PahoLink, terms: Terms) -> None:
    road.link = link
    road.there_since = road.clock.seconds()
    link.gone.addCallback(connection.fell)
    road.on_there(link, terms)


@_there.upon(Connection.fell).to(_resting)
def _lose(connection: Connection, road: Road, why: str) -> None:
    if road.clock.seconds() - road.there_since >= STEADY_S:
        road.backoff.reset()
    _rest(connection, road, why)


@_reaching.upon(Connection.failed).to(_resting)
def _rest(connection: Connection, road: Road, why: str) -> None:
    road.rest = road.clock.callLater(road.backoff.pause_s(), connection.rested)
    road.on_away(why)


@_reaching.upon(Connection.end).to(_leaving)
def _give_up(connection: Connection, road: Road) -> None:
    road.attempt.cancel()


@_there.upon(Connection.end).to(_leaving)
def _say_goodbye(connection: Connection, road: Road) -> None:
    road.on_goodbye()
    if road.link is not None:
        road.link.say_goodbye()


@_resting.upon(Connection.end).to(_stopped)
def _rest_no_more(connection: Connection, road: Road) -> None:
    if road.rest is not None:
        road.rest.cancel()
    road.on_ended()


@_leaving.upon(Connection.failed).to(_stopped)
@_leaving.upon(Connection.fell).to(_stopped)
def _ended(connection: Connection, road: Road, why: str) -> None:
    road.on_ended()


@_leaving.upon(Connection.welcomed).loop()
def _too_late(connection: Connection, road: Road, link: PahoLink, terms: Terms) -> None:
    link.gone.addCallback(connection.fell)
    link.say_goodbye()


@_stopped.upon(Connection.end).loop()
def _is_ended(connection: Connection, road: Road) -> None:
    road.on_ended()


_leaving.upon(Connection.end).loop().returns(None)

connection_on = _machine.build()
"""`connection_on(road)` gives a stopped connection."""
