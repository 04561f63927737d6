"""A line: the only owner of a wire, with two doors on one lock. `run` holds the wire for one conversation, `lease`
for a tunnel. It hides one request in flight, the silence between frames, late and stray bytes, who may jump the queue,
how long anyone may hold the wire, losing and reopening it, and the books kept about all that.

A late answer is never taken for the next request's: after an exchange that went unanswered, a request of the same
shape to the same station waits until the ceiling has passed; other stations go first meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from attrs import define, field
from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from concentrator.line.exchange import Delivery, Exchange, Outcome
from concentrator.line.statistics import Counters
from concentrator.line.trace import Trace, Traced
from concentrator.line.turns import Hold, Turns
from concentrator.model.errors import Cancelled, ConcentratorError, LineLost, NoReply, Unexpected
from concentrator.wire.conversation import Conversation, Transaction

CEILING_S = 1.0
"""How late an answer may still come, in seconds after its request; of a device that is given longer to answer, twice
that time."""
HOLD_CAP_S = 60.0
"""The longest one conversation may hold the wire."""
REOPEN_MAX_S = 2.0

log = Logger()


class _Wire(Protocol):
    """The transport's end of a line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def connectionMade(self) -> None:  # noqa: N802
        self._line._opened(self.transport)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        self._line._bytes_received(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        self._line._closed(reason.getErrorMessage())


@define(eq=False)
class Lease:
    """The raw wire, until it is released. `on_bytes` is called with everything that arrives; `on_lost` when the wire
    goes away, after which the lease is over."""

    _line: Line
    on_bytes: Callable[[bytes], None]
    on_lost: Callable[[], None]

    def write(self, data: bytes) -> None:
        """Sends bytes as they are; ignored once the lease is over."""
        self._line._leased_write(self, data)

    def release(self) -> None:
        """Gives the wire back."""
        self._line._released(self)


@define(eq=False)
class _Tunnel:
    """Somebody who waits for a lease."""

    lease: Lease
    result: Deferred[Lease]


@define(eq=False)
class Line:
    """One wire. `character_s` and `silence_s` are the seconds a character takes and the silence between frames, both
    0 where the transport is not serial; `on_change` is called when the line opens or closes."""

    name: str
    endpoint: IStreamClientEndpoint
    clock: IReactorTime
    character_s: float = 0.0
    silence_s: float = 0.0
    ceiling_s: float = CEILING_S
    on_change: Callable[[], None] = lambda: None
    counters: Counters = field(factory=Counters)
    trace: Trace = field(factory=Trace)
    trouble: str = field(default="it was not opened yet", init=False)
    _by_station: dict[Hashable, Counters] = field(factory=dict, init=False)
    _transport: Any = field(default=None, init=False)
    _service: ClientService | None = field(default=None, init=False)
    _turns: Turns = field(factory=Turns, init=False)
    _tunnels: list[_Tunnel] = field(factory=list, init=False)
    _holder: Hold | Lease | None = field(default=None, init=False)
    _exchange: Exchange | None = field(default=None, init=False)
    _delivery: Delivery = field(factory=Delivery, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _free_at: float = field(default=0.0, init=False)

    @property
    def is_open(self) -> bool:
        """Whether there is a wire now."""
        return self._transport is not None

    def start(self) -> None:
        """Opens the wire, now and whenever it was lost; never gives up."""
        factory = Factory.forProtocol(lambda: _Wire(self))  # type: ignore[arg-type]
        factory.noisy = False
        self._service = ClientService(
            _Telling(self.endpoint, self._failed_to_open),
            factory,
            retryPolicy=lambda attempt: min(0.25 * 2 ** min(attempt, 10), REOPEN_MAX_S),
            clock=self.clock,
        )
        self._service.startService()

    def stop(self) -> Deferred[None]:
        """Closes the wire; fires when it is closed. What waits or runs fails with LineLost."""
        service, self._service = self._service, None
        return succeed(None) if service is None else service.stopService()  # type: ignore[no-any-return]

    def run(self, station: Hashable, conversation: Conversation[Any], urgent: bool = False) -> Deferred[Any]:
        """Holds the wire for a conversation and fires with its result or what it raised. Fails with LineLost at once
        when there is no wire. An urgent one goes before all that are not. Cancelling gives the wire up."""
        if not self.is_open:
            conversation.close()
            return fail(LineLost(f"{self.name}: {self.trouble}"))
        hold = Hold(station, conversation, urgent)
        hold.result = Deferred(lambda _: self._cancel(hold))
        self._turns.join(hold)
        self._turn()
        return hold.result

    def lease(self, on_bytes: Callable[[bytes], None], on_lost: Callable[[], None]) -> Deferred[Lease]:
        """Fires with the raw wire when whoever holds it has finished; polling stands aside until it is released."""
        if not self.is_open:
            return fail(LineLost(f"{self.name}: {self.trouble}"))
        tunnel = _Tunnel(Lease(self, on_bytes, on_lost), Deferred(lambda _: self._tunnels.remove(tunnel)))
        self._tunnels.append(tunnel)
        self._turn()
        return tunnel.result

    def station_counters(self, station: Hashable) -> Counters:
        """The counters of one station."""
        return self._by_station.setdefault(station, Counters())

    # -- whose turn it is

    def _turn(self) -> None:
        if self._holder is not None or not self.is_open:
            return
        self._stop_timer()
        now = self.clock.seconds()
        if self._tunnels and not self._turns.is_urgent_waiting(now):
            tunnel = self._tunnels.pop(0)
            self._holder = tunnel.lease
            tunnel.result.callback(tunnel.lease)
            return
        hold = self._turns.take(now)
        if hold is not None:
            self._holder, hold.since = hold, now
            self._advance(hold, lambda: next(hold.conversation))
        elif (moment := self._turns.wake_at()) is not None:
            self._timer = self.clock.callLater(moment - now, self._turn)

    def _advance(self, hold: Hold, step: Callable[[], Transaction]) -> None:
        """Lets the conversation take one step, and gives the wire to the next when it was the last one."""
        try:
            transaction = step()
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
        self._turn()

    # -- one transaction

    def _when_free(self, hold: Hold, transaction: Transaction) -> None:
        """Sends the transaction as soon as the wire has been silent long enough."""
        now = self.clock.seconds()
        if now - hold.since > HOLD_CAP_S:
            self._throw(hold, Cancelled(f"it held {self.name} for more than {HOLD_CAP_S:.0f} s"))
            return
        if not self.is_open:
            self._throw(hold, LineLost(f"{self.name}: {self.trouble}"))
            return
        may_go = max(self._free_at, self._turns.clear_at(hold.station, transaction.shape or ()))
        if may_go > now:
            self._timer = self.clock.callLater(may_go - now, self._when_free, hold, transaction)
            return
        self._exchange = Exchange(
            self._transport,
            self.clock,
            transaction,
            self.character_s,
            self.silence_s,
            self._delivery,
            lambda outcome: self._exchanged(hold, transaction, outcome),
        )
        self._exchange.start()

    def _exchanged(self, hold: Hold, transaction: Transaction, outcome: Outcome) -> None:
        self._exchange = None
        self._free_at = outcome.ended + self.silence_s + transaction.quiet_s
        if isinstance(outcome.error, NoReply | Unexpected):
            owed_s = max(self.ceiling_s, 2 * transaction.wait_s)
            self._turns.unanswered(hold.station, transaction.shape, outcome.began + owed_s)
        elif not outcome.error:
            self._turns.answered(hold.station)
        verdict = str(outcome.error) if outcome.error else ""
        busy_s = outcome.ended - outcome.began
        for counters in (self.counters, self.station_counters(hold.station)):
            counters.count(len(transaction.request), len(outcome.received), busy_s, outcome.error)
        self.trace.keep(
            Traced(outcome.began, outcome.ended, hold.station, transaction.request, outcome.received, verdict)
        )
        if self._holder is not hold:
            return
        if outcome.error:
            self._throw(hold, outcome.error)
        else:
            self._advance(hold, lambda: hold.conversation.send(outcome.reply))

    def _throw(self, hold: Hold, error: ConcentratorError) -> None:
        self._advance(hold, lambda: hold.conversation.throw(error))

    def _cancel(self, hold: Hold) -> None:
        """Somebody gave up on a conversation; where it was using the wire, an answer may still come."""
        if hold is self._holder:
            self._stop_timer()
            if self._exchange is not None:
                self._exchange.abandon()
                self._exchange = None
                self._free_at = self.clock.seconds() + self.ceiling_s
            self._holder = None
        else:
            self._turns.leave(hold)
        hold.conversation.close()
        hold.result.errback(Failure(Cancelled("nobody wanted the answer any more")))
        self._turn()

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    # -- the transport's side

    def _opened(self, transport: Any) -> None:
        self._transport = transport
        self._delivery = Delivery()
        self.trouble = ""
        self.counters.opened += 1
        self._free_at = self.clock.seconds() + self.silence_s
        log.info("{line}: open", line=self.name)
        self.on_change()
        self._turn()

    def _failed_to_open(self, reason: str) -> None:
        if reason != self.trouble:
            log.warn("{line}: {reason}; waiting for it", line=self.name, reason=reason)
        self.trouble = reason

    def _closed(self, reason: str) -> None:
        self._transport = None
        self.trouble = f"it was closed: {reason}"
        if self._service is not None:
            log.warn("{line}: {reason}; reopening", line=self.name, reason=self.trouble)
        self._stop_timer()
        lost = Failure(LineLost(f"{self.name}: {self.trouble}"))
        waiting, tunnels = self._turns.clear(), self._tunnels
        self._tunnels = []
        holder = self._holder
        if isinstance(holder, Lease):
            self._holder = None
            holder.on_lost()
        elif self._exchange is not None:
            self._exchange.lost()
        elif holder is not None:
            self._throw(holder, LineLost(f"{self.name}: {self.trouble}"))
        for result in [*(hold.result for hold in waiting), *(tunnel.result for tunnel in tunnels)]:
            result.errback(lost)
        for hold in waiting:
            hold.conversation.close()
        self.on_change()

    def _bytes_received(self, data: bytes) -> None:
        if self._exchange is not None:
            self._exchange.bytes_received(data)
        elif isinstance(self._holder, Lease):
            self._holder.on_bytes(data)
        else:
            self.counters.late += len(data)
            self._free_at = max(self._free_at, self.clock.seconds() + self.silence_s)

    def _leased_write(self, lease: Lease, data: bytes) -> None:
        if self._holder is lease and self._transport is not None:
            self._transport.write(data)

    def _released(self, lease: Lease) -> None:
        if self._holder is lease:
            self._holder = None
            self._free_at = self.clock.seconds() + self.silence_s
            self._turn()


@implementer(IStreamClientEndpoint)
@define(eq=False)
class _Telling:
    """An endpoint that tells why connecting failed, which ClientService keeps to itself."""

    _endpoint: IStreamClientEndpoint
    _failed: Callable[[str], None]

    def connect(self, factory: Any) -> Deferred[Any]:
        def failed(failure: Failure) -> Failure:
            error = failure.value
            self._failed(error.detail if isinstance(error, LineLost) else str(error).rstrip("."))
            return failure

        return self._endpoint.connect(factory).addErrback(failed)
