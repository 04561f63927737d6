"""Where a gateway listens, and who gets in: those that may come from where they are, and over TLS those that have shown
who they are. Hides that a port may be taken when it is wanted, and comes free later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.mbusgate.client import Client
from concentrator.mbusgate.guests import Network, may_come

RETRY_S = 5.0
"""How long after it could not be had a port is tried again."""
HANDSHAKE_S = 10.0
"""How long a TLS client may take to show who it is."""
_STRANGERS = 16  # TLS clients that have not yet

log = Logger()


@frozen
class Opening:
    """A port: its endpoint, how people call it, and whether TLS is spoken there."""

    endpoint: IStreamServerEndpoint
    label: str
    is_tls: bool = False


@define(eq=False)
class Doorman:
    """Listens at the `openings` from `start` to `stop`. `came` is called with each client that may come, `denied` for
    each that may not."""

    openings: Sequence[Opening]
    _networks: Sequence[Network]
    _keepalive_s: float
    _clock: IReactorTime
    _came: Callable[[Client], None]
    _denied: Callable[[], None]
    _troubles: dict[str, str] = field(factory=dict, init=False)
    _ports: list[Any] = field(factory=list, init=False)
    _opening: list[Deferred[Any]] = field(factory=list, init=False)
    _retries: dict[str, IDelayedCall] = field(factory=dict, init=False)
    _strangers: dict[Client, IDelayedCall] = field(factory=dict, init=False)
    _is_on: bool = field(default=False, init=False)

    def start(self) -> None:
        """Begins to listen, wherever that is possible; elsewhere as soon as it is."""
        self._is_on = True
        for opening in self.openings:
            self._open(opening)

    def stop(self) -> Deferred[Any]:
        """Lets nobody in any more; fires when the ports are free."""
        self._is_on = False
        for call in (*self._retries.values(), *self._strangers.values()):
            call.cancel()
        for stranger in self._strangers:
            stranger.close()
        self._retries.clear()
        self._strangers.clear()
        for opening in tuple(self._opening):
            opening.cancel()
        ports, self._ports = self._ports, []
        return DeferredList([maybeDeferred(port.stopListening) for port in ports])

    def listening(self) -> list[str]:
        """The openings by their labels."""
        return [opening.label for opening in self.openings]

    @property
    def trouble(self) -> str:
        """Why it does not listen everywhere, in a sentence; empty where it does."""
        return "; ".join(self._troubles.values())

    def _open(self, opening: Opening) -> None:
        self._retries.pop(opening.label, None)
        listening = opening.endpoint.listen(_Entrance(self, opening.is_tls))
        self._opening.append(listening)

        def done(result: Any) -> Any:
            self._opening.remove(listening)
            return result

        listening.addBoth(done)
        listening.addCallbacks(self._listens, self._failed, (opening,), errbackArgs=(opening,))

    def _listens(self, port: Any, opening: Opening) -> None:
        self._ports.append(port)
        self._troubles.pop(opening.label, None)

    def _failed(self, failure: Failure, opening: Opening) -> None:
        if not self._is_on:
            return
        trouble = f"{opening.label}: {failure.getErrorMessage().rstrip('.')}"
        if trouble != self._troubles.get(opening.label):
            log.error("the M-Bus gateway does not listen: {trouble}; trying again", trouble=trouble)
        self._troubles[opening.label] = trouble
        self._retries[opening.label] = self._clock.callLater(RETRY_S, self._open, opening)

    # -- who comes

    def client_for(self, address: Any, is_tls: bool) -> Client | None:
        """Somebody connects; None where that is not for him."""
        is_crowded = is_tls and len(self._strangers) >= _STRANGERS
        if is_crowded or not may_come(str(getattr(address, "host", "")), self._networks):
            self._denied()
            return None
        client = Client(self._keepalive_s, is_tls, self._known if is_tls else self._came)
        if is_tls:
            client.on_left = lambda: self._stranger_left(client)
            self._strangers[client] = self._clock.callLater(HANDSHAKE_S, self._turn_away, client)
        return client

    def _known(self, client: Client) -> None:
        self._forget(client)
        self._came(client)

    def _turn_away(self, client: Client) -> None:
        del self._strangers[client]
        self._denied()
        client.close()

    def _stranger_left(self, client: Client) -> None:
        """He has not shown who he is, or not what is wanted."""
        self._forget(client)
        self._denied()

    def _forget(self, client: Client) -> None:
        call = self._strangers.pop(client, None)
        if call is not None:
            call.cancel()


class _Entrance(Factory):
    """What Twisted asks for a protocol."""

    noisy = False

    def __init__(self, doorman: Doorman, is_tls: bool) -> None:
        self._doorman = doorman
        self._is_tls = is_tls

    def buildProtocol(self, addr: Any) -> Client | None:  # noqa: N802 - Twisted's name
        client = self._doorman.client_for(addr, self._is_tls)
        if client is not None:
            client.factory = self
        return client
