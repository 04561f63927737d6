"""A line: the only owner of a wire, with two doors on one lock. `run` holds the wire for one conversation, `lease`
for a tunnel. It hides one request in flight, the silence between frames, late and stray bytes, who may jump the queue,
how long anyone may hold the wire, losing and reopening it, and the books kept about all that.

A late answer is never taken for the next request's: after an exchange that went unanswered, a request of the same
shape to the same station waits until the ceiling has passed; other stations go first meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.line.alarm import Alarm
from concentrator.line.arrivals import Arrivals
from concentrator.line.books import Books
from concentrator.line.driver import DriverCounts
from concentrator.line.echo import Echo
from concentrator.line.exchange import Exchange
from concentrator.line.lease import Lease, Tunnel
from concentrator.line.looking import Looking
from concentrator.line.reopen import Reopening
from concentrator.line.speed import Speed
from concentrator.line.statistics import Counters
from concentrator.line.trace import Trace
from concentrator.line.turns import Hold, Turns
from concentrator.line.wire_end import WireEnd
from concentrator.model.errors import Cancelled, ConcentratorError, Garbled, LineLost, NoReply, Unexpected
from concentrator.wire.conversation import Conversation, LineSettings, Transaction

CEILING_S = 1.0
"""How late an answer may come after its request, in seconds, or twice the time it is given, where that is longer."""
HOLD_CAP_S, HOLD_CAP_CHARACTERS = 60.0, 6000
"""The longest one conversation may hold the wire: so long, or as that many characters take where they take longer."""
_LONG_S = 0.02  # a wait in which late bytes had better be seen as they come

log = Logger()


@define(eq=False, repr=False)
class Line:
    """One wire. `character_s` and `silence_s` are the seconds a character takes and the silence between frames, both
    0 where the transport is not serial; `on_change` is called when the line opens or closes; `arrivals`: where one of
    many network lines is looked at. Stations are told apart by what `run` is given: their address on the wire."""

    name: str
    endpoint: IStreamClientEndpoint
    clock: IReactorTime
    character_s: float = 0.0
    silence_s: float = 0.0
    ceiling_s: float = CEILING_S
    on_change: Callable[[], None] = lambda: None
    arrivals: Arrivals | None = None
    trouble: str = field(default="it was not opened yet", init=False)
    _books: Books = field(init=False)
    _reopening: Reopening | None = field(default=None, init=False)
    _wire: WireEnd | None = field(default=None, init=False)
    _turns: Turns = field(factory=Turns, init=False)
    _tunnels: list[Tunnel] = field(factory=list, init=False)
    _holder: Hold | Lease | None = field(default=None, init=False)
    _asking: tuple[Hold, Transaction] | None = field(default=None, init=False)
    _looking: Looking | None = field(init=False)
    _echo: Echo = field(factory=Echo, init=False)
    _alarm: Alarm = field(init=False)
    _exchange: Exchange = field(init=False)
    _free_at: float = field(default=0.0, init=False)
    _speed: Speed = field(factory=Speed, init=False)

    def __attrs_post_init__(self) -> None:
        self._books = Books(is_timed=self.character_s > 0)
        self._looking = Looking(self.character_s) if self.character_s else None
        self._alarm = Alarm(self.clock)
        self._exchange = Exchange(self.clock, self._alarm, self._looking, self._exchanged)

    @property
    def is_open(self) -> bool:
        """Whether there is a wire now."""
        return self._wire is not None

    def start(self) -> None:
        """Opens the wire, now and whenever it was lost; never gives up."""

        def wire_end() -> WireEnd:
            return WireEnd(self._opened, self._bytes_received, self._closed, self.arrivals)

        self._reopening = Reopening(self.endpoint, wire_end, self._failed_to_open, self.clock)

    def stop(self) -> Deferred[None]:
        """Closes the wire; fires when it is closed. What waits or runs fails with LineLost."""
        reopening, self._reopening = self._reopening, None
        return succeed(None) if reopening is None else reopening.stop()

    def run(self, station: Hashable, conversation: Conversation[Any], urgent: bool = False) -> Deferred[Any]:
        """Holds the wire for a conversation and fires with its result or what it raised. Fails with LineLost at once
        when there is no wire. An urgent one goes before all that are not. Cancelling gives the wire up."""
        if self._wire is None:
            conversation.close()
            return fail(LineLost(f"{self.name}: {self.trouble}"))
        hold = Hold(station, conversation, urgent)
        hold.result = Deferred(self._cancelled)
        if self._holder is None and self._turns.is_idle and not self._tunnels:
            self._begin(hold, self.clock.seconds())
        else:
            self._turns.join(hold)
            self._turn()
        return hold.result

    def lease(self, on_bytes: Callable[[bytes], None], on_lost: Callable[[], None]) -> Deferred[Lease]:
        """Fires with the raw wire when whoever holds it has finished, the wire was silent, and nobody can answer an
        earlier request any more; polling stands aside until it is released."""
        if self._wire is None:
            return fail(LineLost(f"{self.name}: {self.trouble}"))
        lease = Lease(on_bytes, on_lost, self._released)
        tunnel = Tunnel(lease, Deferred(lambda _: self._tunnels.remove(tunnel)))
        self._tunnels.append(tunnel)
        self._turn()
        return tunnel.result

    def set_speed(self, settings: LineSettings, silence_s: float) -> None:
        """Another speed of a serial port, and the silence between frames that goes with it, from now on, or from when
        the conversation that holds the wire is over. It stays when the port is opened anew."""
        self._speed.ask_for(settings, silence_s)
        if self._wire is not None and not isinstance(self._holder, Hold):
            self._take_up_speed(self._wire)

    def port_state(self) -> tuple[DriverCounts | None, tuple[int, int]]:
        """What a serial port's driver has counted (None: it does not), and the bytes it holds, unread and unsent."""
        wire = self._wire
        return (wire.driver_counts(), wire.queued()) if wire else (None, (0, 0))

    @property
    def counters(self) -> Counters:
        """What was counted on the line, all stations together."""
        return self._books.counters()

    def station_counters(self, station: Hashable) -> Counters:
        """The counters of one station."""
        return self._books.counters_of(station)

    def stations(self) -> Mapping[Hashable, Counters]:
        """The counters of every station that was asked."""
        return self._books.stations()

    def utilisation(self) -> float:
        """Which share of the last minute, or of the time since it was opened, the wire was used: 0 to 1."""
        return self._books.utilisation(self.clock.seconds())

    @property
    def trace(self) -> Trace:
        """The last exchanges."""
        return self._books.trace()

    def clear_at(self, station: Hashable) -> float:
        """Until when (clock seconds) a station may still answer an earlier request, and is not asked again."""
        return self._turns.clear_at(station)

    # -- whose turn it is

    def _turn(self) -> None:
        if self._holder is not None or self._wire is None:
            return
        now = self.clock.seconds()
        moment: float | None
        if self._tunnels and not self._turns.is_urgent_waiting(now):
            self._wire.take()
            moment = max(self._free_at, self._turns.all_clear_at())
            if moment <= now:
                self._lend(self._wire)
                return
        else:
            hold = self._turns.take(now)
            if hold is not None:
                self._begin(hold, now)
                return
            moment = self._turns.wake_at()
        self._wire.look()
        if moment is not None:
            self._alarm.set(moment, self._turn)

    def _begin(self, hold: Hold, now: float) -> None:
        self._holder, hold.since = hold, now
        if self._speed.is_due and self._wire is not None:
            self._take_up_speed(self._wire)
        self._advance(hold, hold.conversation.send, None)

    def _advance(self, hold: Hold, step: Callable[[Any], Transaction], given: Any) -> None:
        """Lets the conversation take one step, and gives the wire to the next when it was the last one."""
        try:
            transaction = step(given)
        except StopIteration as ended:
            self._over(hold, ended.value)
        except ConcentratorError as error:
            self._over(hold, Failure(error))
        except Exception:  # a dialect's own fault must not take the line down with it
            log.failure("{line}: the conversation with {station} broke", line=self.name, station=hold.station)
            self._over(hold, Failure())
        else:
            self._when_free(hold, transaction)

    def _over(self, hold: Hold, result: Any) -> None:
        self._holder = None
        hold.result.callback(result)
        if self._holder is None:
            self._turn()

    # -- one transaction

    def _ask(self) -> None:
        if self._asking is not None:
            self._when_free(*self._asking)

    def _when_free(self, hold: Hold, transaction: Transaction) -> None:
        """Sends the transaction as soon as the wire has been silent long enough."""
        self._asking = None
        wire, now = self._wire, self.clock.seconds()
        if wire is None:
            self._advance(hold, hold.conversation.throw, LineLost(f"{self.name}: {self.trouble}"))
            return
        if now - hold.since > (cap_s := max(HOLD_CAP_S, HOLD_CAP_CHARACTERS * self.character_s)):
            error = Cancelled(f"it held {self.name} for more than {cap_s:.0f} s")
            self._advance(hold, hold.conversation.throw, error)
            return
        may_go = self._free_at
        if not self._turns.is_idle:
            may_go = max(may_go, self._turns.clear_at(hold.station, transaction.shape or ()))
        if may_go <= now and not wire.is_looking:
            wire.take()  # what nobody waited for must not be taken for the answer
            may_go = max(may_go, self._free_at)
        if may_go > now:
            self._asking = (hold, transaction)
            if may_go - now > _LONG_S:
                wire.look()
            self._alarm.set(may_go, self._ask)
            return
        self._exchange.begin(now, wire, self._echo, transaction, self._books.known(hold.station).pace)

    def _exchanged(self, reply: Any, error: ConcentratorError | None, ended: float) -> None:
        hold, exchange = self._holder, self._exchange
        assert isinstance(hold, Hold)
        began, transaction, station = exchange.began, exchange.transaction, hold.station
        if self.silence_s or transaction.quiet_s:
            self._free_at = self._turns.after(station, transaction, ended + self.silence_s)
        if error is None:
            self._turns.answered(station)
        elif isinstance(error, NoReply | Unexpected | Garbled):
            shape = None if isinstance(error, Garbled) else transaction.shape
            self._turns.unanswered(station, shape, exchange.owed_until(self.ceiling_s))
        self._books.exchanged(
            station, began, ended, transaction.request, exchange.received, error, exchange.turnaround_s
        )
        if error is None:
            self._advance(hold, hold.conversation.send, reply)
        else:
            self._advance(hold, hold.conversation.throw, error)

    def _cancelled(self, result: Deferred[Any]) -> None:
        """Somebody gave up on a conversation; where it was using the wire, an answer may still come."""
        holder = self._holder
        if isinstance(holder, Hold) and holder.result is result:
            hold = holder
            if self._exchange.is_on:
                self._exchange.abandon()
                self._free_at = max(self.clock.seconds() + self.ceiling_s, self._exchange.owed_until(self.ceiling_s))
            self._asking = None
            self._holder = None
        else:
            hold = self._turns.give_up(result)
        hold.conversation.close()
        hold.result.errback(Failure(Cancelled("nobody wanted the answer any more")))
        self._turn()

    # -- the wire

    def _opened(self, wire: WireEnd) -> None:
        now = self.clock.seconds()
        self._wire = wire
        self._speed.reopened()
        self._take_up_speed(wire)
        self._echo = Echo()
        if self._looking is not None:
            self._looking.opened()
        self.trouble = ""
        self._books.opened(now)
        self._free_at = now + self.silence_s
        log.info("{line}: open", line=self.name)
        self.on_change()
        self._turn()

    def _failed_to_open(self, reason: str) -> None:
        if reason != self.trouble:
            log.warn("{line}: {reason}; waiting for it", line=self.name, reason=reason)
        self.trouble = reason

    def _closed(self, reason: str) -> None:
        self._wire = None
        self.trouble = f"it was closed: {reason}"
        if self._reopening is not None:
            log.warn("{line}: {reason}; reopening", line=self.name, reason=self.trouble)
        waiting, tunnels, self._tunnels = self._turns.clear(), self._tunnels, []
        holder = self._holder
        if isinstance(holder, Lease):
            self._holder = None
            holder.lost()
        elif self._exchange.is_on:
            self._exchange.lost()
        else:
            self._ask()
        self._alarm.close()
        for result in [*(hold.result for hold in waiting), *(tunnel.result for tunnel in tunnels)]:
            result.errback(Failure(LineLost(f"{self.name}: {self.trouble}")))
        for hold in waiting:
            hold.conversation.close()
        self.on_change()

    def _bytes_received(self, data: bytes) -> None:
        if self._exchange.is_on:
            self._exchange.bytes_received(data)
        elif isinstance(self._holder, Lease):
            self._holder.received(data)
        elif stray := self._echo.strays(data):  # an answer that comes late, or noise
            now = self.clock.seconds()
            self._books.strayed(now, len(stray), self._turns.debtor(now))
            self._free_at = max(self._free_at, now + self.silence_s)
            self._turns.strayed(now)

    # -- leases

    def _lend(self, wire: WireEnd) -> None:
        self._take_up_speed(wire)
        tunnel = self._tunnels.pop(0)
        self._holder = tunnel.lease
        tunnel.lease.begin(wire)
        tunnel.result.callback(tunnel.lease)

    def _released(self, lease: Lease) -> None:
        if self._holder is lease:
            self._holder = None
            lease.end()
            self._free_at = self.clock.seconds() + (self.silence_s if lease.is_answered else self.ceiling_s)
            self._turn()

    def _take_up_speed(self, wire: WireEnd) -> None:
        if self._speed.is_due:
            self.character_s, self.silence_s = self._speed.take_up(wire, self._looking)
