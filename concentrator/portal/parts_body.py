"""A result in parts as the body of an answer: one JSON array, a part an item. Hides that no part is asked for before
the one before has been taken away."""

from __future__ import annotations

import json
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request
from zope.interface import implementer

from concentrator.actions.parts import Parts
from concentrator.model.errors import ConcentratorError

log = Logger()


@implementer(IPushProducer)
@define(eq=False)
class PartsBody:
    """Sends parts as the body of a request's answer, whose head is prepared already."""

    _request: Request
    _parts: Parts
    _is_gone: bool = field(default=False, init=False)
    _held: Deferred[None] | None = field(default=None, init=False)

    def send(self) -> None:
        """Begins; ends the request when all is sent, and breaks the connection off where a part cannot be had."""
        gone: Deferred[Any] = self._request.notifyFinish()
        gone.addBoth(lambda _: self.stopProducing())
        self._request.registerProducer(self, True)
        Deferred.fromCoroutine(self._send()).addErrback(self._broke)

    async def _send(self) -> None:
        before = b"["
        while (part := await self._parts.next_part()) is not None and not self._is_gone:
            self._request.write(before + json.dumps(part, ensure_ascii=False).encode())
            before = b",\n"
            if self._held is not None:
                await self._held
        if not self._is_gone:
            self._request.unregisterProducer()
            self._request.write(b"]\n")
            self._request.finish()

    def _broke(self, failure: Failure) -> None:
        if not failure.check(ConcentratorError):
            log.failure("a part of a result failed", failure)
        else:
            log.warn("a long answer broke off: {why}", why=failure.getErrorMessage())
        if not self._is_gone:
            self._request.unregisterProducer()
            self._request.loseConnection()  # else what came would look whole

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Whoever takes it away is behind."""
        if self._held is None:
            self._held = Deferred()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """There is room again."""
        held, self._held = self._held, None
        if held is not None:
            held.callback(None)

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Nobody takes it away any more."""
        self._is_gone = True
        self.resumeProducing()
