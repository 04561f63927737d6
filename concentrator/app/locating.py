"""Where the box is, asked of what may know: the mobile modem by ModemManager, else a receiver by gpsd. Hides the
program that is run, the connection that is made, and that neither may be there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from concentrator.model.errors import ConcentratorError, Garbled
from concentrator.system.program import Program
from concentrator.wire.location import Fix, from_gpsd, from_modem_manager

UNKNOWN_S, KNOWN_S = 60.0, 600.0
"""How often it is asked where the place is not known, and where it is."""
PATIENCE_S = 10.0
GPSD_PORT = 2947
FAR_DEGREES = 0.002
"""A place that differs by more, some 200 m, is another; a receiver at rest wanders by less."""
_LINES = 50
"""What gpsd says at most before it says where the box is."""

log = Logger()


class Places(Protocol):
    """Who may know the place."""

    async def ask(self) -> Fix | None:
        """The place; None where nobody knows it."""


class _Listener(LineOnlyReceiver):
    """Listens to gpsd until it says where it is; fires with that, or None."""

    delimiter = b"\n"
    MAX_LENGTH = 65536

    def __init__(self, heard: Deferred[Fix | None]) -> None:
        self._heard = heard
        self._left = _LINES

    def connectionMade(self) -> None:  # noqa: N802
        """Asks for reports."""
        assert self.transport is not None, "it was just connected"
        self.transport.write(b'?WATCH={"enable":true,"json":true};\n')

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        """One report."""
        self._left -= 1
        try:
            fix = from_gpsd(line.decode(errors="replace"))
        except Garbled:
            fix = None
        if fix is not None or not self._left:
            self._tell(fix)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """Nobody is there any more."""
        self._tell(None)

    def _tell(self, fix: Fix | None) -> None:
        if not self._heard.called:
            self._heard.callback(fix)
        if self.transport is not None:
            self.transport.loseConnection()


@frozen(eq=False)
class Receivers:
    """What may know the place: ModemManager's program, and gpsd at a port of this machine."""

    _reactor: Any
    _mmcli: Program
    port: int = GPSD_PORT

    async def ask(self) -> Fix | None:
        """The place, of the first that knows it; None where none does."""
        return await self._modem_manager() or await self._gpsd()

    async def _modem_manager(self) -> Fix | None:
        try:
            return from_modem_manager(await self._mmcli.say("-J", "-m", "any", "--location-get", timeout_s=PATIENCE_S))
        except ConcentratorError:
            return None

    async def _gpsd(self) -> Fix | None:
        heard: Deferred[Fix | None] = Deferred()
        listener = _Listener(heard)
        endpoint = TCP4ClientEndpoint(self._reactor, "127.0.0.1", self.port, timeout=int(PATIENCE_S))
        try:
            await endpoint.connect(Factory.forProtocol(lambda: listener))
        except ConnectError:
            return None
        heard.addTimeout(PATIENCE_S, self._reactor)
        try:
            return await heard
        except TimeoutError:
            return None
        finally:
            if listener.transport is not None:
                listener.transport.loseConnection()


@define(eq=False, repr=False)
class Locator:
    """Asks from `start` to `stop`; `moved()` is called when the place is known for the first time, or is another."""

    _clock: IReactorTime
    _receivers: Places
    moved: Callable[[], None] = lambda: None
    fix: Fix | None = field(default=None, init=False)
    """Where it was last; None: nobody has said."""
    _timer: IDelayedCall | None = field(default=None, init=False)
    _asking: Deferred[None] | None = field(default=None, init=False)
    _is_on: bool = field(default=False, init=False)

    def start(self) -> None:
        """Begins to ask; once is enough."""
        if not self._is_on:
            self._is_on = True
            self._again()

    def stop(self) -> None:
        """Asks no more."""
        self._is_on = False
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._asking is not None:
            self._asking.cancel()

    def _again(self) -> None:
        self._timer = None
        asking = self._asking = Deferred.fromCoroutine(self._ask())
        asking.addErrback(lambda failure: failure.trap(CancelledError))
        asking.addErrback(lambda failure: log.warn("the place: {why}", why=failure.getErrorMessage()))
        asking.addCallback(lambda _: self._rest())

    def _rest(self) -> None:
        self._asking = None
        if self._is_on:
            self._timer = self._clock.callLater(UNKNOWN_S if self.fix is None else KNOWN_S, self._again)

    async def _ask(self) -> None:
        found = await self._receivers.ask()
        if found is None or not self._is_on:
            return
        before = self.fix
        if before is None or _is_far(before, found):
            self.fix = found
            self.moved()


def _is_far(one: Fix, other: Fix) -> bool:
    return max(abs(one.longitude - other.longitude), abs(one.latitude - other.latitude)) > FAR_DEGREES
