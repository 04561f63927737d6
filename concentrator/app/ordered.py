"""Services that start in order and stop in reverse, each waited for, which Twisted's MultiService does not do. One that
cannot stop within its time is left behind, and said so; one that fails to start stops those before it."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, TimeoutError, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

STOP_S = 10.0
"""How long one part may take to stop, in seconds."""

log = Logger()


@define(eq=False)
class Part:
    """A named part of the house and how it starts and stops; both may give a Deferred or be coroutines."""

    name: str
    start: Callable[[], Any]
    stop: Callable[[], Any] = lambda: None


@define(eq=False, slots=False)
class OrderedService(Service):
    """The parts as one Twisted service. `failed` is called with the failure of a part that does not start, when those
    before it have stopped."""

    clock: IReactorTime
    parts: list[Part] = field(factory=list)
    failed: Callable[[Failure], None] = Failure.raiseException
    _started: list[Part] = field(factory=list, init=False)
    _starting: Deferred[None] | None = field(default=None, init=False)

    def startService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """Starts the parts in order."""
        super().startService()
        return Deferred.fromCoroutine(self._start()).addErrback(self._failed)

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """Stops what was started, last first; fires when all of it has stopped."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    def _failed(self, failure: Failure) -> None:
        self.failed(failure)

    async def _start(self) -> None:
        self._starting = Deferred()
        try:
            for part in self.parts:
                if not self.running:
                    return
                await maybeDeferred(part.start)
                self._started.append(part)
        except Exception:  # other parts' code: what runs already must be stopped in order
            if not self.running:
                return  # the end came first, and whoever brought it stops the others
            log.failure("{part} did not start", part=part.name)
            await self._stop_started()
            raise
        finally:
            starting, self._starting = self._starting, None
            starting.callback(None)

    async def _stop(self) -> None:
        if self._starting is not None:
            await self._starting
        await self._stop_started()

    async def _stop_started(self) -> None:
        while self._started:
            part = self._started.pop()
            try:
                await maybeDeferred(part.stop).addTimeout(STOP_S, self.clock)
            except TimeoutError:
                log.error("{part} did not stop within {limit} s", part=part.name, limit=STOP_S)
            except Exception:  # other parts' code: the rest must still be stopped
                log.failure("{part} did not stop well", part=part.name)


def end_as_failed() -> None:
    """Has the process end with status 1 when it ends, which twistd, once it runs, knows no way to do."""

    def end() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)

    atexit.register(end)
