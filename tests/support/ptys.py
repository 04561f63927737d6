"""Two pseudo-terminals whose far ends are joined: what is written to one port is read from the other."""

from __future__ import annotations

import os
import tty
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer


@implementer(IReadDescriptor)
class _End:
    """One master side, copied to the other."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        self._slave = slave
        self.other: _End

    def doRead(self) -> None:  # noqa: N802
        os.write(self.other.master, os.read(self.master, 4096))

    def fileno(self) -> int:
        return self.master

    def logPrefix(self) -> str:  # noqa: N802
        return "pty"

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        """Nothing: the test closes both."""

    def close(self) -> None:
        os.close(self.master)
        os.close(self._slave)


class JoinedPtys:
    """Joined from `start` to `stop`; `ports` are the two names to open."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._ends = (_End(), _End())
        self._ends[0].other, self._ends[1].other = self._ends[1], self._ends[0]
        self.ports = tuple(end.port for end in self._ends)

    def start(self) -> None:
        for end in self._ends:
            self._reactor.addReader(end)

    def stop(self) -> None:
        for end in self._ends:
            self._reactor.removeReader(end)
            end.close()
