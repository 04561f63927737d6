"""Many network wires behind one descriptor: the reactor is told once that something has arrived, and every wire on
which it did takes it there and then. What the reactor does for each descriptor of its own (its log's context, the
transport's layers) a thousand devices would feel (`make bench ARGS=tcp`). Hides an epoll set inside
the reactor's.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

_MOST = 32  # wires served before the reactor looks at everything else again, its timers above all

log = Logger()


@implementer(IReadDescriptor)
class Arrivals:
    """The wires on which somebody looks for bytes. It is with the reactor only while there are any."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._set = select.epoll()
        self._watched: dict[int, Callable[[], None]] = {}

    def watch(self, descriptor: int, arrived: Callable[[], None]) -> None:
        """Calls `arrived` whenever a descriptor has bytes or an end to read, until it is forgotten."""
        if not self._watched:
            self._reactor.addReader(self)
        self._set.register(descriptor, select.EPOLLIN)
        self._watched[descriptor] = arrived

    def forget(self, descriptor: int) -> None:
        """Watches a descriptor no longer; it may be closed already, or never have been watched."""
        if self._watched.pop(descriptor, None) is None:
            return
        with suppress(OSError):  # the kernel forgets what is closed by itself
            self._set.unregister(descriptor)
        if not self._watched:
            self._reactor.removeReader(self)

    def doRead(self) -> None:  # noqa: N802 - Twisted's name, as below
        """Something has arrived somewhere."""
        watched = self._watched
        for descriptor, _ in self._set.poll(0, _MOST):
            arrived = watched.get(descriptor)
            if arrived is not None:  # else it was forgotten by one before it
                try:
                    arrived()
                except Exception:  # as the reactor does: one wire's fault is not another's
                    log.failure("taking what arrived failed")

    def fileno(self) -> int:
        """The descriptor for all of them."""
        return self._set.fileno()

    def logPrefix(self) -> str:  # noqa: N802
        """What the reactor calls it in its log."""
        return "arrivals"

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802
        """The reactor is shutting down."""
