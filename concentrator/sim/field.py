"""A field of slaves on one bus: everybody hears every request. Hides who a request is for; what becomes of several
replies at once is the wire's business."""

from __future__ import annotations

from collections.abc import Iterable

from concentrator.sim.slave import Slave


class Field:
    """Slaves that hang on one bus."""

    def __init__(self, slaves: Iterable[Slave]) -> None:
        self.slaves = tuple(slaves)

    def replies(self, frame: bytes, at: float) -> list[bytes]:
        """What is said to an intact request at `at` (UTC seconds): the reply frame of each who answers, in the order of
        the slaves. None after a broadcast and where nobody listens; several where an address is shared."""
        said = (slave.reply(frame, at) for slave in self.slaves)
        return [reply for reply in said if reply is not None]
