"""An endpoint that counts as connected only when the broker has welcomed us. It hides that names, TLS and brokers may
be silent for ever: one deadline covers them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from attrs import define
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IProtocol, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from concentrator.model.errors import TryLater
from concentrator.uplink.broker_endpoint import spoken
from concentrator.uplink.paho_link import Hello, PahoLink, Terms


@implementer(IStreamClientEndpoint)
@define(eq=False)
class Greeting:
    """Connects to `endpoint`, says `hello`, and gives up after `patience_s` in all. The protocol that is then built
    has the session for its transport; `on_terms` hears the broker's terms just before. `on_trouble` hears in words
    why an attempt failed."""

    endpoint: IStreamClientEndpoint
    hello: Hello
    clock: IReactorTime
    patience_s: float
    on_terms: Callable[[Terms], None]
    on_trouble: Callable[[str], None]

    def connect(self, protocolFactory: Any) -> Deferred[IProtocol]:  # noqa: N803
        """See IStreamClientEndpoint."""
        attempt = Deferred.fromCoroutine(self._attempt(protocolFactory))
        attempt.addTimeout(self.patience_s, self.clock, self._gave_up)
        attempt.addErrback(self._failed)
        return attempt

    async def _attempt(self, factory: Any) -> IProtocol:
        reaching = self.endpoint.connect(Factory.forProtocol(lambda: PahoLink(self.hello, self.clock)))
        link = cast(PahoLink, await reaching)
        self.on_terms(await link.welcome)
        built: Any = factory.buildProtocol(None)
        link.carry(built)
        built.makeConnection(link)
        return cast(IProtocol, built)

    def _gave_up(self, reason: Any, patience_s: float) -> Any:
        raise TryLater(f"no welcome within {patience_s:g} s")

    def _failed(self, failure: Failure) -> Failure:
        why = failure.value
        if not isinstance(why, CancelledError):
            self.on_trouble(why.detail if isinstance(why, TryLater) else spoken(failure))
        return failure

    def __repr__(self) -> str:
        return f"the broker by {self.endpoint!r}"
