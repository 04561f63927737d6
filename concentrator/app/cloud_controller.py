"""A genset's controller as its cloud session sees it, on a line of the box. Hides that much of what a server wants read
was read a moment ago, that what it wants written goes the way of every other order, and that a controller which is
silent must not take the line from its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from concentrator.actions.table import Caller, Permission
from concentrator.app.cloud_ports import LinePorts
from concentrator.app.field import Field, Known
from concentrator.dialect.modbus import ModbusStation
from concentrator.genset.gain import Gain
from concentrator.model.errors import Busy, ConcentratorError, LineError, NoReply, Refused, WireError
from concentrator.model.profile import Function
from concentrator.poll.writes import Allowance
from concentrator.wire.modbus import READ_CODE, read
from concentrator.wire.smartgen_fields import Frame, Wiring

LOST_S = 30.0
"""After how long a silence a controller is looked for elsewhere."""
REST_TIMES, LONGEST_REST_S = 4, 30.0
"""What a request without an answer took of the line is left to others so many times over, and more with each in a row;
at most so long."""
SILENCES = 3
"""After so many requests in a row without an answer the controller rests as a whole, else that request alone."""
WRITES, WRITES_PER_S = 5, 1.0
"""How much a server may have written at once, and in the long run."""
PROBES = 2
PROBE_S = 1.0
_RESTED = 64
"""Requests that rest at a time."""

Ask = Callable[[str, Mapping[str, object], Caller], Deferred[Any]]

_FUNCTIONS = {code: function for function, code in READ_CODE.items()}


@define(eq=False, repr=False)
class LineController:
    """The controller of one session: see `genset.terms.Controller`. `unit` is its Modbus ID as the session knows it:
    when it is given another one, its session need not know. What was read less than `fresh_s` ago is not read again.
    `on_command(request, why)` hears what became of what the server wanted written: why it was not, empty where it was;
    `on_found(wiring)` where it was found by a search."""

    session: str
    uid: str
    unit: int
    ports: LinePorts
    _field: Field
    _clock: IReactorTime
    _ask: Ask
    _is_searching: bool
    fresh_s: float = 5.0
    on_command: Callable[[Frame, str], None] = lambda request, outcome: None
    on_found: Callable[[Wiring], None] = lambda wiring: None
    _gain: Gain = field(init=False)
    _allowance: Allowance = field(init=False)
    _last: Frame | None = field(default=None, init=False)
    _answered_at: float = field(init=False)
    _silences: int = field(default=0, init=False)
    _rests: dict[Frame | None, float] = field(factory=dict, init=False)
    _written_at: float = field(default=-1.0, init=False)
    _is_too_often: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._gain = Gain(self.ports, self._probe, self._clock, self._found)
        self._allowance = Allowance(f"writes to {self.uid}", WRITES, WRITES_PER_S)
        self._answered_at = self._clock.seconds()

    @property
    def wiring(self) -> Wiring:
        """The port and baud rate in force."""
        return self.ports.wiring

    @property
    def is_searched_for(self) -> bool:
        """Whether it is being looked for at other ports and speeds."""
        return self._gain.is_searching

    def rewire(self, wiring: Wiring) -> None:
        """Goes over to another port and baud rate, where they exist, and keeps them."""
        if self.ports.use(wiring):
            self.ports.keep()
            self._rests.clear()
            self._answered_at = self._clock.seconds()

    def stop(self) -> None:
        """Looks for it no more."""
        self._gain.stop()

    def ask(self, request: Frame) -> Deferred[bytes]:
        """Reads from what was read last, where that is fresh, else from the line; writes by `modbus.raw`, once, as
        whoever asks for the session. Fires with the reply's PDU. Other Modbus IDs than the controller's are other
        devices' here, and do not answer."""
        known = self._field.known().get(self.uid)
        if known is None or request.unit not in (self.unit, known.device.address):
            return fail(NoReply(f"Modbus ID {request.unit} is not {self.uid}"))
        request = request.of(known.device.address)
        if not request.is_reading:
            return self._write(request)
        self._last = request
        kept = self._fresh(known, request)
        if kept is not None:
            self._answered()
            return succeed(_reply(request, kept))
        if self._gain.is_searching:
            return fail(NoReply("it is being looked for"))
        now = self._clock.seconds()
        if max(self._rests.get(request, 0.0), self._rests.get(None, 0.0)) > now:
            return fail(NoReply("it did not answer a moment ago"))
        if reason := self._forbidden(known):
            return fail(Busy(reason))
        reading = self._read(known, request, None)
        return reading.addCallbacks(self._took, self._failed, callbackArgs=(request,), errbackArgs=(request, now))

    # -- reading

    def _forbidden(self, known: Known) -> str:
        wire = self._field.wires()[known.device.line]
        return wire.poller.suspended or known.polled.conflict

    def _fresh(self, known: Known, request: Frame) -> bytes | None:
        """What was read of it last, unless that is old, or something was written since."""
        station = known.station
        if not isinstance(station, ModbusStation) or known.polled.conflict:
            return None
        is_alone = station.profile.traits.alone
        place = _FUNCTIONS[request.function], request.address, request.count
        found = station.image(request.unit).content(*place, is_alone=is_alone)
        oldest = max(self._clock.seconds() - self.fresh_s, self._written_at)
        return found[0] if found is not None and found[1] > oldest else None

    def _read(self, known: Known, request: Frame, wait_s: float | None) -> Deferred[bytes]:
        station = known.station
        if not isinstance(station, ModbusStation):
            return fail(NoReply(f"{self.uid} is not spoken to in plain Modbus"))
        function: Function = _FUNCTIONS[request.function]
        asking = station.ask(read(function, request.address, request.count), wait_s)
        return self._field.line(known.device.line).run(known.device.station, asking)

    def _took(self, content: bytes, request: Frame) -> bytes:
        self._answered()
        self._rests.pop(request, None)
        return _reply(request, content)

    def _failed(self, failure: Failure, request: Frame, began: float) -> Failure:
        if failure.check(Refused):
            self._answered()
        elif failure.check(NoReply, WireError):
            self._silences += 1
            now = self._clock.seconds()
            times = REST_TIMES * max(1, self._silences - SILENCES + 1)
            rest = now + min(times * (now - began), LONGEST_REST_S)
            if len(self._rests) >= _RESTED:
                self._rests.clear()
            self._rests[None if self._silences >= SILENCES else request] = rest
        if self._is_searching and self._clock.seconds() - self._answered_at >= LOST_S:
            self._gain.search()
        return failure

    def _answered(self) -> None:
        self._silences = 0
        self._rests.pop(None, None)
        self._answered_at = self._clock.seconds()
        self._gain.answered()

    # -- looking for it

    def _probe(self) -> Deferred[bool]:
        return Deferred.fromCoroutine(self._is_there())

    async def _is_there(self) -> bool:
        for _ in range(PROBES):
            known, request = self._field.known().get(self.uid), self._last
            if known is None or request is None:
                return False
            try:
                await self._read(known, request, PROBE_S)
            except Refused:
                return True
            except (LineError, ConcentratorError):
                continue
            return True
        return False

    def _found(self, wiring: Wiring) -> None:
        self._answered()
        self._rests.clear()
        self.ports.keep()
        self.on_found(wiring)

    # -- writing

    def _write(self, request: Frame) -> Deferred[bytes]:
        """Hands it on, and waits without a say: whoever gives up waiting does not take it back."""
        replied: Deferred[bytes] = Deferred()
        caller = Caller(f"smartgen {self.session}", frozenset({Permission.WRITE}))
        try:
            self._allowance.take(self._clock.seconds())
        except ConcentratorError as error:
            if not self._is_too_often:  # of a flood, what begins it is told
                self.on_command(request, str(error))
            self._is_too_often = True
            return fail(error)
        self._is_too_often = False
        if self._gain.is_searching:  # its line or speed may be another's just now
            busy = Busy("it is being looked for")
            self.on_command(request, str(busy))
            return fail(busy)
        asked = self._ask("modbus.raw", {"uid": self.uid, "request": bytes(request).hex()}, caller)

        def done(result: Any) -> None:
            self._written_at = self._clock.seconds()
            self._answered()
            self.on_command(request, "")
            if not replied.called:
                replied.callback(bytes.fromhex(result["reply"]))

        def failed(failure: Failure) -> None:
            self._written_at = self._clock.seconds()
            self.on_command(request, failure.getErrorMessage() or "it failed")
            if not replied.called:
                replied.errback(failure)

        asked.addCallbacks(done, failed)
        asked.addErrback(lambda failure: None if replied.called else replied.errback(failure))
        return replied


def _reply(request: Frame, content: bytes) -> bytes:
    return bytes((request.function, len(content))) + content
