"""The one thread that touches the disk: a job at a time, in the order given. Hides threads from everything else; a
test hands in one without."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.threadpool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")


class Worker(Protocol):
    """Runs jobs one after another."""

    def start(self) -> None:
        """Gets ready to run jobs."""

    def stop(self) -> None:
        """Waits for the job that runs and lets go; call it when no job is waiting."""

    def run(self, job: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Runs a job after those before it; fires in the reactor's thread with what it returned or raised."""


class DiskThread:
    """A worker with a thread of its own, which reports to `reactor`."""

    def __init__(self, reactor: IReactorFromThreads) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(1, 1, name="journal")

    def start(self) -> None:
        """Starts the thread."""
        self._pool.start()

    def stop(self) -> None:
        """Ends the thread after the jobs it was given."""
        self._pool.stop()

    def run(self, job: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Runs a job in the thread."""
        return threads.deferToThreadPool(self._reactor, self._pool, job, *args, **kwargs)
