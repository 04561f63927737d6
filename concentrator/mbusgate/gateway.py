"""The transparent gateway of one line: one client at a time has the raw wire, between the line's own conversations.
Hides how a client, the line's lease and the box's own reading take turns; in which order is `life`'s.

Three rules keep answers from going astray. The box's own sessions and a client's are never mixed: the wire is lent when
nobody can answer an earlier request any more. Nor are those of two clients: who comes after another one has the wire
when that one's last question is answered, or cannot be any more. And what a client says while it has not got the wire
waits a twentieth of a second at most, and is dropped then (`passage`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.actions.gateways import GatewayState
from concentrator.line.alarm import Alarm
from concentrator.line.lease import Lease
from concentrator.line.line import Line
from concentrator.line.turns import STRAY_PAUSE_S
from concentrator.mbusgate.client import Client
from concentrator.mbusgate.doorman import Doorman, Opening
from concentrator.mbusgate.life import LINGERING, WAITING, Life, life_of
from concentrator.mbusgate.passage import Passage
from concentrator.mbusgate.statistics import Statistics, serial_as_shown
from concentrator.mbusgate.talk import Talk
from concentrator.mbusgate.terms import ABANDONED_S, LINGER_S, QUEUE_MOST, SILENCE_S, Polling, Terms
from concentrator.model.errors import Busy, LineLost

_DRAIN_S = 60.0  # how long a client that says no more may take to listen, where it has no other limit
_GLANCE_S = 0.25  # how often is looked whether all has gone out

log = Logger()


@define(eq=False)
class Gateway:
    """A gateway, from `start` to `stop`."""

    name: str
    line: Line
    _terms: Terms
    _openings: Sequence[Opening]
    _polling: Polling
    _clock: IReactorTime
    statistics: Statistics = field(factory=Statistics, init=False)
    standing: str = field(default=WAITING, init=False)
    _doorman: Doorman = field(init=False)
    _life: Life = field(init=False)
    _passage: Passage | None = field(default=None, init=False)
    _queue: deque[Client] = field(factory=deque, init=False)
    _lease: Lease | None = field(default=None, init=False)
    _asked: Deferred[Lease] | None = field(default=None, init=False)
    _since: float | None = field(default=None, init=False)
    _settled_at: float = field(default=0.0, init=False)
    _idle: Alarm = field(init=False)
    _next: Alarm = field(init=False)
    _trouble: str = field(default="", init=False)

    def __attrs_post_init__(self) -> None:
        terms = self._terms
        self._doorman = Doorman(
            self._openings, terms.networks, terms.keepalive_s, self._clock, self._came, self._was_denied
        )
        self._life = life_of(self)
        self._idle, self._next = Alarm(self._clock), Alarm(self._clock)

    def start(self) -> None:
        """Begins to listen."""
        self._doorman.start()

    def stop(self) -> Deferred[Any]:
        """Lets clients go and gives the line back; fires when nothing listens any more."""
        stopped = self._doorman.stop()
        for client in self._queue:
            client.close()
        self._queue.clear()
        self._life.end()
        self._idle.close()
        self._next.close()
        return stopped

    def disconnect(self) -> None:
        """Lets the client go, if there is one."""
        if self._passage is not None:
            self._life.client_left()

    def state(self) -> GatewayState:
        """What people see of it."""
        counted, passage = self.statistics, self._passage
        return GatewayState(
            self.name,
            self.line.name,
            self._doorman.listening(),
            self.standing,
            passage.client.address if passage is not None else "",
            len(self._queue),
            self._doorman.trouble or self._trouble,
            self._terms.as_shown(),
            counted.as_shown(self._connected_s()),
            serial_as_shown(*self.line.port_state(), (counted.from_serial, counted.from_network)),
        )

    # -- clients

    def _came(self, client: Client) -> None:
        if self.standing in (WAITING, LINGERING):
            self._life.client_came(client)
        elif self._terms.is_queueing and len(self._queue) < QUEUE_MOST:
            self._queue.append(client)
            client.on_left = lambda: self._queue.remove(client)
            client.pause()
        else:
            self.statistics.dropped_accepts += 1
            client.close()

    def _was_denied(self) -> None:
        self.statistics.denied += 1
        self.statistics.dropped_accepts += 1

    def _next_client(self) -> None:
        if self._queue:
            client = self._queue.popleft()
            client.go_on()
            self._life.client_came(client)

    def _connected_s(self) -> float:
        """Seconds that clients were connected, the one that is there now among them."""
        now_s = self._clock.seconds() - self._since if self._since is not None else 0.0
        return self.statistics.connection_time_s + now_s

    # -- the steps of its life

    def show(self, standing: str) -> None:
        """How it stands, for people."""
        self.standing = standing

    def greet(self, client: Client) -> None:
        """This is the client now; own reading stands aside."""
        self._next.off()
        self._trouble = ""
        client.on_ended, client.on_left = self._life.client_ended, self._life.client_left
        self._passage = Passage(
            client,
            self._clock,
            self.statistics,
            lambda: self.line.character_s,
            self._life.client_spoke,
            self._terms.is_framed,
            self._terms.addresses,
            Talk() if self._terms.is_shared else None,
        )
        self._expect_more()
        if not self._terms.is_shared and not self._polling.suspended:
            self._polling.suspend(self._reason).addErrback(lambda failure: failure.trap(Busy))

    def ask(self) -> None:
        """Asks for the wire, where it has not been kept."""
        if self._lease is not None:
            self._hand_over(self._lease)
            return
        self._asked = self.line.lease(lambda _: None, self._lost)
        self._asked.addCallbacks(self._lent, self._not_lent)

    def _hand_over(self, lease: Lease) -> None:
        """Gives the wire that was kept to the next client, once nobody answers the one before any more."""
        lease.take()
        if self._settled_at <= self._clock.seconds():
            self._life.lent(lease)
        else:
            self._next.set(self._settled_at, lambda: self._hand_over(lease))

    def begin(self, lease: Lease) -> None:
        """Joins the client to the wire."""
        passage = self._passage
        assert passage is not None
        if self._since is None:
            self._since = self._clock.seconds()
            self.statistics.completed_accepts += 1
            log.info("{gateway}: {client} is connected", gateway=self.name, client=passage.client.address)
        lease.on_bytes = passage.line_said
        passage.begin(lease)
        if passage.client.has_ended:
            self._life.client_ended()
        elif self._terms.is_shared:
            self._watch_silence()

    def stand_aside(self) -> None:
        """Gives the wire back; the client stays."""
        self._next.off()
        if self._passage is not None:
            self._passage.end()
            self._passage.client.go_on()  # the line may not have taken what it said, and is to hear it again
        self._release()

    def drain(self) -> None:
        """Waits until all is said."""
        self._watch_draining()

    def dismiss(self) -> None:
        """Lets the client go."""
        self._idle.off()
        self._next.off()
        passage, self._passage = self._passage, None
        if self._lease is not None:
            if passage is not None and passage.has_wire:
                self._settled_at = passage.settled_at(self.line.ceiling_s)
            self._lease.on_bytes = self._left_over
            self._lease.forget_unsent()
            self._lease.take()  # what was left on the wire for this client is not the next one's
            self._lease.look()
        if passage is None:
            return
        passage.end()
        passage.client.close()
        if self._since is None:
            self.statistics.dropped_accepts += 1
        else:
            self.statistics.disconnects += 1
            self.statistics.connection_time_s = self._connected_s()
            self._since = None
            log.info("{gateway}: {client} is gone", gateway=self.name, client=passage.client.address)

    def linger(self) -> None:
        """Waits a little with the wire."""
        wait_s = SILENCE_S if self._terms.is_shared else LINGER_S
        self._next.set(self._clock.seconds() + wait_s, self._life.rested)
        self._next_client()

    def give_back(self) -> None:
        """Gives the wire back, or asks for it no more; own reading goes on."""
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.cancel()
        self._release()
        if self._polling.suspended == self._reason:
            self._polling.go_on()
        self._next_client()

    # -- the line

    @property
    def _reason(self) -> str:
        return f"a client of the M-Bus gateway {self.name} has the line"

    def _lent(self, lease: Lease) -> None:
        self._asked, self._lease = None, lease
        self._life.lent(lease)

    def _not_lent(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        self._asked = None
        if not failure.check(LineLost):
            log.failure("{gateway}: the line could not be had", failure, gateway=self.name)
        self._trouble = failure.getErrorMessage()
        self._life.line_lost()

    def _lost(self) -> None:
        self._lease = None
        self._trouble = f"{self.line.name}: {self.line.trouble}"
        self._life.line_lost()

    def _left_over(self, _: bytes) -> None:
        """The line answers somebody who has gone."""
        self._settled_at = max(self._settled_at, self._clock.seconds() + STRAY_PAUSE_S)

    def _release(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            if self._settled_at > self._clock.seconds():
                lease.is_answered = False
            lease.release()

    # -- time

    def _expect_more(self) -> None:
        """Who neither says nor hears anything for too long is let go."""
        limit_s = self._terms.disconnect_s
        if limit_s:
            self._at(self._idle, lambda passage: passage.moved_at + limit_s, self._life.client_left)

    def _watch_silence(self) -> None:
        def silent_at(passage: Passage) -> float:
            if passage.talk is None or not passage.talk.is_in_the_middle:
                return passage.moved_at + SILENCE_S
            # It may be through with that before, and has been silent then for as long as it has.
            return min(passage.moved_at + ABANDONED_S, self._clock.seconds() + _GLANCE_S)

        self._at(self._next, silent_at, self._life.fell_silent)

    def _watch_draining(self) -> None:
        if not self._terms.disconnect_s:
            self._at(self._idle, lambda passage: passage.moved_at + _DRAIN_S, self._life.client_left)
        glance_until = self._clock.seconds() + _GLANCE_S
        self._at(self._next, lambda passage: min(passage.done_at(), glance_until), self._watched_draining)

    def _watched_draining(self) -> None:
        if self._passage is not None and self._passage.done_at() <= self._clock.seconds():
            self._life.all_said()
        else:
            self._watch_draining()

    def _at(self, alarm: Alarm, moment: Callable[[Passage], float], happen: Callable[[], None]) -> None:
        """Has something happen at a moment of the passage's that may move on until it comes."""

        def came() -> None:
            passage = self._passage
            if passage is not None:
                at = moment(passage)
                if at <= self._clock.seconds():
                    happen()
                else:
                    alarm.set(at, came)

        came()
