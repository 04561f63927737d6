"""A command line program of the machine, such as ModemManager's `mmcli`, asked one call at a time. Hides the process:
how long it may take and how much it may say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from concentrator.model.errors import NoReply, TryLater

SAID_MOST = 2**18
"""How much of what it says is kept, in bytes."""
CALL_S = 40.0
"""How long a call may take."""


class _Running(ProcessProtocol):
    """One process, until it ends; what it says beyond the most is dropped."""

    def __init__(self, reactor: Any, called: str, timeout_s: float) -> None:
        self._called = called
        self.ended: Deferred[str] = Deferred()
        self._said = {1: b"", 2: b""}
        self._reactor = reactor
        self._timeout_s = timeout_s
        self._timer: IDelayedCall | None = None
        self._is_late = False

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        self._timer = self._reactor.callLater(self._timeout_s, self._too_late)

    def kill(self) -> None:
        """Ends it; one that has ended already is on its way out."""
        if self.transport is not None:
            with suppress(ProcessExitedAlready):
                self.transport.signalProcess("KILL")

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N802, N803 - Twisted's names
        self._said[childFD] = (self._said[childFD] + data)[:SAID_MOST]

    def processEnded(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._is_late:
            self.ended.errback(NoReply(f"{self._called} did not end within {self._timeout_s:g} s"))
        elif reason.check(ProcessDone):
            self.ended.callback(self._said[1].decode("utf-8", "replace"))
        else:
            said = self._said[2].decode("utf-8", "replace").strip().splitlines()
            self.ended.errback(TryLater(said[-1].removeprefix("error: ") if said else f"{self._called} failed"))

    def _too_late(self) -> None:
        self._is_late = True
        self.kill()


@define(eq=False)
class Program:
    """The program at a path (None: it is not installed), in an environment; `called` and `comes_with` name it and what
    it is a part of to people."""

    _reactor: Any
    _path: str | None
    _environment: dict[str, str]
    _called: str
    _comes_with: str
    _turn: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(1), init=False)
    _running: _Running | None = field(default=None, init=False)
    _is_over: bool = field(default=False, init=False)

    def say(self, *arguments: str, timeout_s: float = CALL_S) -> Deferred[str]:
        """Runs it; fires with what it said. Fails with TryLater and its last words, or with NoReply."""
        return self._turn.run(self._run, arguments, timeout_s)

    async def ask(self, *arguments: str) -> dict[str, Any]:
        """Runs it with -J; gives the object it said. Raises TryLater and NoReply."""
        said = await self.say(*arguments, "-J")
        try:
            found = json.loads(said)
        except (ValueError, RecursionError):
            raise TryLater(f"{self._called} said no JSON") from None
        return found if isinstance(found, dict) else {}

    def stop(self) -> None:
        """Ends the call under way; those that wait for it, and any other, fail."""
        self._is_over = True
        if self._running is not None:
            self._running.kill()

    def _run(self, arguments: Sequence[str], timeout_s: float) -> Deferred[str]:
        if self._path is None:
            raise TryLater(f"{self._called} is not installed; it comes with {self._comes_with}")
        if self._is_over:
            raise TryLater(f"{self._called} is let go")
        running = _Running(self._reactor, self._called, timeout_s)
        try:
            self._reactor.spawnProcess(running, self._path, [self._path, *arguments], env=self._environment)
        except OSError as error:
            raise TryLater(f"{self._called} cannot be run: {error.strerror}") from None
        self._running = running
        return running.ended.addBoth(self._over)

    def _over(self, result: Any) -> Any:
        self._running = None
        return result
