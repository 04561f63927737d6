"""Decides, beside polling, about meters that were being given an ID when something came between: a power cut, a lost
line, the end of link mode. Hides waiting until it can be known, and that it is tried until nothing is undecided."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from concentrator.model.errors import Cancelled, ConcentratorError
from concentrator.poll.registrar import SETTLE_S, Registrar


@define(eq=False, repr=False)
class Recovery:
    """At most one at a time. `trouble` is given a failure that keeps something undecided, `over` is called when nothing
    is undecided any more, but not after `stop`."""

    clock: IReactorTime
    registrar: Registrar
    trouble: Callable[[Failure], None]
    over: Callable[[], None]
    _running: Deferred[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Begins; the first decision comes when no meter can be at an ID only for now."""
        self._running = self._decide()
        self._running.addErrback(self._broke).addCallback(self._ended)

    def stop(self) -> None:
        """Gives up where it is; what is undecided stays so."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()

    @inlineCallbacks
    def _decide(self) -> Generator[Deferred[Any], Any, None]:
        while self.registrar.addresses.recover():
            yield deferLater(self.clock, SETTLE_S)
            try:
                yield self.registrar.settle()
            except Cancelled:
                raise
            except (ConcentratorError, OSError):
                self.trouble(Failure())

    def _broke(self, failure: Failure) -> None:
        if not failure.check(Cancelled, CancelledError):
            self.trouble(failure)

    def _ended(self, _: None) -> None:
        if self._running is not None:
            self._running = None
            self.over()
