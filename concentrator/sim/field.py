"""A field of slaves on one bus: finds the one a request is for. Hides addresses that are shared, broadcast or empty."""

from __future__ import annotations

from collections.abc import Iterable

from concentrator.sim.slave import BROADCAST, Slave, answer


class Field:
    """Slaves that hang on one bus, each at the address it listens to at the moment."""

    def __init__(self, slaves: Iterable[Slave]) -> None:
        self.slaves = tuple(slaves)

    def answer(self, frame: bytes, at: float) -> bytes | None:
        """What is heard after an intact request at `at` (UTC seconds): a reply frame, empty after a broadcast, None
        where nobody listens. Two slaves with one address speak over each other."""
        if frame[0] == BROADCAST:
            for slave in self.slaves:
                answer(slave, frame, at)
            return b""
        replies = [answer(slave, frame, at) for slave in self.slaves if slave.unit == frame[0]]
        if not replies:
            return None
        heard = replies[0]
        for other in replies[1:]:
            heard = bytes(mine & its for mine, its in zip(heard, other.ljust(len(heard), b"\xff"), strict=False))
        return heard
