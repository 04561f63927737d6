"""Threads for work that may hang where nothing can wake it, such as asking for a name at a name server that is away:
whoever stops does not wait for them, and the process ends without them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread, deferToThreadPool
from twisted.python.threadpool import ThreadPool


class _DaemonThread(Thread):
    def __init__(self, *what: Any, **how: Any) -> None:
        super().__init__(*what, **how, daemon=True)


class _DaemonPool(ThreadPool):
    threadFactory = _DaemonThread  # noqa: N815


class LooseThreads:
    """At most `most` threads, called `name`, which report to `reactor`."""

    def __init__(self, reactor: Any, name: str, most: int = 2) -> None:
        self._reactor = reactor
        self._pool = _DaemonPool(0, most, name)

    def run(self, job: Callable[[], Any]) -> Deferred[Any]:
        """Calls it in a thread; fires with what it gave or raised."""
        if not self._pool.started:
            self._pool.start()
        return deferToThreadPool(self._reactor, self._pool, job)

    def wait_for(self, ask: Callable[[], Deferred[Any]]) -> Any:
        """For such a thread: calls it in the reactor's, waits, and gives what the Deferred fired with, or raises."""
        return blockingCallFromThread(self._reactor, ask)
