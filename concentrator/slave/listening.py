"""A port that is listened at for as long as it is wanted. Hides that it may be taken when it is wanted, and comes free
later."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IDelayedCall, IProtocolFactory, IReactorTime, IStreamServerEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure

RETRY_S = 5.0
"""How long after it could not be had a port is tried again."""

log = Logger()


@define(eq=False)
class Listening:
    """Listens with a factory from `start` to `stop`. `trouble`: why it does not, in a sentence; empty where it does."""

    _endpoint: IStreamServerEndpoint
    _factory: IProtocolFactory
    _label: str
    _clock: IReactorTime
    trouble: str = field(default="", init=False)
    _port: Any = field(default=None, init=False)
    _opening: Deferred[Any] | None = field(default=None, init=False)
    _retry: IDelayedCall | None = field(default=None, init=False)

    @property
    def is_open(self) -> bool:
        """Whether it listens now."""
        return self._port is not None

    def start(self) -> None:
        """Begins to listen, or as soon as that is possible."""
        self._retry = None
        self._opening = self._endpoint.listen(self._factory)
        self._opening.addCallbacks(self._listens, self._failed)

    def stop(self) -> Deferred[Any]:
        """Listens no more; fires when the port is free."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
        port, self._port = self._port, None
        return succeed(None) if port is None else maybeDeferred(port.stopListening)

    def _listens(self, port: Any) -> None:
        self._port, self._opening, self.trouble = port, None, ""

    def _failed(self, failure: Failure) -> None:
        if self._opening is None:
            return  # it was stopped
        self._opening = None
        trouble = f"{self._label}: {failure.getErrorMessage().rstrip('.')}"
        if trouble != self.trouble:
            log.error("the slave port does not listen: {trouble}; trying again", trouble=trouble)
        self.trouble = trouble
        self._retry = self._clock.callLater(RETRY_S, self.start)
