"""Keeping a wire open: it is opened, and opened again whenever it was lost, for as long as it is wanted. Hides the
pauses between tries, and how a failed one is told in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define
from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from concentrator.model.errors import LineLost

REOPEN_MAX_S = 2.0
_FIRST_S = 0.25


class Reopening:
    """Opens an endpoint until `stop`, with what `make` gives at the end of the wire; `failed` hears why it could not
    be opened, each time. It never gives up."""

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        make: Callable[[], IProtocol],
        failed: Callable[[str], None],
        clock: IReactorTime,
    ) -> None:
        factory = Factory.forProtocol(make)  # type: ignore[type-var, arg-type]  # whatever makes a protocol will do
        factory.noisy = False
        self._service = ClientService(
            _Telling(endpoint, failed),
            factory,
            retryPolicy=lambda attempt: min(_FIRST_S * 2 ** min(attempt, 10), REOPEN_MAX_S),
            clock=clock,
        )
        self._service.startService()

    def stop(self) -> Deferred[None]:
        """Closes the wire; fires when it is closed."""
        return self._service.stopService()  # type: ignore[no-any-return]


@implementer(IStreamClientEndpoint)
@define(eq=False, repr=False)
class _Telling:
    """An endpoint that tells why connecting failed, which ClientService keeps to itself."""

    _endpoint: IStreamClientEndpoint
    _failed: Callable[[str], None]

    def __repr__(self) -> str:
        # ClientService logs it with every try: who is told knows the whole house, hundreds of megabytes in words.
        return repr(self._endpoint)

    def connect(self, factory: Any) -> Deferred[Any]:
        def failed(failure: Failure) -> Failure:
            error = failure.value
            self._failed(error.detail if isinstance(error, LineLost) else str(error).rstrip("."))
            return failure

        return self._endpoint.connect(factory).addErrback(failed)
